"""Passwords, recovery keys and key files for encrypted volumes: asked for or read, and never a word of a command."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from triage.model.errors import SourceError, UsageError
from triage.model.secret import LONGEST_FILE, Secrets


def given(*, asked: bool, lists: Sequence[Path], keys: Sequence[Path]) -> Secrets:
    """Return the secrets that a person types now, the lines of text files, and key files as they are.

    Raises UsageError, naming no secret, and SourceError for a file that cannot be read.
    """
    typed = [line for path in lists for line in _lines(path)]
    if asked:
        typed += _asked()
    return Secrets.given(typed, [_content(path) for path in keys])


def _asked() -> Iterator[str]:
    if not sys.stdin.isatty():
        raise UsageError("--unlock asks on a terminal, and there is none; give --unlock-file FILE")
    while True:
        text = "password or recovery key (empty: no more)"
        answer: str = click.prompt(text, default="", show_default=False, hide_input=True, err=True)
        if not answer:
            return
        yield answer


def _lines(path: Path) -> list[str]:
    text = _content(path).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    return [line for line in text.splitlines() if line]


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}; check the path of the key file") from error
    return content
