"""Public crash, fuzz and bomb files: every one ends, in its time, without an exception and without a warning."""

import time
from pathlib import Path

import pytest
from suite import Corpus

from triage.content.content import Content
from triage.content.digesting import digest
from triage.content.mediatype import HEAD, media_type
from triage.content.picture import PICTURE_TYPES, hash_picture
from triage.content.protected import protected

SECONDS = 20  # far above the slowest seen (1 s), far below a hang


@pytest.mark.parametrize(("folder", "at_least"), [("bad_images", 160), ("bombs", 8)])
def test_hostile_files_end_with_an_answer(corpus: Corpus, folder: str, at_least: int) -> None:
    slowest = (Path(), 0.0)
    files = sorted(corpus.path(folder).iterdir())
    for name in files:
        started = time.monotonic()
        examine(name)
        took = time.monotonic() - started
        slowest = max(slowest, (name, took), key=lambda entry: entry[1])
    assert len(files) >= at_least
    assert slowest[1] < SECONDS, slowest


def examine(path: Path) -> None:
    data = path.read_bytes()
    content = Content(lambda offset, length: data[offset : offset + length], len(data))
    head = content.head(HEAD)
    kind = media_type(head)
    hashes = hash_picture(content, kind)
    assert digest(content).md5 is not None
    assert protected(head, len(data)) is None
    assert (hashes.pdq is None) <= (hashes.declined is not None), path
    assert kind in PICTURE_TYPES or hashes.pdq is None
