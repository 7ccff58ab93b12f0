"""Published files imported: each read by the reader that knows it, its records judged, all compiled into one set."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.batch import Batch
from triage.hashsets.categories import NO_CATEGORIES, NO_MAP, CategoryMap, CategoryMaps
from triage.hashsets.compile import Destination, ImportSummary, Meter, Progress, SetCompilation, compiling
from triage.hashsets.formats import AUTO, FORMATS, READERS
from triage.hashsets.formats.reader import Published, Reader
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.naming import set_name
from triage.hashsets.sealed import SetMeta
from triage.model.errors import SourceError, UsageError
from triage.model.finding import SetKind

_TOLD = 10  # unknown codes that are named
_ARCHIVES = ((b"PK\x03\x04", "a zip archive"), (b"\x1f\x8b", "a gzip file"), (b"7z\xbc\xaf\x27\x1c", "a 7z archive"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """What a person says of the files to import: see `SetMeta`. `kind` may be None where the files have categories.

    `categories` is a file with the meaning of the category codes (`categories.py`), for all of the files.
    """

    name: str
    version: str
    date: str
    kind: SetKind | None = None
    origin: str = ""
    published: str | None = None
    phash_radius: int = 8
    form: str = AUTO
    categories: Path | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """Records as they were read, and which of them have no place in the set."""

    batch: Batch
    excluded: NDArray[np.bool_]

    @property
    def members(self) -> Batch:
        """Those that have a place."""
        return self.batch.kept(~self.excluded)


def import_set(
    files: Sequence[Path],
    order: ImportOrder,
    destination: Destination,
    *,
    progress: Progress = lambda _step, _done, _whole: None,
) -> ImportSummary:
    """Compile published files into one set.

    Raises SourceError for a file that is no hash set or holds no usable row, UsageError where `kind` must be given
    because the files have no categories, and as `compile_records`, StoreError where the library cannot be written.
    Nothing is left behind.
    """
    with compiling(order.name, order.version, destination, progress) as compilation:
        maps = CategoryMaps.load(destination.library.folder, named=order.categories)
        reading = Reading(files, order, maps, progress)
        for judged in reading.batches():
            compilation.add(judged.members)
        return finish(compilation, reading, reading.meta())


def finish(compilation: SetCompilation, reading: "Reading", meta: SetMeta) -> ImportSummary:
    """Seal what was read; raises SourceError where that is nothing."""
    if not compilation.added:
        raise reading.nothing_usable()
    return replace(compilation.seal(meta), reports=reading.reports)


class Reading:
    """The reading of several files into one set: which reader for which file, and what their categories mean.

    `base` is what is said of the set that the files are a delta of: what they do not tell is taken from there.
    """

    def __init__(
        self,
        files: Sequence[Path],
        order: ImportOrder,
        maps: CategoryMaps,
        progress: Progress,
        base: SetMeta | None = None,
    ) -> None:
        self._order = order
        self._maps = maps
        self._base = base
        self._reports: list[ReadReport] = []
        self._meanings: dict[str, CategoryMap | None] = {}  # by the name of the map, or the region that has none
        self._categories: Counter[str | None] = Counter()
        self._sources = _sources(files, order.form, progress)
        if order.kind is None and not all(reader.categorised for _, reader in self._sources):
            raise _kind_missing(order.name)  # before hours of reading, not after them
        self._kind = order.kind or SetKind.NOTABLE

    @property
    def reports(self) -> tuple[ReadReport, ...]:
        """The account of every file."""
        return tuple(self._reports)

    def batches(self) -> Iterator[Judged]:
        """Yield the records of all files; raises UsageError where their categories cannot mean one thing."""
        for published, reader in self._sources:
            report = ReadReport(published.shown, reader=reader.name, unit=reader.unit)
            self._reports.append(report)
            for batch in reader.read(published, report):
                yield self._judged(batch, report)

    def meta(self) -> SetMeta:
        """Return what is to be said of the set, when all is read. Raises UsageError where `kind` must be given."""
        order, coded = self._order, self._categories.total() - self._categories[None]
        if order.kind is None and 2 * coded < self._categories.total():
            raise _kind_missing(order.name)
        self._note_categories()
        regions = {report.region for report in self._reports}
        region = next(iter(regions)) if len(regions) == 1 else None
        name = self._map_name(coded=bool(coded))
        if self._base is not None and region is None:
            region = self._base.region
        return SetMeta(
            name=set_name(order.name),
            version=order.version,
            kind=self._kind,
            date=order.date,
            origin=order.origin,
            published=order.published,
            region=region,
            phash_radius=order.phash_radius,
            category_map=name,
        )

    def nothing_usable(self) -> SourceError:
        """Return the error for files without a usable row."""
        rows = sum(report.rows for report in self._reports)
        reasons = {reason for report in self._reports for reason in report.skipped}
        why = f" ({'; '.join(sorted(reasons))})" if reasons else ""
        files = ", ".join(report.file for report in self._reports)
        return SourceError(f"{files}: the set has no usable row, of {rows} read{why}: check the file and its format")

    def _judged(self, batch: Batch, report: ReadReport) -> Judged:
        """Part what has a place in a set of this kind from the rest, which is counted as skipped."""
        counts = np.bincount(batch.label, minlength=len(batch.labels)).tolist()
        for label, count in zip(batch.labels, counts, strict=True):
            self._categories[label.category] += count
        meaning = self._meaning(batch, report)
        out = np.zeros(len(batch), np.bool_)
        for number, label in enumerate(batch.labels):
            reason = None if meaning is None else meaning.exclusion(label.category, self._kind)
            if reason is not None:
                rows = batch.label == number
                report.skip_rows(reason, batch.place[rows].tolist())
                out |= rows
        return Judged(batch, out)

    def _meaning(self, batch: Batch, report: ReadReport) -> CategoryMap | None:
        """Return what the categories of a file mean; raises UsageError where other files' mean something else."""
        meaning = self._maps.named or self._maps.of_region(report.region)
        if meaning is None and report.region is None and self._base is not None:
            meaning = self._maps.of_name(self._base.category_map)
        if any(label.category is not None for label in batch.labels):
            self._meanings[f"those of region {report.region}" if meaning is None else meaning.name] = meaning
            if len(self._meanings) > 1:
                names = ", ".join(sorted(self._meanings))
                raise UsageError(
                    f"{report.file}: its categories are not those of the other files ({names}): "
                    "import them as sets of their own, or give --categories for all"
                )
            self._require_base(meaning, report)
        return meaning

    def _require_base(self, meaning: CategoryMap | None, report: ReadReport) -> None:
        if self._base is None or self._base.category_map == NO_CATEGORIES:
            return
        name = NO_MAP if meaning is None else meaning.name
        if name != self._base.category_map or (meaning is None and report.region != self._base.region):
            raise UsageError(
                f"{report.file}: its categories are {name} (region {report.region}), those of the set "
                f"{self._base.category_map} (region {self._base.region}): give --categories, or the whole set"
            )

    def _map_name(self, *, coded: bool) -> str:
        if coded:
            meaning = next(iter(self._meanings.values()))
            return NO_MAP if meaning is None else meaning.name
        return NO_CATEGORIES if self._base is None else self._base.category_map

    def _note_categories(self) -> None:
        """Tell of records without a category among others, and of codes that no table knows."""
        report = self._reports[-1]
        if len(self._categories) > 1 and self._categories[None]:
            report.note(f"{self._categories[None]:,} records have no category")
        meanings = [meaning for meaning in self._meanings.values() if meaning is not None]
        for meaning in meanings:
            unknown = sorted(code for code in self._categories if code is not None and code not in meaning.names)
            for code in unknown[:_TOLD]:
                count = self._categories[code]
                report.note(f"{count:,} records have the category {code!r}, which {meaning.name} does not know")
            if len(unknown) > _TOLD:
                report.note(f"{len(unknown) - _TOLD:,} more categories are not known to {meaning.name}")


