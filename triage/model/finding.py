"""Findings: where an item matched a hash set, and how."""

from dataclasses import dataclass

from triage.model.address import Address
from triage.model.code import Code


class SetKind(Code):
    """What membership in a set means."""

    NOTABLE = "notable"
    KNOWN = "known"


class MatchBy(Code):
    """Which hash matched; the values are part of the command-line contract."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    PDQ = "pdq"
    PHASH = "phash"
    BLOCK = "block"


EXACT = frozenset({MatchBy.MD5, MatchBy.SHA1, MatchBy.SHA256})


@dataclass(frozen=True, slots=True, kw_only=True)
class SetIdentity:
    """Which set, which version, and the digest of its sealed content (hexadecimal SHA-256)."""

    name: str
    version: str
    digest: str
    kind: SetKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One member of one set that a hash came near to; `distance` in bits, 0 for a digest.

    `category`, `grade`, `series` and `flags` (such as `victim-identified`) are what the publisher says of the member.
    """

    set: SetIdentity
    by: MatchBy
    distance: int
    category: str | None = None
    grade: str | None = None
    series: str | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A match in a notable set, tied to an item and to the analyzer that made it.

    A digest match is a match; a perceptual one is a candidate until a person confirms (True) or rejects (False) it.
    """

    address: Address
    match: Match
    analyzer: str
    analyzer_version: str
    confirmed: bool | None = None
