"""The return receipt: a device was examined and is handed back; what was done, and what was not."""

from triage.export.a4 import begun
from triage.export.known import Known
from triage.export.lettering import safe
from triage.export.paper import GREY, Paper
from triage.export.wording import decision, description, examination, finding, sets

_MEANING = (
    "The device described here was examined where it was found and is handed back. The examination compared what it "
    "read with lists of known material. It finds only what is on these lists, and it does not look at everything. This "
    "receipt records what was done. It says nothing about what the device holds or does not hold."
)
_SIGNED = 40  # millimetres that both signatures take
_NOTHING = "No limitation was stated."
# What came near to a hash set is for the record of the case, and none of the business of who takes the device back.
_NOT_HANDED_OUT = ("candidate-", "notable-", "match-", "block-")
_WHOLE = 1 << 20  # characters: of what was not looked at nothing is left out
_TAKEN = "I have received the device described above."


def receipt(known: Known) -> bytes:
    """Return the receipt as PDF, A4. The exhibit has been examined and there is a decision on it."""
    record, said = known.examined, known.decision
    assert record is not None
    assert said is not None
    paper = begun(known, "Return receipt")
    paper.text_block(_MEANING, 8.5)
    paper.heading("Device")
    paper.grid(description(known)[:1], 1)
    paper.grid([*description(known)[1:], *finding(known)], 3)
    paper.heading("What was done")
    paper.grid(examination(record), 3)
    paper.text_block(sets(record), 8.5)
    paper.heading("What was not looked at, and what the examination cannot tell")
    told = [safe(reason.text) for reason in known.limitations if not reason.code.startswith(_NOT_HANDED_OUT)]
    paper.text_block(" ".join(told) or _NOTHING, 8, limit=_WHOLE)
    paper.heading("Decision: returned")
    paper.grid(decision(known), 3)
    paper.grid([("reason", said["reason"])], 1)
    _signed(paper)
    return paper.finished()


def _signed(paper: Paper) -> None:
    paper.heading("Handed over", room=_SIGNED)
    paper.signatures(["Examiner"])
    paper.text_block(_TAKEN, 8.5, GREY)
    paper.ln(1)
    paper.signatures(["Receiver"])
