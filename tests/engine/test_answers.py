"""Only what was asked is an answer: a worker settles the items that it was given, once, and no others."""

from dataclasses import replace
from typing import Any

import pytest
from suite import placed

from triage.engine.answers import fits
from triage.engine.messages import (
    Alive,
    Done,
    ExamineItems,
    Listed,
    LookAtItems,
    Looked,
    Recognised,
    Request,
    Results,
    WalkVolume,
)
from triage.engine.pool import Lost
from triage.model.address import Address
from triage.model.evidence import Region, VolumeReport
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind
from triage.model.item import Item, ItemKind, Outcome, Times
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.store.rows import LISTED_OUTCOME, result_row

RUN = ByteRun(0, 512)
REGION = Region(run=RUN, name="whole source", scheme="none", is_volume=True)
ADDRESS = Address("volume", "0").child("path", "/a")
ITEM = Item(
    address=ADDRESS, kind=ItemKind.FILE, path="a", size=1, allocated=True, reference="5", times=Times(), runs=()
)
(LISTED,) = placed([ITEM])
EXAMINE = ExamineItems(volume=RUN, items=((1, ()), (2, ()), (3, ())))
LOOK = LookAtItems(volume=RUN, items=((1, ()), (2, ())))
WALK = WalkVolume(region=REGION, seed=b"")
WAITING = frozenset({1, 2, 4})
FOUND = Finding(
    address=ADDRESS,
    match=Match(set=SetIdentity(name="n", version="1", digest="ab", kind=SetKind.NOTABLE), by=MatchBy.MD5, distance=0),
    analyzer="exact-match",
    analyzer_version="1",
)


def done(*numbers: int) -> Results:
    rows = tuple(result_row(ItemResult(item=number, outcome=Outcome.EXAMINED)) for number in numbers)
    return Results(rows=rows, found=(), in_hand="")


def test_what_was_asked_is_an_answer() -> None:
    assert fits(EXAMINE, done(1, 2), WAITING)
    assert fits(EXAMINE, replace(done(1), found=((1, FOUND),)), WAITING)
    assert fits(LOOK, Looked(items=(2, 1), near=(1,), pictures=2), WAITING)
    assert fits(WALK, Recognised(report=VolumeReport(region=REGION, state="read", text="")), WAITING)
    assert fits(WALK, Listed(rows=(LISTED,), waiting=((0, 1, True),), troubles=()), WAITING)


@pytest.mark.parametrize("request_", [EXAMINE, LOOK, WALK], ids=lambda request: type(request).__name__)
def test_an_end_or_a_loss_answers_everything(request_: Request) -> None:
    assert fits(request_, Done(bytes_read=0, unreadable=()), WAITING)
    assert fits(request_, Lost(request=request_, text=""), WAITING)
    assert not fits(request_, Alive(), WAITING)


@pytest.mark.parametrize(
    "said",
    [
        done(4),  # of another worker's request
        done(3),  # has its outcome already
        done(1, 1),
        replace(done(1), found=((2, FOUND),)),
        replace(done(1), rows=(done(1).rows[0][:-1],)),
        replace(done(1), rows=((*done(1).rows[0][:-1], True),)),
        replace(done(1), rows=((((),), *done(1).rows[0][1:]),)),
        Listed(rows=(), waiting=(), troubles=()),
    ],
)
def test_results_of_other_items_or_of_another_form_are_none(said: Any) -> None:
    assert not fits(EXAMINE, said, WAITING)


@pytest.mark.parametrize(("items", "near"), [((3,), ()), ((1,), (2,)), ((1, 1), ()), (("1",), ())])
def test_a_look_at_other_items_is_no_look(items: Any, near: Any) -> None:
    assert not fits(LOOK, Looked(items=items, near=near, pictures=0), WAITING)


def test_a_listing_holds_rows_of_its_form_and_no_results() -> None:
    other = replace(REGION, name="another")
    assert not fits(WALK, Recognised(report=VolumeReport(region=other, state="read", text="")), WAITING)
    crashed = (*LISTED[:LISTED_OUTCOME], "crashed", *LISTED[LISTED_OUTCOME + 1 :])
    assert not fits(WALK, Listed(rows=(crashed,), waiting=(), troubles=()), WAITING)
    assert not fits(WALK, Listed(rows=(LISTED[1:],), waiting=(), troubles=()), WAITING)
    assert not fits(WALK, Listed(rows=(LISTED,), waiting=((99, 1, True),), troubles=()), WAITING)
    assert not fits(WALK, done(1), WAITING)
