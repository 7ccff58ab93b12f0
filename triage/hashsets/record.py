"""One member of a hash set, and the values that can never be one."""

import hashlib
from collections.abc import Mapping
from enum import IntFlag
from types import MappingProxyType
from typing import NamedTuple

DIGEST_BYTES: Mapping[str, int] = MappingProxyType({"md5": 16, "sha1": 20, "sha256": 32})
PDQ_BYTES = 32
PHASH_BYTES = 8
HASH_BYTES: Mapping[str, int] = MappingProxyType({**DIGEST_BYTES, "pdq": PDQ_BYTES, "phash": PHASH_BYTES})
"""Every hash that a record can carry, in the order of its fields, with its length."""

HASH_BITS: Mapping[str, int] = MappingProxyType({name: 1 << place for place, name in enumerate(HASH_BYTES)})
"""The bit of each hash where one byte says which hashes a record carries."""

VARIANT = 1 << 7
"""The bit there that marks an altered copy of a member: found like one, counted apart."""

EMPTY_DIGESTS: Mapping[str, bytes] = MappingProxyType({name: hashlib.new(name).digest() for name in DIGEST_BYTES})
"""The digests of no bytes at all: published sets hold them, and so does every device."""


class Flag(IntFlag):
    """What VICS says of a member with yes or no; only a plain yes is a flag."""

    VICTIM_IDENTIFIED = 1
    OFFENDER_IDENTIFIED = 2
    DISTRIBUTED = 4
    SUSPECTED = 8
    SELF_GENERATED = 16
    PRECATEGORIZED = 32


def flag_names(flags: int) -> tuple[str, ...]:
    """Return the names of flags as they are shown: lower case, with hyphens."""
    return tuple((flag.name or "").lower().replace("_", "-") for flag in Flag if flags & flag)


class Label(NamedTuple):
    """What a publisher says of a member beside its hashes.

    `category` is the publisher's raw code, `grade` its trust (indicative, trusted), `flags` a sum of `Flag`.
    """

    category: str | None = None
    grade: str | None = None
    series: str | None = None
    flags: int = 0


class Record(NamedTuple):
    """One member: raw digests (16, 20, 32 bytes), PDQ (32 bytes), pHash (8 bytes, row-major), size in bytes.

    A named tuple and not a dataclass: an import makes tens of millions of them, and a frozen dataclass takes four
    times as long to make. `altered`: made from a member, such as a crop of a picture, and not published by itself.
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
    flags: int = 0
    altered: bool = False

    @property
    def label(self) -> Label:
        """What the publisher says of it."""
        return Label(self.category, self.grade, self.series, self.flags)

    @property
    def is_empty_file(self) -> bool:
        """Tell whether a digest is that of no bytes at all."""
        return any(value == empty for value, empty in zip(self, EMPTY_DIGESTS.values(), strict=False))
