"""What is examined next: by rank, then by place, whatever moved up meanwhile, and of one exhibit only."""

from collections.abc import Sequence

import pytest
from suite import placed, record

from triage.model.address import Address
from triage.model.evidence import Region, SourceInfo
from triage.model.item import Item, ItemKind, Outcome
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.store import queue
from triage.store.case import Case
from triage.store.queue import Pending, TierStanding, folder_of
from triage.store.rows import Row, item_of

EXHIBIT = "ABC/1"
FIRST, SECOND = 1 << 20, 1 << 29


def made(path: str, at: int = 0, *, volume: int = FIRST, size: int = 100, kind: ItemKind = ItemKind.FILE) -> Item:
    return Item(
        address=Address("volume", str(volume)).child("path", path),
        kind=kind,
        path=path,
        size=size,
        allocated=True,
        reference=path,
        runs=(ByteRun(volume + at, size),) if size else (),
    )


def put(case: Case, rows: Sequence[Row], *, volume: int = FIRST, first: int = 0, exhibit: str = EXHIBIT) -> None:
    assert case.journal.add_items(exhibit, volume, rows, first=first) == len(rows)


def paths(pending: Sequence[Pending]) -> list[str]:
    return [item_of(one.row).path for one in pending]


def waiting(case: Case, exhibit: str = EXHIBIT) -> list[str]:
    return paths(case.queue.next(exhibit, 1000))


def number(case: Case, path: str, exhibit: str = EXHIBIT) -> int:
    (found,) = (one.number for one in case.queue.next(exhibit, 1000) if item_of(one.row).path == path)
    return found


def end(case: Case, *ended: str) -> None:
    record(case.journal, [ItemResult(item=number(case, path), outcome=Outcome.EXAMINED) for path in ended])


@pytest.fixture
def two_volumes(prepared: Case) -> Case:
    second = Region(run=ByteRun(SECOND, 1 << 20), name="partition 2", scheme="gpt", is_volume=True)
    prepared.layout.record_regions(EXHIBIT, [second])
    return prepared


def test_the_order_is_by_rank_then_by_place(prepared: Case) -> None:
    late = placed([made("d", 10), made("c", 5)], rank=7)
    put(prepared, [*late, *placed([made("b", 900), made("a", 800)], rank=-2)])
    assert waiting(prepared) == ["a", "b", "c", "d"]


def test_at_one_place_the_order_is_that_of_listing(prepared: Case) -> None:
    put(prepared, placed([made("z", 5), made("y", 5), made("resident", size=0)]))
    assert waiting(prepared) == ["resident", "z", "y"]


def test_several_volumes_are_merged_by_rank(two_volumes: Case) -> None:
    put(two_volumes, [*placed([made("1-a", 1)], rank=1), *placed([made("1-b", 2)], rank=3)])
    rows = [*placed([made("2-a", 1, volume=SECOND)], rank=0), *placed([made("2-b", 2, volume=SECOND)], rank=2)]
    put(two_volumes, rows, volume=SECOND)
    assert waiting(two_volumes) == ["2-a", "1-a", "2-b", "1-b"]
    assert paths(two_volumes.queue.next(EXHIBIT, 3)) == ["2-a", "1-a", "2-b"]
    assert [one.volume.offset for one in two_volumes.queue.next(EXHIBIT, 2)] == [SECOND, FIRST]


def test_what_waits_is_told_with_all_that_is_needed_to_examine_it(prepared: Case) -> None:
    item = made("Pictures/a.jpg", 4096, size=512)
    put(prepared, placed([item], tier=3, rank=18, draw=1))
    (pending,) = prepared.queue.next(EXHIBIT, 10)
    assert item_of(pending.row) == item
    assert (pending.tier, pending.rank, pending.is_picture, pending.size) == (3, 18, True, 512)
    assert pending.folder == (ByteRun(FIRST, 1 << 29), "Pictures")


def test_no_more_than_the_limit_comes_and_none_of_those_named(prepared: Case) -> None:
    put(prepared, placed([made(name, at) for at, name in enumerate("abcdef")]))
    first = prepared.queue.next(EXHIBIT, 2)
    assert paths(first) == ["a", "b"]
    named = [one.number for one in first]
    assert paths(prepared.queue.next(EXHIBIT, 3, without=named)) == ["c", "d", "e"]
    assert prepared.queue.next(EXHIBIT, 0) == []


