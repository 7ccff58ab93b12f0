"""How documents word what a case knows: times, examinations, decisions, custody events."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from triage.export.known import Entry, Known
from triage.export.paper import Fact
from triage.store.exhibits import ExhibitRecord

_WRITE_BLOCKS = {
    "hardware": "hardware write blocker",
    "system": "read-only by the examining machine",
    "image": "an image of it is examined",
    "none": "none",
}
_ENDS = {
    "end": "at its end",
    "request": "before its end, on request",
    "time-limit": "before its end, at the time limit",
    "enough-found": "before its end, as enough was found",
    "error": "before its end, by an error",
}
_ACTIONS = {
    "exhibit.received": "received",
    "examination.planned": "examination begun",
    "examination.resumed": "examination resumed",
    "examination.stopped": "examination stopped",
    "examination.finished": "examination finished",
    "candidate.confirmed": "candidate confirmed",
    "candidate.rejected": "candidate rejected",
    "recommendation.renewed": "recommendation made anew",
    "picture.revealed": "picture revealed",
    "decision.recorded": "decided",
}
_TOLD = {
    "exhibit.received": {"examiner": "by", "seal": "seal"},
    "examination.stopped": {"ended_by": "ended by", "verdict": "recommended"},
    "examination.finished": {"verdict": "recommended"},
    "recommendation.renewed": {"verdict": "recommended"},
    "candidate.confirmed": {"finding": "finding", "examiner": "by"},
    "candidate.rejected": {"finding": "finding", "examiner": "by"},
    "decision.recorded": {"verdict": "to", "examiner": "by", "second": "second person"},
}


def moment(when: str | None) -> str | None:
    """Return a time (ISO 8601 UTC) as `2026-11-23 14:05:09 UTC`."""
    return None if when is None else datetime.fromisoformat(when).strftime("%Y-%m-%d %H:%M:%S UTC")


def description(known: Known) -> list[Fact]:
    """Return what the exhibit is."""
    said = known.arrival.get
    return [
        ("description", said("description")),
        ("make", said("make")),
        ("model", said("model")),
        ("serial number", said("serial")),
    ]


def finding(known: Known) -> list[Fact]:
    """Return where it was found, and in what matter."""
    said = known.arrival.get
    return [
        ("operation", said("operation")),
        ("premises", said("premises")),
        ("authority", said("authority")),
        ("found where", said("found_where")),
        ("found when (local time)", said("found_when")),
        ("found by", said("found_by")),
    ]


def arrival(known: Known) -> list[Fact]:
    """Return in what state it came, and to whom."""
    said = known.arrival.get
    block = said("write_block")
    return [
        ("received", moment(known.received)),
        ("received by", said("examiner")),
        ("seal or bag number", said("seal")),
        ("state on arrival", said("state_on_arrival")),
        ("write protection", None if block is None else _WRITE_BLOCKS.get(block, block)),
    ]


def examination(record: ExhibitRecord) -> list[Fact]:
    """Return what was done with it, how, and with what."""
    plan = json.loads(record.plan_text)
    return [
        ("examined from", moment(record.started)),
        ("examined to", moment(record.ended)),
        ("ended", _ENDS.get(record.ended_by or "", record.ended_by or "not yet")),
        ("examined as", f"{record.info.kind}, {record.info.size:,} bytes"),
        ("profile and policy", f"{plan.get('profile', 'not stated')}, policy {_policy(plan)}"),
        ("software", f"triage {plan.get('version', '(version not stated)')}; self-test {_tested(record.self_test)}"),
    ]


def sets(record: ExhibitRecord) -> str:
    """Return the hash sets with version and date, in one sentence."""
    plan = json.loads(record.plan_text)
    dates = plan.get("set_dates", {})
    named = [_set(one, dates) for one in plan.get("sets", ())]
    return f"Hash sets: {'; '.join(named)}." if named else "Hash sets: none were loaded."


def decision(known: Known) -> list[Fact]:
    """Return who decided, when, and by which power."""
    said = known.decision
    assert said is not None
    told: list[Fact] = [
        ("decided by", said["examiner"]),
        ("decided at", moment(said["when"])),
        ("power relied on", said["power"] or "not stated"),
    ]
    if said["second"]:
        told += [("second person", said["second"]), ("reason of the second person", said["second_reason"])]
    return told


def event_row(entry: Entry) -> tuple[str, str, str, str]:
    """Return number, time, user and wording of an entry."""
    first, last = entry.first, entry.last
    if first is last:
        return str(first.sequence), moment(first.when) or "", first.actor, _event(entry)
    who = first.actor if first.actor == last.actor else f"{first.actor}, {last.actor}"
    told = "; ".join(f"{_ACTIONS.get(action, action)} ({count:,} times)" for action, count in entry.actions.items())
    return f"{first.sequence} to {last.sequence}", f"{moment(first.when)} to {moment(last.when)}", who, told


def _event(entry: Entry) -> str:
    payload = json.loads(entry.first.payload)
    action, names = entry.first.action, _TOLD.get(entry.first.action, {})
    told = [f"{word} {payload[name]}" for name, word in names.items() if payload.get(name) is not None]
    word = _ACTIONS.get(action, action)
    return f"{word}: {', '.join(told)}" if told else word


def _set(one: Mapping[str, Any], dates: Mapping[str, str]) -> str:
    of = f" of {dates[one['digest']][:10]}" if one["digest"] in dates else ""
    return f"{one['name']}, version {one['version']}{of} ({one['kind']}, SHA-256 {one['digest'][:16]}...)"


def _policy(plan: Mapping[str, Any]) -> str:
    policy = plan.get("policy", {})
    return f"{policy['name']} {policy['version']}" if "name" in policy else "not stated"


def _tested(passed: bool | None) -> str:
    return "not run" if passed is None else "passed" if passed else "FAILED"
