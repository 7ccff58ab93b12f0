"""The form of an arrival: what the exhibit is and where it was found; then its examination begins."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import DescendantBlur
from textual.widget import Widget
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from triage.model.errors import DigiVanError
from triage.ui.arrival import BLOCKS, OF_THE_RUN, PROFILES, SECTIONS, STAYS, device_words, unusable
from triage.ui.recorded import CaseFacts, read_case
from triage.ui.safe import plain, safe
from triage.ui.screens.question import Question
from triage.ui.screens.room import Room
from triage.ui.widgets.field import Choice, Field

if TYPE_CHECKING:  # these are loaded in the background, so that the form comes at once
    from triage.session.devices import PickableDevice
    from triage.session.intake import Received
    from triage.session.order import Order


class Devices(OptionList):
    """The devices that the system sees."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "Pick")]


class IntakeScreen(Room):
    """A form that keeps what was typed while one looks elsewhere."""

    NAME = "Intake"
    HELP = (
        "Tab goes to the next field, Shift+Tab back. A field that is wrong says how to put it right. The reference is "
        "proposed from your initials and the next free number; change it as you need.\n\n"
        "F7 records the arrival with its custody event and begins the examination; the device is only ever read. "
        "What you leave empty can be recorded later, and is listed before anything is written."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f7", "begin", "Begin"),
        Binding("ctrl+r", "record", "Record only"),
        Binding("ctrl+l", "devices", "Look for devices"),
        Binding("down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Previous field", show=False),
    ]
    CSS = """
    IntakeScreen VerticalScroll { height: 1fr; padding: 0 1; align-horizontal: center; }
    IntakeScreen #form { width: 100%; max-width: 110; height: auto; }
    IntakeScreen .section { color: $foreground; text-style: bold; margin-top: 1; }
    IntakeScreen #section-0 { margin-top: 0; }
    IntakeScreen OptionList { height: auto; max-height: 6; margin: 0 0 0 19; }
    IntakeScreen Horizontal.buttons { height: 1; margin: 1 0 0 19; }
    IntakeScreen Button { margin-right: 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._touched: set[str] = set()
        self._held: tuple[str, ...] = ()
        self._proposed = ""
        self._again = ""
        self._by_pick: dict[str, str] = {}
        self._seen: list[PickableDevice] = []

    def body(self) -> Iterable[Widget]:
        """Return the form."""
        parts: list[Widget] = []
        for number, (title, fields) in enumerate(SECTIONS):
            parts.append(Static(title, classes="section", id=f"section-{number}", markup=False))
            parts += [Field(name, label, hint=hint) for name, label, hint in fields]
        parts += [
            Devices(id="devices", markup=False),
            Choice("write_block", "Write block", BLOCKS),
            Choice("profile", "Depth", PROFILES),
            Field("enough", "Enough", hint="stop at so many findings; empty: go on to the end"),
            Horizontal(
                Button("Record and begin (F7)", id="begin"),
                Button("Record only (Ctrl+R)", id="record"),
                classes="buttons",
            ),
        ]
        return (VerticalScroll(Vertical(*parts, id="form"), can_focus=False),)

    def on_mount(self) -> None:
        """Look for devices, and for the references that are taken."""
        self._field("operation").take_focus()
        self.action_devices()

    def on_screen_resume(self) -> None:
        """Learn which references are taken by now."""
        super().on_screen_resume()
        self._read()

    @work(thread=True, exclusive=True, group="case")
    def _read(self) -> None:
        self.hand(self._take, read_case(self.console.view))

    def _take(self, facts: CaseFacts) -> None:
        self._held = tuple(dict.fromkeys((*facts.exhibits, *self.console.devices)))
        if not self._again:
            self._carry_on(facts)
        self._propose()

    def _carry_on(self, facts: CaseFacts) -> None:
        """Take from the last arrival what holds for the next one as well."""
        last: dict[str, object] = {}
        for exhibit in facts.exhibits.values():
            last = exhibit.row.get("received") or last
        for name in STAYS:
            field = self._field(name)
            if not field.value and name not in self._touched:
                field.value = str(last.get(name) or "")

    def take_up(self, reference: str) -> None:
        """Begin the examination of an exhibit that was received before: nothing of another is said of it."""
        self._clear()
        self._again = reference
        for name in STAYS:
            self._field(name).value = ""
        self._field("exhibit").value = reference
        self._fill(reference)
        self._field("source").take_focus()

    @work(thread=True, exclusive=True, group="fill")
    def _fill(self, reference: str) -> None:
        held = read_case(self.console.view).exhibits.get(reference)
        if held is not None and not get_current_worker().is_cancelled:
            self.hand(self._filled, held.row)

    def _filled(self, row: Mapping[str, Any]) -> None:
        """Say again what was said of it, with the depth it was begun with: another would not go on with its work."""
        if row["reference"] != self._again:  # given up meanwhile
            return
        said = {**(row["received"] or {}), "source": row["source"]}
        for field in self.query(Field):
            if said.get(field.field):
                field.value = str(said[field.field])
        if row["profile"]:
            self.query_one("#choice-profile", Choice).value = row["profile"]
        self._block.value = str(said.get("write_block") or "")

    def _field(self, name: str) -> Field:
        return self.query_one(f"#field-{name.replace('_', '-')}", Field)

    @property
    def _block(self) -> Choice:
        return self.query_one("#choice-write-block", Choice)

    def _propose(self) -> None:
        """Propose the next reference, unless the person wrote one."""
        from triage.session.intake import proposed_reference  # noqa: PLC0415 - loaded in the background by now

        field, examiner = self._field("exhibit"), self._field("examiner").value
        initials = "".join(word[0] for word in examiner.split() if word[0].isalpha()).upper()
        if initials and field.value in {"", self._proposed}:
            self._proposed = proposed_reference(initials, self._held)
            field.value = self._proposed

    def _received(self) -> "Received":
        from triage.session.intake import Received  # noqa: PLC0415 - as above

        said = {field.field: field.value for field in self.query(Field) if field.field not in OF_THE_RUN}
        return Received(**said, write_block=self._block.value)

    def on_descendant_blur(self, event: DescendantBlur) -> None:
        """Check what was left, and propose a reference once it is known who examines."""
        field = event.widget.parent.parent if isinstance(event.widget, Input) and event.widget.parent else None
        if isinstance(field, Field):
            self._touched |= {field.field} if field.value else set()
            self._propose()
            self._check(self._touched)

    def _check(self, names: Iterable[str]) -> str | None:
        """Show what is wrong with these fields; return the name of the first that is."""
        from triage.session.intake import check, local_time  # noqa: PLC0415 - as above

        held = [one for one in self._held if one != self._again]
        wrong = check(self._received(), held, today=local_time()) | unusable(self._field("enough").value)
        for field in self.query(Field):
            if field.field != "source":
                field.tell(wrong.get(field.field, "") if field.field in names else "")
        return next((field.field for field in self.query(Field) if field.field in wrong), None)

    @work(thread=True, exclusive=True, group="devices")
    def action_devices(self) -> None:
        """Look for the devices that the system sees."""
        from triage.session.devices import pickable_devices  # noqa: PLC0415 - as above

        try:
            devices, problem = pickable_devices(), ""
        except (OSError, DigiVanError) as error:
            devices, problem = [], str(error)
        self.hand(self._offer, devices, problem)

    def _offer(self, devices: "list[PickableDevice]", problem: str) -> None:
        self._seen = devices
        offered = self.query_one("#devices", OptionList)
        offered.clear_options()
        nothing = problem or "no device is seen: plug it in and press Ctrl+L, or type the path of an image"
        offered.add_options(
            [Option(plain(device_words(device))) for device in devices] or [Option(plain(nothing), disabled=True)]
        )

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        device = self._seen[event.option_index]
        self._take_back()
        self._field("source").value = ""
        for name, value in (
            ("source", str(device.path)),
            ("make", device.make),
            ("model", device.model),
            ("serial", device.serial),
            ("write_block", "system" if device.read_only else ""),
        ):
            part = self._part(name)
            if not part.value:  # what a person said stays
                part.value = value
                self._by_pick[name] = part.value
        self._field("source").tell("")

    def _part(self, name: str) -> Field | Choice:
        return self._block if name == "write_block" else self._field(name)

    def _take_back(self) -> None:
        """Take back what came from the device picked before, as far as it still stands there."""
        for name, value in self._by_pick.items():
            if self._part(name).value == value:
                self._part(name).value = ""
        self._by_pick = {}

    @on(Input.Changed, "#field-source Input")
    def _typed(self) -> None:
        """Forget what the picked device is like once another is named."""
        if self._by_pick and self._field("source").value != self._by_pick["source"]:
            del self._by_pick["source"]
            self._take_back()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "begin":
            self.action_begin()
        else:
            self.action_record()

    @on(Input.Submitted)
    def _next(self) -> None:
        self.focus_next()

    def action_begin(self) -> None:
        """Record the arrival and begin."""
        self._submit(begin=True)

    def action_record(self) -> None:
        """Record the arrival alone."""
        self._submit(begin=False)

    def _submit(self, *, begin: bool) -> None:
        from triage.session.intake import not_stated  # noqa: PLC0415 - as above

        if self.is_recording:
            return
        self._propose()
        self._touched |= {field.field for field in self.query(Field)}
        wrong = self._check(self._touched)
        if wrong is None and begin and not self._field("source").value:
            self._field("source").tell("name the image or device to examine, or record only with Ctrl+R")
            wrong = "source"
        if wrong is not None:
            self._field(wrong).take_focus()
            return
        empty = not_stated(self._received())
        work = partial(self._record, self._received(), self._order() if begin else None)
        if not empty:
            self.record(work)
            return
        labels = {name: label for _, fields in SECTIONS for name, label, _ in fields} | {"write_block": "Write block"}
        missing = ", ".join(labels.get(name, name).lower() for name in empty)
        text = f"Not stated: {missing}. They belong into the record of continuity and can be added later."

        def answered(sure: bool | None) -> None:
            if sure:
                self.record(work)

        self.app.push_screen(Question("Record it so?", text, yes="Record", no="Go back"), answered)

    async def _record(self, received: "Received", order: "Order | None") -> None:
        from triage.session.intake import receive  # noqa: PLC0415 - as above

        try:
            await asyncio.to_thread(receive, self.console.case, received)
        except DigiVanError as error:
            self.console.tell_problem(error)
            return
        if order is not None:
            self.console.visit.begin(order)
        self.notify(f"{safe(received.exhibit)} is recorded.", markup=False)
        if self.is_there:
            self._clear()
        if self.is_in_front:
            self.console.action_board()

    def _order(self) -> "Order":
        from triage.session.order import Order, Profile, Stop  # noqa: PLC0415 - as above

        enough = self._field("enough").value
        return Order(
            source=Path(self._field("source").value),
            case=self.console.case,
            exhibit=self._field("exhibit").value,
            profile=Profile(self.query_one("#choice-profile", Choice).value),
            jobs=max((os.cpu_count() or 1) // 2, 1),
            library=self.console.library,
            stop=Stop(findings=int(enough) if enough else None),
            actor=self.console.actor,
        )

    def action_back(self) -> None:
        """Go back; an exhibit that was to be begun again is given up."""
        if self._again:
            self._clear()
        super().action_back()

    def _clear(self) -> None:
        """Make room for the next exhibit; what holds for all of them stays."""
        self._again, self._proposed = "", ""
        self._touched, self._by_pick = set(), {}
        for field in self.query(Field):
            if field.field not in STAYS:
                field.value = ""
            field.tell("")
        for choice in self.query(Choice):
            choice.place = 0
        self._field("description").take_focus()
        self.query_one(VerticalScroll).scroll_home(animate=False)
