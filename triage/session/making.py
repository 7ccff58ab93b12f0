"""Hash sets made: built from files at hand, imported from published ones, updated."""

import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from triage.content.blocks import block_digests, telling
from triage.content.content import Content
from triage.content.digesting import digest
from triage.content.mediatype import media_type
from triage.content.picture import PICTURE_TYPES, hash_known_picture
from triage.content.video import hash_known_video
from triage.content.video_type import video_type
from triage.hashsets.blocks import BlockPart, KnownBlocks
from triage.hashsets.compile import Destination, ImportSummary, Progress, compile_records
from triage.hashsets.frames import KnownFrames
from triage.hashsets.importing import ImportOrder, import_set
from triage.hashsets.protection.signing import Signer
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.hashsets.updating import update_set
from triage.items.evidence import Evidence
from triage.model.blocks import BLOCK_BYTES, BLOCK_DIGEST_BYTES
from triage.model.digest import PictureHashes
from triage.model.errors import EvidenceError, SourceError
from triage.model.item import Item, ItemKind, printable
from triage.model.runs import ByteRun
from triage.session.host import now
from triage.session.library import library_at
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource

_NOT_READ = frozenset({ItemKind.LINK, ItemKind.OTHER})
_DIGESTS = frozenset({"md5", "sha1", "sha256"})
_BLOCKS_AT_ONCE = 2048  # 8 MiB


def destination(library: Path | None, *, replacing: bool = False, signer: Signer | None = None) -> Destination:
    """Return where a set is to be put."""
    return Destination(library=library_at(library), replacing=replacing, signer=signer)


def build(
    folder: Path, meta: SetMeta, place: Destination, *, progress: Progress, blocks: bool = True, videos: bool = True
) -> ImportSummary:
    """Compile a set from the files in a folder: digests, sizes, and perceptual hashes of pictures and their crops.

    With `blocks` also the hashes of the files' blocks, by which a device can be sampled whatever its file system is,
    with `videos` those of the frames of videos.

    Raises SourceError when the folder cannot be read, or a file in it: a set must not lack a member in silence. Raises
    UsageError where it would change a version that is there, unless it may be replaced.
    """
    if not stat.S_ISDIR(mode_of(folder) or 0):
        raise SourceError(f"{folder} is not a folder; name the folder that holds the files")
    evidence = Evidence(WatchedSource(open_source(folder)))
    left_out: Counter[str] = Counter()
    try:
        summary = compile_records(
            _records(evidence, progress, left_out, blocks=blocks, videos=videos), meta, place, with_blocks=blocks
        )
        return replace(summary, notes=tuple(f"{count:,} {what}" for what, count in sorted(left_out.items())))
    finally:
        evidence.source.close()


def import_published(files: list[Path], order: ImportOrder, place: Destination, *, progress: Progress) -> ImportSummary:
    """Compile published files into one set; see `import_set` for what it refuses."""
    return import_set(files, order, place, progress=progress)


def update(
    files: list[Path], order: ImportOrder, place: Destination, *, delta: bool, progress: Progress
) -> ImportSummary:
    """Put a newer version into the place of a set; see `update_set`."""
    return update_set(files, order, place, delta=delta, progress=progress)


def made_now(files: list[Path]) -> tuple[str, str]:
    """Return the date of a set that is made now, and the line that tells of its origin."""
    return now(), printable(", ".join(file.name for file in files))


