"""Hash sets made of invented bytes, written, compiled and opened."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from triage.hashsets.compile import Destination, compile_records
from triage.hashsets.hashset import HashSet
from triage.hashsets.library import Library
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.model.finding import SetKind

MakeSet = Callable[[Iterable[Record]], HashSet]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


@pytest.fixture
def make_set(library: Library) -> MakeSet:
    """Return a function that compiles records and opens the set."""

    def make(records: Iterable[Record]) -> HashSet:
        meta = SetMeta(name="made", version="1", kind=SetKind.NOTABLE, date="2026-01-02")
        return HashSet.open(compile_records(records, meta, Destination(library=library)).path)

    return make


@pytest.fixture
def member() -> Callable[[int], Record]:
    """Return a function that makes the record of an invented content, the same for the same number."""

    def make(number: int) -> Record:
        content = b"invented content %d" % number
        return Record(
            hashlib.md5(content).digest(),
            hashlib.sha1(content).digest(),
            hashlib.sha256(content).digest(),
            hashlib.sha256(b"picture" + content).digest(),
            hashlib.sha256(b"small" + content).digest()[:8],
            len(content),
            str(number % 3 + 1),
        )

    return make
