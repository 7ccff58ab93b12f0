"""The case on disk: one folder with one SQLite file, one writer for each exhibit, any number of readers."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from triage.store.database import Database
from triage.store.decisions import Decisions
from triage.store.exhibits import Exhibits
from triage.store.indications import Indications
from triage.store.journal import Journal
from triage.store.judgements import Judgements
from triage.store.layout import Layout
from triage.store.ledger import Ledger
from triage.store.lock import ProcessLock
from triage.store.obstacles import Obstacles
from triage.store.opening import claimed, continue_case, make_or_continue, open_for_reading
from triage.store.pages import Pages
from triage.store.queries import Queries
from triage.store.queue import Queue
from triage.store.samples import Samples


class OpenCase:
    """A case that is open, for reading or for writing: its parts, tied together. A context manager."""

    def __init__(self, folder: Path, database: Database) -> None:
        """Tie the parts together; callers use `open` or `open_or_create` of a subclass."""
        self.folder = folder
        self._database = database
        self.ledger = Ledger(database)
        self.exhibits = Exhibits(database)
        self.layout = Layout(database, self.exhibits)
        self.obstacles = Obstacles(database, self.exhibits)
        self.journal = Journal(database, self.exhibits, self.layout)
        self.queue = Queue(database, self.exhibits, self.layout)
        self.indications = Indications(database, self.exhibits)
        self.samples = Samples(database, self.exhibits)
        self.decisions = Decisions(database, self.exhibits)
        self.judgements = Judgements(database, self.exhibits)
        self.queries = Queries(database, self.exhibits, self.decisions)
        self.pages = Pages(database, self.exhibits)

    def close(self) -> None:
        """Close the file; calling it twice is harmless."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Case(OpenCase):
    """A case open for writing, maybe by several processes: who changes an exhibit claims it first.

    Nothing here reads the clock: times are given by the caller as ISO 8601 UTC.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        """Tie the parts together; callers use `open` or `open_or_create`."""
        super().__init__(folder, database)
        self._claims: dict[str, ProcessLock] = {}

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open an existing case for writing. Raises StoreError when there is none or it does not verify."""
        return cls(folder, continue_case(folder))

    @classmethod
    def open_or_create(cls, folder: Path, *, when: str, actor: str) -> Self:
        """Open the case in a folder, or make it there, with the errors of `open`."""
        return cls(folder, make_or_continue(folder, when, actor))

    def claim(self, reference: str) -> None:
        """Keep every other process from claiming an exhibit until this case is closed; again is harmless.

        The case need not hold the exhibit yet. Raises InUseError, a StoreError, naming the process that has it.
        """
        if reference not in self._claims:
            self._claims[reference] = claimed(self.folder, reference)

    def transaction(self) -> AbstractContextManager[None]:
        """Commit everything recorded inside together and durably, a custody event with what it tells of."""
        return self._database.transaction(durable=True)

    def close(self) -> None:
        """Close the file and give up what was claimed; calling it twice is harmless."""
        try:
            super().close()
        finally:
            while self._claims:
                self._claims.popitem()[1].release()


class CaseReader(OpenCase):
    """A case open for reading only, also while another process writes to it: what would write raises StoreError."""

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open an existing case. Raises StoreError when there is none or it is of another version."""
        return cls(folder, open_for_reading(folder))

    def snapshot(self) -> AbstractContextManager[None]:
        """Read everything inside from one state of the case, whatever a writer commits meanwhile."""
        return self._database.snapshot()
