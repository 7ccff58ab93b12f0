"""The self-test: the software tried with known answers, on this machine, now."""

from collections.abc import Iterable
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from triage.model.errors import DigiVanError
from triage.model.selftest import SelfTest
from triage.ui.apart import self_test
from triage.ui.safe import plain, safe
from triage.ui.screens.room import Room
from triage.ui.symbols import symbol

_BEFORE = (
    "Every examination is preceded by this test, and its result is recorded with it.\n\nt tries it now: it reads known "
    "images and pictures that are part of the software, and compares what it finds with what is in them."
)


class SelfTestScreen(Room):
    """One row for each ability that is tried."""

    NAME = "Self-test"
    HELP = (
        "Known answers: file systems, digests, pictures by appearance and the search in sets are tried on material "
        "whose answers are known. A check that fails says what differs; do not examine with that installation."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("t", "test", "Test now")]
    CSS = """
    SelfTestScreen VerticalScroll { padding: 1 2; height: 1fr; }
    SelfTestScreen Static { height: auto; }
    """

    def body(self) -> Iterable[Widget]:
        """Return the one text."""
        return (VerticalScroll(Static(_BEFORE, id="result", markup=False)),)

    def on_mount(self) -> None:
        """Let the arrows scroll."""
        self.query_one(VerticalScroll).focus()

    @work(exclusive=True)
    async def action_test(self) -> None:
        """Test in a process of its own, so that nothing here waits."""
        result = self.query_one("#result", Static)
        result.update(f"testing{symbol('busy')}")
        try:
            result.update(shown(await self.unless_left(self.console.apart.call(self_test))))
        except DigiVanError as error:
            result.update(plain(f"{symbol('warn')} {error}"))


def shown(test: SelfTest) -> Content:
    """Return the checks, and below them what they come to."""
    lines = []
    for check in test.checks:
        if check.passed:
            lines.append(Content(f"{symbol('done')} passed  {safe(check.name)}"))
        else:
            words = f"{symbol('warn')} FAILED  {safe(check.name)}: {safe(check.text)}"
            lines.append(Content.styled(words, "bold $text-error"))
    return Content("\n").join([*lines, Content(""), Content.styled(safe(test.text), "bold")])
