"""A set in the making: from batches of records to a sealed, checked file in the library."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from triage.hashsets.batch import Batch, in_batches
from triage.hashsets.blocks import KnownBlocks
from triage.hashsets.builder import SetBuilder
from triage.hashsets.categories import NO_CATEGORIES
from triage.hashsets.conflicts import Conflict, conflicts_of
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.frames import KnownFrames
from triage.hashsets.library import Library
from triage.hashsets.naming import check_version, set_name
from triage.hashsets.protection.signing import Signer
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetHeader, SetMeta
from triage.hashsets.sealing import put_seal
from triage.model.errors import SourceError, UsageError

Progress = Callable[[str, int, int], None]
"""Told the step (`reading` bytes, `sealing` rows, `checking`), how much is done, and how much there is, 0: unknown."""

_PARTIAL = "set.partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a delta did to the records of the set before: changed, taken away, and to be taken away but not there."""

    changed: int
    removed: int
    unmet: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSummary:
    """What was made: the set, where it lies, the account of every file, and the set whose place it took.

    `notes` are lines of what a person should know besides.
    `duplicates` are records that said what another one says. `unchanged`: the same set was there already and stays.
    `series_dropped`: there were too many different series to keep any. `conflicts` are sets of the other kind that
    hold members of this one.
    """

    header: SetHeader
    path: Path
    reports: tuple[ReadReport, ...] = ()
    empty_files: int = 0
    duplicates: int = 0
    series_dropped: bool = False
    changes: Changes | None = None
    replaced: SetHeader | None = None
    unchanged: bool = False
    conflicts: tuple[Conflict, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a set is put: the library, whether it may take the place of another of its version, whose seal it gets."""

    library: Library
    replacing: bool = False
    signer: Signer | None = None


def compile_records(
    records: Iterable[Record | KnownBlocks | KnownFrames],
    meta: SetMeta,
    destination: Destination,
    *,
    with_blocks: bool = False,
) -> ImportSummary:
    """Compile records at hand into one set; raises SourceError where none is usable, StoreError as `compiling`.

    Blocks and frames of a file, whose record must have its SHA-256, may come before or after it; blocks only
    `with_blocks`.
    Raises UsageError where a set of that name and version holds something else, unless it may be replaced: a version
    that findings cite must not change under them.
    """
    with compiling(meta.name, meta.version, destination, with_blocks=with_blocks) as compilation:
        empty_files = 0

        def usable() -> Iterator[tuple[int, Record]]:
            nonlocal empty_files
            for record in records:
                if isinstance(record, KnownBlocks):
                    compilation.add_blocks(record)
                elif isinstance(record, KnownFrames):
                    compilation.add_frames(record)
                elif record.is_empty_file:
                    empty_files += 1
                elif any(record[:5]):
                    yield 0, record

        has_categories = False
        for batch in in_batches(usable()):
            has_categories |= any(label.category is not None for label in batch.labels)
            compilation.add(batch)
        if not compilation.added:
            raise SourceError(f"{meta.name}: no file with content to make a hash set of: choose another folder")
        category_map = meta.category_map if has_categories else NO_CATEGORIES
        settled = replace(meta, name=set_name(meta.name), category_map=category_map)
        return replace(compilation.seal(settled), empty_files=empty_files)


@contextmanager
def compiling(
    name: str,
    version: str,
    destination: Destination,
    progress: Progress = lambda _step, _done, _whole: None,
    *,
    with_blocks: bool = False,
) -> Iterator["SetCompilation"]:
    """Begin a set of that name; whatever happens, nothing but the finished set is left in the library.

    Raises UsageError where it would need a seal and nobody is there to put one on it, StoreError where the library
    cannot be written.
    """
    destination.library.path_of(name)
    check_version(version)
    trusted, signer = destination.library.trusted.names, destination.signer
    if trusted and (signer is None or signer.public not in trusted):
        raise UsageError(f"{name}: this library trusts sealed sets only: give the --key of a trusted signer")
    before = destination.library.header_of(name)
    with destination.library.workshop() as folder, SetBuilder(folder, with_blocks=with_blocks) as builder:
        yield SetCompilation(destination, folder, builder, progress, before)


class SetCompilation:
    """Takes batches of records; `seal` makes the set of them. `before` is the set in whose place it is to be put."""

    def __init__(
        self,
        destination: Destination,
        folder: Path,
        builder: SetBuilder,
        progress: Progress,
        before: SetHeader | None,
    ) -> None:
        self.before = before
        self._destination = destination
        self._folder = folder
        self._builder = builder
        self._progress = progress

    @property
    def added(self) -> int:
        """Records that were taken."""
        return self._builder.added

    def add(self, batch: Batch) -> None:
        """Take records as they are."""
        self._builder.add(batch)

    def add_blocks(self, blocks: KnownBlocks) -> None:
        """Take the blocks of a file."""
        self._builder.add_blocks(blocks)

    def add_frames(self, frames: KnownFrames) -> None:
        """Take the frames of a video."""
        self._builder.add_frames(frames)

    def seal(self, meta: SetMeta) -> ImportSummary:
        """Write the sealed file, check it, and put it into the library."""
        library, signer = self._destination.library, self._destination.signer
        present = self.before
        made = self._folder / _PARTIAL
        meter = Meter("sealing", self._progress, self._builder.work)
        with made.open("w+b") as file:
            header = self._builder.write(file, meta, meter.advance)
        if signer is not None:
            put_seal(made, signer.seal(bytes.fromhex(header.digest)).to_bytes())
        self._progress("checking", 0, 0)
        summary = ImportSummary(
            header=header,
            path=library.path_of(meta.name),
            duplicates=self._builder.duplicates,
            series_dropped=self._builder.series_dropped,
            replaced=present,
        )
        if present is not None and present.meta.version == meta.version:
            is_same = present.content == header.content and _same(present.meta, meta)
            if is_same and library.is_whole(meta.name):
                if signer is not None:
                    library.seal(meta.name, signer)
                return replace(summary, header=present, replaced=None, unchanged=True)
            if not (is_same or self._destination.replacing):
                raise UsageError(
                    f"{meta.name}: version {meta.version} is in the library with other members or of another kind: "
                    "give another --set-version, or --replace"
                )
        library.put(meta.name, made, self._builder.sample, before=present)
        return replace(summary, conflicts=conflicts_of(meta.name, library))


class Meter:
    """One step of a job, bit by bit."""

    def __init__(self, step: str, progress: Progress, whole: int) -> None:
        self.whole = whole
        self._step = step
        self._done = 0
        self._progress = progress

    def advance(self, count: int) -> None:
        """Say that so much more is done; never more than there is, for what goes on the way is not known before."""
        self._done += count
        self._progress(self._step, min(self._done, self.whole), self.whole)


def _same(one: SetMeta, other: SetMeta) -> bool:
    """Tell whether two sets of the same members are the same, whenever and from whichever file they were made."""
    return replace(one, date=other.date, origin=other.origin) == other
