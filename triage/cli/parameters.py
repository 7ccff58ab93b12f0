"""Types of options and arguments: what cannot be meant is refused here, in one line."""

import re
from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from triage.model.errors import DigiVanError


class TextParameter(click.ParamType[str]):
    """A name that a case or a set can keep: not empty, and UTF-8."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value, or refuse it."""
        if not value.strip():
            self.fail("it is empty; give a name", param, ctx)
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail(f"{value} is not UTF-8; give another name", param, ctx)
        return value


class _Exhibit(TextParameter):
    """The reference of an exhibit; the shell offers those of the case."""

    name = "text"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the references in the case that begin so."""
        del param
        from triage.store.case import CaseReader  # noqa: PLC0415 - heavy to load, and help must come at once

        with suppress(DigiVanError), CaseReader.open(Path(ctx.params.get("case") or "case")) as case:
            return [CompletionItem(held) for held in case.exhibits.references() if held.startswith(incomplete)]
        return []


class _Place(click.ParamType[Path]):
    """A path, which may be anything but empty; whether it can be used is told by who uses it."""

    name = "path"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path, or refuse the empty one, which would mean the current folder."""
        if not str(value):
            self.fail("it is empty; name a file or folder", param, ctx)
        return Path(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Leave completion to the shell."""
        return click.Path().shell_complete(ctx, param, incomplete)


_DURATION = re.compile(r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s?)?")


class _Duration(click.ParamType[float]):
    """A time such as 90, 45s, 20m or 1h30m, in seconds."""

    name = "time"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds, or refuse what is no time and what is none at all."""
        found = _DURATION.fullmatch(str(value).strip())
        hours, minutes, seconds = (int(found[unit] or 0) for unit in "hms") if found else (0, 0, 0)
        total = hours * 3600 + minutes * 60 + seconds
        if not total:
            self.fail(f"{value} is not a time; give one such as 45s, 20m or 1h30m", param, ctx)
        return float(total)


DURATION = _Duration()
TEXT = TextParameter()
EXHIBIT_REFERENCE = _Exhibit()
PLACE = _Place()
