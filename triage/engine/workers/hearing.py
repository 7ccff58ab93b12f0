"""What a worker says, taken apart without trust.

A worker that hostile evidence has taken over can write any bytes into its pipe. Python's pickle would call whatever
they name; here they can name the values of `messages`, and nothing else.
"""

import pickle
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from io import BytesIO
from multiprocessing.connection import Connection
from types import NoneType
from typing import Any, cast, get_args

from triage.engine.messages import Reply
from triage.engine.trace import Span
from triage.model.address import Address
from triage.model.evidence import Region, SourceInfo, UnreadableRun, VolumeReport
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind
from triage.model.indication import Indication
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode

_MOST = 1 << 28  # bytes of a message; the largest honest ones are some tens of megabytes
_MOST_VALUES = 1 << 22  # beside those in rows
_DEEPEST = 10
_VALUES = (NoneType, bool, int, float, str, bytes, Enum, Address)

_PARTS = (
    *(Span, Region, SourceInfo, UnreadableRun, VolumeReport),
    *(Finding, Match, MatchBy, SetIdentity, SetKind, ByteRun, Trouble, TroubleCode, Indication),
)
_KINDS: dict[tuple[str, str], Callable[..., object]] = {
    **{(kind.__module__, kind.__qualname__): kind for kind in (*get_args(Reply), *_PARTS)},
    (Address.__module__, "_address"): Address.parse,  # which addresses travel by does not look at the text
}


class StrangeReplyError(Exception):
    """What was said is no reply."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        kind = _KINDS.get((module, name))
        if kind is None:
            raise StrangeReplyError(f"{module}.{name} is in no reply")
        return kind


def hear(connection: Connection) -> Reply:
    """Return the next reply of a worker.

    Raises EOFError or OSError where it is gone or says too much at once, and StrangeReplyError for anything that is no
    reply.
    """
    return reply_of(connection.recv_bytes(_MOST))


def reply_of(data: bytes) -> Reply:
    """Return the reply that was pickled. Raises StrangeReplyError for anything else."""
    try:
        reply = _Unpickler(BytesIO(data)).load()
    except StrangeReplyError:
        raise
    except Exception as error:  # whatever bytes make the library raise, they are no reply
        raise StrangeReplyError("bytes that are no reply") from error
    if not isinstance(reply, get_args(Reply)):
        raise StrangeReplyError(f"{type(reply).__name__} is no reply")
    _Look().over(reply)
    return cast("Reply", reply)


class _Look:
    """One look over all values of a reply but the cells of rows: to hash what is nested without end kills a process."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def over(self, value: object, depth: int = 0) -> None:
        """Raise StrangeReplyError for what is too much, too deep or of no kind that replies have."""
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            raise StrangeReplyError("more, or deeper, than any reply")
        if isinstance(value, tuple):
            for part in value:
                self.over(part, depth + 1)
        elif is_dataclass(value):
            for field in fields(value):
                if field.name != "rows":
                    self.over(getattr(value, field.name, None), depth + 1)
        elif not isinstance(value, _VALUES):
            raise StrangeReplyError(f"{type(value).__name__} is in no reply")
