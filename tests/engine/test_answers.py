"""Only what was asked is an answer: a worker settles the items that it was given, once, and no others."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from suite import placed

from triage.engine.answers import fits
from triage.engine.messages import (
    Alive,
    Done,
    ExamineItems,
    Followed,
    FollowLeads,
    Listed,
    LookAtItems,
    Looked,
    Members,
    OpenContainers,
    Piece,
    Recognised,
    Request,
    Results,
    SampleBlocks,
    Sampled,
    Searched,
    SearchSpace,
    SelfTest,
    SelfTested,
    WalkVolume,
)
from triage.engine.pool import Lost
from triage.model.address import Address
from triage.model.evidence import Region, VolumeReport
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind
from triage.model.indication import Indication
from triage.model.item import Item, ItemKind, Outcome, Times
from triage.model.placing import Placed
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.store.rows import LISTED_OUTCOME, member_row, result_row

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
    assert fits(WALK, Listed(rows=(LISTED,), waiting=((0, 1, True),), told=(), troubles=()), WAITING)


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
        Listed(rows=(), waiting=(), told=(), troubles=()),
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
    assert not fits(WALK, Listed(rows=(crashed,), waiting=(), told=(), troubles=()), WAITING)
    assert not fits(WALK, Listed(rows=(LISTED[1:],), waiting=(), told=(), troubles=()), WAITING)
    assert not fits(WALK, Listed(rows=(LISTED,), waiting=((99, 1, True),), told=(), troubles=()), WAITING)
    assert not fits(WALK, done(1), WAITING)
    indication = Indication(group="tor", label="Tor Browser", text="what it means")
    assert fits(WALK, Listed(rows=(LISTED,), waiting=(), told=((0, indication),), troubles=()), WAITING)
    assert not fits(WALK, Listed(rows=(LISTED,), waiting=(), told=((1, indication),), troubles=()), WAITING)


MEMBER = member_row(ITEM, Placed(0, 0), ItemResult(item=0, outcome=Outcome.EXAMINED))
MEMBERS = Members(
    container=2, first=0, rows=(MEMBER,), found=((0, FOUND),), troubles=(), ended=True, whole=True, in_hand=""
)


def test_members_are_of_a_container_that_was_asked_for_and_have_their_outcome() -> None:
    request = OpenContainers(volume=RUN, items=((1, ()), (2, ())))
    waits = (*MEMBER[:LISTED_OUTCOME], "not-reached", *MEMBER[LISTED_OUTCOME + 1 :])
    assert fits(request, MEMBERS, WAITING)
    assert not fits(request, replace(MEMBERS, container=3), WAITING)
    assert not fits(request, replace(MEMBERS, found=((1, FOUND),)), WAITING)
    assert not fits(request, replace(MEMBERS, rows=(waits,)), WAITING)
    assert not fits(request, replace(MEMBERS, rows=(MEMBER[1:],)), WAITING)


def test_what_is_searched_lies_in_a_piece_that_was_asked_for() -> None:
    request = SearchSpace(pieces=(Piece(start=512, until=1024, end=4096), Piece(start=8192, until=8704, end=8704)))
    searched = Searched(run=ByteRun(512, 512), rows=(LISTED,), waiting=((9, 1, False),))
    assert fits(request, searched, WAITING)
    assert fits(request, replace(searched, run=ByteRun(8192, 100)), WAITING)
    assert not fits(request, replace(searched, run=ByteRun(0, 512)), WAITING)
    assert not fits(request, replace(searched, run=ByteRun(4096, 512)), WAITING)
    assert not fits(request, replace(searched, run=ByteRun(600, 0)), WAITING)
    assert not fits(request, replace(searched, rows=(LISTED[1:],)), WAITING)


def test_leads_are_among_the_blocks_that_were_asked_for() -> None:
    request = SampleBlocks(offsets=np.array([0, 4096, 8192], np.int64).tobytes())
    sampled = Sampled(unreadable=1, leads=np.array([4096], np.int64).tobytes())
    assert fits(request, sampled, WAITING)
    assert not fits(request, replace(sampled, leads=np.array([4097], np.int64).tobytes()), WAITING)
    assert not fits(request, replace(sampled, leads=b"1234"), WAITING)
    assert not fits(request, replace(sampled, unreadable=4), WAITING)
    followed = Followed(rows=(MEMBER,), found=((0, FOUND),))
    assert fits(FollowLeads(offsets=b""), followed, WAITING)
    assert not fits(FollowLeads(offsets=b""), replace(followed, found=()), WAITING)
    assert not fits(request, followed, WAITING)


def test_a_self_test_is_answered_by_what_it_showed() -> None:
    assert fits(SelfTest(), SelfTested(passed=False, text="why"), WAITING)
    assert not fits(SelfTest(), done(1), WAITING)
