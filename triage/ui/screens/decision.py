"""The decision on one exhibit: what is recommended and why, what stands against it, and the form of the examiner."""

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from triage.model.decision import Decided, Statement
from triage.model.errors import DigiVanError
from triage.model.recommendation import Recommendation, Verdict
from triage.policy.deciding import is_against, limitations
from triage.ui.safe import head, plain, safe
from triage.ui.screens.documents import DocumentsScreen
from triage.ui.screens.room import Room
from triage.ui.statement import ACKNOWLEDGED, lacking
from triage.ui.symbols import symbol
from triage.ui.verdicts import VERDICTS
from triage.ui.widgets.acknowledging import Acknowledging, Tick
from triage.ui.widgets.field import Choice, Field

if TYPE_CHECKING:  # they bring the whole engine along
    from triage.session.view import CaseView

_SIGNS = {Verdict.SEIZE_INDICATED: "warn", Verdict.RETURN_INDICATED: "dot", Verdict.NOT_DETERMINED: "ask"}
_DECISIONS = (
    ("", "choose"),  # nobody records what stood there by itself
    (Decided.REFER.value, "refer it to the laboratory"),
    (Decided.RETURN.value, "return it"),
    (Decided.SEIZE.value, "seize it"),
)
_FIELDS = (
    ("reason", "Reason", "why"),
    ("power", "Power", 'legal power relied on, such as "PACE 1984 s.19"'),
    ("necessity", "Necessity", "why it is necessary and proportionate"),
    ("practicability", "Practicability", "why it could not be determined on the scene"),
    ("examiner", "Examiner", "who decides"),
    ("second", "Second person", "needed against the recommendation"),
    ("second_reason", "Their reason", "why that person stands for it"),
)


_CHOICE = "verdict"
_NOT_CHOSEN = "choose what becomes of it: left and right turn to return, seize or refer"


