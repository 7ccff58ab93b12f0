"""One finding: what matched, where it lies, the picture where a person asks for it, and the person's word."""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import DataTable, Static

from triage.model.errors import DigiVanError
from triage.model.secret import NO_SECRETS
from triage.session.reveal import Level, reveal, reveals
from triage.session.view import CaseView, FindingState, Wanted
from triage.ui.safe import plain, plain_rows, safe
from triage.ui.screens.judging import Judging
from triage.ui.screens.room import Room
from triage.ui.symbols import counted, size, symbol
from triage.ui.verdicts import VERDICTS
from triage.ui.widgets.findings_pane import match_words, state_words
from triage.ui.widgets.paged import Column, PagedTable, Pages
from triage.ui.widgets.picture import Picture
from triage.ui.widgets.sheet import Sheet

_LEVELS = {
    Level.BLURRED: "small, grey, blurred",
    Level.SMALL: "small, grey",
    Level.LARGER: "larger, grey",
    Level.COLOUR: "in colour",
}
_HIDDEN = (
    "No picture is shown.\n\n1 small, grey, blurred\n2 small, grey\n3 larger, grey\n4 in colour\n\n"
    "Each showing is recorded."
)
_MEANS = {
    "match": "a match: the digest is that of a file in the set",
    "candidate": "? a candidate: it looks alike; a person has to judge",
    "confirmed": "confirmed by a person",
    "rejected": "rejected by a person",
}
_JUDGED = {"confirmed", "rejected"}
_SIBLINGS = (
    Column(title="No.", text=lambda row: f"{row['id']}", width=6),
    Column(title="State", text=state_words, width=11),
    Column(title="By", text=match_words, width=11),
    Column(title="In the same folder", text=lambda row: row["path"], is_path=True),
)
_MOST_SIBLINGS = 10_000
_NAMES = 11  # columns


