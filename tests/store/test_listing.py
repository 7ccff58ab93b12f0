"""Nothing is stored twice, and what is surely new is stored without a search."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite import placed

from triage.model.evidence import Region, SourceInfo
from triage.model.item import Item
from triage.model.runs import ByteRun
from triage.store import listing
from triage.store.case import Case
from triage.store.listing import Seen

EXHIBIT = "ABC/1"
VOLUME, SECOND = 1 << 20, 1 << 29


def add(case: Case, items: Sequence[Item], first: int, volume: int = VOLUME) -> int:
    return case.journal.add_items(EXHIBIT, volume, placed(items), first=first)


def paths(case: Case) -> list[str]:
    return [row["path"] for row in case._database.rows("SELECT path FROM item ORDER BY id")]


def has_index(case: Case, volume: int = VOLUME) -> bool:
    name = f"item_address_{case.layout.key(EXHIBIT, volume)}"
    return case._database.one("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)) is not None


def test_a_walk_that_lists_no_name_twice_needs_no_index(prepared: Case, item: Callable[[int], Item]) -> None:
    assert add(prepared, [item(n) for n in range(50)], 0) == 50
    assert add(prepared, [item(n) for n in range(50, 90)], 50) == 40
    assert not has_index(prepared)


@pytest.mark.parametrize("again", [[3, 3], [3, 1], [1]])
def test_what_one_walk_lists_twice_is_stored_once(
    prepared: Case, item: Callable[[int], Item], again: list[int]
) -> None:
    assert add(prepared, [item(n) for n in range(3)], 0) == 3
    new = set(again) - {1}
    assert add(prepared, [item(n) for n in again], 3) == len(new)
    assert add(prepared, [item(n) for n in (2, 7)], 3 + len(again)) == 1
    assert paths(prepared) == [item(n).path for n in (0, 1, 2, *new, 7)]


def test_a_walk_begun_again_is_compared_and_one_of_another_volume_is_not(
    prepared: Case, item: Callable[[int], Item]
) -> None:
    other = Region(run=ByteRun(SECOND, 1 << 20), name="partition 2", scheme="gpt", is_volume=True)
    prepared.layout.record_regions(EXHIBIT, [other])
    add(prepared, [item(n) for n in range(5)], 0)
    assert add(prepared, [item(n) for n in range(8)], 0) == 3
    assert has_index(prepared)
    assert add(prepared, [item(n) for n in range(8)], 0, volume=SECOND) == 8
    assert not has_index(prepared, SECOND)
    assert add(prepared, [item(7), item(8)], 7) == 1, "a walk goes on that another one came between"
    prepared.layout.mark_walked(EXHIBIT, VOLUME, listed=True)
    assert not has_index(prepared)


def test_two_walks_begun_again_at_once_do_not_meet(
    prepared: Case, info: SourceInfo, region: Region, item: Callable[[int], Item]
) -> None:
    """Each writer knows its own exhibit alone, of which both hold the same addresses."""
    other = "ABC/2"
    prepared.exhibits.add(other, info, "a" * 64, plan_text="{}", plan_digest="b" * 64, when="2026")
    prepared.layout.record_regions(other, [region])
    with Case.open(prepared.folder) as second:
        for part in (range(3), range(3), range(3, 6)):
            rows, first = placed([item(n) for n in part]), part.start
            new = 3 if first or not paths(prepared)[3:] else 0
            assert prepared.journal.add_items(EXHIBIT, VOLUME, rows, first=first) == new
            assert second.journal.add_items(other, VOLUME, rows, first=first) == new
        prepared.layout.mark_walked(EXHIBIT, VOLUME, listed=True)
        assert not has_index(prepared)
        assert second.journal.add_items(other, VOLUME, placed([item(5), item(6)]), first=6) == 1
    assert len(paths(prepared)) == 6 + 7


def test_more_names_than_are_remembered_are_still_stored_once(
    prepared: Case, item: Callable[[int], Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_MOST", 10)
    assert add(prepared, [item(n) for n in range(20)], 0) == 20
    assert add(prepared, [item(n) for n in range(15, 25)], 20) == 5
    assert add(prepared, [item(n) for n in range(30)], 30) == 5
    assert len(paths(prepared)) == 30


@given(st.lists(st.lists(st.integers(-60, 60), max_size=12)))
def test_hashes_are_new_until_one_comes_again(batches: list[list[int]]) -> None:
    seen, held = Seen(), set[int]()
    for batch in batches:
        is_new = len(set(batch)) == len(batch) and not held & set(batch)
        assert seen.add(batch) is is_new
        if is_new:
            held.update(batch)


def test_what_is_remembered_lies_in_few_pieces() -> None:
    seen = Seen()
    assert all(seen.add(range(start, start + 10)) for start in range(0, 10_000, 10))
    assert len(seen._runs) <= 11
    assert not seen.add([9_999])
    assert seen.add([10_000])
