"""What a visit and the process of one device say to each other: plain values only, events of the run among them."""

from dataclasses import dataclass

from triage.model.event import EndedBy, Event
from triage.model.evidence import SourceInfo, VolumeReport


@dataclass(frozen=True, slots=True)
class Pause:
    """Hand nothing new to the readers from now on, or go on."""

    on: bool


@dataclass(frozen=True, slots=True)
class Nice:
    """Take less of the processor, or more: 0 is as much as any run has, 15 only what others leave."""

    value: int


@dataclass(frozen=True, slots=True)
class Halt:
    """Conclude and end."""


Command = Pause | Nice | Halt
"""What the visit says, after the order itself; silence for good says `Halt`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """Source, sets and case are open, the run begins; what the case holds of earlier runs.

    `counts` are findings by grade and category, `troubles` by code.
    """

    resumed: bool
    counts: tuple[tuple[tuple[str | None, str | None], int], ...]
    troubles: tuple[tuple[str, int], ...]
    volumes: tuple[VolumeReport, ...]
    info: SourceInfo


@dataclass(frozen=True, slots=True)
class Gone:
    """The device was taken away, or another is in its place, as the line says."""

    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The system does not let the run take more of the processor again."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over; `problem` is the line of an error, if one ended it. `by` is None where nothing was begun."""

    by: EndedBy | None
    problem: str = ""


Report = Began | Gone | Refused | Ended | Event
"""What the process of a device says; `Ended` is the last."""
