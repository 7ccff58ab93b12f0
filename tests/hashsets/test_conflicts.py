"""Digests that a notable and a known set share: counted, shown, in whichever order the two were made."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from triage.hashsets import exact
from triage.hashsets.compile import Destination, compile_records
from triage.hashsets.conflicts import Conflict, conflicts_of
from triage.hashsets.library import Library
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.model.errors import StoreError
from triage.model.finding import SetKind

Member = Callable[[int], Record]

NOTABLE, KNOWN = SetKind.NOTABLE, SetKind.KNOWN


def put(library: Library, name: str, kind: SetKind, records: Sequence[Record]) -> tuple[Conflict, ...]:
    meta = SetMeta(name=name, version="1", kind=kind, date="2026-01-02")
    return compile_records(records, meta, Destination(library=library)).conflicts


def digests(numbers: range, *names: str) -> list[Record]:
    """Return records whose digests end and begin with zero bytes."""
    lengths = {"md5": 16, "sha1": 20, "sha256": 32}
    return [
        Record(**{name: number.to_bytes(lengths[name] - 2) + b"\0\0" for name in names})  # type: ignore[arg-type] # by name
        for number in numbers
    ]


@pytest.mark.parametrize("first", [NOTABLE, KNOWN])
def test_what_two_sets_share_is_told_by_whichever_comes_last(library: Library, first: SetKind) -> None:
    names = {NOTABLE: "bad", KNOWN: "software"}
    second = KNOWN if first is NOTABLE else NOTABLE
    assert put(library, names[first], first, digests(range(20), "md5", "sha1")) == ()
    told = put(library, names[second], second, digests(range(13, 40), "md5", "sha256"))
    examples = tuple(f"{number:028x}0000" for number in range(13, 18))
    assert told == (Conflict(notable="bad", known="software", algorithm="md5", count=7, examples=examples),)
    assert conflicts_of("bad", library) == conflicts_of("software", library) == told


def test_a_digest_that_stands_twice_is_counted_once(library: Library) -> None:
    put(
        library,
        "bad",
        NOTABLE,
        [record._replace(category=code) for record in digests(range(3), "md5") for code in "12"],
    )
    (conflict,) = put(library, "software", KNOWN, digests(range(9), "md5"))
    assert conflict.count == len(conflict.examples) == 3


def test_every_algorithm_and_every_set_is_told(library: Library) -> None:
    put(library, "one", KNOWN, digests(range(4), "md5", "sha1", "sha256"))
    put(library, "two", KNOWN, digests(range(2), "sha1"))
    put(library, "beside", NOTABLE, digests(range(9), "md5"))
    told = put(library, "bad", NOTABLE, digests(range(3), "md5", "sha1", "sha256"))
    assert {(conflict.known, conflict.algorithm, conflict.count) for conflict in told} == {
        ("one", "md5", 3), ("one", "sha1", 3), ("one", "sha256", 3), ("two", "sha1", 2),
    }  # fmt: skip


def test_sets_of_one_kind_or_with_nothing_in_common_have_no_conflict(library: Library, member: Member) -> None:
    put(library, "one", NOTABLE, [member(1)])
    assert put(library, "two", NOTABLE, [member(1)]) == ()
    assert put(library, "three", KNOWN, [member(2)._replace(pdq=member(1).pdq)]) == ()


def test_a_large_column_is_gone_through_in_blocks(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "_PART", 64)
    chance = np.random.default_rng(3)
    numbers = [int.from_bytes(chance.bytes(15)) for _ in range(1000)]
    records = [Record(md5=number.to_bytes(16)) for number in numbers]
    put(library, "bad", NOTABLE, records[:600])
    (conflict,) = put(library, "software", KNOWN, records[300:])
    assert conflict.count == 300
    shared = sorted(record.md5.hex() for record in records[300:600] if record.md5)
    assert list(conflict.examples) == shared[:5]


def test_a_set_that_is_refused_does_not_hide_that_another_was_put(library: Library, member: Member) -> None:
    put(library, "good", NOTABLE, [member(1)])
    library.path_of("broken").write_bytes(b"not a set")
    try:
        put(library, "new", KNOWN, [member(2)])
    except StoreError:
        assert not library.path_of("new").exists(), "a command that fails leaves the library as it was"
