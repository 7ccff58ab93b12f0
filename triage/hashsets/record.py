"""One member of a hash set, and the values that can never be one."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

DIGEST_BYTES: Mapping[str, int] = MappingProxyType({"md5": 16, "sha1": 20, "sha256": 32})
PDQ_BYTES = 32
PHASH_BYTES = 8

EMPTY_DIGESTS = frozenset(hashlib.new(name).digest() for name in DIGEST_BYTES)


class Record(NamedTuple):
    """One member: raw digests (16, 20, 32 bytes), PDQ (32 bytes), pHash (8 bytes, row-major), size in bytes.

    A named tuple and not a dataclass: an import makes tens of millions of them, and a frozen dataclass takes four
    times as long to make. `category` is the raw code of the publisher, `grade` its trust (indicative, trusted).
    """

    md5: bytes | None = None
    sha1: bytes | None = None
    sha256: bytes | None = None
    pdq: bytes | None = None
    phash: bytes | None = None
    size: int | None = None
    category: str | None = None
    grade: str | None = None
    series: str | None = None

    @property
    def is_empty_file(self) -> bool:
        """Tell whether a digest is that of no bytes at all: published sets hold it, and every device does."""
        return not EMPTY_DIGESTS.isdisjoint(self[:3])
