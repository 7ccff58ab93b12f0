"""Paper: one PDF with fields, paragraphs, tables, places to sign, and the head of the ledger.

Its bytes depend on what is printed and on the versions of the libraries alone: its date is that of the last custody
event that it tells of.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, TextMode
from fpdf.fonts import FontFace, TTFFont

from triage.export.head import head_text, modules
from triage.export.known import Known
from triage.export.lettering import LONGEST, PLAIN, font_files, fonts_of, safe

Fact = tuple[str, str | None]  # a label, and what is known; None leaves a line to write on

INK, GREY, RULE = (17, 20, 26), (92, 96, 104), (176, 180, 186)

_PAGES = "\ue000" * 3  # stands for the number of pages; no safe text holds it
_LEADING = 0.47  # millimetres of line for a point of size
_GUTTER = 6.0
_BOTTOM = 13.5
_CELL = 240  # characters of a cell: less than a page, whatever they are
_DENSE = 14  # likewise, of a fact for each millimetre of its width
_LEAST = 6.5  # millimetres of a line that a hand can write on


class Paper(FPDF):
    """A document of an exhibit; measures are millimetres, sizes of type are points."""

    def __init__(self, known: Known, title: str, *, size: tuple[float, float], margin: float) -> None:
        """Begin with one empty page. `size` is width and height."""
        super().__init__(unit="mm", format=size)
        self.known = known
        self._heading = title
        self.set_creation_date(datetime.fromisoformat(known.head.when))
        self.set_lang("en-GB")
        self.set_title(f"{title} {safe(known.reference)}")
        self.alias_nb_pages(_PAGES)
        self.set_margins(margin, margin, margin)
        self.set_auto_page_break(auto=True, margin=_BOTTOM)
        self.c_margin = 0
        self.add_font(PLAIN, "", font_files()[PLAIN])
        self.set_text_shaping(use_shaping_engine=True)
        self.type(9.5)
        self.add_page()

    def footer(self) -> None:
        """Say on every page which one it is, and of what; a label, which is one page, has none."""
        if self.h < 200:  # noqa: PLR2004 - shorter than A4
            return
        self.set_y(-11.5)
        self.type(7.5, GREY)
        head = self.known.head
        text = f"{self._heading}  \u00b7  {self.known.reference}  \u00b7  case {self.known.case}, event {head.sequence}"
        self.cell(self.epw - 25, 4, self.lettered(text, 150))
        self.cell(25, 4, f"page {self.page_no()} of {_PAGES}", align="R")

    def type(self, size: float, colour: tuple[int, int, int] = INK) -> None:
        """Set size and colour of what is written next."""
        self.set_font(PLAIN, size=size)
        self.set_text_color(*colour)

    def lettered(self, text: str, limit: int = LONGEST) -> str:
        """Return a text made safe, with the fonts that it needs at hand."""
        shown = safe(text, limit)
        for name in fonts_of(shown):
            if name.lower() not in self.fonts:
                self.add_font(name, "", font_files()[name])
                self.set_fallback_fonts([font for font in self.fonts if font != PLAIN.lower()], exact_match=False)
        return shown

    def text_block(
        self,
        text: str,
        size: float = 9.5,
        colour: tuple[int, int, int] = INK,
        *,
        width: float = 0,
        limit: int = LONGEST,
    ) -> None:
        """Write a text from here, folded within a width (0: to the margin), and go to the line below it."""
        self.type(size, colour)
        left = self.x
        self.multi_cell(width, size * _LEADING, self.lettered(text, limit), align="L", new_x="LMARGIN", new_y="NEXT")
        self.set_x(left)

    def strong(self, text: str, size: float, *, width: float = 0) -> None:
        """Write a text like `text_block`, heavier: its outline is drawn as well, in whatever script it is."""
        with self.heavy(size):
            self.text_block(text, size, width=width)

    @contextmanager
    def heavy(self, size: float) -> Iterator[None]:
        """Draw the outline of letters too."""
        with self.local_context(text_mode=TextMode.FILL_STROKE, line_width=size * 0.011, draw_color=INK):
            yield

    def heading(self, text: str, *, room: float = 24) -> None:
        """Begin a part, on the next page where there is less room than this on the page."""
        if self.will_page_break(room):
            self.add_page()
        self.ln(3.2)
        self.strong(text, 10.5)
        self.rule()
        self.ln(1.6)

    def rule(self) -> None:
        """Draw a thin line from margin to margin."""
        self.set_draw_color(*RULE)
        self.set_line_width(0.2)
        self.line(self.l_margin, self.y + 0.6, self.w - self.r_margin, self.y + 0.6)
        self.ln(0.6)

    def grid(self, facts: Sequence[Fact], columns: int) -> None:
        """Write facts side by side, each below its label; what is not known is a line to write on."""
        width = (self.epw - _GUTTER * (columns - 1)) / columns
        for start in range(0, len(facts), columns):
            row = facts[start : start + columns]
            height = 4.0 + max(self._height(value, width) for _, value in row)
            if self.will_page_break(height):
                self.add_page()
            top = self.y
            for place, (label, value) in enumerate(row):
                self.set_xy(self.l_margin + place * (width + _GUTTER), top)
                self._fact(label, value, width, height)
            self.set_xy(self.l_margin, top + height + 1.2)

    def _height(self, value: str | None, width: float) -> float:
        if value is None:
            return _LEAST
        self.type(9.5)
        text = self.lettered(value, int(width * _DENSE))
        height = self.multi_cell(width, 9.5 * _LEADING, text, align="L", dry_run=True, output=MethodReturnValue.HEIGHT)
        assert isinstance(height, float)
        return height

    def _fact(self, label: str, value: str | None, width: float, height: float) -> None:
        left, bottom = self.x, self.y + height
        self.text_block(label, 7.5, GREY, width=width)
        if value is None:
            self.set_draw_color(*GREY)
            self.set_line_width(0.15)
            self.writing_line(left, bottom, left + width)
            return
        self.set_x(left)
        self.text_block(value, width=width, limit=int(width * _DENSE))

    def writing_line(self, left: float, y: float, right: float) -> None:
        """Draw a line to write on."""
        self.set_dash_pattern(dash=0.4, gap=0.8)
        self.line(left, y, right, y)
        self.set_dash_pattern()

    def rows(
        self, headings: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], *, height: float
    ) -> None:
        """Write a table, its headings on every page; `widths` are in proportion, `height` is the least of a row."""
        self.type(8)
        self.set_draw_color(*RULE)
        self.set_line_width(0.2)
        style = FontFace(emphasis="", color=GREY, size_pt=7.5)
        with self.table(
            col_widths=tuple(widths), headings_style=style, line_height=3.9, padding=(0.8, 1.2), text_align="LEFT",
            v_align="TOP", min_row_height=height,
        ) as table:  # fmt: skip
            table.row(headings, min_height=5.5)
            for row in rows:
                table.row([self.lettered(cell, _CELL) for cell in row])

    def signatures(self, who: Sequence[str]) -> None:
        """Leave room for people to sign: name, signature, date and time of each, on one page."""
        if self.will_page_break(11.5 * len(who)):
            self.add_page()
        for role in who:
            self.grid([(f"{role}: name in capitals", None), ("signature", None), ("date and time", None)], 3)
            self.ln(2)

    def code(self, left: float, top: float, side: float) -> None:
        """Draw the head of the ledger as a QR code; the page around it is its border."""
        rows = modules(head_text(self.known))
        step = side / len(rows)
        self.set_fill_color(0, 0, 0)
        for y, row in enumerate(rows):
            for x, length in _dark(row):
                self.rect(left + x * step, top + y * step, length * step, step, style="F")

    def finished(self) -> bytes:
        """Return the bytes of the document, and let go of the fonts."""
        try:
            return bytes(self.output())
        finally:
            for font in self.fonts.values():
                if isinstance(font, TTFFont):
                    font.ttfont.close()


def _dark(row: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Return where dark modules begin in a row, and how many stand together."""
    start = None
    for place, dark in enumerate((*row, False)):
        if dark and start is None:
            start = place
        elif not dark and start is not None:
            yield start, place - start
            start = None
