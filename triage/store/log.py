"""The log of a case: one JSON object a line, for whoever wants to know how a run went. Nothing reads it back.

Keys: `exhibit`, `at` (seconds since the examination began, over all runs), `event`, and what belongs to the event.
"""

import json
from pathlib import Path

from triage.model.errors import StoreError
from triage.model.event import Event, Finished, Found, Met, Noted, VolumeOpened
from triage.model.item import printable

NAME = "log.jsonl"


class CaseLog:
    """Appends to the log in the folder of a case; one that cannot be written is the store's trouble."""

    def __init__(self, folder: Path, exhibit: str) -> None:
        self._path = folder / NAME
        self._exhibit = exhibit

    def event(self, event: Event, at: float) -> None:
        """Write what is worth keeping of an event: how far a run is, and what it finds where, is in the case itself."""
        match event:
            case Noted():
                self._write(at, event.name, **event.facts)
            case VolumeOpened():
                report = event.report
                held = report.file_system or report.state
                self._write(at, "volume-opened", volume=report.region.run.offset, held=held, text=report.text)
            case Found():
                match = event.finding.match
                self._write(at, "found", address=str(event.item.address), by=match.by.value, set=match.set.name)
            case Met():
                trouble = event.trouble
                self._write(at, "trouble", code=trouble.code.value, address=str(trouble.address), text=trouble.text)
            case Finished():
                self._write(at, "run-ended", by=event.by.value, items=event.items, findings=event.findings)
            case _:
                pass

    def _write(self, at: float, name: str, **facts: str | float) -> None:
        safe = {key: printable(value) if isinstance(value, str) else value for key, value in facts.items()}
        line = json.dumps({"exhibit": self._exhibit, "at": round(at, 3), "event": name, **safe}, ensure_ascii=False)
        try:
            # One write for a line: other examinations of the case append to the same file
            with self._path.open("ab", buffering=0) as file:
                file.write(f"{line}\n".encode())
        except OSError as error:
            raise StoreError(
                f"the log {self._path} cannot be written: {error.strerror}; check the disk that holds the case, "
                "then run again to resume"
            ) from error
