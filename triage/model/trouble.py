"""Trouble: a recorded fact about the evidence that kept us from knowing everything."""

from dataclasses import dataclass

from triage.model.address import Address
from triage.model.code import Code
from triage.model.runs import ByteRun


class TroubleCode(Code):
    """What kind of trouble; each one but the last two keeps a result from being `return-indicated`.

    `NOT_SEARCHED`: deleted files without a name were not all looked for. It weighs as much as free space that was not
    looked at, and is stated as that is. `NOT_OPENED`: a file of a kind that systems and programs ship, in their
    folders, was examined as a whole file only, because what is in it cannot be had; it is stated too. Anywhere else,
    and of any other kind, the same obstacle has the code of its cause.
    """

    ENCRYPTED = "encrypted"
    UNSUPPORTED = "unsupported"
    AMBIGUOUS = "ambiguous"
    UNREADABLE = "unreadable"
    DAMAGED = "damaged"
    LIMIT = "limit"
    TIMED_OUT = "timed-out"
    CRASHED = "crashed"
    NO_FILE_SYSTEM = "no-file-system"
    NOT_SEARCHED = "deleted-not-searched"
    NOT_OPENED = "container-not-opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One recorded fact: where, what kind, one line for a person, and the bytes concerned if known."""

    address: Address
    code: TroubleCode
    text: str
    run: ByteRun | None = None
