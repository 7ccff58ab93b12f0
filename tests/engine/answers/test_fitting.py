"""Only what was asked is an answer: a worker settles the items that it was given, once, and no others."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from suite import placed

from triage.engine.answers.fitting import fits
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
from triage.engine.workers.pool import Lost
from triage.model.address import Address
from triage.model.evidence import Region, VolumeReport
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind
from triage.model.indication import Indication
from triage.model.item import Item, ItemKind, Outcome, Times
from triage.model.placing import Placed
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.store.rows import LISTED_OUTCOME, member_row, result_row

RUN = ByteRun(0, 512)
REGION = Region(run=RUN, name="whole source", scheme="none", is_volume=True)
ADDRESS = Address("volume", "0").child("path", "/a")
ITEM = Item(
    address=ADDRESS, kind=ItemKind.FILE, path="a", size=1, allocated=True, reference="5", times=Times(), runs=()
)
(LISTED,) = placed([ITEM])
EXAMINE = ExamineItems(volume=RUN, items=((1, LISTED), (2, LISTED), (3, LISTED)))
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


INSIDE = replace(ITEM, address=ADDRESS.child("member", "0"), kind=ItemKind.MEMBER, path="a/b")
RESULT = ItemResult(item=0, outcome=Outcome.EXAMINED)
OPEN = OpenContainers(volume=RUN, items=((1, LISTED), (2, LISTED)))


def told(item: Item = INSIDE, **changes: Any) -> Members:
    """Return a reply of one member with one finding."""
    row = member_row(item, Placed(0, 0), RESULT)
    found = ((0, replace(FOUND, address=item.address)),)
    some = Members(container=1, first=0, rows=(row,), found=found, troubles=(), ended=True, whole=True, in_hand="")
    return replace(some, **changes)


def test_members_lie_inside_the_container_that_was_asked_for() -> None:
    assert fits(OPEN, told(), WAITING)
    assert not fits(OPEN, told(replace(INSIDE, address=Address("volume", "1").child("member", "0"))), WAITING)
    assert not fits(OPEN, told(replace(INSIDE, address=ADDRESS)), WAITING)
    assert not fits(OPEN, told(replace(INSIDE, kind=ItemKind.FILE)), WAITING)
    assert not fits(OPEN, told(replace(INSIDE, path="b")), WAITING)
    assert not fits(OPEN, told(replace(INSIDE, path="ab")), WAITING)


def test_members_have_their_outcome_and_findings_of_their_own() -> None:
    row = told().rows[0]
    waits = (*row[:LISTED_OUTCOME], "not-reached", *row[LISTED_OUTCOME + 1 :])
    assert not fits(OPEN, told(rows=(waits,)), WAITING)
    assert not fits(OPEN, told(rows=(row[1:],)), WAITING)
    assert not fits(OPEN, told(found=((1, FOUND),)), WAITING)
    assert not fits(OPEN, told(found=((0, FOUND),)), WAITING)
    assert not fits(OPEN, told(found=((-1, replace(FOUND, address=INSIDE.address)),)), WAITING)


def test_trouble_with_members_is_of_the_container_or_of_what_is_in_it() -> None:
    def met(address: Address) -> Members:
        return told(troubles=(Trouble(address=address, code=TroubleCode.DAMAGED, text="why"),))

    assert fits(OPEN, met(ADDRESS), WAITING)
    assert fits(OPEN, met(INSIDE.address), WAITING)
    assert not fits(OPEN, met(Address("volume", "0")), WAITING)
    assert not fits(OPEN, told(troubles=("why",)), WAITING)


def test_only_a_hive_indicates_by_what_is_in_it_and_in_plain_lines_of_its_groups() -> None:
    (hive,) = placed([replace(ITEM, path="Windows/System32/config/SAM")])
    ask = OpenContainers(volume=RUN, items=((1, hive),))
    account = Indication(group="user-account", label="ann (1001)", text="Account ann (1001): what Windows recorded.")

    def of(*indications: Any) -> Members:
        return told(rows=(), found=(), told=indications)

    assert fits(ask, of(account, replace(account, group="connected-device")), WAITING)
    assert fits(ask, of(*[account] * 2000), WAITING)
    assert not fits(ask, of(*[account] * 2001), WAITING)
    assert not fits(OPEN, of(account), WAITING), "a container of another kind"
    assert not fits(ask, of(replace(account, group="encryption")), WAITING)
    assert not fits(ask, of(replace(account, label="two\nlines")), WAITING)
    assert not fits(ask, of(replace(account, text="\ud800")), WAITING)
    assert not fits(ask, of(replace(account, text="a" * 1001)), WAITING)
    number: Any = 1
    assert not fits(ask, of(replace(account, text=number)), WAITING)
    assert not fits(ask, of("ann"), WAITING)


def test_members_come_in_their_order_container_by_container() -> None:
    some, rest = told(ended=False), told(first=1)
    second = told(container=2)
    assert fits(OPEN, rest, WAITING, some)
    assert fits(OPEN, second, WAITING, rest)
    assert not fits(OPEN, second, WAITING), "the first container was left out"
    assert not fits(OPEN, second, WAITING, some), "the first container has not ended"
    assert not fits(OPEN, some, WAITING, some), "the same again"
    assert not fits(OPEN, told(first=2), WAITING, some), "one was left out"
    assert not fits(OPEN, told(), WAITING, rest), "the first container has ended"
    assert not fits(OPEN, second, WAITING, second), "there is none behind the last"
    assert not fits(OPEN, told(container=3), WAITING)


def carved(offset: int, length: int, **changes: Any) -> Item:
    item = Item(
        address=Address("carved", f"{offset}+{length}"),
        kind=ItemKind.CARVED,
        path=f"carved/{offset}.jpg",
        size=length,
        allocated=False,
        reference="r",
        runs=(ByteRun(offset, length),),
    )
    return replace(item, **changes)


SEARCH = SearchSpace(pieces=(Piece(start=512, until=1024, end=4096), Piece(start=8192, until=8704, end=8704)))


def searched(*items: Item, run: ByteRun = ByteRun(512, 512)) -> Searched:  # noqa: B008 - a value
    return Searched(runs=(run,), rows=tuple(placed(items)), waiting=((9, 1, False),) * len(items))


def test_what_is_searched_lies_in_a_piece_that_was_asked_for() -> None:
    assert fits(SEARCH, searched(), WAITING)
    assert fits(SEARCH, searched(run=ByteRun(8192, 100)), WAITING)
    assert fits(SEARCH, searched(run=ByteRun(8192, 100)), WAITING, searched())
    assert not fits(SEARCH, searched(), WAITING, searched()), "the same again"
    assert not fits(SEARCH, searched(run=ByteRun(0, 512)), WAITING)
    assert not fits(SEARCH, searched(run=ByteRun(512, 1024)), WAITING), "no file begins there for this piece"
    assert not fits(SEARCH, searched(run=ByteRun(4096, 512)), WAITING)
    assert not fits(SEARCH, searched(run=ByteRun(600, 0)), WAITING)


def test_many_pieces_are_searched_one_behind_the_other() -> None:
    both = replace(searched(carved(8192, 100)), runs=(ByteRun(512, 512), ByteRun(8192, 512)))
    assert fits(SEARCH, both, WAITING)
    assert not fits(SEARCH, replace(both, runs=both.runs[::-1]), WAITING)
    assert not fits(SEARCH, replace(both, runs=(both.runs[0], *both.runs)), WAITING)
    assert not fits(SEARCH, replace(both, runs=()), WAITING)
    assert not fits(SEARCH, replace(both, runs=(ByteRun(512, 8192),)), WAITING), "what lies between was not asked for"
    joined = SearchSpace(pieces=(Piece(start=0, until=512, end=1024), Piece(start=512, until=1024, end=1024)))
    assert fits(joined, replace(searched(), runs=(ByteRun(0, 512), ByteRun(512, 512))), WAITING)
    assert not fits(joined, searched(run=ByteRun(0, 1024)), WAITING), "two pieces are told as two"


def test_what_is_carved_begins_in_the_bytes_that_were_searched_and_ends_in_their_space() -> None:
    assert fits(SEARCH, searched(carved(512, 3584)), WAITING)
    assert not fits(SEARCH, searched(carved(512, 3585)), WAITING)
    assert not fits(SEARCH, searched(carved(1024, 10)), WAITING)
    assert not fits(SEARCH, searched(carved(512, 10, kind=ItemKind.FILE)), WAITING)
    assert not fits(SEARCH, searched(carved(512, 10, allocated=True)), WAITING)
    assert not fits(SEARCH, searched(carved(512, 10, size=11)), WAITING)
    assert not fits(SEARCH, searched(carved(512, 10, address=ADDRESS)), WAITING)
    assert not fits(SEARCH, searched(carved(512, 10, runs=())), WAITING)
    assert not fits(SEARCH, replace(searched(), waiting=((9, 1, False),)), WAITING)


def offsets(*numbers: int) -> bytes:
    return np.array(numbers, np.int64).tobytes()


def test_leads_are_among_the_blocks_that_were_asked_for() -> None:
    request = SampleBlocks(offsets=offsets(0, 4096, 8192))
    sampled = Sampled(unreadable=1, leads=offsets(4096))
    assert fits(request, sampled, WAITING)
    assert not fits(request, sampled, WAITING, sampled), "the same again"
    assert not fits(request, replace(sampled, leads=offsets(4097)), WAITING)
    assert not fits(request, replace(sampled, leads=b"1234"), WAITING)
    assert not fits(request, replace(sampled, unreadable=4), WAITING)


def test_a_run_of_known_blocks_consists_of_blocks_that_were_asked_for_and_is_a_finding() -> None:
    def followed(offset: int, length: int) -> Followed:
        item = carved(offset, length, address=Address("blocks", f"{offset}+{length}"))
        row = member_row(item, Placed(0, 0), RESULT)
        return Followed(rows=(row,), found=((0, replace(FOUND, address=item.address)),))

    request = FollowLeads(offsets=offsets(0, 4096, 8192, 16384))
    assert fits(request, followed(4096, 8192), WAITING)
    assert not fits(request, followed(8192, 12288), WAITING), "a block between was not asked for"
    assert not fits(request, followed(4096, 100), WAITING)
    assert not fits(request, followed(0, 1 << 60), WAITING)
    assert not fits(request, replace(followed(4096, 8192), found=()), WAITING)
    assert not fits(request, replace(followed(4096, 8192), found=((0, FOUND),)), WAITING)
    assert not fits(SampleBlocks(offsets=request.offsets), followed(4096, 8192), WAITING)


def test_a_self_test_is_answered_once_by_what_it_showed() -> None:
    showed = SelfTested(passed=False, text="why")
    assert fits(SelfTest(), showed, WAITING)
    assert not fits(SelfTest(), showed, WAITING, showed)
    assert not fits(SelfTest(), done(1), WAITING)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (EXAMINE, replace(done(1), rows=((*done(1).rows[0][:10], "dreamt", *done(1).rows[0][11:]),))),
        (EXAMINE, replace(done(1), rows=((*done(1).rows[0][:10], None, *done(1).rows[0][11:]),))),
        (EXAMINE, replace(done(1), found=((1, "a finding"),))),  # type: ignore[arg-type]
        (EXAMINE, replace(done(1), found=(1,))),  # type: ignore[arg-type]
        (EXAMINE, replace(done(1), rows=5)),  # type: ignore[arg-type]
        (WALK, Listed(rows=((None, *LISTED[1:]),), waiting=(), told=(), troubles=())),
        (WALK, Listed(rows=((*LISTED[:4], 1 << 64, *LISTED[5:]),), waiting=(), told=(), troubles=())),
        (WALK, Listed(rows=((*LISTED[:1], "\ud800", *LISTED[2:]),), waiting=(), told=(), troubles=())),
        (WALK, Listed(rows=(), waiting=(), told=(("0", "x"),), troubles=())),  # type: ignore[arg-type]
        (WALK, Recognised(report=5)),  # type: ignore[arg-type]
        (OPEN, told(rows=((*told().rows[0][:3], "dreamt", *told().rows[0][4:]),), found=())),
        (OPEN, told(rows=(("no address", *told().rows[0][1:]),), found=())),
        (SEARCH, replace(searched(), runs=(None,))),  # type: ignore[arg-type]
        (SampleBlocks(offsets=offsets(0)), Sampled(unreadable=None, leads=b"")),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_values_that_no_case_could_hold_are_refused_and_hurt_nobody(request_: Request, said: Any) -> None:
    assert not fits(request_, said, WAITING)
