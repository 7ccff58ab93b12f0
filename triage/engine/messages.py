"""What the run says to a worker process and hears from it: plain values only."""

from dataclasses import dataclass

from triage.engine.plan import Limits
from triage.model.errors import DigiVanError, SourceError, StoreError, UsageError
from triage.model.evidence import Region, SourceInfo, UnreadableRun, VolumeReport
from triage.model.finding import SetIdentity
from triage.model.item import Item
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a worker needs to start: the source, the sets and the bounds."""

    source: str
    set_files: tuple[str, ...]
    sets: tuple[SetIdentity, ...]
    digests: frozenset[str]
    pictures: bool
    limits: Limits


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
    """List what is in a region."""

    region: Region


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamineItems:
    """Examine items of one volume; each comes with its number in the case.

    `decode` is False where a decoder has failed on the item before: its digests are still wanted.
    """

    volume: ByteRun
    decode: bool = True
    items: tuple[tuple[int, Item], ...]


Request = OpenSource | VerifySource | SurveySource | WalkVolume | ExamineItems


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The worker has started and opened what it needs; from now on its time counts."""


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
    """Some items of the volume, in order, and trouble met on the way."""

    items: tuple[Item, ...]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """Nothing to report yet, but evidence is being read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Some results, in the order of the request; `in_hand` is the path of the item that comes next, for a person."""

    results: tuple[ItemResult, ...]
    in_hand: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The request is carried out; what was read for it, and what could not be and was not told before."""

    bytes_read: int
    unreadable: tuple[UnreadableRun, ...]


Reply = (
    Ready | Opened | Verifying | Verified | Refused | Failed | Surveyed | Recognised | Listed | Alive | Results | Done
)


_ERRORS: dict[str, type[DigiVanError]] = {kind.__name__: kind for kind in (SourceError, StoreError, UsageError)}


def raise_refusal(reply: object) -> None:
    """Raise the error that a refusal stands for; do nothing with any other reply."""
    if isinstance(reply, Refused):
        raise _ERRORS.get(reply.error, StoreError)(reply.text)
