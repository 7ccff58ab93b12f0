"""Trouble: a recorded fact about the evidence that kept us from knowing everything."""

from dataclasses import dataclass
from enum import StrEnum

from triage.model.address import Address
from triage.model.runs import ByteRun


class TroubleCode(StrEnum):
    """What kind of trouble; each one keeps a result from being `return-indicated`."""

    ENCRYPTED = "encrypted"
    UNSUPPORTED = "unsupported"
    AMBIGUOUS = "ambiguous"
    UNREADABLE = "unreadable"
    DAMAGED = "damaged"
    LIMIT = "limit"
    TIMED_OUT = "timed-out"
    CRASHED = "crashed"
    NO_FILE_SYSTEM = "no-file-system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One recorded fact: where, what kind, one line for a person, and the bytes concerned if known."""

    address: Address
    code: TroubleCode
    text: str
    run: ByteRun | None = None
