"""What the run says to a worker process and hears from it: plain values only."""

from dataclasses import dataclass
from typing import NamedTuple

from triage.engine.plan import Depth, Limits
from triage.engine.trace import Span
from triage.items.indicator_rules import IndicatorRule
from triage.model.errors import DigiVanError, SourceError, StoreError, UsageError
from triage.model.evidence import Region, SourceInfo, UnreadableRun, VolumeReport
from triage.model.finding import Finding, SetIdentity
from triage.model.indication import Indication
from triage.model.item import Outcome
from triage.model.runs import ByteRun
from triage.model.secret import NO_SECRETS, Secrets
from triage.model.trouble import Trouble
from triage.store.rows import Row

NOTHING = -1
"""No item is in hand."""

GONE = 77
"""The exit code of a worker whose source was taken away: what it was at is not known, and nothing is to be recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a worker needs to start: the source, the sets, what to do, the bounds, and whether it measures itself.

    `secrets` are tried on encrypted volumes. `searches`: a set is so large that pictures are looked up by compiled
    loops. `indicators` and `keywords` tell what names stand for.
    """

    source: str
    set_files: tuple[str, ...]
    sets: tuple[SetIdentity, ...]
    depth: Depth
    limits: Limits
    searches: bool = False
    secrets: Secrets = NO_SECRETS
    indicators: tuple[IndicatorRule, ...] = ()
    keywords: tuple[str, ...] = ()
    traced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSource:
    """Say what the source is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySource:
    """Compare the whole source with the digests that its container claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveySource:
    """Say which regions the source has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkVolume:
    """List what is in a region; `seed` is that of the random sample, `removable`: the medium is a removable one."""

    region: Region
    seed: bytes
    removable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamineItems:
    """Examine items of one volume; each comes with its number in the case, as a row (see `item_of`).

    `failed` is what became of the items when they were decoded, None before that: they are not decoded again, their
    digests are still wanted, and that is their outcome.
    """

    volume: ByteRun
    failed: tuple[Outcome, str] | None = None
    items: tuple[tuple[int, Row], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtItems:
    """Compare the pictures embedded in items of one volume; nothing is decided by that but what comes first."""

    volume: ByteRun
    items: tuple[tuple[int, Row], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """Show with known answers that reading, digesting and comparing work in this very process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenContainers:
    """Go through items of one volume that hold others; each comes with its number in the case, as a row."""

    volume: ByteRun
    items: tuple[tuple[int, Row], ...]


class Piece(NamedTuple):
    """Bytes of the source in which files may begin, from `start` to `until`; those go on up to `end` at most."""

    start: int
    until: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpace:
    """Look for pictures and videos without a name, piece by piece."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleBlocks:
    """Compare blocks of the source with those of known files; `offsets` are int64, ascending, in bytes."""

    offsets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowLeads:
    """Tell the runs of blocks of known files among the blocks at some offsets, given likewise."""

    offsets: bytes


Request = (
    OpenSource
    | VerifySource
    | SurveySource
    | WalkVolume
    | ExamineItems
    | LookAtItems
    | SelfTest
    | OpenContainers
    | SearchSpace
    | SampleBlocks
    | FollowLeads
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The worker has started and opened what it needs; from now on its time counts.

    `confined` says in words what the system keeps it from.
    """

    confined: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The source is open: what it is, and what tells it from others alike (see `fingerprint`)."""

    info: SourceInfo
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The request failed with an error of ours: its class name and its line."""

    error: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifying:
    """How many bytes of the source are compared so far."""

    bytes_done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What the comparison showed: every claim that does not hold."""

    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The request failed in a way nobody foresaw, but the worker lives; `text` is one line."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """The regions of the source and the trouble met in finding them."""

    regions: tuple[Region, ...]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What a region holds."""

    report: VolumeReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Some items of the volume, in order, as rows (see `listed_row`), and trouble met on the way.

    `waiting` are tier, size, and whether the name is a picture's, of those that have content; `told` are indications
    by names, each with the number of its row.
    """

    rows: tuple[Row, ...]
    waiting: tuple[tuple[int, int, bool], ...]
    told: tuple[tuple[int, Indication], ...]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """Nothing to report yet, but evidence is being read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Some results as rows (see `result_row`), the findings among them with the numbers of their items.

    `in_hand` is the path of an item for a person to see.
    """

    rows: tuple[Row, ...]
    found: tuple[tuple[int, Finding], ...]
    in_hand: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The numbers of the items looked at, and of those whose embedded picture looks like a known one."""

    items: tuple[int, ...]
    near: tuple[int, ...]
    pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTested:
    """Whether every answer was the known one; `text` says which was not, in one line."""

    passed: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """Some members of the container of a number, as rows (see `member_row`), from position `first` among them on.

    `found` are the findings, each with the number of its row; `told` is what the container itself indicates by what is
    in it. `ended`: there are no more; `whole`: all there are were given out. `in_hand` is the path of a member for a
    person to see.
    """

    container: int
    first: int
    rows: tuple[Row, ...]
    found: tuple[tuple[int, Finding], ...]
    told: tuple[Indication, ...] = ()
    troubles: tuple[Trouble, ...]
    ended: bool
    whole: bool
    in_hand: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """Bytes that were searched, ascending, and the files that begin in them, as rows (see `listed_row`).

    `waiting` is as in `Listed`.
    """

    runs: tuple[ByteRun, ...]
    rows: tuple[Row, ...]
    waiting: tuple[tuple[int, int, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """How many blocks could not be read, and the offsets of those that are of known files, int64."""

    unreadable: int
    leads: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Runs of blocks of known files, as rows (see `member_row`), and the findings, each with the number of its row."""

    rows: tuple[Row, ...]
    found: tuple[tuple[int, Finding], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The request is carried out; what was read for it, and what could not be and was not told before.

    `worker` is the number of the process, `spans` what its time went to, where that is measured.
    """

    bytes_read: int
    unreadable: tuple[UnreadableRun, ...]
    worker: int = 0
    spans: tuple[Span, ...] = ()


Reply = (
    Ready
    | Opened
    | Verifying
    | Verified
    | Refused
    | Failed
    | Surveyed
    | Recognised
    | Listed
    | Alive
    | Results
    | Looked
    | SelfTested
    | Members
    | Searched
    | Sampled
    | Followed
    | Done
)


_ERRORS: dict[str, type[DigiVanError]] = {kind.__name__: kind for kind in (SourceError, StoreError, UsageError)}


def raise_refusal(reply: object) -> None:
    """Raise the error that a refusal stands for; do nothing with any other reply."""
    if isinstance(reply, Refused):
        raise _ERRORS.get(reply.error, StoreError)(reply.text)
