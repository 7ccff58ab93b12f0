"""zstd, which is in the standard library from Python 3.14 on and in its backport before."""

import sys

from triage.model.errors import EvidenceError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def decompress(stored: bytes, size: int) -> bytes:
    """Return the first `size` bytes of one zstd frame; what follows the frame is ignored.

    Raises EvidenceError when the frame is damaged.
    """
    try:
        return zstd.ZstdDecompressor().decompress(stored, size)
    except zstd.ZstdError as error:
        raise EvidenceError(f"a zstd frame is damaged: {error}") from error