def test_what_has_its_outcome_or_no_content_does_not_wait(prepared: Case) -> None:
    put(prepared, placed([made("a", 1), made("b", 2), made("folder", kind=ItemKind.DIRECTORY, size=0)]))
    end(prepared, "a")
    assert waiting(prepared) == ["b"]


def test_looks_are_those_that_wait_for_one(prepared: Case) -> None:
    put(prepared, placed([made("a", 1), made("b", 2), made("c", 3)], look=True, draw=2), first=0)
    put(prepared, placed([made("no look", 0)]), first=3)
    end(prepared, "b")
    assert paths(prepared.queue.looks(EXHIBIT, 10)) == ["a", "c"]
    assert paths(prepared.queue.looks(EXHIBIT, 1)) == ["a"]
    assert paths(prepared.queue.looks(EXHIBIT, 10, without=[number(prepared, "a")])) == ["c"]


def test_what_was_looked_at_is_not_looked_at_again_and_near_ones_come_first(prepared: Case) -> None:
    put(prepared, [*placed([made(name, at) for at, name in enumerate("abcd")], rank=5, look=True, draw=2)])
    put(prepared, placed([made("hit's sibling", 9)], rank=-3), first=4)
    numbers = [number(prepared, name) for name in "abc"]
    prepared.queue.looked(numbers, [numbers[1]], rank=-20)
    assert paths(prepared.queue.looks(EXHIBIT, 10)) == ["d"]
    assert waiting(prepared) == ["b", "hit's sibling", "a", "c", "d"]


def test_a_near_one_that_stands_higher_already_stays_there(prepared: Case) -> None:
    put(prepared, placed([made("a", 1)], rank=-9, look=True, draw=2))
    put(prepared, placed([made("b", 2)], rank=-8), first=1)
    prepared.queue.looked([number(prepared, "a")], [number(prepared, "a")], rank=-1)
    assert waiting(prepared) == ["a", "b"]


FOLDERS = [
    "0 first",
    *["a/1", "a/2", "a/3"],
    *["ab/1"],
    *["b", "b/1", "b/2", "b/2:stream", "b/3"],
    *["b/in/1", "b/in/2"],
    *["c/1"],
]


@pytest.fixture
def folders(prepared: Case) -> Case:
    """The case with folders whose items stand as a walk lists them, last on the disk what is listed first."""
    put(prepared, placed([made(path, 1000 - at) for at, path in enumerate(FOLDERS)], rank=50))
    return prepared


@pytest.mark.parametrize(
    ("hit", "moved"),
    [
        ("a/1", {"a/2", "a/3"}),
        ("a/2", {"a/1", "a/3"}),
        ("a/3", {"a/1", "a/2"}),
        ("b/1", {"b/2", "b/2:stream", "b/3"}),
        ("b/2:stream", {"b/1", "b/2", "b/3"}),
        ("b/in/1", {"b/in/2"}),
        ("c/1", set()),
        ("ab/1", set()),
        ("0 first", {"b"}),
    ],
)
def test_the_siblings_of_a_hit_move_up_and_nothing_else(folders: Case, hit: str, moved: set[str]) -> None:
    at = number(folders, hit)
    end(folders, hit)
    assert folders.queue.raise_siblings(at, -1) == len(moved)
    now = waiting(folders)
    assert set(now[: len(moved)]) == moved
    assert now[len(moved) :] == [path for path in reversed(FOLDERS) if path not in moved | {hit}]


def test_siblings_in_the_root_of_a_volume_are_siblings(prepared: Case) -> None:
    put(prepared, placed([made("a", 4), made("b", 3), made("c", 2), made("sub/d", 1)], rank=9))
    hit = number(prepared, "b")
    end(prepared, "b")
    assert prepared.queue.raise_siblings(hit, -1) == 2
    assert waiting(prepared) == ["c", "a", "sub/d"]


def test_siblings_that_are_done_or_stand_higher_already_stay(folders: Case) -> None:
    end(folders, "b/1")
    higher = number(folders, "b/3")
    folders.queue.looked([higher], [higher], rank=-30)
    at = number(folders, "b/2")
    end(folders, "b/2")
    assert folders.queue.raise_siblings(at, -4) == 1
    assert waiting(folders)[:2] == ["b/3", "b/2:stream"]
    assert folders.queue.raise_siblings(at, -4) == 0
    assert folders.queue.raise_siblings(at, -5) == 1


