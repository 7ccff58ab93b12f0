"""Members of containers and carved items: stored once, in their place, whatever was stored before."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from suite import placed, record

from triage.model.address import Address
from triage.model.digest import Digests
from triage.model.errors import StoreError, UsageError
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind
from triage.model.item import Item, ItemKind, Outcome
from triage.model.placing import Placed
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.store.case import Case
from triage.store.rows import CARVED, LISTED_WIDTH, MEMBER_WIDTH, RESULT_WIDTH, Row, item_of, member_row, result_row

EXHIBIT = "ABC/1"
VOLUME = 1 << 20
SET = SetIdentity(name="demo", version="3", digest="d" * 64, kind=SetKind.NOTABLE)
PLACE = Placed(tier=3, rank=5, draw=2, look=True)


def member(container: Item, ordinal: int) -> Item:
    return Item(
        address=container.address.child("member", str(ordinal)),
        kind=ItemKind.MEMBER,
        path=f"{container.path}/{ordinal}.txt",
        size=10,
        allocated=True,
        reference=str(ordinal),
        runs=(ByteRun(VOLUME, 10),),
    )


def member_rows(container: Item, ordinals: Sequence[int]) -> list[Row]:
    result = ItemResult(item=0, outcome=Outcome.EXAMINED, digests=Digests(md5="a" * 32), reason="tiny: 1 pixel")
    return [member_row(member(container, ordinal), PLACE, result) for ordinal in ordinals]


def finding(item: Item) -> Finding:
    match = Match(set=SET, by=MatchBy.PDQ, distance=9)
    return Finding(address=item.address, match=match, analyzer="perceptual", analyzer_version="1")


def carved(offset: int, name: str = "") -> Item:
    return Item(
        address=Address("carved", f"{offset}{name}"),
        kind=ItemKind.CARVED,
        path=f"carved/{offset:012}{name}.jpg",
        size=10,
        allocated=False,
        reference=str(offset),
        runs=(ByteRun(offset, 10),),
        direct=True,
    )


def add(case: Case, container: int, rows: Sequence[Row], first: int, *found: tuple[int, Finding]) -> int:
    return case.journal.add_members(container, rows, found, first=first, found_at="2026", seconds=2.0)


def paths(case: Case) -> list[str]:
    return [row["path"] for row in case.queries.items(EXHIBIT)]


@pytest.fixture
def opened(prepared: Case, item: Callable[[int], Item]) -> Case:
    """Three items of the volume, numbered 1 to 3, of which the third is deleted; the second and third open."""
    prepared.journal.add_items(EXHIBIT, VOLUME, placed([item(n) for n in (1, 2, 3)], rank=9), first=0)
    results = [ItemResult(item=n, outcome=Outcome.EXAMINED, opens=n > 1) for n in (1, 2, 3)]
    record(prepared.journal, results)
    return prepared


def test_containers_wait_in_the_order_of_looking_until_they_are_gone_through(opened: Case) -> None:
    waiting = opened.queue.containers(EXHIBIT, 10)
    assert [(one.number, one.rank) for one in waiting] == [(2, 9), (3, 9)]
    assert [one.number for one in opened.queue.containers(EXHIBIT, 10, without=[2])] == [3]
    assert [one.number for one in opened.queue.containers(EXHIBIT, 1)] == [2]
    opened.journal.end_container(2, whole=True)
    assert [one.number for one in opened.queue.containers(EXHIBIT, 10)] == [3]
    opened.journal.end_container(3, whole=False)
    assert opened.queue.containers(EXHIBIT, 10) == []
    assert [row["opens"] for row in opened._database.rows("SELECT opens FROM item ORDER BY id")] == [0, 2, 3]
    for number in (1, 2, 99):
        with pytest.raises(StoreError, match=f"item {number} is no container that is still to be gone through"):
            opened.journal.end_container(number, whole=True)


def test_members_stand_directly_behind_their_container(opened: Case, item: Callable[[int], Item]) -> None:
    assert add(opened, 3, member_rows(item(3), [0, 1]), 0) == 2
    assert add(opened, 2, member_rows(item(2), [0, 1]), 0) == 2
    first, second, third = (item(n).path for n in (1, 2, 3))
    inside = [f"{second}/0.txt", f"{second}/1.txt"]
    assert paths(opened) == [first, second, *inside, third, f"{third}/0.txt", f"{third}/1.txt"]


def test_a_member_has_its_result_and_the_standing_of_its_container(opened: Case, item: Callable[[int], Item]) -> None:
    add(opened, 3, member_rows(item(3), [0]), 0)
    row = list(opened.queries.items(EXHIBIT))[-1]
    assert (row["outcome"], row["reason"], row["md5"]) == ("examined", "tiny: 1 pixel", "a" * 32)
    assert (row["kind"], row["allocated"], row["recovered"], row["volume"]) == ("member", False, True, VOLUME)
    assert row["address"] == f"{item(3).address}!member:0"
    stored = opened._database.one("SELECT tier, rank, draw, look, container, opens, sequence FROM item WHERE id = 4")
    assert stored is not None
    assert tuple(stored) == (3, 5, None, 0, 3, 0, 2)
    assert opened.queue.next(EXHIBIT, 10) == opened.queue.looks(EXHIBIT, 10) == []


def test_members_told_again_are_stored_once_with_their_findings(opened: Case, item: Callable[[int], Item]) -> None:
    zipped = item(2)
    found = [(n, finding(member(zipped, n))) for n in (0, 2, 4)]
    assert add(opened, 2, member_rows(zipped, range(3)), 0, *found[:2]) == 3
    assert add(opened, 2, member_rows(zipped, range(3)), 0, *found[:2]) == 0
    middle = [(n - 1, one) for n, one in found[1:]]
    assert add(opened, 2, member_rows(zipped, range(1, 5)), 1, *middle) == 2
    assert add(opened, 2, member_rows(zipped, [5]), 5) == 1
    assert add(opened, 2, [], 6) == 0
    stored = opened._database.one("SELECT members FROM item WHERE id = 2")
    assert stored is not None
    assert stored["members"] == 6
    assert [path for path in paths(opened) if path.startswith(zipped.path)] == [
        zipped.path,
        *(member(zipped, n).path for n in range(6)),
    ]
    rows = list(opened.queries.findings(EXHIBIT))
    assert [row["path"] for row in rows] == [member(zipped, n).path for n in (0, 2, 4)]
    assert [(row["address"], row["volume"], row["found_at"], row["seconds"]) for row in rows] == [
        (str(one.address), VOLUME, "2026", 2.0) for _, one in found
    ]
    assert opened.journal.findings(EXHIBIT) == 3


def test_members_without_those_before_them_are_refused(opened: Case, item: Callable[[int], Item]) -> None:
    add(opened, 2, member_rows(item(2), [0]), 0)
    for container, first in ((2, 2), (3, 1), (99, 0), (4, 0)):
        with pytest.raises(StoreError, match=f"members of item {container} .* report this as a defect"):
            add(opened, container, member_rows(item(2), [first]), first)
    assert len(paths(opened)) == 4


def test_a_batch_of_members_is_stored_whole_or_not_at_all(opened: Case, item: Callable[[int], Item]) -> None:
    rows = member_rows(item(2), range(3))
    with pytest.raises(StoreError, match="binding"):
        add(opened, 2, [*rows[:2], rows[2][:-1]], 0)
    assert len(paths(opened)) == 3
    assert add(opened, 2, rows, 0) == 3


def test_a_candidate_in_a_container_is_judged_like_any_other(opened: Case, item: Callable[[int], Item]) -> None:
    add(opened, 2, member_rows(item(2), [0]), 0, (0, finding(member(item(2), 0))))
    (row,) = opened.queries.findings(EXHIBIT)
    candidate = opened.judgements.finding(row["id"])
    assert (candidate.exhibit, candidate.address) == (EXHIBIT, str(member(item(2), 0).address))
    (matches,) = opened.queries.matches(EXHIBIT)
    assert matches.unconfirmed == 1


def test_members_claim_no_bytes_and_no_place_in_a_sample(opened: Case, item: Callable[[int], Item]) -> None:
    before = opened.queue.tiers(EXHIBIT)
    add(opened, 2, member_rows(item(2), range(3)), 0)
    (inside,) = (some for some in opened.journal.accounted(EXHIBIT) if some.kind is ItemKind.MEMBER)
    assert (inside.items, inside.allocated, len(inside.spans)) == (3, True, 0)
    assert opened.journal.drawn(EXHIBIT) == ()
    assert opened.queue.tiers(EXHIBIT) == before


def test_a_walk_begun_again_meets_members_and_carved_items_and_doubles_nothing(
    opened: Case, item: Callable[[int], Item]
) -> None:
    add(opened, 2, member_rows(item(2), range(3)), 0)
    opened.journal.add_carved(EXHIBIT, placed([carved(VOLUME + 512)]), [ByteRun(VOLUME, 4096)])
    before = paths(opened)
    again = placed([item(n) for n in (1, 2, 3)])
    assert opened.journal.add_items(EXHIBIT, VOLUME, again, first=0) == 0
    assert paths(opened) == before
    assert opened.journal.add_items(EXHIBIT, VOLUME, placed([item(3), item(4)]), first=3) == 1
    assert add(opened, 2, member_rows(item(2), range(4)), 0) == 1
    assert opened.journal.add_carved(EXHIBIT, placed([carved(VOLUME + 512)]), [ByteRun(VOLUME, 4096)]) == 0
    assert len(paths(opened)) == len(before) + 2


def test_carved_items_before_a_walk_do_not_make_it_one_begun_again(prepared: Case, item: Callable[[int], Item]) -> None:
    prepared.journal.add_carved(EXHIBIT, placed([carved(VOLUME + 512)]), [ByteRun(VOLUME, 4096)])
    assert prepared.journal.add_items(EXHIBIT, VOLUME, placed([item(1), item(2)]), first=0) == 2
    assert prepared._database.one("SELECT 1 FROM sqlite_master WHERE name LIKE 'item_address%'") is None
    assert paths(prepared) == [item(1).path, item(2).path, carved(VOLUME + 512).path]


def test_carved_items_stand_behind_the_walk_of_the_region_they_lie_in(
    opened: Case, item: Callable[[int], Item]
) -> None:
    add(opened, 3, member_rows(item(3), [0]), 0)
    found = [carved(VOLUME + 9000), carved(512), carved(VOLUME + 100), carved(VOLUME + 100, "b")]
    assert opened.journal.add_carved(EXHIBIT, placed(found), [ByteRun(0, VOLUME * 2)]) == 4
    walked = [item(1).path, item(2).path, item(3).path, member(item(3), 0).path]
    late = [found[2].path, found[3].path, found[0].path]
    assert paths(opened) == [found[1].path, *walked, *late]
    opened.journal.add_items(EXHIBIT, VOLUME, placed([item(4)]), first=3)
    assert paths(opened) == [found[1].path, *walked, item(4).path, *late]


def test_carved_items_wait_also_in_gaps_and_the_same_again_changes_nothing(opened: Case) -> None:
    found = placed([carved(512), carved(VOLUME + 512)])
    assert opened.journal.add_carved(EXHIBIT, found, [ByteRun(0, 4096)]) == 2
    waiting = opened.queue.next(EXHIBIT, 10)
    assert [(item_of(one.row).path, one.volume) for one in waiting] == [
        (carved(512).path, ByteRun(0, VOLUME)),
        (carved(VOLUME + 512).path, ByteRun(VOLUME, 1 << 29)),
    ]
    record(opened.journal, [ItemResult(item=waiting[0].number, outcome=Outcome.EXAMINED, opens=True)])
    assert opened.journal.add_carved(EXHIBIT, found, [ByteRun(0, 4096)]) == 0
    assert [one.number for one in opened.queue.next(EXHIBIT, 10)] == [waiting[1].number]
    assert [one.volume.offset for one in opened.queue.containers(EXHIBIT, 1)] == [0]
    assert opened.journal.searched(EXHIBIT) == (ByteRun(0, 4096),)


def test_a_finding_of_a_carved_item_says_where_it_lies(opened: Case) -> None:
    opened.journal.add_carved(EXHIBIT, placed([carved(512)]), [ByteRun(0, 4096)])
    (one,) = opened.queue.next(EXHIBIT, 10)
    result = ItemResult(item=one.number, outcome=Outcome.EXAMINED, findings=(finding(carved(512)),))
    record(opened.journal, [result])
    (row,) = opened.queries.findings(EXHIBIT)
    assert (row["path"], row["volume"], row["allocated"]) == (carved(512).path, 0, False)
    assert opened.journal.findings(EXHIBIT) == 1


def test_what_was_searched_is_merged_and_told_for_each_exhibit(opened: Case) -> None:
    assert opened.journal.searched(EXHIBIT) == ()
    for run in (ByteRun(8192, 4096), ByteRun(0, 4096), ByteRun(4096, 4096), ByteRun(1 << 29, 10)):
        assert opened.journal.add_carved(EXHIBIT, [], [run]) == 0
    assert opened.journal.searched(EXHIBIT) == (ByteRun(0, 12288), ByteRun(1 << 29, 10))
    with pytest.raises(UsageError, match="no exhibit"):
        opened.journal.searched("ABC/9")


def test_the_siblings_of_a_member_are_those_of_its_container(prepared: Case, item: Callable[[int], Item]) -> None:
    named = [replace(item(1), path="a/x.zip"), replace(item(2), path="a/y.jpg"), replace(item(4), path="b/z.jpg")]
    prepared.journal.add_items(EXHIBIT, VOLUME, placed(named, rank=9), first=0)
    record(prepared.journal, [ItemResult(item=1, outcome=Outcome.EXAMINED, opens=True)])
    add(prepared, 1, member_rows(named[0], range(3)), 0)
    prepared.journal.add_carved(EXHIBIT, placed([replace(carved(VOLUME), path="a/1.jpg")], rank=9), [ByteRun(0, 1)])
    assert prepared.queue.raise_siblings(5, -1) == 1
    assert [one.rank for one in prepared.queue.next(EXHIBIT, 10)] == [-1, 9, 9]


def test_the_siblings_of_a_carved_item_are_carved(opened: Case, item: Callable[[int], Item]) -> None:
    opened.journal.add_items(EXHIBIT, VOLUME, placed([replace(item(4), path="carved/here")], rank=9), first=3)
    found = [carved(VOLUME + at) for at in (10, 20, 30)]
    opened.journal.add_carved(EXHIBIT, placed(found, rank=9), [ByteRun(VOLUME, 100)])
    hit = opened.queue.next(EXHIBIT, 10, without=[4])[1]
    assert hit.row[0] == "carved:1048596"
    assert opened.queue.raise_siblings(hit.number, 0) == 2


def test_rows_have_the_widths_that_are_told(item: Callable[[int], Item]) -> None:
    result = ItemResult(item=77, outcome=Outcome.EXAMINED, opens=True)
    assert result_row(result)[-4:] == ("examined", None, True, 77)
    assert len(result_row(result)) == RESULT_WIDTH
    assert len(placed([item(1)])[0]) == LISTED_WIDTH
    assert len(member_row(item(1), PLACE, result)) == MEMBER_WIDTH
    assert CARVED > 1 << 61
