"""What the tests of phases share: an image to examine, what is known, and what a case holds afterwards."""

import sqlite3
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from triage.engine.plan import Profile
from triage.hashsets.sealed import SetMeta
from triage.model.event import Event, Found
from triage.model.finding import SetKind
from triage.session import making
from triage.session.examination import Examination, Order, open_case

VOLATILE = ("found_at", "seconds", "id")  # findings are numbered in the order in which they are made


def zipped(members: dict[str, bytes]) -> bytes:
    """Return a ZIP archive whose members are stored as they are."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return file.getvalue()


def found(events: list[Event]) -> list[str]:
    """Return the paths of findings, in the order in which they are told."""
    return [event.item.path for event in events if isinstance(event, Found)]


@dataclass(frozen=True)
class Exhibit:
    """A folder in which one source, its cases and its library lie."""

    folder: Path

    @property
    def source(self) -> Path:
        """The image, or the folder, to examine."""
        return self.folder / "source"

    def know(self, *contents: bytes, blocks: bool = False) -> None:
        """Make a notable set of files."""
        known = self.folder / "known"
        known.mkdir()
        for number, content in enumerate(contents):
            (known / str(number)).write_bytes(content)
        meta = SetMeta(name="notable", version="1", kind=SetKind.NOTABLE, date="2026-03-14")
        place = making.destination(self.folder / "library")
        making.build(known, meta, place, progress=lambda *_: None, blocks=blocks)

    def order(self, case: str = "case", **changes: Any) -> Order:
        """Return the order of an examination, in full unless said otherwise."""
        wish = {"source": self.source, "case": self.folder / case, "library": self.folder / "library", **changes}
        return Order(**{"exhibit": "A/1", "jobs": 1, "profile": Profile.FULL, **wish})

    def run(self, case: str = "case", **changes: Any) -> list[Event]:
        """Examine; return what happened."""
        with Examination(self.order(case, **changes)) as examination:
            return list(examination.events())

    def rows(self, query: str, case: str = "case") -> list[tuple[Any, ...]]:
        """Return what a query of a case gives."""
        with sqlite3.connect(f"file:{self.folder / case}/case.sqlite?mode=ro", uri=True) as database:
            rows = database.execute(query).fetchall()
        database.close()
        return rows

    def summary(self, case: str = "case") -> dict[str, Any]:
        """Return the summary of the exhibit."""
        with open_case(self.folder / case) as reader:
            return reader.queries.summary("A/1")

    def reasons(self, case: str = "case") -> dict[str, str]:
        """Return the reasons of the recommendation by their codes."""
        return {one["code"]: one["text"] for one in self.summary(case)["recommendation"]["reasons"]}

    def kept(self, case: str = "case") -> dict[str, Any]:
        """Return all that two examinations of the same source must have in common."""
        with open_case(self.folder / case) as reader:
            findings = [{key: row[key] for key in row.keys() - set(VOLATILE)} for row in reader.queries.findings()]
            items = list(reader.queries.items())
        summary = self.summary(case)
        return {
            "items": items,
            "findings": sorted(findings, key=str),
            "troubles": self.rows("SELECT address, code, text FROM trouble ORDER BY 1, 2, 3", case),
            "containers": self.rows("SELECT path, opens, members FROM item WHERE opens ORDER BY path", case),
            "samples": self.rows("SELECT * FROM block_sample", case),
            "indications": self.rows("SELECT * FROM indication", case),
            **{key: summary[key] for key in ("state", "ended_by", "coverage", "recommendation")},
        }