def test_a_folder_of_the_same_path_in_another_volume_is_another(two_volumes: Case) -> None:
    for volume in (FIRST, SECOND):
        rows = placed([made(f"a/{name}", at, volume=volume) for at, name in enumerate("12")], rank=9)
        put(two_volumes, rows, volume=volume)
    second = next(one for one in two_volumes.queue.next(EXHIBIT, 10) if one.volume.offset == SECOND)
    assert two_volumes.queue.raise_siblings(second.number, -1) == 1
    now = [(one.volume.offset, item_of(one.row).path) for one in two_volumes.queue.next(EXHIBIT, 10)]
    assert now == [(SECOND, "a/2"), (FIRST, "a/1"), (FIRST, "a/2"), (SECOND, "a/1")]


def test_tiers_say_how_far_each_is(prepared: Case) -> None:
    put(prepared, placed([made("a", 1, size=10), made("b", 2, size=20)], tier=1, rank=6, draw=2))
    put(prepared, placed([made("c", 3, size=400)], tier=1, rank=10), first=2)
    put(prepared, placed([made("d", 4, size=5000), made("e", 5, size=600)], tier=4, rank=28), first=3)
    rows = placed([made("folder", kind=ItemKind.DIRECTORY, size=77), made("l", kind=ItemKind.LINK, size=7)], tier=4)
    put(prepared, rows, first=5)
    end(prepared, "b", "d")
    first = TierStanding(
        tier=1, items=3, bytes=430, items_done=1, bytes_done=20, picture_bytes=30, picture_bytes_done=20
    )
    second = TierStanding(
        tier=4, items=2, bytes=5600, items_done=1, bytes_done=5000, picture_bytes=0, picture_bytes_done=0
    )
    assert prepared.queue.tiers(EXHIBIT) == (first, second)


def test_exhibits_of_one_case_do_not_mix(prepared: Case, info: SourceInfo, region: Region, when: str) -> None:
    other = "ABC/2"
    prepared.exhibits.add(other, info, "a" * 64, plan_text="{}", plan_digest="b" * 64, when=when)
    prepared.layout.record_regions(other, [region])
    put(prepared, placed([made("f/a", 1), made("f/b", 2), made("f/c", 3)], rank=9, look=True, draw=2))
    put(prepared, placed([made("f/x", 2), made("f/y", 1)], rank=9, look=True, draw=2), exhibit=other)
    assert prepared.queue.raise_siblings(number(prepared, "f/x", other), -1) == 1
    assert waiting(prepared) == ["f/a", "f/b", "f/c"]
    assert waiting(prepared, other) == ["f/y", "f/x"]
    assert paths(prepared.queue.looks(EXHIBIT, 10)) == ["f/a", "f/b", "f/c"]
    assert [(one.items, one.bytes) for one in prepared.queue.tiers(EXHIBIT)] == [(3, 300)]
    assert [(one.items, one.bytes) for one in prepared.queue.tiers(other)] == [(2, 200)]


@pytest.mark.parametrize(
    ("query", "parameters", "index"),
    [
        (queue._NEXT, (1, "[]", 512), "item_queue"),
        (queue._LOOKS, (1, "[]", 128), "item_look"),
        (queue._CONTAINERS, (1, "[]", 128), "item_opens"),
        (queue._BEFORE, (1, 5, -1, 0), "item_in_order"),
        (queue._BEHIND, (1, 5, -1, 99), "item_in_order"),
    ],
)
def test_what_comes_next_is_read_off_an_index_and_never_sorted(
    prepared: Case, query: str, parameters: tuple[object, ...], index: str
) -> None:
    steps = [row["detail"] for row in prepared._database.rows(f"EXPLAIN QUERY PLAN {query}", parameters)]
    assert any(f"SEARCH item USING INDEX {index} (region_id=?" in step for step in steps), steps
    assert not any("TEMP B-TREE" in step or step.startswith("SCAN item") for step in steps), steps


@pytest.mark.parametrize(
    ("path", "folder"), [("a", ""), ("a/b", "a"), ("a/b/c.jpg:stream", "a/b"), ("a/b/", "a/b"), ("", "")]
)
def test_a_folder_is_all_before_the_last_name(path: str, folder: str) -> None:
    assert folder_of(path) == folder
