"""Events of a run: what the engine yields and the command line, a console or a test iterates."""

from dataclasses import dataclass

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
    """Names are being listed; `items` so far in the whole source."""

    volume: str
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Items are being examined; `seconds` are those of all runs, `in_hand` is a path for a person to see."""

    items_done: int = 0
    items_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    seconds: float = 0.0
    in_hand: str = ""


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
class Finished:
    """The run ended by itself: every item has its outcome."""

    items: int
    findings: int
    seconds: float


Event = Verifying | VolumeOpened | Walking | Progress | Found | Met | Finished
