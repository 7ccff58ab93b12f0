"""One device: all that was found in it, all that was not looked at, and how its examination goes."""

from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import DataTable
from textual.worker import get_current_worker

from triage.model.errors import DigiVanError
from triage.ui import account, bound
from triage.ui.recorded import CaseFacts, Recorded, read_case
from triage.ui.safe import head
from triage.ui.screens.steering import RUNNING, URGENCY, Steering
from triage.ui.widgets import lists_pane
from triage.ui.widgets.device_head import DeviceHead
from triage.ui.widgets.findings_pane import FindingsPane
from triage.ui.widgets.lists_pane import ListPane
from triage.ui.widgets.paged import PagedTable
from triage.ui.widgets.panes import Panes
from triage.ui.widgets.sheet import Sheet

if TYPE_CHECKING:  # they bring the whole engine along
    from triage.session.live_device import LiveDevice
    from triage.session.view import CaseView

_READ_AGAIN = 2.0  # seconds


class DeviceScreen(Steering):
    """Eight panes over one exhibit; the one in front is read again while the examination runs."""

    NAME = "Device"
    HELP = (
        "The figures 1 to 8, or the arrows left and right, bring a pane to the front: findings, the account of every "
        "byte, what was not looked at and why, trouble with reading, volumes, hints of names, the random sample of "
        "blocks, and what the ledger says.\n\nA finding by digest is a match. One by appearance is a candidate until a "
        "person has looked: Enter opens it. The findings can be sorted, turned round, narrowed down to one grade, "
        "category or state, and searched by a part of the path.\n\nThe plot of the sample shows how much known content "
        "could still be there unseen, the less the more blocks were read, with 95, 99 and 99.9 % confidence. It holds "
        "only for content of which the sets hold blocks."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(f"{number + 1}", f"pane({number})", f"Pane {number + 1}", show=False) for number in range(8)),
        Binding("right", "step(1)", "Next pane", show=False),
        Binding("left", "step(-1)", "Pane before", show=False),
        Binding("a", "account", "Account now"),
        *RUNNING,
        *URGENCY,
        Binding("f7", "decide", "Decide"),
    ]

    def __init__(self, view: "CaseView", reference: str) -> None:
        super().__init__()
        self._view, self.reference = view, reference
        self._recorded, self._problem = Recorded(), ""
        self._read_at, self._state, self._ready = 0.0, "", False
        self._now: Mapping[str, Any] = {}
        self._sampled: list[dict[str, Any]] | None = None

    @property
    def heading(self) -> str:
        """The title with the reference."""
        return f"Device {head(self.reference, 40)}"

    def body(self) -> Iterable[Widget]:
        """Return the head and the panes."""
        view, reference = self._view, self.reference
        panes = (
            ("Findings", "Findings", FindingsPane(view, reference)),
            ("Coverage", "Coverage", Sheet(name="coverage")),
            ("Not looked at", "Unseen", lists_pane.not_looked_at(view, reference)),
            ("Troubles", "Trouble", lists_pane.troubles(view, reference)),
            ("Volumes", "Volumes", lists_pane.volumes(view, reference)),
            ("Hints", "Hints", lists_pane.hints(view, reference)),
            ("Block sample", "Sample", Sheet(name="sample", waiting="reading")),
            ("Timeline", "Events", lists_pane.timeline(view, reference)),
        )
        return (DeviceHead(), Panes(panes))

    def on_mount(self) -> None:
        """Begin with the findings, once they have their place."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._ready = True
        self.query_one(DeviceHead).show(self.live, self._recorded)
        self.query_one(Panes).turn(0)
        self.renew()

    @property
    def live(self) -> "LiveDevice | None":
        """The device as this visit has it."""
        return self.console.devices.get(self.reference)

    def renew(self) -> None:
        """Show how the run goes; the case is read again after a while."""
        if not self._ready:
            return
        live = self.live
        state = live.state.value if live else ""
        running = live is not None and not live.state.is_over
        due = running and monotonic() - self._read_at > _READ_AGAIN
        if state != self._state:
            self._now = {}  # it was that of the state before
            self.refresh_bindings()
        if due or state != self._state or not self._read_at:
            self._read_again()
        elif running:
            for shown in self.query(DeviceHead):  # none is left once the screen is being closed
                shown.show(live, self._recorded)
        self._state = state

    def on_screen_resume(self) -> None:
        """Read what was judged or decided meanwhile."""
        self._read_at = 0.0
        super().on_screen_resume()

    def _read_again(self) -> None:
        self._read_at = monotonic()
        self._read()
        self._read_pane()

    @on(Panes.Turned)
    def _read_pane(self) -> None:
        front = self.query_one(Panes).front
        if isinstance(front, FindingsPane | ListPane):
            front.table.again()
        elif front.id == "sample":
            self._read_sample()

    @work(thread=True, exclusive=True, group="case")
    def _read(self) -> None:
        facts = read_case(self._view, self.reference)
        if not get_current_worker().is_cancelled:
            self.hand(self._take, facts)

    def tell(self, urgent: list[str]) -> None:
        """Show what needs a person now, and why the case cannot be read, if so."""
        super().tell([*urgent, self._problem] if self._problem else urgent)

    def _take(self, facts: CaseFacts) -> None:
        self._problem = facts.problem
        self.tell(self.console.urgent())
        if not facts.problem:  # what was read before still holds
            recorded = facts.exhibits.get(self.reference, Recorded())
            if recorded.coverage != self._recorded.coverage:
                self._now = {}
            self._recorded = recorded
        self.query_one(DeviceHead).show(self.live, self._recorded)
        self.query_one(FindingsPane).take(self._recorded.by)
        self._account()

    def _account(self) -> None:
        shown = self._now or {"bytes": self._recorded.coverage}
        self.query_one("#coverage", Sheet).show(lambda width, height: account.told(shown, width, height))

    @work(thread=True, exclusive=True, group="sample")
    def _read_sample(self) -> None:
        try:
            rows = self._view.strata(self.reference)
            if rows == self._sampled:
                return
            curves = bound.shrinking(rows)
        except DigiVanError as error:
            self.app.call_from_thread(self.console.tell_problem, error)
            return
        self._sampled = rows
        self.hand(self._show_sample, lambda width, height: bound.told(curves, width, height))

    def _show_sample(self, told: Callable[[int, int], list[Content]]) -> None:
        self.query_one("#sample", Sheet).show(told)

    @work(thread=True, exclusive=True, group="account")
    def action_account(self) -> None:
        """Make the account as it stands now."""
        try:
            now = self._view.coverage_now(self.reference)
        except DigiVanError as error:
            self.app.call_from_thread(self.console.tell_problem, error)
            return
        self.hand(self._account_now, now)

    def _account_now(self, now: Mapping[str, Any]) -> None:
        self._now = now
        self._account()

    def action_pane(self, number: int) -> None:
        """Bring a pane to the front."""
        self.query_one(Panes).turn(number)
        self.refresh_bindings()

    def action_step(self, steps: int) -> None:
        """Bring the pane beside to the front."""
        self.query_one(Panes).step(steps)
        self.refresh_bindings()

    @on(DataTable.RowSelected, "#table-findings")
    def _open(self, event: DataTable.RowSelected) -> None:
        table = event.data_table
        if isinstance(table, PagedTable) and table.row_in_hand is not None:
            self.console.open_finding(table.row_in_hand["id"])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what makes sense for the state of the device."""
        if action == "account":
            return self._ready and self.query_one(Panes).front.id == "coverage"
        return super().check_action(action, parameters)

    def action_decide(self) -> None:
        """Open the decision."""
        self.console.open_decision(self.reference)
