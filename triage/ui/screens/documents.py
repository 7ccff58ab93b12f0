"""The documents of an exhibit: made on demand, then opened or printed."""

import asyncio
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from triage.model.errors import DigiVanError
from triage.ui.safe import head, plain, plain_rows, safe
from triage.ui.screens.room import Room
from triage.ui.symbols import symbol

if TYPE_CHECKING:  # they bring the whole engine along
    from triage.session.documents import Document
    from triage.session.view import CaseView

FOLDER = "documents"
"""The folder in that of the case in which they are made."""


class Offered(OptionList):
    """The list of them."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "Make")]


class DocumentsScreen(Room):
    """One row for each document that fits the exhibit as it stands."""

    NAME = "Documents"
    HELP = (
        "A return has a receipt, a seizure a label; both have the continuity sheet. Each carries the head of the "
        "ledger, so that it can be held against the case later.\n\nEnter makes the document in the folder of the case "
        "and says where it is; o opens it, t sends it to the printer, each making it first. All of this is recorded."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open", "Open"),
        Binding("t", "print", "Print"),
    ]
    CSS = """
    DocumentsScreen OptionList { height: auto; max-height: 50%; margin: 1 1; }
    DocumentsScreen #made { height: auto; padding: 0 2; }
    """

    def __init__(self, view: "CaseView", reference: str) -> None:
        super().__init__()
        self._view, self.reference = view, reference
        self.documents: tuple[Document, ...] = ()
        self.made: dict[str, Path] = {}

    @property
    def heading(self) -> str:
        """The title with the reference."""
        return f"Documents of {head(self.reference, 40)}"

    def body(self) -> Iterable[Widget]:
        """Return the list, and what was made."""
        where = plain(f"Enter makes the document in {self._view.folder / FOLDER}")
        return (Offered(markup=False), Static(where, id="made"))

    def on_mount(self) -> None:
        """Learn which there are."""
        self.query_one(OptionList).focus()
        self._read()

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        from triage.session.documents import documents_for  # noqa: PLC0415 - loaded when documents are wanted

        try:
            self.documents = await self.unless_left(asyncio.to_thread(documents_for, self._view.folder, self.reference))
        except DigiVanError as error:
            self._say(f"{symbol('warn')} {error}")
            return
        offered = self.query_one(OptionList)
        offered.clear_options()
        offered.add_options([Option(plain(f"{one.title:<20} {one.name}", 200)) for one in self.documents])
        offered.highlighted = 0 if self.documents else None

    def _say(self, words: str) -> None:
        self.query_one("#made", Static).update(plain_rows(words))

    @on(OptionList.OptionSelected)
    def _chosen(self) -> None:
        self._do("make")

    def action_open(self) -> None:
        """Open the document that the cursor is on."""
        self._do("open")

    def action_print(self) -> None:
        """Print it."""
        self._do("print")

    def _do(self, what: str) -> None:
        place = self.query_one(OptionList).highlighted
        if place is not None and place < len(self.documents) and not self.is_recording:
            self.record(partial(self._make, self.documents[place], what))

    async def _make(self, document: "Document", what: str) -> None:
        from triage.session.documents import open_file, print_file, write  # noqa: PLC0415 - as above

        case = self._view.folder
        self._say(f"making {document.name}{symbol('busy')}")
        try:
            path = await self.unless_left(asyncio.to_thread(write, case, self.reference, document, case / FOLDER))
            self.made[document.name] = path
            if what == "print":
                await self.unless_left(asyncio.to_thread(print_file, case, self.reference, path))
            elif what == "open":
                await self.unless_left(asyncio.to_thread(open_file, path))
        except DigiVanError as error:
            self._say(f"{symbol('warn')} {safe(str(error))}\n\n{self._made()}")
            return
        self._say(self._made() + ("\nIt went to the printer." if what == "print" else ""))

    def _made(self) -> str:
        return "\n".join(f"made: {safe(str(path))}" for path in self.made.values())
