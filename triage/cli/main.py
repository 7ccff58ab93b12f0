"""The command `triage`: its groups, and the one place where errors become a line and an exit code."""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from triage import __version__
from triage.cli.examine import examine
from triage.cli.hashset import hashset
from triage.cli.listing import coverage, findings, items
from triage.cli.text import safe
from triage.model.errors import DigiVanError

STOPPED = 5
USAGE = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="triage")
def triage() -> None:
    """Forensic triage: examine a device or image, match it against hash sets, account for every byte.

    \b
    A first examination:
      triage hashset build known-pictures/ --name known
      triage examine suspect.E01 --case ./case --exhibit ABC/1
      triage findings --case ./case

    The software recommends; a person decides. Evidence is only ever read.

    \b
    Shell completion: eval "$(_TRIAGE_COMPLETE=bash_source triage)"   (or zsh_source, fish_source)
    Exit codes: 0 done, 2 wrong usage, 3 source cannot be opened, 4 case or library cannot be used,
    5 stopped before the end (the same command resumes), 6 verification failed.
    """  # noqa: D301 - \b is click's mark for text that must not be re-wrapped


for command in (examine, items, findings, coverage, hashset):
    triage.add_command(command)


def main() -> NoReturn:
    """Run the command line and leave with its exit code; every error is one line on standard error."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        code = triage.main(prog_name="triage", standalone_mode=False)
    except DigiVanError as error:
        _leave(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(USAGE)
    except click.ClickException as error:
        _leave(f"{error.format_message()} (triage --help shows how)", USAGE)
    except (KeyboardInterrupt, click.Abort):
        _leave("stopped; everything found so far is kept: run the same command again to resume", STOPPED)
    except BrokenPipeError:
        # The reader of our output has gone (for example `| head`): nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _leave(text: str, code: int) -> NoReturn:
    click.echo(f"triage: {safe(' '.join(text.split()))}", err=True)
    sys.exit(code)


def _as_interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