def _sources(files: Sequence[Path], form: str, progress: Progress) -> list[tuple[Published, Reader]]:
    """Return every file with its reader; raises SourceError where one is none that any reader knows."""
    if not files:
        raise UsageError("no file to import: name at least one")
    if form not in FORMATS:
        raise UsageError(f"{form!r} is no format of hash sets: choose one of {', '.join(FORMATS)}")
    meter = Meter("reading", progress, 0)
    sources = [Published(path, meter.advance) for path in files]
    meter.whole = sum(source.size for source in sources)
    return [(source, _reader(source, form)) for source in sources]


def _reader(published: Published, wanted: str) -> Reader:
    readers = [reader for reader in READERS if wanted in {AUTO, reader.name}]
    if not published.head.strip(b" \t\r\n"):
        raise SourceError(
            f"{published.shown}: the file is empty, so the set has no usable row: get it again from its publisher"
        )
    for reader in readers:
        if (reader.binary or not published.is_binary) and (wanted != AUTO or reader.recognise(published)):
            return reader
    raise _unknown(published)


def _unknown(published: Published) -> SourceError:
    for magic, what in _ARCHIVES:
        if published.head.startswith(magic):
            return SourceError(f"{published.shown}: {what}, not a hash set: unpack it first")
    if published.is_binary:
        return SourceError(
            f"{published.shown}: a binary file, not a hash set of a known or of the named format: check the file"
        )
    known = ", ".join(reader.name for reader in READERS)
    return SourceError(f"{published.shown}: not a hash set of a known format ({known}): check the file")


def _kind_missing(name: str) -> UsageError:
    return UsageError(
        f"{name}: the files do not tell by categories what a match means, so it must be said: "
        "give --kind notable or --kind known"
    )