def mode_of(path: Path) -> int | None:
    """Return what a path leads to, None for nothing. Raises SourceError where that cannot be told."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}; check the path and who may read it") from error


def _records(
    evidence: Evidence, progress: Progress, left_out: Counter[str], *, blocks: bool, videos: bool
) -> Iterator[Record | KnownBlocks | KnownFrames]:
    info = evidence.source.info
    if info.troubles:
        raise SourceError(f"{info.troubles[0]}; correct that and build again")
    (region,) = evidence.survey().regions
    done = 0
    for entry in evidence.walk(region):
        if isinstance(entry, Item) and entry.kind in _NOT_READ:
            left_out["links, pipes and devices left out"] += 1
        if isinstance(entry, Item) and entry.kind is ItemKind.FILE:
            yield from _members(evidence, entry, region.run, left_out, blocks=blocks, videos=videos)
            done += entry.size
            progress("reading", done, info.size)


def _members(
    evidence: Evidence, item: Item, volume: ByteRun, left_out: Counter[str], *, blocks: bool, videos: bool
) -> Iterator[Record | KnownBlocks | KnownFrames]:
    """Yield the record of one file, one for each altered copy by which it is found as well, its blocks and its frames.

    Of a picture that is only comparable inside its borders the copies are all that is looked for by appearance.
    """
    try:
        content = evidence.content(item, volume)
        kind = media_type(content.head())
        digests = digest(content, _DIGESTS)
        pictures, copies = hash_known_picture(content, kind) if kind in PICTURE_TYPES else (PictureHashes(), ())
    except EvidenceError as error:
        raise SourceError(f"{item.path} cannot be read: {error}; correct that and build again") from error
    if pictures.declined:
        reason = pictures.declined.partition(":")[0]
        left_out[f"pictures found by their digests only, not by appearance: {reason}"] += 1
    yield Record(
        md5=_raw(digests.md5),
        sha1=_raw(digests.sha1),
        sha256=_raw(digests.sha256),
        pdq=_raw(pictures.pdq) if pictures.pdq in pictures.pdq_variants else None,
        phash=_raw(pictures.phash) if pictures.phash in pictures.phash_variants else None,
        size=item.size,
    )
    for copy in copies:
        yield Record(pdq=copy, altered=True)
    if blocks and content.size and digests.sha256 is not None:
        yield KnownBlocks(bytes.fromhex(digests.sha256), _blocks(item, content))
    if videos and digests.sha256 is not None and video_type(content.head()) is not None:
        yield from _frames(item, content, bytes.fromhex(digests.sha256), left_out)


def _frames(item: Item, content: Content, file: bytes, left_out: Counter[str]) -> Iterator[KnownFrames]:
    """Yield the frames of a video by which it is found, as far as it has some."""
    try:
        video = hash_known_video(content)
    except EvidenceError as error:
        raise SourceError(f"{item.path} cannot be read: {error}; correct that and build again") from error
    if video.declined:
        left_out[f"videos found by their digests only, not by appearance: {video.declined.partition(':')[0]}"] += 1
    elif video.cut or video.damaged:
        left_out[f"videos of which only a part is found by appearance: {'damaged' if video.damaged else 'limit'}"] += 1
    if not video.declined:
        hashes = [bytes.fromhex(value) for frame in video.frames for value in frame.variants]
        times = [frame.milliseconds for frame in video.frames for _ in frame.variants]
        raw = np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), -1)
        yield KnownFrames(file, raw, np.array(times, np.int64))


def _blocks(item: Item, content: Content) -> Iterator[BlockPart]:
    """Yield the blocks of a file. Raises SourceError where it can no longer be read as long as it was."""
    whole = content.size // BLOCK_BYTES
    for start in range(0, whole, _BLOCKS_AT_ONCE):
        count = min(_BLOCKS_AT_ONCE, whole - start)
        try:
            raw = content.read_at(start * BLOCK_BYTES, count * BLOCK_BYTES)
        except EvidenceError as error:
            raise SourceError(f"{item.path} cannot be read: {error}; correct that and build again") from error
        if len(raw) != count * BLOCK_BYTES:
            raise SourceError(f"{item.path} cannot be read: it became shorter meanwhile; build again")
        some = np.frombuffer(raw, np.uint8).reshape(count, BLOCK_BYTES)
        kept = np.flatnonzero(telling(some))
        yield BlockPart(block_digests(some[kept]), start + kept, count - len(kept), 0)
    if content.size % BLOCK_BYTES:
        yield BlockPart(np.empty((0, BLOCK_DIGEST_BYTES), np.uint8), np.empty(0, np.int64), 0, 1)


def _raw(digits: str | None) -> bytes | None:
    return None if digits is None else bytes.fromhex(digits)
