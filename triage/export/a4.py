"""Sheets of A4: how they begin."""

from triage.export.head import head_text
from triage.export.known import Known
from triage.export.paper import GREY, Paper

_SIZE, _MARGIN = (210.0, 297.0), 17.0
_CODE = 27.0
_BELOW = 6.5  # millimetres of two lines of small type


def begun(known: Known, title: str) -> Paper:
    """Return a sheet with its title, the reference of the exhibit, and the head of the ledger as text and QR code."""
    paper = Paper(known, title, size=_SIZE, margin=_MARGIN)
    paper.code(paper.w - _MARGIN - _CODE, _MARGIN, _CODE)
    width = paper.epw - _CODE - 6
    paper.text_block("Digital triage on scene", 8.5, GREY, width=width)
    paper.strong(title, 21, width=width)
    paper.text_block(f"Exhibit {known.reference}", 13, width=width)
    paper.set_y(max(paper.y + 1.5, _MARGIN + _CODE - _BELOW))
    paper.text_block(head_text(known), 7, GREY, width=width)
    paper.set_y(max(paper.y, _MARGIN + _CODE) + 2)
    paper.rule()
    paper.ln(2)
    return paper
