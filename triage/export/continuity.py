"""The continuity sheet: everything that the case knows of the custody of an exhibit, and room for what follows."""

from triage.export.a4 import begun
from triage.export.known import Known
from triage.export.paper import Paper
from triage.export.wording import arrival, decision, description, event_row, examination, finding, moment, sets

_HANDED = ("date and time", "from: name and signature", "to: name and signature", "reason", "seal broken", "new seal")
_EMPTY, _ROW = 7, 12.5
_BY_HAND = (("connected to (machine, write blocker)", None), ("clock offset of the device", None))
_NOTE = "Times are those of the examining machine, in UTC, but where it says local time."


def continuity(known: Known) -> bytes:
    """Return the sheet as PDF, A4."""
    paper = begun(known, "Continuity sheet")
    paper.heading("Exhibit")
    paper.grid(description(known)[:1], 1)
    paper.grid(description(known)[1:], 3)
    paper.heading("Where it was found")
    paper.grid(finding(known), 3)
    paper.heading("Arrival")
    paper.grid([*arrival(known), *_BY_HAND], 3)
    _examined(paper, known)
    _decided(paper, known)
    paper.heading("Hand-overs", room=_EMPTY * _ROW + 18)
    paper.rows(_HANDED, [[""] * len(_HANDED)] * _EMPTY, (22, 40, 40, 34, 20, 20), height=_ROW)
    _events(paper, known)
    return paper.finished()


def _examined(paper: Paper, known: Known) -> None:
    paper.heading("Examination")
    if known.examined is None:
        paper.text_block("It has not been examined.", 8.5)
        return
    paper.grid(examination(known.examined), 3)
    paper.grid([("plan, SHA-256", known.examined.plan_digest)], 1)
    paper.text_block(sets(known.examined), 8.5)


def _decided(paper: Paper, known: Known) -> None:
    paper.heading("Decision")
    said = known.decision
    if said is None:
        paper.text_block("No decision has been recorded.", 8.5)
        return
    paper.grid([("decision", said["verdict"]), ("recommended by the software", said["recommended"])], 3)
    paper.grid(decision(known), 3)
    for name in ("reason", "necessity", "practicability"):
        paper.grid([(name, said[name] or "not stated")], 1)


def _events(paper: Paper, known: Known) -> None:
    paper.heading("Custody events in the case")
    paper.text_block(_NOTE, 8)
    paper.ln(1)
    paper.rows(("number", "when", "user", "event"), list(map(event_row, known.entries)), (14, 42, 26, 94), height=5.5)
    paper.ln(1)
    since = moment(known.head.when)
    paper.text_block(f"These are all up to {since}, but for the making and printing of documents.", 8)
