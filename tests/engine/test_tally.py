"""How far a run is, and how long the rest takes: sums, and a time left that falls."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.engine.tally import BYTE_SECONDS, ITEM_SECONDS, PICTURE_BYTE_SECONDS, Tally, cost
from triage.items.order import Tier
from triage.model.address import Address
from triage.model.event import Progress
from triage.model.item import Item, ItemKind
from triage.model.placing import Placed
from triage.model.runs import ByteRun
from triage.store.queue import Pending, TierStanding
from triage.store.rows import ITEM_COLUMNS, listed_row

VOLUME = ByteRun(0, 1 << 30)
PICTURES, OTHER = Tier.USER_PICTURES, Tier.OTHER


def pending(tier: Tier, size: int, *, is_picture: bool = False) -> Pending:
    item = Item(
        address=Address("volume", "0").child("file", "1"),
        kind=ItemKind.FILE,
        path="a",
        size=size,
        allocated=True,
        reference="1",
    )
    row = listed_row(item, Placed(tier=tier, rank=0))[: len(ITEM_COLUMNS.split(", "))]
    return Pending(1, VOLUME, tier, is_picture, row)


def tally_of(listed: Sequence[tuple[Tier, int, bool]], *, began: float = 0.0) -> Tally:
    tally = Tally(began)
    for tier, size, is_picture in listed:
        tally.listed(tier, size, is_picture=is_picture)
    return tally


def progress(tally: Tally, now: float) -> Progress:
    return tally.progress(now, tier=None, in_hand="")


def standing(tier: Tier, items: int, size: int, done: int, size_done: int) -> TierStanding:
    return TierStanding(
        tier=tier,
        items=items,
        bytes=size,
        items_done=done,
        bytes_done=size_done,
        picture_bytes=size,
        picture_bytes_done=size_done,
    )


def test_a_picture_costs_more_than_as_many_other_bytes_and_every_item_something() -> None:
    assert cost(0, is_picture=False) == cost(0, is_picture=True) == ITEM_SECONDS
    assert cost(1000, is_picture=False) == pytest.approx(ITEM_SECONDS + 1000 * BYTE_SECONDS)
    assert cost(1000, is_picture=True) == pytest.approx(ITEM_SECONDS + 1000 * (BYTE_SECONDS + PICTURE_BYTE_SECONDS))


def test_items_and_bytes_are_summed_by_tier_in_the_order_of_looking() -> None:
    tally = tally_of([(OTHER, 1000, False), (PICTURES, 200, True), (PICTURES, 30, False)])
    tally.done(pending(PICTURES, 200, is_picture=True))
    told = tally.progress(0.5, tier=PICTURES, in_hand="Pictures/a.jpg")
    assert (told.items_done, told.items_total, told.bytes_done, told.bytes_total) == (1, 3, 200, 1230)
    assert (told.tier, told.in_hand, told.seconds) == (PICTURES.label, "Pictures/a.jpg", 0.5)
    assert [(one.label, one.items_done, one.items_total, one.bytes_done, one.bytes_total) for one in told.tiers] == [
        (PICTURES.label, 1, 2, 200, 230),
        (OTHER.label, 0, 1, 0, 1000),
    ]
    assert tally.items == 3


sizes = st.integers(0, 1 << 40)
listings = st.lists(st.tuples(st.sampled_from(Tier), sizes, st.booleans()), min_size=1, max_size=20)


@given(listed=listings, now=st.floats(1.5, 1e6))
def test_the_whole_is_the_sum_of_its_tiers_and_all_done_leaves_no_time(
    listed: list[tuple[Tier, int, bool]], now: float
) -> None:
    tally = tally_of(listed)
    for tier, size, is_picture in listed:
        tally.done(pending(tier, size, is_picture=is_picture))
    told = progress(tally, now)
    assert told.items_done == told.items_total == len(listed) == sum(one.items_total for one in told.tiers)
    assert told.bytes_done == told.bytes_total == sum(size for _, size, _ in listed)
    assert told.rate == pytest.approx(told.bytes_total / now)
    assert told.seconds_left == pytest.approx(0, abs=now * 1e-9)
    assert all(tally.is_done(tier) for tier, _, _ in listed)


def test_a_tier_is_done_when_all_that_is_listed_of_it_is() -> None:
    tally = tally_of([(PICTURES, 10, True), (PICTURES, 20, True), (OTHER, 5, False)])
    tally.done(pending(PICTURES, 10))
    assert not tally.is_done(PICTURES)
    tally.done(pending(PICTURES, 20))
    assert tally.is_done(PICTURES)
    assert not tally.is_done(OTHER)


def test_no_rate_is_told_before_there_is_one() -> None:
    tally = tally_of([(OTHER, 1000, False)], began=50.0)
    assert (progress(tally, 60.0).rate, progress(tally, 60.0).seconds_left) == (None, None)
    tally.done(pending(OTHER, 1000))
    early, later = progress(tally, 50.5), progress(tally, 52.0)
    assert (early.rate, early.seconds_left) == (None, None)
    assert [one.seconds_left for one in early.tiers] == [None]
    assert (later.rate, later.seconds_left) == (500.0, 0.0)


def test_half_of_the_work_done_leaves_as_much_time_as_it_took() -> None:
    tally = tally_of([(PICTURES, 5000, True)] * 2 + [(OTHER, 700, False)] * 2, began=10.0)
    tally.done(pending(PICTURES, 5000, is_picture=True))
    tally.done(pending(OTHER, 700))
    told = progress(tally, 30.0)
    assert told.seconds_left == pytest.approx(20.0)
    assert sum(one.seconds_left or 0 for one in told.tiers) == pytest.approx(20.0)


def test_at_a_steady_pace_the_time_left_falls_by_the_time_that_passed() -> None:
    tally = tally_of([(OTHER, 1 << 20, False)] * 10)
    left = []
    for second in range(1, 11):
        tally.done(pending(OTHER, 1 << 20))
        left.append(progress(tally, 2.0 * second).seconds_left)
    assert left == pytest.approx([18.0, 16.0, 14.0, 12.0, 10.0, 8.0, 6.0, 4.0, 2.0, 0.0])


def test_what_earlier_runs_did_counts_as_done_and_not_into_the_rate() -> None:
    tally = Tally(began=100.0)
    tally.take(standing(PICTURES, 10, 10_000, 6, 6000))
    tally.take(standing(OTHER, 2, 50, 2, 50))
    fresh = progress(tally, 105.0)
    assert (fresh.items_done, fresh.items_total, fresh.bytes_done, fresh.bytes_total) == (8, 12, 6050, 10_050)
    assert (fresh.rate, fresh.seconds_left) == (None, None)
    assert tally.is_done(OTHER)
    tally.done(pending(PICTURES, 1000, is_picture=True))
    told = progress(tally, 104.0)
    assert told.rate == 250.0
    assert told.seconds_left == pytest.approx(3 * 4.0)


def test_a_standing_takes_the_place_of_what_was_counted_of_its_tier() -> None:
    tally = tally_of([(PICTURES, 999, True), (OTHER, 5, False)])
    tally.take(standing(PICTURES, 4, 4000, 1, 1000))
    told = progress(tally, 0.0)
    assert [(one.items_total, one.bytes_total, one.items_done) for one in told.tiers] == [(4, 4000, 1), (1, 5, 0)]
