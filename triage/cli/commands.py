"""The commands of `triage` as one group."""

from collections.abc import Mapping
from importlib import import_module

import click

from triage import __version__
from triage.cli.stopping import Stopped
from triage.model.errors import UsageError

_COMMANDS = {
    "receive": "triage.cli.receiving",
    "received": "triage.cli.receiving",
    "examine": "triage.cli.examine",
    "items": "triage.cli.listing",
    "findings": "triage.cli.listing",
    "indications": "triage.cli.listing",
    "coverage": "triage.cli.listing",
    "judge": "triage.cli.judging",
    "judgements": "triage.cli.judging",
    "decide": "triage.cli.deciding",
    "decisions": "triage.cli.deciding",
    "documents": "triage.cli.documents",
    "hashset": "triage.cli.hashset",
    "selftest": "triage.cli.selftest",
}


class _Commands(click.Group):
    """Loads the module of a command when it is asked for: nobody waits for the libraries of another one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        del ctx
        module = _COMMANDS.get(cmd_name)
        return None if module is None else getattr(import_module(module), cmd_name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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
    5 stopped before the end (the same command resumes), 6 verification or self-test failed.
    """  # noqa: D301 - \b is click's mark for text that must not be re-wrapped


def run(beside: Mapping[str, str]) -> int:
    """Carry out the words of the command line, `beside` being more commands, and return the exit code.

    Raises DigiVanError.
    """
    _COMMANDS.update(beside)
    try:
        code = triage.main(prog_name="triage", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return UsageError.exit_code
    except click.exceptions.Abort:
        raise Stopped("stopped; nothing was changed") from None
    except click.ClickException as error:
        raise UsageError(f"{error.format_message()} (triage --help shows how)") from error
    return code if isinstance(code, int) else 0
