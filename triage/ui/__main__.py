"""The console alone: what the server for browsers starts."""

from triage.ui.command import console

if __name__ == "__main__":
    console()
