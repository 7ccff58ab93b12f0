"""A worker that was taken over can say anything: only replies are heard."""

import os
import pickle
from ctypes import c_int64
from dataclasses import replace
from multiprocessing import Pipe
from typing import Any

import pytest

from triage.engine import messages
from triage.engine.messages import Alive, Done, Results
from triage.engine.trace import Span
from triage.engine.workers.hearing import StrangeReplyError, hear, reply_of
from triage.model.address import Address
from triage.model.evidence import Region, SourceInfo, UnreadableRun, VolumeReport
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind
from triage.model.indication import Indication
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode

REGION = Region(run=ByteRun(0, 512), name="whole source", scheme="none", is_volume=True)
REPORT = VolumeReport(region=REGION, state="read", file_system="ntfs", text="ntfs")
TROUBLE = Trouble(address=Address("volume", "0").child("path", "/a"), code=TroubleCode.DAMAGED, text="torn")
SET = SetIdentity(name="n", version="1", digest="ab" * 32, kind=SetKind.NOTABLE)
FOUND = Finding(
    address=TROUBLE.address,
    match=Match(set=SET, by=MatchBy.PDQ, distance=3, flags=("series",)),
    analyzer="perceptual-match",
    analyzer_version="2",
)
INDICATION = Indication(group="tor", label="Tor Browser", text="what it means")
INFO = SourceInfo(kind="raw", files=("a.img",), size=512, sector_size=512)

REPLIES = (
    messages.Ready(confined="files by Landlock"),
    messages.Opened(info=INFO, fingerprint="00"),
    messages.Verifying(bytes_done=1),
    messages.Verified(troubles=(TROUBLE,)),
    messages.Refused(error="SourceError", text="gone"),
    messages.Failed(text="one line"),
    messages.Surveyed(regions=(REGION,), troubles=(TROUBLE,)),
    messages.Recognised(report=REPORT),
    messages.Listed(
        rows=(("a", None, b"\xff", 1, True, 0.5),),
        waiting=((1, 2, True),),
        told=((0, INDICATION),),
        troubles=(TROUBLE,),
    ),
    Alive(),
    Results(rows=((None, 7),), found=((7, FOUND),), in_hand="a"),
    messages.Looked(items=(1, 2), near=(2,), pictures=1),
    messages.SelfTested(passed=True, text="passed"),
    messages.Members(
        container=7,
        first=0,
        rows=((None, 7),),
        found=((0, FOUND),),
        troubles=(TROUBLE,),
        ended=True,
        whole=False,
        in_hand="a.zip/b",
    ),
    messages.Searched(runs=(ByteRun(0, 512),), rows=((None, 7),), waiting=((9, 2, False),)),
    messages.Sampled(unreadable=0, leads=bytes(8)),
    messages.Followed(rows=((None, 7),), found=((0, FOUND),)),
    Done(
        bytes_read=1,
        unreadable=(UnreadableRun(run=ByteRun(0, 1), reason="I/O error"),),
        worker=3,
        spans=(Span("walk", 0.0, 1.0),),
    ),
)


class _Calls:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self._call


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: type(reply).__name__)
def test_every_reply_is_heard_as_it_was_said(reply: messages.Reply) -> None:
    assert reply_of(pickle.dumps(reply)) == reply


def test_every_kind_of_reply_is_among_them() -> None:
    assert {type(reply) for reply in REPLIES} == set(messages.Reply.__args__)


@pytest.mark.parametrize(
    "said",
    [
        _Calls(os.mkdir, "made-by-a-worker"),
        _Calls(eval, "1"),
        (Alive(), _Calls(os.getpid)),
        replace(REPLIES[3], troubles=_Calls(os.getpid)),  # type: ignore[arg-type]
        c_int64,
        "Done",
        None,
    ],
    ids=["makes a folder", "evaluates", "within a tuple", "within a reply", "a type", "a name", "nothing"],
)
def test_whatever_else_is_said_is_refused_and_nothing_is_called(
    said: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StrangeReplyError):
        reply_of(pickle.dumps(said))
    assert not list(tmp_path.iterdir())


class _Builds:
    """Pickles as a value that is there already, and a state to give it."""

    def __init__(self, made: tuple[Any, ...], state: Any) -> None:
        self._made, self._state = made, state

    def __reduce__(self) -> tuple[Any, ...]:
        return (*self._made, self._state)


@pytest.mark.parametrize(
    "member", [TroubleCode.DAMAGED, SetKind.NOTABLE, MatchBy.MD5, Span("walk", 0.0, 1.0)], ids=repr
)
def test_no_reply_changes_a_value_that_all_share(member: Any) -> None:
    before = repr(member)
    made: Any = type(member), tuple(member) if isinstance(member, Span) else (member.value,)
    for state in ({"_value_": "other", "value": "other"}, (None, {"_value_": "other"})):
        with pytest.raises(StrangeReplyError):
            reply_of(pickle.dumps(_Builds(made, state)))
    assert repr(member) == before


def test_a_class_takes_no_state_either() -> None:
    for kind in (TroubleCode, Span, Done):
        said = b"\x80\x02c" + f"{kind.__module__}\n{kind.__qualname__}\n".encode()
        with pytest.raises(StrangeReplyError):
            reply_of(said + pickle.dumps((None, {"value": 0}), 2)[2:-1] + b"b.")
        assert not hasattr(kind, "value") or kind.value != 0


def test_what_is_nested_without_end_is_refused_before_it_is_hashed() -> None:
    deep: Any = ()
    for _ in range(200):
        deep = (deep,)
    wide: Any = ()
    for _ in range(8):
        wide = (wide,) * 16
    for said in (deep, wide):
        with pytest.raises(StrangeReplyError, match="than any reply"):
            reply_of(pickle.dumps(messages.Refused(error=said, text="")))


@pytest.mark.parametrize("cut", [0, 1, 20])
def test_bytes_that_are_no_pickle_are_refused(cut: int) -> None:
    with pytest.raises(StrangeReplyError):
        reply_of(pickle.dumps(REPLIES[1])[:cut])


def test_a_pipe_that_ends_is_told_from_a_strange_reply() -> None:
    ours, theirs = Pipe()
    theirs.send(Alive())
    theirs.send_bytes(b"no pickle")
    theirs.close()
    assert hear(ours) == Alive()
    with pytest.raises(StrangeReplyError):
        hear(ours)
    with pytest.raises(EOFError):
        hear(ours)
