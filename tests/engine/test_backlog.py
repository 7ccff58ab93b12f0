"""What is handed out together: batches of a moment, and large items by the lanes-full where the source is quick."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from suite import placed, record

from triage.engine.backlog import Backlog
from triage.engine.messages import ExamineItems
from triage.model.address import Address
from triage.model.evidence import Region, SourceInfo
from triage.model.item import Item, ItemKind, Outcome
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.store.case import Case
from triage.store.rows import Row, item_of

WHEN = "2026-11-23T10:00:00.000000Z"
EXHIBIT = "ABC/1"
SIZE = 1 << 40
SMALL, LARGE = 1 << 10, 100 << 20
QUICK, SLOW = 0.0, 1e6


@pytest.fixture
def backlog(tmp_path: Path) -> Iterator[Backlog]:
    with Case.open_or_create(tmp_path / "case", when=WHEN, actor="examiner") as case:
        info = SourceInfo(kind="raw", files=("disk.raw",), size=SIZE)
        case.exhibits.add(EXHIBIT, info, "f" * 64, plan_text="{}", plan_digest="e" * 64, when=WHEN)
        regions = [
            Region(run=ByteRun(start, SIZE // 2), name=f"partition {start}", scheme="gpt", is_volume=True)
            for start in (0, SIZE // 2)
        ]
        case.layout.record_regions(EXHIBIT, regions)
        yield Backlog(case, EXHIBIT)


def items(sizes: Sequence[int], *, direct: bool = True, volume: int = 0, name: str = "") -> list[Item]:
    places = [volume + sum(sizes[:number]) for number in range(len(sizes))]
    return [
        Item(
            address=Address("volume", str(volume)).child("path", f"{name}{number}"),
            kind=ItemKind.FILE,
            path=f"{name}{number}",
            size=size,
            allocated=True,
            reference=f"{name}{number}",
            runs=(ByteRun(place, size),),
            direct=direct,
        )
        for number, (place, size) in enumerate(zip(places, sizes, strict=True))
    ]


def put(backlog: Backlog, *rows: Row, volume: int = 0, first: int = 0) -> None:
    assert backlog.case.journal.add_items(EXHIBIT, volume, rows, first=first) == len(rows)


def sizes(request: ExamineItems | None) -> list[int]:
    assert request is not None
    return [item_of(row).size for _, row in request.items]


def end(backlog: Backlog, request: ExamineItems | None, seconds: float) -> None:
    """Take note that a batch was examined, as the dispatch does."""
    assert request is not None
    numbers = [number for number, _ in request.items]
    record(backlog.case.journal, [ItemResult(item=number, outcome=Outcome.EXAMINED) for number in numbers])
    for number in numbers:
        del backlog.out[number]
    backlog.took(seconds)


def quickened(backlog: Backlog) -> None:
    """Examine one item of a tier before all others, quickly."""
    put(backlog, *placed(items([SMALL], name="first"), tier=0, rank=-1), first=1 << 20)
    end(backlog, backlog.batch(), QUICK)


def test_a_quick_source_gives_as_many_large_items_as_share_the_lanes(backlog: Backlog) -> None:
    put(backlog, *placed(items([LARGE] * 40), tier=1))
    quickened(backlog)
    assert sizes(backlog.batch()) == [LARGE] * 16
    assert sizes(backlog.batch()) == [LARGE] * 16


def test_before_it_is_known_to_be_quick_and_when_it_is_not_large_items_come_one_by_one(backlog: Backlog) -> None:
    put(backlog, *placed(items([LARGE] * 40)))
    for _ in range(5):
        request = backlog.batch()
        assert sizes(request) == [LARGE]
        end(backlog, request, SLOW)
    quick = backlog.batch()
    end(backlog, quick, QUICK)
    batch = backlog.batch()
    assert len(sizes(batch)) == 16
    end(backlog, batch, SLOW)
    assert sizes(backlog.batch()) == [LARGE]


def test_what_only_its_file_system_can_read_is_not_set_aside(backlog: Backlog) -> None:
    put(backlog, *placed(items([LARGE] * 3, direct=False), tier=1))
    quickened(backlog)
    assert [sizes(backlog.batch()) for _ in range(3)] == [[LARGE]] * 3


def test_the_last_large_items_are_shared_evenly_by_all_workers(backlog: Backlog) -> None:
    backlog.workers = 2
    put(backlog, *placed(items([5 << 20, *range(LARGE, LARGE + 10)]), tier=1))
    quickened(backlog)
    other = backlog.batch()
    assert sizes(other) == [5 << 20]
    shares = [sizes(backlog.batch())]
    end(backlog, other, QUICK)
    shares.append(sizes(backlog.batch()))
    assert [len(share) for share in shares] == [5, 5]
    assert abs(sum(shares[0]) - sum(shares[1])) <= 5
    assert backlog.batch() is None


def test_a_worker_that_was_always_alone_gets_them_all(backlog: Backlog) -> None:
    put(backlog, *placed(items([LARGE] * 10), tier=1))
    quickened(backlog)
    assert sizes(backlog.batch()) == [LARGE] * 10
    assert backlog.batch() is None


def test_large_items_wait_for_others_of_their_tier_and_not_for_those_of_the_next(backlog: Backlog) -> None:
    put(backlog, *placed(items([LARGE, SMALL, LARGE, SMALL]), tier=1))
    put(backlog, *placed(items([SMALL] * 3, name="next"), tier=2, rank=5), first=10)
    quickened(backlog)
    assert [sizes(backlog.batch()) for _ in range(3)] == [[SMALL] * 2, [LARGE] * 2, [SMALL] * 3]


def test_large_items_of_two_volumes_are_not_put_together(backlog: Backlog) -> None:
    put(backlog, *placed(items([LARGE] * 2), tier=1))
    put(backlog, *placed(items([LARGE] * 3, volume=SIZE // 2), tier=1, rank=3), volume=SIZE // 2)
    quickened(backlog)
    batches = [backlog.batch(), backlog.batch()]
    assert [batch and (batch.volume.offset, len(batch.items)) for batch in batches] == [(0, 2), (SIZE // 2, 3)]


def test_only_some_thousands_overtake_what_is_set_aside(backlog: Backlog) -> None:
    put(backlog, *placed(items([LARGE, *[SMALL] * 6000]), tier=1))
    quickened(backlog)
    overtook = 0
    while LARGE not in (batch := sizes(backlog.batch())):
        overtook += len(batch)
    assert batch == [LARGE]
    assert 4096 <= overtook <= 4096 + 512


def test_batches_of_large_items_are_bounded_by_their_bytes(backlog: Backlog) -> None:
    put(backlog, *placed(items([3 << 30] * 8), tier=1))
    quickened(backlog)
    assert [len(sizes(backlog.batch())) for _ in range(2)] == [3, 3]


def test_whatever_the_sizes_and_the_speed_every_item_is_handed_out_once(backlog: Backlog) -> None:
    chance = random.Random(20260314)
    everything: list[Item] = []
    for tier in range(4):
        mixed = [chance.choice([SMALL, 5 << 20, 20 << 20, LARGE]) for _ in range(150)]
        made = items(mixed, name=f"{tier}-", direct=tier != 2)
        put(backlog, *placed(made, tier=tier, rank=tier), first=len(everything))
        everything += made
    handed: list[str] = []
    held: list[ExamineItems] = []
    while (request := backlog.batch()) or held:
        if request:
            held.append(request)
            handed.extend(item_of(row).path for _, row in request.items)
        if len(held) == 3 or not request:
            end(backlog, held.pop(chance.randrange(len(held))), chance.choice([QUICK, QUICK, SLOW]))
        if chance.random() < 0.2:
            backlog.forget_order()
    assert sorted(handed) == sorted(item.path for item in everything)
