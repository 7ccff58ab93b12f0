"""Options that several commands of `triage hashset` share, and how secrets are asked for."""

import os
import sys
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import click
from click.shell_completion import CompletionItem

from triage.cli.parameters import PLACE, TEXT, TextParameter
from triage.hashsets.formats import FORMATS
from triage.model.errors import DigiVanError, UsageError
from triage.model.finding import SetKind

LIBRARY = click.option(
    "--library",
    type=PLACE,
    help="folder of the hash sets "
    "[default: $DIGIVAN_HOME/hashsets, else $XDG_DATA_HOME/digivan/hashsets, else ~/.local/share/digivan/hashsets]",
)
NAME = click.option("--name", type=TEXT, required=True, help="name of the set, shown with every finding")
VERSION = click.option("--set-version", "version", type=TEXT, default="1", show_default=True, help="version of the set")
REPLACE = click.option("--replace", is_flag=True, help="take the place of a set of the same name and version")
KINDS = click.Choice([kind.value for kind in SetKind])
FORMAT = click.option(
    "--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True, help="format of the files"
)
JSON = click.option("--json", "as_json", is_flag=True, help="print one JSON object a line")
KEY = click.option(
    "--key",
    type=PLACE,
    envvar="DIGIVAN_SIGNING_KEY",
    help="private key that seals the set [default: $DIGIVAN_SIGNING_KEY, else no seal]",
)
KEY_FILE = click.option("--key-file", type=PLACE, help="file that opens the library, in place of a passphrase")
CATEGORIES = click.option(
    "--categories", type=PLACE, help="TOML file with the meaning of the category codes, before those of the library"
)
PHASH_DISTANCE = click.option(
    "--phash-distance",
    type=click.IntRange(0, 16),
    default=8,
    show_default=True,
    help="within how many of 64 bits a pHash of this set counts as near",
)


class _SetName(TextParameter):
    """The name of a set; the shell offers those of the library."""

    name = "set"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the names of the library that begin so."""
        del param
        from triage.session import library as sets  # noqa: PLC0415 - heavy to load, and help must come at once

        with suppress(DigiVanError):
            return [
                CompletionItem(name) for name in sets.names(ctx.params.get("library")) if name.startswith(incomplete)
            ]
        return []


SET_NAME = _SetName()


class _Day(click.ParamType[str]):
    """A day, as ISO 8601 writes it."""

    name = "date"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value, or refuse it."""
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is no date; give it as 2026-11-23", param, ctx)
        if day > datetime.now(UTC).date() + timedelta(days=1):  # it may be tomorrow where the publisher is
            self.fail(f"{value} is not yet; give the day on which the set was published", param, ctx)
        return day.isoformat()


PUBLISHED = click.option(
    "--published",
    type=_Day(),
    help="day on which the publisher issued the set, such as 2026-11-23; its age counts from it",
)


def ask_secret(words: str, *, variable: str, confirm: bool = False) -> str:
    """Return a secret from the environment, or ask on the terminal; raises UsageError where neither is to be had."""
    if (given := os.environ.get(variable)) is not None:
        return given
    if not sys.stdin.isatty():
        raise UsageError(f"no terminal to ask for the {words}: set {variable}")
    return str(click.prompt(words, hide_input=True, confirmation_prompt=confirm, err=True))
