"""The hash-set library: what devices are compared with, how old it is, and whether it is whole."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import DataTable, Static

from triage.model.errors import DigiVanError
from triage.ui.apart import SetRow, hash_sets
from triage.ui.safe import cell, plain, safe
from triage.ui.screens.room import Room
from triage.ui.symbols import counted, symbol

_NONE = "No set: nothing can match. Import or build one with triage hashset."
_COLUMNS = ("Set", "Version", "Kind", "Members", "Of", "Age", "State")


class HashSetsScreen(Room):
    """A table of the sets, and below it all that is said of the one with the cursor."""

    NAME = "Hash sets"
    HELP = (
        "Sets hold what is known already: nothing else can be found with them. A notable set that is more than half "
        "a year old misses what became known since. A set whose seal or content does not verify is refused, and says "
        "why.\n\n"
        "Sets are imported, built and updated with the command line: triage hashset --help."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "load(True)", "Verify every byte"),
        Binding("r", "load(False)", "Read again"),
    ]
    CSS = """
    HashSetsScreen #folder, HashSetsScreen #about { height: auto; padding: 0 1; color: $text-muted; }
    HashSetsScreen DataTable { padding: 0 1; }
    HashSetsScreen #about { min-height: 2; color: $foreground; background: $surface; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._sets: list[SetRow] = []

    def body(self) -> Iterable[Widget]:
        """Return the table between the folder and the words on one set."""
        table: DataTable[Text] = DataTable(cursor_type="row", zebra_stripes=False)
        return (Static("", id="folder", markup=False), table, Static("", id="about", markup=False))

    def on_mount(self) -> None:
        """Read the library."""
        table = self.query_one(DataTable)
        table.add_columns(*_COLUMNS)
        table.focus()
        self.action_load(False)

    @work(exclusive=True)
    async def action_load(self, verify: bool) -> None:
        """Read the library, every byte of it where that is wanted."""
        said = "reading every byte of every set" if verify else "reading the library"
        self._say(f"{said}{symbol('busy')}")
        try:
            reading = self.console.apart.call(hash_sets, self.console.library, verify)
            folder, self._sets = await self.unless_left(reading)
        except DigiVanError as error:
            self._sets = []
            self._say(f"{symbol('warn')} {error}")
            self._fill("")
        else:
            self._say(f"{folder}: {counted(len(self._sets), 'set')}{', verified' if verify else ''}")
            self._fill(_NONE)

    def _say(self, text: str) -> None:
        self.query_one("#folder", Static).update(plain(text))

    def _fill(self, without: str) -> None:
        table = self.query_one(DataTable)
        table.clear()
        for row in self._sets:
            table.add_row(*(cell(said) for said in _cells(row)))
        if not self._sets:
            self.query_one("#about", Static).update(without)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Tell all of the set with the cursor."""
        if 0 <= event.cursor_row < len(self._sets):
            self.query_one("#about", Static).update(plain(_about(self._sets[event.cursor_row])))


def _cells(row: SetRow) -> tuple[str, ...]:
    age = "unknown" if row.age_days is None else f"{row.age_days} days"
    if row.problem:
        return (row.name, row.version, row.kind, "", "", "", f"{symbol('warn')} refused")
    old = f"{symbol('warn')} {age}" if row.old else age
    state = "verified" if row.verified else "not verified now"
    return (row.name, row.version, row.kind, f"{row.records:,}", row.published[:10], old, state)


def _about(row: SetRow) -> str:
    if row.problem:
        return f"{symbol('warn')} {row.problem}"
    old = " It is old, or its day cannot be: update it." if row.old and row.kind == "notable" else ""
    return safe(f"{row.name} {row.version}: {row.kind}, {row.seal or 'no seal known'}.{old}")
