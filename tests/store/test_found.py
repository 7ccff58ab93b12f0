"""Places that match known content: stored with their findings, once, where carved items stand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from triage.model.address import Address
from triage.model.digest import Digests
from triage.model.errors import UsageError
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind
from triage.model.item import Item, ItemKind, Outcome
from triage.model.placing import Placed
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.store.case import Case
from triage.store.rows import Row, listed_row, member_row, result_row

EXHIBIT = "ABC/1"
VOLUME = 1 << 20
SET = SetIdentity(name="demo", version="3", digest="d" * 64, kind=SetKind.NOTABLE)


def place(offset: int, length: int = 8192) -> Item:
    return Item(
        address=Address("blocks", f"{offset}+{length}"),
        kind=ItemKind.CARVED,
        path=f"blocks/{offset}+{length}",
        size=length,
        allocated=False,
        reference=str(offset),
        runs=(ByteRun(offset, length),),
        recovered=True,
        direct=True,
    )


def finding(item: Item, by: MatchBy = MatchBy.BLOCK) -> Finding:
    match = Match(set=SET, by=by, distance=0)
    return Finding(address=item.address, match=match, analyzer="block-search", analyzer_version="1")


def row(item: Item) -> Row:
    result = ItemResult(item=0, outcome=Outcome.EXAMINED, reason="2 blocks of a known file")
    return member_row(item, Placed(0, 0), result)


def add(case: Case, *items: Item) -> frozenset[int]:
    found = [(number, finding(item)) for number, item in enumerate(items)]
    return case.journal.add_found(EXHIBIT, list(map(row, items)), found, found_at="2026", seconds=2.0)


def test_places_are_stored_with_their_findings_and_told_by_their_positions(prepared: Case) -> None:
    assert add(prepared, place(VOLUME), place(4096)) == {0, 1}
    rows = list(prepared.queries.items(EXHIBIT))
    assert {(one["path"], one["outcome"]) for one in rows} == {
        (f"blocks/{VOLUME}+8192", "examined"),
        ("blocks/4096+8192", "examined"),
    }
    assert prepared.journal.findings(EXHIBIT) == 2


def test_the_same_place_met_again_adds_nothing(prepared: Case) -> None:
    add(prepared, place(VOLUME))
    assert add(prepared, place(VOLUME), place(VOLUME + 8192)) == {1}
    assert add(prepared, place(VOLUME), place(VOLUME + 8192)) == frozenset()
    assert prepared.journal.findings(EXHIBIT) == 2
    assert len(list(prepared.queries.items(EXHIBIT))) == 2


def test_a_longer_run_from_the_same_byte_is_another_place(prepared: Case) -> None:
    assert add(prepared, place(VOLUME), place(VOLUME, 16384)) == {0, 1}


def test_findings_go_to_the_places_that_they_name(prepared: Case) -> None:
    one, other = place(VOLUME), place(VOLUME + 8192)
    found = [(1, finding(other)), (1, finding(other)), (0, finding(one))]
    prepared.journal.add_found(EXHIBIT, [row(one), row(other)], found, found_at="2026", seconds=2.0)
    told = [finding["path"] for finding in prepared.queries.findings(EXHIBIT)]
    assert sorted(told) == sorted([one.path, other.path, other.path])


def test_they_wait_for_nothing_and_stand_behind_what_a_walk_lists(prepared: Case, item: Callable[[int], Item]) -> None:
    add(prepared, place(VOLUME))
    prepared.journal.add_items(EXHIBIT, VOLUME, [listed_row(item(1), Placed(0, 0))], first=0)
    assert [pending.number for pending in prepared.queue.next(EXHIBIT, 9)] == [2]
    assert [one["path"] for one in prepared.queries.items(EXHIBIT)] == [item(1).path, place(VOLUME).path]


def test_a_place_of_an_unknown_exhibit_is_refused_and_nothing_is_stored(prepared: Case) -> None:
    with pytest.raises(UsageError, match="no exhibit"):
        prepared.journal.add_found("ABC/2", [row(place(VOLUME))], [], found_at="2026", seconds=0.0)
    assert list(prepared.queries.items(EXHIBIT)) == []


def test_what_matches_as_a_whole_is_told_by_its_runs(prepared: Case, item: Callable[[int], Item]) -> None:
    prepared.journal.add_items(EXHIBIT, VOLUME, [listed_row(item(n), Placed(0, 0)) for n in (1, 2, 3)], first=0)
    matched = [
        (1, finding(item(1), MatchBy.MD5)),
        (1, finding(item(1), MatchBy.SHA1)),
        (2, finding(item(2), MatchBy.PDQ)),
    ]
    rows = [result_row(ItemResult(item=n, outcome=Outcome.EXAMINED, digests=Digests(md5="a" * 32))) for n in (1, 2)]
    prepared.journal.record_results(rows, matched, found_at="2026", seconds=1.0)
    add(prepared, place(VOLUME))
    (run,) = item(1).runs
    assert prepared.journal.matched(EXHIBIT).tolist() == [[run.offset, run.end]]


def test_deleted_items_are_told_that_lie_in_one_run(prepared: Case) -> None:
    def deleted(offset: int, size: int, *runs: ByteRun, **changes: Any) -> Row:
        named = replace(place(offset, size), address=Address("path", f"/{offset}"), kind=ItemKind.FILE, runs=runs)
        return listed_row(replace(named, **changes), Placed(0, 0))

    rows = [
        deleted(8192, 5000, ByteRun(8192, 8192)),
        deleted(4096, 100, ByteRun(4096, 100)),
        deleted(20000, 9000, ByteRun(20000, 8192)),  # its end is lost
        deleted(30000, 200, ByteRun(30000, 100), ByteRun(40000, 100)),
        deleted(50000, 100, ByteRun(50000, 100), allocated=True),
        deleted(60000, 100, ByteRun(60000, 100), direct=False),
        deleted(70000, 100, ByteRun(70000, 100), encrypted="efs"),
        deleted(80000, 0, ByteRun(80000, 100)),
    ]
    prepared.journal.add_items(EXHIBIT, VOLUME, rows, first=0)
    prepared.journal.add_carved(EXHIBIT, [listed_row(place(VOLUME), Placed(0, 0))], [ByteRun(VOLUME, 8192)])
    assert prepared.journal.deleted(EXHIBIT).tolist() == [[4096, 100], [8192, 5000]]
