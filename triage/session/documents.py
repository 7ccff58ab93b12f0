"""The documents of an exhibit: which there are, made into a folder, printed; each making is a custody event."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from triage.export.known import Kind, Known, entries
from triage.model.custody import CustodyEvent
from triage.model.decision import Decided
from triage.model.errors import UsageError
from triage.model.item import printable
from triage.model.recommendation import Recommendation
from triage.policy.deciding import limitations
from triage.session.deciding import decisions
from triage.session.examination import open_case
from triage.session.host import lies_on, now, person
from triage.session.intake import arrivals
from triage.store.case import Case, CaseReader, OpenCase

MADE, PRINTED = "document.made", "document.printed"  # the actions of the custody events

_OF_THE_CASE = "case.created"
_OF_DOCUMENTS = frozenset({MADE, PRINTED})
_TITLES = {
    Kind.RECEIPT: "Return receipt",
    Kind.LABEL: "Seizure label",
    Kind.CONTINUITY: "Continuity sheet",
}
_KINDS = {
    Decided.RETURN: (Kind.RECEIPT, Kind.CONTINUITY),
    Decided.SEIZE: (Kind.LABEL, Kind.CONTINUITY),
    Decided.REFER: (Kind.LABEL, Kind.CONTINUITY),
}
_LONGEST_NAME = 80
_ON_ITS_OWN = 'exec "$0" "$1" </dev/null >/dev/null 2>&1 &'  # who looks at a document holds nobody up
_PATIENCE = 60  # seconds for the printer to take a document


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document that can be made now. `name` is that of its file, `title` is for people."""

    name: str
    title: str
    kind: Kind


def documents_for(case: Path, reference: str) -> tuple[Document, ...]:
    """Return what there is for an exhibit as it stands: a receipt or a label by its decision, and a continuity sheet.

    Raises StoreError where the case cannot be read, UsageError for an exhibit that it does not hold.
    """
    with open_case(case) as reader:
        return _documents(_known(reader, reference))


def write(case: Path, reference: str, document: Document, folder: Path) -> Path:
    """Make a document in a folder, which is made where it is new, and record that; return its path.

    The same document that lies there already is left as it is. Raises UsageError where something else does, where the
    folder cannot be written or lies in the evidence, and where the exhibit has changed since `documents_for`.
    """
    from triage.export.making import MAKERS  # noqa: PLC0415 - heavy to load, and a list of documents must come at once

    with open_case(case) as reader:
        _check_place(reader, folder)
        known = _known(reader, reference)
    if document not in _documents(known):
        raise UsageError(f"exhibit {reference} has changed since {document.name} was offered; see what there is now")
    pdf, path = MAKERS[document.kind](known), folder / document.name
    if _is_there(path, pdf):
        return path
    with Case.open(case) as opened, opened.transaction():
        _record(opened, MADE, reference, document.name, pdf)
        _write(path, pdf)
    return path


def print_file(case: Path, reference: str, path: Path) -> None:
    """Send a document that was made to the printer of this machine, and record that.

    Raises UsageError where there is none, where it does not take the document, or where the file cannot be read.
    """
    program = shutil.which("lp")
    if program is None:
        raise UsageError(f"this machine has no printer (no program lp); open {path} and print it elsewhere")
    try:
        pdf = path.read_bytes()
        done = subprocess.run(  # noqa: S603 - the system's own program, and a path
            [program, "--", str(path.absolute())], capture_output=True, check=False, timeout=_PATIENCE
        )
    except OSError as error:
        raise UsageError(f"{path} cannot be printed: {error.strerror}; make it again") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"the printer did not take {path} within {_PATIENCE} s; see to it and print again") from error
    if done.returncode:
        said = printable(os.fsdecode(done.stderr)).strip().partition("\n")[0]
        raise UsageError(f"the printer did not take {path}: {said or 'no reason given'}; see to it and print again")
    with Case.open(case) as opened:
        _record(opened, PRINTED, reference, path.name, pdf)


def open_file(path: Path) -> None:
    """Let the desktop of this machine show a document. Raises UsageError where there is none."""
    has_desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    program = shutil.which("xdg-open") if has_desktop else None
    if program is None:
        raise UsageError(f"this machine has no desktop to show documents on; open {path} elsewhere")
    words = ["/bin/sh", "-c", _ON_ITS_OWN, program, str(path.absolute())]
    subprocess.run(words, check=True, start_new_session=True)  # noqa: S603 - the system's own program, and a path


def _documents(known: Known) -> tuple[Document, ...]:
    said = known.decision
    kinds = (Kind.CONTINUITY,) if said is None else _KINDS[Decided(said["verdict"])]
    beginning = re.sub(r"[^A-Za-z0-9.-]", "_", known.reference).lstrip(".-")[:_LONGEST_NAME]
    return tuple(
        Document(name=f"{beginning}-{kind}-{known.head.sequence}.pdf", title=_TITLES[kind], kind=kind) for kind in kinds
    )


def _known(case: CaseReader, reference: str) -> Known:
    with case.snapshot():
        arrived = arrivals(case, reference)
        record = case.exhibits.get(reference)
        if record is None and not arrived:
            case.exhibits.key(reference)  # refuses it with the list of known ones
        told = entries(_events(case, reference))
        if not told:
            raise UsageError(f"nothing is recorded of the custody of exhibit {reference} yet; record its arrival first")
        decided = None
        if record is not None:
            with closing(decisions(case, reference)) as rows:
                decided = next((row for row in rows if row["superseded_by"] is None), None)
        return Known(
            case=next(case.ledger.events()).digest[:16],
            reference=reference,
            arrival={name: value for name, value in arrived[-1].items() if value} if arrived else {},
            received=arrived[0]["when"] if arrived else None,
            examined=record,
            decision=decided,
            limitations=limitations(Recommendation.from_fields(decided["recommendation"])) if decided else (),
            entries=told,
        )


def _events(case: OpenCase, reference: str) -> Iterator[CustodyEvent]:
    subject = printable(reference)
    for event in case.ledger.events():
        if event.subject == subject and event.action != _OF_THE_CASE and event.action not in _OF_DOCUMENTS:
            yield event


def _check_place(case: CaseReader, folder: Path) -> None:
    """Raise UsageError for a folder within evidence: nothing is ever written there."""
    place = folder.resolve()
    for reference in case.exhibits.references():
        record = case.exhibits.get(reference)
        assert record is not None
        for source in map(Path, record.info.files):
            if place.is_relative_to(source.resolve()) or (source.is_block_device() and lies_on(place, source)):
                raise UsageError(
                    f"{folder} would lie inside the evidence {source}; name another folder", field="folder"
                )


def _is_there(path: Path, pdf: bytes) -> bool:
    """Tell whether this very document lies there. Raises UsageError where something else does."""
    try:
        with path.open("rb") as file:
            same = file.read(len(pdf) + 1) == pdf
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _refused(path, error) from error
    if not same:
        raise UsageError(f"{path} exists already and is something else; name another folder", field="folder")
    return True


def _write(path: Path, pdf: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            try:
                file.write(pdf)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                path.unlink()
                raise
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be written: {error.strerror}; name another folder", field="folder")


def _record(case: Case, action: str, reference: str, name: str, pdf: bytes) -> None:
    facts = {"name": name, "sha256": sha256(pdf).hexdigest()}
    case.ledger.append(when=now(), actor=person(), action=action, subject=reference, payload=facts)
