"""What is known of an exhibit on arrival: checked, recorded with a custody event, corrected by further ones."""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from triage.model.errors import UsageError
from triage.session.host import now, person
from triage.store.case import Case, CaseReader

Row = dict[str, Any]

RECEIVED = "exhibit.received"  # the action of the custody event


class WriteBlock(StrEnum):
    """What keeps the exhibit from being written to."""

    HARDWARE = "hardware"  # a write blocker between it and this machine
    SYSTEM = "system"  # this machine treats it as read-only
    IMAGE = "image"  # an image is examined, not the exhibit itself
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a person states of an exhibit on arrival; empty: not stated.

    `exhibit` is its reference, `seal` the number of the bag it came in, `found_when` is `YYYY-MM-DD HH:MM` in the local
    time of the premises, `write_block` one of `WriteBlock`.
    """

    exhibit: str
    description: str = ""
    examiner: str = ""
    operation: str = ""
    authority: str = ""
    premises: str = ""
    seal: str = ""
    make: str = ""
    model: str = ""
    serial: str = ""
    found_where: str = ""
    found_when: str = ""
    found_by: str = ""
    state_on_arrival: str = ""
    write_block: str = ""

    def facts(self) -> dict[str, str]:
        """Return what is stated, for the ledger."""
        return {name: value.strip() for name, value in asdict(self).items() if value.strip()}


_LONGEST = 500
_REFERENCE = re.compile(r"[A-Z]{2,5}/[1-9]\d{0,4}(?:/[1-9]\d{0,3})*")
_INITIALS = re.compile(r"[A-Za-z]{2,5}")
_WHEN = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d")
_NEEDED = {
    "exhibit": "Give the exhibit's reference: initials and a running number, such as ABC/1.",
    "description": "Say in a few words what it is, such as: black USB stick, 32 GB, scratched.",
    "examiner": "Give the name of the person who takes it in.",
}
_EXPECTED = (
    "operation",
    "authority",
    "premises",
    "seal",
    "found_where",
    "found_when",
    "found_by",
    "state_on_arrival",
    "write_block",
)


def check(received: Received, held: Collection[str] = (), *, today: str) -> dict[str, str]:
    """Return what is wrong, field to one helpful sentence; empty where nothing is.

    `held` are references that another exhibit has already; `today` is the local date and time, ISO 8601.
    """
    found = {name: problem for name, value in asdict(received).items() if (problem := _text_problem(name, value))}
    exhibit = received.exhibit.strip()
    if "exhibit" not in found and not _REFERENCE.fullmatch(exhibit):
        found["exhibit"] = f"{exhibit} is no reference: write initials in capitals and a number, such as ABC/1."
    elif "exhibit" not in found and exhibit in held:
        found["exhibit"] = f"{exhibit} is taken already: give the next number, or correct that exhibit."
    if received.found_when.strip() and "found_when" not in found and (problem := _time_problem(received, today)):
        found["found_when"] = problem
    if received.write_block.strip() and received.write_block not in set(WriteBlock):
        found["write_block"] = f"Choose one of: {', '.join(WriteBlock)}."
    return found


def not_stated(received: Received) -> tuple[str, ...]:
    """Return the fields that a continuity record should hold and that are empty."""
    return tuple(name for name in _EXPECTED if not getattr(received, name).strip())


def proposed_reference(initials: str, held: Iterable[str]) -> str:
    """Return the next reference of a person: `ABC/3` where `ABC/1` and `ABC/2` are held.

    Empty where these are no initials: two to five letters.
    """
    if not _INITIALS.fullmatch(initials.strip()):
        return ""
    name = initials.strip().upper()
    numbers = (re.fullmatch(rf"{name}/(\d{{1,9}})(?:/.*)?", reference) for reference in held)
    return f"{name}/{1 + max((int(number[1]) for number in numbers if number), default=0)}"


def receive(folder: Path, received: Received) -> Row:
    """Record an arrival in the case, which is made where it is new; return it as `arrivals` does.

    Of an exhibit that was received before it is a correction: the whole record anew. Raises UsageError for what
    `check` finds wrong, StoreError where the case cannot be written.
    """
    problems = check(received, today=local_time())
    for name, sentence in problems.items():
        raise UsageError(f"{name.replace('_', '-')}: {sentence}")
    facts = received.facts()
    with Case.open_or_create(folder, when=now(), actor=person()) as case:
        case.ledger.append(when=now(), actor=person(), action=RECEIVED, subject=facts.pop("exhibit"), payload=facts)
        return next(row for row in reversed(_arrivals(case)))


def arrivals(case: CaseReader, reference: str | None = None) -> list[Row]:
    """Return every arrival and every correction of one, the oldest first.

    Keys: `exhibit`, `when`, `recorded_by`, the fields of `Received` (None: not stated), `not_stated` (fields), and
    `superseded`: whether a later record of this exhibit stands.
    """
    return [row for row in _arrivals(case) if reference in {None, row["exhibit"]}]


def _arrivals(case: Case | CaseReader) -> list[Row]:
    events = list(case.pages.events_of(RECEIVED))
    last = {event["subject"]: event["sequence"] for event in events}
    return [_arrival(event, superseded=last[event["subject"]] != event["sequence"]) for event in events]


def _arrival(event: Row, *, superseded: bool) -> Row:
    stated = Received(exhibit=event["subject"], **json.loads(event["payload"]))
    fields = {name: value or None for name, value in asdict(stated).items()}
    told = {"when": event["when_utc"], "recorded_by": event["actor"]}
    return {**fields, **told, "not_stated": list(not_stated(stated)), "superseded": superseded}


def _text_problem(name: str, value: str) -> str:
    """Return what is wrong with any text, or nothing."""
    if not value.strip():
        return _NEEDED.get(name, "")
    if len(value) > _LONGEST:
        return f"This is {len(value)} characters long: {_LONGEST} at most."
    if not value.isprintable():
        return "This holds characters that cannot be printed: write it on one line, without special characters."
    return ""


def _time_problem(received: Received, today: str) -> str:
    text = received.found_when.strip()
    try:
        when = datetime.fromisoformat(text) if _WHEN.fullmatch(text) else None
    except ValueError:
        when = None
    if when is None:
        return "Write date and time as 2026-11-23 14:05."
    if when > datetime.fromisoformat(today).replace(tzinfo=None):
        return f"{text} is still to come: check the date and the clock."
    return ""


def local_time() -> str:
    """Return the date and time of the clock on the wall, ISO 8601."""
    return datetime.now().astimezone().isoformat()
