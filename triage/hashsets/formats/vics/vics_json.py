"""VICS JSON, the exchange format of Project VIC and CAID: 1.1 to 1.3 and 2.0, every region, hash sets and case files.

Source of the facts: public readers and writers of the format. The envelope's first member is `odata.metadata` (1.x)
or `@odata.context` (2.0, with a region in its path); then `value`, an array of Media records, or of case objects that
hold them under `Media`. Publishers differ in the type of nearly every member, so each is read as whatever it is.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from triage.hashsets.batch import BATCH_ROWS, Batch
from triage.hashsets.formats.decoding import encoding_of, head_text
from triage.hashsets.formats.reader import Published, Reader
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.vics.columns import batch_of_media
from triage.hashsets.formats.vics.json_stream import CHUNK_BYTES, JsonStream, Several
from triage.hashsets.formats.vics.media import MEMBERS, Media, decode_several, media_of, pass_over

_CONTEXTS = frozenset({"odata.metadata", "@odata.context"})
_REGION = re.compile(r"/DataModels/2\.[0-9]+\.xml/([^/]+)/\$metadata", re.IGNORECASE)
_VERSION_1 = re.compile(r"/DataModels/1\.[0-9]+\.xml", re.IGNORECASE)
_CONTAINERS = frozenset({"value", "Cases", "Media"})
_MARKS = frozenset({"MD5", "SHA1", "PhotoDNA", "MediaID", "AlternativeHashes", "MediaFiles"})
_DEPTH = 6  # of containers and of the objects around them

# A publisher's 1.x file names no region: the regions came with 2.0, and 1.x had one list of categories.
_REGION_OF_1 = "Default"

Run = Sequence[Media]


def _recognise(published: Published) -> bool:
    return head_text(published.head).lstrip("\ufeff \t\r\n").startswith(("{", "["))


def read_vics(published: Published, report: ReadReport, *, chunk: int = CHUNK_BYTES) -> Iterator[Batch]:
    """Yield the batches; `report.region` is known before the first, so that its categories can be judged.

    `chunk` is how many bytes are read at a time.
    """
    pending: list[Media] = []
    first = 1
    for run in _runs(published, report, chunk, decode_several):
        pending += run
        while len(pending) >= BATCH_ROWS:
            yield from _settled(pending[:BATCH_ROWS], first, report)
            first += BATCH_ROWS
            del pending[:BATCH_ROWS]
    if pending:
        yield from _settled(pending, first, report)


def _settled(several: Run, first: int, report: ReadReport) -> Iterator[Batch]:
    taken = report.place
    batch = batch_of_media(several, first, report)
    report.place = taken
    if len(batch):
        yield batch


def _runs(
    published: Published, report: ReadReport, chunk: int, several: Several, *, ahead: bool = True
) -> Iterator[Run]:
    """Yield the Media records of a file, counted; `ahead`: look for a region that is named behind them."""
    try:
        with published.open() as stream:
            source = JsonStream(stream, encoding_of(published.head), report, chunk=chunk)
            walk = _Walk(source, report, several)
            for run in walk.runs():
                if ahead and not report.rows and walk.lacks_context:
                    report.region = _late_region(published, report, chunk)
                report.rows += len(run)
                report.place += len(run)
                yield run
    except OSError as error:
        raise published.unreadable(error) from error


def _late_region(published: Published, report: ReadReport, chunk: int) -> str | None:
    """Return the region that the rest of the file names, from a reading of the whole for it alone."""
    seen = ReadReport(report.file, unit=report.unit)
    for _ in _runs(published, seen, chunk, pass_over, ahead=False):
        pass
    return seen.region


class _Walk:
    """The way from the envelope down to the Media records."""

    def __init__(self, source: JsonStream, report: ReadReport, several: Several) -> None:
        self.lacks_context = True
        self._source = source
        self._report = report
        self._several = several

    def runs(self) -> Iterator[Run]:
        """Yield the Media records of the file; raises SourceError where it is not one JSON text."""
        if not self._source.peek():
            raise self._report.refuse("an empty file", "get it again from its publisher")
        yield from self._values(0)
        if self._source.peek():
            raise self._report.refuse(
                "more text after the end of the JSON", "import each JSON text as a file of its own"
            )

    def _values(self, depth: int) -> Iterator[Run]:
        """Yield the Media records of the value that comes next, an object or an array of them."""
        if not self._source.take_if("["):
            yield from self._value(depth)
        elif not self._source.take_if("]"):
            yield from self._array(depth)

    def _array(self, depth: int) -> Iterator[Run]:
        """Yield the elements: walked one by one until one is a Media record, then taken whole."""
        while True:
            is_media = yield from self._value(depth)
            if not self._source.more("]"):
                return
            if is_media:
                break
        for run, is_decoded in self._source.rest(self._several):
            yield run if is_decoded else [media_of(value) for element in run for value in _nested(element)]

    def _value(self, depth: int) -> Generator[Run, None, bool]:
        """Yield the Media records in a value that is no array, and itself if it is one. Returns whether it is."""
        if self._source.peek() != "{":
            yield [media_of(self._source.value())]
            return False
        members = yield from self._object(depth)
        is_media = not _MARKS.isdisjoint(members)
        if is_media:
            yield [media_of(members)]
        return is_media

    def _object(self, depth: int) -> Generator[Run, None, dict[str, Any]]:
        """Walk an object: yield the records in its containers. Returns the members that a record may have."""
        members: dict[str, Any] = {}
        self._source.take("{")
        more = not self._source.take_if("}")
        while more:
            name = self._source.key()
            start = self._source.peek()
            if start in "[{" and name in _CONTAINERS and depth < _DEPTH:
                yield from self._values(depth + 1)
            elif start == "{" and name not in MEMBERS and depth < _DEPTH and _MARKS.isdisjoint(members):
                yield from self._object(depth + 1)
            else:
                self._take_member(name, depth, members)
            more = self._source.more("}")
        return members

    def _take_member(self, name: str, depth: int, members: dict[str, Any]) -> None:
        value = self._source.value()
        if name in MEMBERS or name in _MARKS:
            members[name] = value
        elif name in _CONTEXTS and depth == 0:
            self._take_context(value)

    def _take_context(self, context: object) -> None:
        region = _region(context)
        if self.lacks_context:
            self.lacks_context = False
            self._report.region = region
        elif region != self._report.region:
            self._report.note("a second region is named; the categories were taken for those of the first")


def _nested(element: Any) -> Iterator[Any]:
    """Yield an element, or what it holds where cases follow Media records."""
    if isinstance(element, dict) and isinstance(element.get("Media"), list):
        yield from element["Media"]
        if _MARKS.isdisjoint(element):
            return
    yield element


def _region(context: object) -> str | None:
    """Return the region that the envelope names, None where it names none."""
    if not isinstance(context, str):
        return None
    if match := _REGION.search(context):
        return match[1]
    return _REGION_OF_1 if _VERSION_1.search(context) else None


VICS = Reader(name="vics", unit="record", recognise=_recognise, read=read_vics, binary=True, categorised=True)
