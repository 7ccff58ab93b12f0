"""A person's word on one candidate: who judges, and what was seen."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from triage.model.errors import UsageError
from triage.policy.deciding import check_text
from triage.ui.safe import plain
from triage.ui.screens.dialog import Dialog
from triage.ui.widgets.field import Field


class Judging(Dialog[tuple[str, str | None] | None]):
    """Asks for name and note; the answer is both, or None where nothing is to be recorded."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back")]
    CSS = "Judging > Vertical { width: 76; }"

    def __init__(self, title: str, text: str, examiner: str) -> None:
        super().__init__()
        self._title, self._text, self._examiner = title, text, examiner

    def compose(self) -> ComposeResult:
        """Yield what is judged, and two lines."""
        with Vertical() as box:
            box.border_title = self._title
            yield Static(plain(self._text))
            yield Field("examiner", "Examiner", hint="who judges")
            yield Field("note", "Note", hint="what was seen; may be left empty")
            yield Static("\nEnter records it in the ledger, Esc goes back. A later judgement counts in its place.")

    def on_mount(self) -> None:
        """Begin with the note: who is at the keyboard is known."""
        self._field("examiner").value = self._examiner
        self._field("note").take_focus()

    def _field(self, name: str) -> Field:
        return self.query_one(f"#field-{name}", Field)

    @on(Input.Submitted)
    def _record(self, event: Input.Submitted) -> None:
        event.stop()
        examiner, note = self._field("examiner").value, self._field("note").value
        for name, text, what in (("examiner", examiner, "the examiner's name"), ("note", note, "the note")):
            try:
                if text or name == "examiner":
                    check_text(text, what)
            except UsageError as error:
                self._field(name).tell(str(error))
                self._field(name).take_focus()
                return
        self.dismiss((examiner, note or None))
