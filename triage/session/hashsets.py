"""Hash sets made, imported and asked: the library as a person uses it."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from triage.content.content import Content
from triage.content.digesting import digest
from triage.content.mediatype import media_type
from triage.content.picture import PICTURE_TYPES, hash_picture
from triage.engine.examining import Examiner
from triage.engine.plan import Limits
from triage.hashsets.compile import ImportSummary, compile_records, import_set
from triage.hashsets.library import Library, Listing
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.items.evidence import Evidence
from triage.model.digest import Digests, PictureHashes
from triage.model.errors import SourceError, UsageError
from triage.model.finding import Match, SetKind
from triage.model.item import Item, ItemKind, Outcome
from triage.model.result import ItemResult
from triage.session.host import library_folder, now
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource

Progress = Callable[[int, int], None]

_DIGESTS = frozenset({"md5", "sha1", "sha256"})
_BY_LENGTH = {32: "md5", 40: "sha1", 64: "sha256"}
_PHASH_DIGITS = 16
_VERIFIED_BELOW = 1 << 30  # bytes, which take a second or two


def build(
    folder: Path,
    *,
    name: str,
    version: str,
    kind: SetKind,
    library: Path | None,
    replacing: bool = False,
    progress: Progress | None = None,
) -> ImportSummary:
    """Compile a set from the files in a folder: digests, sizes, and perceptual hashes of pictures.

    Raises SourceError when the folder cannot be read, or a file in it: a set must not lack a member in silence. Raises
    UsageError where it would change a version that is there, unless `replacing`.
    """
    if not stat.S_ISDIR(_mode(folder) or 0):
        raise SourceError(f"{folder} is not a folder; name the folder that holds the files")
    evidence = Evidence(WatchedSource(open_source(folder)))
    try:
        meta = SetMeta(name=name, version=version, kind=kind, date=now(), origin=f"files in {folder.name}")
        records = _records(evidence, progress)
        return compile_records(records, meta, Library(library_folder(library)), replacing=replacing)
    finally:
        evidence.source.close()


def import_published(
    files: list[Path],
    *,
    name: str,
    version: str,
    form: str,
    kind: SetKind | None,
    library: Path | None,
    replacing: bool = False,
    progress: Progress | None = None,
) -> ImportSummary:
    """Compile published files into one set; see `import_set` for what it refuses."""
    return import_set(
        files,
        name=name,
        version=version,
        date=now(),
        library=Library(library_folder(library)),
        kind=kind,
        origin=", ".join(file.name for file in files),
        format=form,
        replacing=replacing,
        progress=progress,
    )


def listing(library: Path | None) -> tuple[Listing, ...]:
    """Return every set of the library, with the problem of those that cannot be used; a small one is verified."""
    opened = Library(library_folder(library))
    return opened.sets(verify=opened.size() < _VERIFIED_BELOW)


def missing(library: Path | None) -> Path | None:
    """Return the folder of the library if somebody named it and it is not there, else None."""
    folder = library_folder(library)
    named = library is not None or "DIGIVAN_HOME" in os.environ
    try:
        folder.stat()
    except FileNotFoundError:
        return folder if named else None
    except OSError:
        return None  # whoever opens it tells why
    return None


def nothing_to_find(library: Path | None) -> str | None:
    """Return a warning if no notable set is in the library, else None. Raises StoreError as `listing`."""
    folder = library_folder(library)
    if any(entry.header and entry.header.meta.kind is SetKind.NOTABLE for entry in Library(folder).sets()):
        return None
    return f"no notable hash set in {folder}: nothing can match; import or build one first, or name another --library"


def lookup(text: str, library: Path | None) -> tuple[Match, ...]:
    """Look one hash up in every set: a file's digests and perceptual hashes, or hexadecimal digits.

    32, 40 and 64 digits are MD5, SHA-1 and SHA-256; 64 are tried as PDQ too; 16 are a 64-bit pHash. Raises UsageError
    for what is neither a file nor a hash.
    """
    digests, pictures = _hashes_of(text)
    sets = Library(library_folder(library)).open_all()
    return tuple(match for opened in sets for match in opened.match(digests, pictures))


def _mode(path: Path) -> int | None:
    """Return what a path leads to, None for nothing. Raises SourceError where that cannot be told."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}; check the path and who may read it") from error


def _hashes_of(text: str) -> tuple[Digests, PictureHashes | None]:
    path = Path(text)
    if stat.S_ISREG(_mode(path) or 0):
        return _hashes_of_file(path)
    digits = text.lower()
    if not digits or set(digits) - set("0123456789abcdef"):
        raise UsageError(f"{text} is neither a file nor a hexadecimal hash; give one of them")
    if len(digits) == _PHASH_DIGITS:
        return Digests(), PictureHashes(phash=digits)
    algorithm = _BY_LENGTH.get(len(digits))
    if algorithm is None:
        raise UsageError(f"{text} has {len(digits)} digits; 16, 32, 40 or 64 are known")
    pictures = PictureHashes(pdq=digits) if algorithm == "sha256" else None
    return Digests(**{algorithm: digits}), pictures


def _hashes_of_file(path: Path) -> tuple[Digests, PictureHashes | None]:
    try:
        with path.open("rb") as file:
            content = Content(lambda offset, length: os.pread(file.fileno(), length, offset), path.stat().st_size)
            kind = media_type(content.head())
            pictures = hash_picture(content, kind) if kind in PICTURE_TYPES else None
            return digest(content), pictures
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}; check its permissions") from error


def _records(evidence: Evidence, progress: Progress | None) -> Iterator[Record]:
    info = evidence.source.info
    if info.troubles:
        raise SourceError(f"{info.troubles[0]}; correct that and build again")
    whole, done = info.size, 0
    for item, result in _results(evidence):
        if result.outcome not in {Outcome.EXAMINED, Outcome.ENCRYPTED}:
            raise SourceError(f"{item.path} cannot be read: {result.reason}; correct that and build again")
        done += item.size
        if progress is not None:
            progress(done, whole)
        pictures = result.pictures or PictureHashes()
        trusted = not pictures.declined
        yield Record(
            md5=_raw(result.digests.md5),
            sha1=_raw(result.digests.sha1),
            sha256=_raw(result.digests.sha256),
            pdq=_raw(pictures.pdq) if trusted else None,
            phash=_raw(pictures.phash) if trusted else None,
            size=item.size,
        )


def _results(evidence: Evidence) -> Iterator[tuple[Item, ItemResult]]:
    examiner = Examiner(evidence, (), _DIGESTS, pictures=True, limits=Limits())
    (region,) = evidence.survey().regions
    for number, entry in enumerate(evidence.walk(region)):
        if isinstance(entry, Item) and entry.kind is ItemKind.FILE:
            yield entry, examiner.examine(number, entry, region.run)


def _raw(digits: str | None) -> bytes | None:
    return None if digits is None else bytes.fromhex(digits)