class ReviewScreen(Room):
    """Facts on the left, the picture on the right once it is asked for, findings of the same folder below."""

    NAME = "Finding"
    HELP = (
        "A picture is shown only by a key, as little of it as you ask for: 1 small, grey and blurred, 2 small and "
        "grey, 3 larger, 4 in colour; 0 hides it. Each showing is an event in the ledger under your name before the "
        "picture appears, and the screen counts them. Look no more and no longer than the task needs.\n\n"
        "c confirms and x rejects a candidate, with a note. Nothing recorded is taken away: judge again the other way, "
        "and the later judgement counts. A digest match is not judged by looking.\n\n"
        "Enter on a row below goes to that finding, n to the next one of the exhibit that is still to be judged."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "judge(True)", "Confirm"),
        Binding("x", "judge(False)", "Reject"),
        Binding("n", "next", "Next candidate"),
        Binding("1", "reveal('blurred')", "Blurred"),
        Binding("2", "reveal('small')", "Grey"),
        Binding("3", "reveal('larger')", "Larger"),
        Binding("4", "reveal('colour')", "Colour"),
        Binding("0", "hide", "Hide"),
    ]
    CSS = """
    ReviewScreen #above { height: 2fr; }
    ReviewScreen #facts { width: 3fr; }
    ReviewScreen #side { width: 2fr; min-width: 30; border-left: solid $border-blurred; padding: 0 1; }
    ReviewScreen #side Static { height: auto; }
    ReviewScreen #said { color: $text-muted; }
    ReviewScreen Picture { display: none; }
    ReviewScreen.-large #side { width: 5fr; }
    ReviewScreen PagedTable { height: 1fr; min-height: 4; border-top: solid $border-blurred; }
    """

    def __init__(self, view: CaseView, number: int) -> None:
        super().__init__()
        self._view, self.number = view, number
        self.finding: dict[str, Any] = {}

    @property
    def heading(self) -> str:
        """The title."""
        return "Finding"

    def body(self) -> Iterable[Widget]:
        """Return facts, picture and siblings."""
        picture = Picture(self.console.graphics)
        side = Vertical(Static(_HIDDEN, id="said", markup=False), picture, Static("", id="views"), id="side")
        pages = Pages(
            read=lambda offset, limit: self._view.siblings(self.number, offset=offset, limit=limit),
            count=lambda: len(self._view.siblings(self.number, offset=0, limit=_MOST_SIBLINGS)),
        )
        return (
            Horizontal(Sheet(name="facts"), side, id="above"),
            PagedTable(_SIBLINGS, pages, name="siblings", key="id", opens=True),
        )

    def on_mount(self) -> None:
        """Read the finding."""
        self.query_one(PagedTable).focus()
        self.go_to(self.number)

    def go_to(self, number: int) -> None:
        """Show another finding; a picture of the one before is hidden."""
        self.number, self.finding = number, {}  # no key judges or shows what is not on the screen yet
        self.action_hide()
        self._read(number)
        self._find(number)

    def on_screen_suspend(self) -> None:
        """Hide the picture from whoever comes by meanwhile."""
        self.action_hide()

    @work(thread=True, exclusive=True, group="finding")
    def _read(self, number: int) -> None:
        try:
            finding = self._view.finding(number)
            seen = reveals(self._view.folder, finding["exhibit"])
        except DigiVanError as error:
            self.app.call_from_thread(self.console.tell_problem, error)
            return
        self.hand(self._take, finding, seen)

    @work(thread=True, exclusive=True, group="place")
    def _find(self, number: int) -> None:
        """Put the cursor of the list on a finding, wherever in its folder that is."""
        try:
            rows = self._view.siblings(number, offset=0, limit=_MOST_SIBLINGS)
        except DigiVanError:  # who reads the finding says so
            return
        place = next((at for at, row in enumerate(rows) if row["id"] == number), 0)
        self.hand(self._place, number, place)

    def _place(self, number: int, place: int) -> None:
        if number == self.number:
            self.query_one(PagedTable).go_to(place)

    def _take(self, finding: dict[str, Any], seen: dict[str, int]) -> None:
        if finding["id"] != self.number:  # another was gone to while this one was read
            return
        self.finding = finding
        self.query_one("#facts", Sheet).show(lambda width, _: facts(finding, width))
        actor = self.console.actor
        by = [f"{safe(name, 40)} {count:,}" for name, count in seen.items() if name != actor]
        others = f"\nOthers: {', '.join(by)}" if by else ""
        words = f"{safe(actor, 40)} was shown {counted(seen.get(actor, 0), 'picture')} of this exhibit.{others}"
        self.query_one("#views", Static).update(plain_rows(words))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer judging for candidates only."""
        state = self.finding.get("state")
        match action, parameters:
            case "judge", _:
                return state in {"candidate", *_JUDGED}
            case "hide", _:
                return self.is_mounted and self.query_one(Picture).is_shown
            case _:
                return True

    def action_hide(self) -> None:
        """Hide the picture."""
        self._say(_HIDDEN)

    def _say(self, words: str) -> None:
        picture = self.query_one(Picture)
        picture.hide()
        picture.display = False
        self.remove_class("-large")
        self.query_one("#said", Static).update(plain_rows(words))
        self.refresh_bindings()

    @work(exclusive=True, group="reveal")
    async def action_reveal(self, named: str) -> None:
        """Show the picture, once it is in the ledger who sees it."""
        if not self.finding:
            return
        level, number = Level(named), self.number
        self._say(f"asking for it{symbol('busy')}")
        live = self.console.devices.get(self.finding["exhibit"])
        try:
            showing = asyncio.to_thread(
                reveal,
                self._view.folder,
                number,
                examiner=self.console.actor,
                level=level,
                source=live.order.source if live else None,
                secrets=live.order.secrets if live else NO_SECRETS,
            )
            picture = await self.unless_left(showing)
        except DigiVanError as error:
            self._say(f"{symbol('warn')} {safe(str(error))}\n\n{_HIDDEN}")
            return
        self._read(self.number)
        if number != self.number or not self.is_in_front:
            self._say(_HIDDEN)
            return
        self.set_class(level in {Level.LARGER, Level.COLOUR}, "-large")
        shown = self.query_one(Picture)
        shown.display = True
        shown.show(picture)
        self.query_one("#said", Static).update(plain(f"{_LEVELS[level]}; 0 hides it"))
        self.refresh_bindings()

    def action_judge(self, confirmed: bool) -> None:
        """Ask for name and note, then record the judgement."""
        title = "Confirm this candidate" if confirmed else "Reject this candidate"
        self._ask(title, confirmed)

    def _ask(self, title: str, confirmed: bool) -> None:
        word = "confirmed" if confirmed else "rejected"
        number, state = self.finding["id"], self.finding["state"]
        before = f" (it is {state} now)" if state in _JUDGED else ""
        text = f"Finding {number} is to be {word}{before}: {self.finding['path']}"

        def answered(said: tuple[str, str | None] | None) -> None:
            if said is not None:
                self.record(partial(self._record, number, confirmed, *said))

        self.app.push_screen(Judging(title, text, self.console.actor), answered)

    async def _record(self, number: int, confirmed: bool, examiner: str, note: str | None) -> None:
        from triage.session.judging import judge  # noqa: PLC0415 - loaded when the first judgement is made

        try:
            _, recommended = await asyncio.to_thread(
                judge, self._view.folder, [number], confirmed=confirmed, examiner=examiner, note=note
            )
        except DigiVanError as error:
            self.console.tell_problem(error)
            return
        for exhibit, now in recommended.items():
            self.notify(f"{safe(exhibit, 60)}: {VERDICTS[now['verdict']]} as it stands now.", markup=False)
        if self.is_there:
            self._read(self.number)
            self.query_one(PagedTable).again()

    @work(thread=True, exclusive=True, group="next")
    def action_next(self) -> None:
        """Go to the next candidate of the exhibit."""
        if not self.finding:
            return
        wanted = Wanted(reference=self.finding["exhibit"], state=FindingState.CANDIDATE)
        try:
            rows = self._view.findings_page(wanted, offset=0, limit=_MOST_SIBLINGS)
        except DigiVanError as error:
            self.app.call_from_thread(self.console.tell_problem, error)
            return
        others = [row["id"] for row in rows if row["id"] != self.number]
        following = next((number for number in others if number > self.number), next(iter(others), None))
        if following is None:
            self.app.call_from_thread(self.notify, "No other candidate of this exhibit waits to be judged.")
        else:
            self.hand(self.go_to, following)

    @on(DataTable.RowSelected)
    def _jump(self) -> None:
        row = self.query_one(PagedTable).row_in_hand
        if row is not None and row["id"] != self.number:
            self.go_to(row["id"])


def facts(row: dict[str, Any], width: int) -> list[Content]:
    """Return what is known of a finding, its names in a column and what is said of each beside it."""
    told = {
        "Finding": f"{row['id']} of exhibit {row['exhibit']}",
        "State": _MEANS[row["state"]],
        "Where": f"{row['path']} ({row['gone']})" if row["gone"] else row["path"],
        "Grade": row["grade"] or "not graded",
        "Category": row["category"] or "none",
        "Matched by": match_words(row),
        "Set": f"{row['set']}, version {row['set_version'] or 'not said'}",
        "Set digest": row["set_digest"],
        "Series": row["series"],
        "Flags": row["flags"],
        "File": " ".join(filter(None, (row["kind"], row["media_type"], size(row["size"] or 0)))),
        "Found at": f"{row['found_at'][:19].replace('T', ' ')} UTC",
        "Address": row["address"],
    }
    return [row for name, value in told.items() if value for row in _fact(name, str(value), width)]


def _fact(name: str, value: str, width: int) -> Iterable[Content]:
    rows = plain(value).wrap(max(width - _NAMES, _NAMES))
    for number, row in enumerate(rows):
        yield Content.assemble((f"{'' if number else name:<{_NAMES}}", "$text-muted"), row)
