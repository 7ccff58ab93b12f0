"""What the tests of learning share: a folder as evidence, sets of invented contents, and an examiner over both."""

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from images import pictures
from PIL import Image

from triage.content.content import Content
from triage.content.picture import hash_picture
from triage.engine.learning.examining import Examiner
from triage.engine.learning.learner import Learner
from triage.engine.plan import Depth, Limits
from triage.engine.trace import Trace
from triage.hashsets.compile import Destination, compile_records
from triage.hashsets.hashset import HashSet
from triage.hashsets.library import Library
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.items.evidence import Evidence
from triage.model.finding import SetKind
from triage.model.item import Item
from triage.model.result import ItemResult
from triage.session import making
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource


def record(content: bytes, *, sized: bool = True) -> Record:
    return Record(md5=hashlib.md5(content).digest(), size=len(content) if sized else None)


def looks(picture: Image.Image) -> Record:
    """Return the record of a picture of which only the appearance is known."""
    pdq = hash_picture(Content.of(pictures.png(picture)), "image/png").pdq
    assert pdq is not None
    return Record(pdq=bytes.fromhex(pdq))


@dataclass
class Ground:
    """A folder under examination, and the sets it is compared with."""

    folder: Path
    sets: list[HashSet] = field(default_factory=list)

    def know(self, *records: Record, name: str = "notable", kind: SetKind = SetKind.NOTABLE) -> None:
        place = Destination(library=Library(self.folder / "library"))
        compile_records(records, SetMeta(name=name, version="1", kind=kind, date="2026-03-14"), place)
        self.open_sets()

    def know_files(self, folder: Path, name: str) -> None:
        """Make a notable set of the files in a folder, with the frames of videos."""
        meta = SetMeta(name=name, version="1", kind=SetKind.NOTABLE, date="2026-03-14")
        making.build(folder, meta, making.destination(self.folder / "library"), progress=lambda *_: None)
        self.open_sets()

    def open_sets(self) -> None:
        self.sets = list(Library(self.folder / "library").open_all())

    def examiner(self, **depth: bool) -> Examiner:
        source = self.folder / "source"
        source.mkdir(exist_ok=True)
        evidence = Evidence(WatchedSource(open_source(source)))
        given = Depth(digests=("md5", "sha1"), **{"pictures": True, **depth})
        return Examiner(Learner(evidence, self.sets, given, Limits(), lambda _: None, Trace(on=False)))

    def examine(self, files: dict[str, bytes], *, decode: bool = True, **depth: bool) -> dict[str, ItemResult]:
        """Return the results of some files by their names."""
        source = self.folder / "source"
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir()
        for name, data in files.items():
            (source / name).write_bytes(data)
        examiner = self.examiner(**depth)
        evidence = examiner.learner.evidence
        (region,) = evidence.survey().regions
        items = [entry for entry in evidence.walk(region) if isinstance(entry, Item) and entry.has_content]
        results = examiner.examine(list(enumerate(items)), region.run, decode=decode)
        return {items[result.item].path: result for result in results}


def found(results: Iterable[ItemResult]) -> list[tuple[str, str]]:
    """Return the sets and the hashes of findings, in their order."""
    findings = (finding for result in results for finding in result.findings)
    return [(finding.match.set.name, finding.match.by.value) for finding in findings]
