"""The label on the bag of an exhibit that is kept, 100 by 70 mm."""

from bisect import bisect_right

from triage.export.known import Known
from triage.export.paper import GREY, INK, Fact, Paper
from triage.export.wording import moment

_SIZE, _MARGIN = (100.0, 70.0), 5.0
_CODE = 27.0
_LARGEST, _SMALLEST = 30.0, 7.5
_LINES = 2  # of the description
_KEPT = {"seize": "Seized", "refer": "For the laboratory"}


def label(known: Known) -> bytes:
    """Return the label as PDF, one page. There is a decision to keep the exhibit."""
    said = known.decision
    assert said is not None
    paper = Paper(known, "Exhibit label", size=_SIZE, margin=_MARGIN)
    paper.set_auto_page_break(auto=False)
    left = paper.epw - _CODE - 4
    paper.text_block(
        f"{_KEPT.get(said['verdict'], said['verdict'])}, {moment(said['when'])}", 7.5, GREY, width=left + 4
    )
    _reference(paper, known.reference, left)
    _line(paper, ("seal", known.arrival.get("seal")), 13, left)
    _described(paper, known.arrival.get("description"))
    for fact in _facts(known):
        _line(paper, fact, 7.5, paper.epw)
    paper.code(paper.w - _MARGIN - _CODE, _MARGIN, _CODE)
    paper.set_xy(_MARGIN, paper.h - _MARGIN - 3)
    head = known.head
    paper.text_block(f"case {known.case}   event {head.sequence}   {head.digest[:32]}...", 6, GREY)
    return paper.finished()


def _facts(known: Known) -> list[Fact]:
    said, arrived = known.decision, known.arrival.get
    assert said is not None
    return [
        ("serial", arrived("serial")),
        ("operation", arrived("operation")),
        ("found", _found(arrived("found_where"), arrived("found_when"))),
        ("power", said["power"]),
        ("examiner", said["examiner"]),
    ]


def _found(where: str | None, when: str | None) -> str | None:
    return ", ".join(part for part in (where, when) if part) or None


def _reference(paper: Paper, reference: str, width: float) -> None:
    """Write the reference as large as fits."""
    text = paper.lettered(reference, 60)
    size = _size(paper, text, _LARGEST, width - 2)
    with paper.heavy(size):
        paper.type(size)
        paper.cell(width, 13, _fitting(paper, text, width - 2), new_x="LMARGIN", new_y="NEXT")


def _described(paper: Paper, text: str | None) -> None:
    paper.set_y(max(paper.y, _MARGIN + 25))
    if text is None:
        _line(paper, ("description", None), 9, paper.epw - _CODE - 4)
        return
    paper.type(9)
    shown = paper.lettered(text)
    width = paper.epw - _CODE - 4
    lines = paper.multi_cell(width, 4.2, shown, align="L", dry_run=True, output="LINES")
    assert isinstance(lines, list)
    if len(lines) > _LINES:
        lines[_LINES - 1] = _cut(paper, lines[_LINES - 1], width - 2)
    for line in lines[:_LINES]:
        paper.cell(width, 4.2, line, new_x="LMARGIN", new_y="NEXT")


def _line(paper: Paper, fact: Fact, size: float, width: float) -> None:
    """Write one fact on one line, cut where it is too long; what is not known is a line to write on."""
    name, value = fact
    paper.type(7, GREY)
    height = max(size * 0.52, 4.6)
    paper.cell(16, height, name)
    if value is None:
        paper.writing_line(paper.x, paper.y + height - 0.6, paper.l_margin + width)
        paper.ln(height)
        return
    text = paper.lettered(value, 300)
    paper.type(_size(paper, text, size, width - 18), INK)
    paper.cell(width - 16, height, _fitting(paper, text, width - 18), new_x="LMARGIN", new_y="NEXT")


def _size(paper: Paper, text: str, largest: float, width: float) -> float:
    """Return the largest size in which a text is within a width, and where none is, the smallest that can be read."""
    paper.type(largest)
    return max(largest * width / max(paper.get_string_width(text), width), min(largest, _SMALLEST))


def _fitting(paper: Paper, text: str, width: float) -> str:
    """Return a text, or as much of its beginning as is within a width."""
    return text if paper.get_string_width(text) <= width * 1.001 else _cut(paper, text, width)


def _cut(paper: Paper, text: str, width: float) -> str:
    """Return as much of the beginning of a text as is within a width, with dots."""
    long = bisect_right(range(len(text)), width, key=lambda kept: paper.get_string_width(f"{text[:kept]}..."))
    return f"{text[: max(0, long - 1)]}..."
