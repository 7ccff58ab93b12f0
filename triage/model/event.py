"""Events of a run: what the engine yields and the command line, a console or a test iterates."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from triage.model.evidence import VolumeReport
from triage.model.finding import Finding
from triage.model.item import Item
from triage.model.trouble import Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeOpened:
    """A volume was recognised, or reported as not readable."""

    report: VolumeReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifying:
    """The source is compared with the digests that its container claims."""

    bytes_done: int
    bytes_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Walking:
    """Names are being listed; `items` so far in the volume."""

    volume: str
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TierProgress:
    """How far one tier of the order of looking is; `seconds_left` is None while no rate is known."""

    label: str
    items_done: int
    items_total: int
    bytes_done: int
    bytes_total: int
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Items are being examined; `seconds` are those of all runs, `in_hand` is a path for a person to see.

    `tier` is the label of the tier in hand, `tiers` are all that hold anything, in their order; `rate` is in bytes of
    content a second over this run, `seconds_left` for all that is listed so far; both None while they are not known.
    """

    items_done: int = 0
    items_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    seconds: float = 0.0
    in_hand: str = ""
    tier: str = ""
    tiers: tuple[TierProgress, ...] = ()
    rate: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding, as it comes."""

    item: Item
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """Trouble with the evidence, recorded; the run goes on."""

    trouble: Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Something for the log of the case: `name` in words joined by hyphens, `facts` as they go into JSON."""

    name: str
    facts: Mapping[str, str | int | float]


class EndedBy(StrEnum):
    """What ended a run."""

    END = "end"
    REQUEST = "request"
    TIME_LIMIT = "time-limit"
    ENOUGH_FOUND = "enough-found"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The run ended by itself: every item has its outcome, or a limit that was asked for is reached."""

    items: int
    findings: int
    seconds: float
    by: EndedBy = EndedBy.END


Event = Verifying | VolumeOpened | Walking | Progress | Found | Met | Noted | Finished
