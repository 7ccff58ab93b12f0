"""Digests: cryptographic digests of a content, and perceptual hashes of a picture."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """Lower-case hexadecimal digests of one content; None where the plan did not need one."""

    md5: str | None = None
    sha1: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureHashes:
    """Perceptual hashes of one picture, upright and in its eight turns and mirrors.

    `pdq`: 64 hexadecimal digits (256 bits) of the picture as a person sees it; `quality`: 0 to 100, below 50 is not
    comparable; `phash`: 16 hexadecimal digits (64 bits, row-major) of imagehash's pHash; `pdq_variants`: the eight
    turns and mirrors of the PDQ hash, the upright one first. Where no hash can be trusted the field is None and
    `declined` says why.
    """

    pdq: str | None = None
    quality: int | None = None
    phash: str | None = None
    pdq_variants: tuple[str, ...] = ()
    declined: str | None = None
    damaged: bool = False
