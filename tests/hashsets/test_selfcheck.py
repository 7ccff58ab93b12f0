"""The self-check: no set that misses what was read is ever kept, and no set makes the check itself endless."""

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from triage.hashsets import builder, exact, selfcheck
from triage.hashsets.batch import in_batches
from triage.hashsets.compile import Destination, compile_records
from triage.hashsets.exact import ExactIndex, ExactLookup
from triage.hashsets.external_sort import ExternalSort, Table
from triage.hashsets.hashset import HashSet
from triage.hashsets.library import Library
from triage.hashsets.perceptual import PdqIndex
from triage.hashsets.record import HASH_BYTES, Record
from triage.hashsets.sample import Sample
from triage.hashsets.sealed import SetMeta
from triage.hashsets.selfcheck import check_members
from triage.model.digest import Digests
from triage.model.errors import StoreError
from triage.model.finding import SetKind

Member = Callable[[int], Record]
MakeSet = Callable[[list[Record]], HashSet]
META = SetMeta(name="set", version="1", kind=SetKind.NOTABLE, date="2026-01-02")


def nothing_is_kept(library: Library, records: list[Record], cause: str) -> None:
    with pytest.raises(StoreError, match=cause) as caught:
        compile_records(records, META, Destination(library=library))
    assert "report this defect" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert library.sets() == ()


def test_records_that_vanish_while_they_are_sorted_are_missed(
    library: Library, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    distinct = builder.SetBuilder._distinct

    def losing(self: builder.SetBuilder) -> Iterator[Table]:
        for block in distinct(self):
            yield {name: column[1:] for name, column in block.items()}

    monkeypatch.setattr(builder.SetBuilder, "_distinct", losing)
    nothing_is_kept(library, [member(number) for number in range(5)], "of 5 records only 4 were written")


def test_duplicates_are_no_loss(library: Library, member: Member) -> None:
    made = compile_records([member(number % 3) for number in range(9)], META, Destination(library=library))
    assert (made.header.counts["records"], made.duplicates) == (3, 6)


@pytest.mark.parametrize(("name", "position"), [("md5", 0), ("sha256", 2), ("pdq", 3), ("phash", 4)])
def test_a_hash_of_a_record_that_was_read_must_be_in_the_set(
    library: Library, member: Member, monkeypatch: pytest.MonkeyPatch, name: str, position: int
) -> None:
    """Its own members are all found in a list that lost some: only what was read tells."""
    raw = member(0)[position]
    assert isinstance(raw, bytes)
    blocks = ExternalSort.blocks

    def losing(self: ExternalSort, *more: Any) -> Iterator[Table]:
        for block in blocks(self, *more):
            if "raw" not in block or block["raw"].shape[1:] != (len(raw),):
                yield block
                continue
            keep = ~np.all(block["raw"] == np.frombuffer(raw, np.uint8), axis=1)
            yield {column: values[keep] for column, values in block.items()}

    monkeypatch.setattr(ExternalSort, "blocks", losing)
    alone: Any = dict.fromkeys(set(HASH_BYTES) - {name})
    records = [member(number)._replace(**alone) for number in range(40)]
    nothing_is_kept(library, records, f"misses a member by {name}")


def test_the_sample_is_spread_over_all_that_was_read(member: Member) -> None:
    one = [next(in_batches([(0, member(number))])) for number in range(1000)]
    sample = Sample()
    for batch in one:
        sample.take(batch)
    kept = [hashes["md5"] for hashes in sample]
    numbers = [number for number in range(1000) if member(number).md5 in kept]
    assert 200 < len(kept) == len(numbers) < 512
    assert (numbers[0], {*np.diff(numbers).tolist()}, numbers[-1] > 990) == (0, {2}, True)


@pytest.mark.parametrize("way", ["_best", "_lookup_batch"])
def test_both_ways_through_the_index_are_asked(
    make_set: MakeSet, member: Member, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    opened = make_set([member(number) for number in range(40)])
    check_members(opened)
    blind: Any = {"_best": (0, {}), "_lookup_batch": ExactLookup(hits=(), disputed=())}[way]
    monkeypatch.setattr(ExactIndex, way, lambda *_: blind)
    with pytest.raises(StoreError, match="misses a member by"):
        check_members(opened)


def test_enough_are_asked_at_once_to_go_the_way_of_batches() -> None:
    assert selfcheck._DIGESTS >= exact._FEW > 1


def test_a_picture_that_is_found_at_a_wrong_distance_is_missed(
    make_set: MakeSet, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = make_set([member(number) for number in range(40)])
    near = PdqIndex.near
    monkeypatch.setattr(
        PdqIndex, "near", lambda *words: [replace(one, distance=one.distance + 1) for one in near(*words)]
    )
    with pytest.raises(StoreError, match="misses a member by pdq"):
        check_members(opened)


def test_a_set_of_one_digest_over_and_over_is_checked_in_bounds(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the 256 digests that are asked would find 20,000 records."""
    most, records = 1 << 12, 20_000
    monkeypatch.setattr(selfcheck, "_MOST_HITS", most)
    found: list[int] = []
    lookup = ExactIndex.lookup

    def counting(self: ExactIndex, batch: Sequence[Digests]) -> ExactLookup:
        result = lookup(self, batch)
        found.append(len(result.hits))
        return result

    monkeypatch.setattr(ExactIndex, "lookup", counting)
    members = [Record(md5=bytes(range(16)), sha1=number.to_bytes(20)) for number in range(1, records + 1)]
    made = compile_records(members, META, Destination(library=library))
    assert made.header.counts["records"] == records
    assert most < sum(found) <= 2 * (most + records) + 2 * 256 + 32
    tracemalloc.start()
    try:
        check_members(HashSet.open(made.path, verify=False))
        assert tracemalloc.get_traced_memory()[1] < 128 << 20
    finally:
        tracemalloc.stop()