class DecisionScreen(Room):
    """The recommendation above, the form below; it is checked as it is filled in."""

    NAME = "Decision"
    HELP = (
        "The software recommends, you decide. Read the reasons; tick each limitation that you take note of with Space "
        "(Ctrl+A ticks all): a return needs every one, for what is handed back is not looked at again.\n\n"
        "Left and right choose between return, seize and refer. To seize or to refer states the power and why it is "
        "necessary and proportionate. Against the recommendation a second person has to stand for it and say why.\n\n"
        "F7 records the decision, bound to what it rests on. It is never edited: decide again, and the later one "
        "counts. Then the documents can be made; Ctrl+D opens them at any time."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f7", "record", "Record"),
        Binding("ctrl+a", "tick_all", "Tick all", priority=True),
        Binding("ctrl+d", "documents", "Documents", priority=True),
        Binding("down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Previous field", show=False),
    ]
    CSS = """
    DecisionScreen VerticalScroll { height: 1fr; padding: 0 1; align-horizontal: center; }
    DecisionScreen #sheet { width: 100%; max-width: 120; height: auto; }
    DecisionScreen #recommended { height: auto; }
    DecisionScreen .section { text-style: bold; margin-top: 1; height: 1; }
    DecisionScreen #against { height: auto; color: $text-warning; display: none; }
    DecisionScreen #against.-shown { display: block; }
    """

    def __init__(self, view: "CaseView", reference: str) -> None:
        super().__init__()
        self._view, self.reference = view, reference
        self.recommendation: Recommendation | None = None
        self._tried = False

    @property
    def heading(self) -> str:
        """The title with the reference."""
        return f"Decision on {head(self.reference, 40)}"

    def body(self) -> Iterable[Widget]:
        """Return the sheet; the form comes once it is known what there is to decide on."""
        sheet = Vertical(Static(f"reading{symbol('busy')}", id="recommended", markup=False), id="sheet")
        return (VerticalScroll(sheet, can_focus=True),)

    def on_mount(self) -> None:
        """Read what there is to decide on."""
        self._read()

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        try:
            reading = asyncio.to_thread(_standing, self._view, self.reference)
            recommendation, decided = await self.unless_left(reading)
        except DigiVanError as error:
            self.query_one("#recommended", Static).update(plain(f"{symbol('warn')} {error}"))
            return
        self.recommendation = recommendation
        self.query_one("#recommended", Static).update(Content("\n").join(_told(recommendation, decided)))
        await self._form(recommendation)

    async def _form(self, recommendation: Recommendation) -> None:
        sheet = self.query_one("#sheet", Vertical)
        await sheet.remove_children("#sheet > .form")
        parts: list[Widget] = [
            Acknowledging(limitations(recommendation)),
            Static("The decision", classes="section form"),
            Choice(_CHOICE, "Decision", _DECISIONS),
            Static("", id="against", classes="form", markup=False),
            *(Field(name, label, hint=hint) for name, label, hint in _FIELDS),
        ]
        for part in parts:
            part.add_class("form")
        await sheet.mount(*parts)
        self._field("examiner").value = self.console.actor
        self.query_one(VerticalScroll).focus()
        self._choose()

    def _field(self, name: str) -> Field:
        return self.query_one(f"#field-{name.replace('_', '-')}", Field)

    @property
    def verdict(self) -> Decided | None:
        """What is chosen; None as long as nothing is."""
        chosen = self.query_one(Choice).value
        return Decided(chosen) if chosen else None

    def _statement(self, verdict: Decided) -> Statement:
        said = {field.field: (field.display and field.value) or None for field in self.query(Field)}
        return Statement(
            verdict=verdict,
            reason=said.pop("reason") or "",
            examiner=said.pop("examiner") or "",
            acknowledged=self.query_one(Acknowledging).codes,
            **said,
        )

    @on(Choice.Changed)
    def _choose(self) -> None:
        if self.recommendation is None:
            return
        against = self.verdict is not None and is_against(self.verdict, self.recommendation.verdict)
        for name in ("second", "second_reason"):
            self._field(name).display = against
        self._check()

    @on(Input.Changed)
    @on(Tick.Changed)
    def _check(self) -> str | None:
        """Show what is wrong once it was tried; return the name of the first field that is."""
        if self.recommendation is None or not self.query(Acknowledging):
            return None
        verdict = self.verdict
        wrong = {_CHOICE: _NOT_CHOSEN} if verdict is None else lacking(self._statement(verdict), self.recommendation)
        shown: Mapping[str, str] = wrong if self._tried else {}
        for field in self.query(Field):
            field.tell(shown.get(field.field, ""))
        self.query_one(Acknowledging).tell(shown.get(ACKNOWLEDGED, ""))
        self._tell_of_choice(shown.get(_CHOICE, ""))
        order = (ACKNOWLEDGED, _CHOICE, *(name for name, *_ in _FIELDS))
        return next((name for name in order if name in wrong), None)

    def _tell_of_choice(self, words: str) -> None:
        """Say what is wrong with the choice, or that it goes against the recommendation."""
        verdict, recommendation = self.verdict, self.recommendation
        if verdict is not None and recommendation is not None and is_against(verdict, recommendation.verdict):
            words = f"to {verdict} is AGAINST the recommendation: a second person has to stand for it"
        below = self.query_one("#against", Static)
        below.update(f"{symbol('warn')} {words}" if words else "")
        below.set_class(bool(words), "-shown")

    @on(Input.Submitted)
    def _next(self) -> None:
        self.focus_next()

    def action_tick_all(self) -> None:
        """Acknowledge every limitation."""
        for all_of_them in self.query(Acknowledging):
            all_of_them.tick_all()
            self._check()

    def action_record(self) -> None:
        """Record the decision, or go to the first field that is wrong."""
        if self.recommendation is None or self.is_recording:
            return
        self._tried = True
        wrong, verdict = self._check(), self.verdict
        if wrong == ACKNOWLEDGED:
            self.query_one(Acknowledging).take_focus()
        elif wrong == _CHOICE or verdict is None:
            self.query_one(Choice).focus()
            self.call_after_refresh(self.query_one("#against").scroll_visible, animate=False)
        elif wrong is not None:
            self._field(wrong).take_focus()
        else:
            self.record(partial(self._record, self._statement(verdict), self.recommendation))

    async def _record(self, statement: Statement, read: Recommendation) -> None:
        try:
            row = await asyncio.to_thread(_recorded, self._view, self.reference, statement, read)
        except DigiVanError as error:
            self.console.tell_problem(error)
            return
        self._tried = False
        if row is None:
            self.notify("The recommendation has changed meanwhile: read it again, then decide.", severity="warning")
        else:
            self.notify(f"Decision {row['decision']} is recorded: {row['verdict'].upper()}.", markup=False)
        if row is not None and self.is_in_front:
            self.console.go_back()
            self.action_documents()
        elif self.is_there:
            self._read()

    def action_documents(self) -> None:
        """Open the documents of the exhibit."""
        self.console.push_screen(DocumentsScreen(self._view, self.reference))


def _standing(view: "CaseView", reference: str) -> tuple[Recommendation, dict[str, Any] | None]:
    """Return what there is to decide on, and the decision in force; refused while the exhibit is examined."""
    from triage.session.deciding import Deciding  # noqa: PLC0415 - loaded when the first decision is made

    with Deciding(view.folder, reference) as deciding:
        recommendation = deciding.recommendation
    decided = view.decisions(reference)
    return recommendation, decided[-1] if decided else None


def _recorded(view: "CaseView", reference: str, statement: Statement, read: Recommendation) -> dict[str, Any] | None:
    """Record the decision and return it, None where the recommendation is not the one that was read."""
    from triage.session.deciding import Deciding  # noqa: PLC0415 - as above

    with Deciding(view.folder, reference) as deciding:
        return deciding.record(statement) if deciding.recommendation == read else None


def _told(recommendation: Recommendation, decided: Mapping[str, Any] | None) -> list[Content]:
    sign, words = _SIGNS[recommendation.verdict], VERDICTS[recommendation.verdict].upper()
    limiting = limitations(recommendation)  # each has its box below
    rows = [Content.assemble("Recommended: ", (f"{symbol(sign)} {words}", "bold $accent"))]
    rows += [
        Content.assemble(f"{symbol('dot')} {safe(reason.text)} ", (f"({safe(reason.code)})", "$text-muted"))
        for reason in recommendation.reasons
        if reason not in limiting
    ]
    if decided is not None:
        by = (
            f"{decided['verdict'].upper()} by {safe(decided['examiner'], 60)}, {decided['when'][:16].replace('T', ' ')}"
        )
        rows += [Content(""), Content.styled(f"Decision {decided['decision']} is in force: {by} UTC", "bold")]
        rows.append(Content("Decide again, and the later decision counts. Ctrl+D opens its documents."))
    return rows
