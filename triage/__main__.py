"""`python -m triage`: the command line."""

from triage.cli.main import main

main()
