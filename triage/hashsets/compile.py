"""From published files, or from records made of files at hand, to a sealed set in the library."""

import io
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from triage.hashsets.categories import NO_CATEGORIES, NO_MAP, map_of_region
from triage.hashsets.columns import ColumnBuilder
from triage.hashsets.formats import AUTO, FORMATS, READERS
from triage.hashsets.formats.decoding import is_binary
from triage.hashsets.formats.reader import HEAD_BYTES, Reader
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.library import Library, set_name
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetHeader, SetMeta, content_digest, open_sealed, read_header, write_sealed
from triage.model.errors import SourceError, StoreError, UsageError
from triage.model.finding import SetIdentity, SetKind
from triage.model.item import printable

Progress = Callable[[int, int], None]

_BUFFER = 1 << 20
_ARCHIVES = ((b"PK\x03\x04", "a zip archive"), (b"\x1f\x8b", "a gzip file"), (b"7z\xbc\xaf\x27\x1c", "a 7z archive"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSummary:
    """What was made: the set, where it lies, the account of every file, and the set whose place it took.

    `duplicates` are records that said what another one says. `unchanged`: the same set was there already and stays.
    """

    header: SetHeader
    path: Path
    reports: tuple[ReadReport, ...] = ()
    empty_files: int = 0
    duplicates: int = 0
    replaced: SetIdentity | None = None
    unchanged: bool = False


def import_set(
    files: Sequence[Path],
    *,
    name: str,
    version: str,
    date: str,
    library: Library,
    kind: SetKind | None = None,
    origin: str = "",
    format: str = AUTO,  # noqa: A002 - the word of the command line
    replacing: bool = False,
    progress: Progress | None = None,
) -> ImportSummary:
    """Compile published files into one set; `progress` gets (bytes read, bytes in all), every MiB.

    Raises SourceError for a file that is no hash set or holds no usable row, UsageError where `kind` must be given
    because the files have no categories, and as `compile_records`, StoreError where the library cannot be written.
    Nothing is left behind.
    """
    library.path_of(name)
    sources = [_source(path, format) for path in files]
    if not sources:
        raise UsageError("no file to import: name at least one")
    builder = ColumnBuilder()
    reading = _Reading(builder, kind, progress, sum(source.size for source in sources))
    reports = tuple(reading.read(source) for source in sources)
    if not builder.added:
        raise _nothing_usable(reports)
    regions = {report.region for report in reports}
    region = next(iter(regions)) if len(regions) == 1 else None
    meta = SetMeta(
        name=set_name(name), version=version, kind=_kind(kind, reading, name), date=date, origin=origin,
        region=region, category_map=_map_name(region, has_categories=reading.has_categories),
    )  # fmt: skip
    return replace(_seal(builder, meta, library, replacing=replacing), reports=reports)


def compile_records(
    records: Iterable[Record], meta: SetMeta, library: Library, *, replacing: bool = False
) -> ImportSummary:
    """Compile records at hand into one set; raises SourceError where none is usable, StoreError as `import_set`.

    Raises UsageError where a set of that name and version holds something else, unless it may be replaced: a version
    that findings cite must not change under them.
    """
    library.path_of(meta.name)
    builder = ColumnBuilder()
    empty_files = 0
    has_categories = False
    for record in records:
        if record.is_empty_file:
            empty_files += 1
        elif any(record[:5]):
            builder.add(record)
            has_categories |= record.category is not None
    if not builder.added:
        raise SourceError(f"{meta.name}: no file with content to make a hash set of: choose another folder")
    settled = replace(
        meta, name=set_name(meta.name), category_map=meta.category_map if has_categories else NO_CATEGORIES
    )
    return replace(_seal(builder, settled, library, replacing=replacing), empty_files=empty_files)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    path: Path
    size: int
    reader: Reader


class _Reading:
    """The reading of several files into one builder, with the progress of all."""

    def __init__(self, builder: ColumnBuilder, kind: SetKind | None, progress: Progress | None, total: int) -> None:
        self.has_categories = False
        self._builder = builder
        self._kind = kind
        self._progress = progress
        self._done = 0
        self._total = total

    def read(self, source: _Source) -> ReadReport:
        report = ReadReport(printable(str(source.path)), reader=source.reader.name, unit=source.reader.unit)
        try:
            with io.BufferedReader(_Watched(source.path, self._advance), _BUFFER) as stream:
                self._take(source.reader, stream, report)
        except OSError as error:
            raise _unreadable(source.path, error) from error
        return report

    def _take(self, reader: Reader, stream: BinaryIO, report: ReadReport) -> None:
        add = self._builder.add
        kind = self._kind or SetKind.NOTABLE
        for record in reader.read(stream, report):
            if record.category is not None:
                self.has_categories = True
                meaning = map_of_region(report.region)
                reason = None if meaning is None else meaning.exclusion(record.category, kind)
                if reason is not None:
                    report.skip(reason)
                    continue
            add(record)

    def _advance(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(min(self._done, self._total), self._total)


class _Watched(io.FileIO):
    """A file that tells how many bytes were read of it."""

    def __init__(self, path: Path, on_read: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self._on_read = on_read

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        count = super().readinto(buffer) or 0
        self._on_read(count)
        return count


def _source(path: Path, wanted: str) -> _Source:
    """Return a file with its reader; raises SourceError where it is none that any reader knows."""
    try:
        # Not to wait for ever on a pipe: it opens at once, and is refused.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise SourceError(f"{printable(str(path))}: not a file: name a published hash set")
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise _unreadable(path, error) from error
    return _Source(path=path, size=status.st_size, reader=_reader(path, head, wanted))


def _reader(path: Path, head: bytes, wanted: str) -> Reader:
    if wanted not in FORMATS:
        raise UsageError(f"{wanted!r} is no format of hash sets: choose one of {', '.join(FORMATS)}")
    _refuse_binary(path, head)
    for reader in READERS:
        if reader.name == wanted or (wanted == AUTO and reader.recognise(head)):
            return reader
    known = ", ".join(reader.name for reader in READERS)
    raise SourceError(f"{printable(str(path))}: not a hash set of a known format ({known}): check the file")


def _refuse_binary(path: Path, head: bytes) -> None:
    shown = printable(str(path))
    if not head.strip():
        raise SourceError(f"{shown}: the file is empty, so the set has no usable row: get it again from its publisher")
    for magic, what in _ARCHIVES:
        if head.startswith(magic):
            raise SourceError(f"{shown}: {what}, not a hash set: unpack it first")
    if is_binary(head):
        raise SourceError(f"{shown}: a binary file, not a hash set of a known format: check the file")


def _kind(kind: SetKind | None, reading: _Reading, name: str) -> SetKind:
    if kind is not None:
        return kind
    if not reading.has_categories:
        raise UsageError(f"{name}: the files have no categories, so what a match means must be said: "
                         "give --kind notable or --kind known")  # fmt: skip
    return SetKind.NOTABLE


def _map_name(region: str | None, *, has_categories: bool) -> str:
    if not has_categories:
        return NO_CATEGORIES
    meaning = map_of_region(region)
    return NO_MAP if meaning is None else meaning.name


def _seal(builder: ColumnBuilder, meta: SetMeta, library: Library, *, replacing: bool) -> ImportSummary:
    path = library.path_of(meta.name)
    present = _present(path)
    columns = builder.build()
    if present is not None and present.meta.version == meta.version:
        if present.content == content_digest(columns) and _same(present.meta, meta):
            duplicates = builder.added - present.counts["records"]
            return ImportSummary(header=present, path=path, duplicates=duplicates, unchanged=True)
        if not replacing:
            raise UsageError(
                f"{meta.name}: version {meta.version} is in the library with other members or of another kind: "
                "give another --set-version, or --replace"
            )
    library.add(meta.name, lambda file: write_sealed(file, meta, columns))
    header = read_header(path)
    return ImportSummary(
        header=header,
        path=path,
        duplicates=builder.added - header.counts["records"],
        replaced=None if present is None else present.identity,
    )


def _present(path: Path) -> SetHeader | None:
    """Return the set that is there already, None where there is none that can be used."""
    try:
        return open_sealed(path).header
    except StoreError:
        return None


def _same(one: SetMeta, other: SetMeta) -> bool:
    """Tell whether two sets of the same members are the same, whenever and from whichever file they were made."""
    return replace(one, date=other.date, origin=other.origin) == other


def _nothing_usable(reports: Sequence[ReadReport]) -> SourceError:
    rows = sum(report.rows for report in reports)
    reasons = {reason for report in reports for reason in report.skipped}
    why = f" ({'; '.join(sorted(reasons))})" if reasons else ""
    files = ", ".join(report.file for report in reports)
    return SourceError(f"{files}: the set has no usable row, of {rows} read{why}: check the file and its format")


def _unreadable(path: Path, error: OSError) -> SourceError:
    return SourceError(f"{printable(str(path))}: cannot be read: {error.strerror or error}: check the path")
