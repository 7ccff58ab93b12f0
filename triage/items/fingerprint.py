"""The fingerprint of a source: what tells one from another of the same kind, name and size."""

import hashlib

from triage.model.runs import ByteRun
from triage.sources.folder import FolderSource
from triage.sources.source import EvidenceSource

_ENDS = 1 << 20
_PIECE = 4096
_PIECES = 32


def fingerprint(source: EvidenceSource) -> str:
    """Return a hexadecimal SHA-256 over samples of a source, always from the same places; no file is examined by that.

    Of a disk: the first and the last MiB, where tables and superblocks lie, and 32 pieces of 4 KiB between them. Of a
    folder: its listing with sizes and modification times.
    """
    digest = hashlib.sha256()
    if isinstance(source, FolderSource):
        for entry in source.entries:
            facts = (entry.path, entry.kind.value, entry.size, entry.times.modified)
            digest.update(repr(facts).encode("utf-8", "surrogateescape") + b"\n")
    else:
        for run in _samples(source.info.size):
            digest.update(source.read_at(run.offset, run.length))
    return digest.hexdigest()


def _samples(size: int) -> list[ByteRun]:
    if size <= 2 * _ENDS:
        return [ByteRun(0, size)]
    step = (size - 2 * _ENDS) // _PIECES
    middle = [ByteRun(_ENDS + number * step, min(_PIECE, step)) for number in range(_PIECES)]
    return [ByteRun(0, _ENDS), *middle, ByteRun(size - _ENDS, _ENDS)]
