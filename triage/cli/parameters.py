"""Types of options and arguments: what cannot be meant is refused here, in one line."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem


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


TEXT = TextParameter()
PLACE = _Place()
