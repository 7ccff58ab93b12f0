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
    """Perceptual hashes of one picture: whole and upright for the record, and all that is to be compared.

    `pdq`: 64 hexadecimal digits (256 bits) of the whole picture as a person sees it; `quality`: 0 to 100, below 50 that
    hash is not comparable; `phash`: 16 hexadecimal digits (64 bits, row-major) of imagehash's pHash.

    `pdq_variants`: the eight turns and mirrors of the PDQ hash, the upright one first; where borders were found, the
    eight of the picture inside them; then the negative of each of the two upright ones. `phash_variants`: the turns and
    mirrors likewise. They hold comparable hashes only: the whole picture is missing where it is of low quality and the
    picture inside its borders is not.

    `scale`: the picture was decoded at 1/`scale` of its sides. Its hashes are then close to those of the full decode
    and not equal to them: for each variant `pdq_unknown` and `phash_unknown` (hexadecimal, in the order of the
    variants) have a bit set wherever the hash of the full decode may differ. Both are empty where `scale` is 1.

    Where no hash is to be compared there are no variants and `declined` says why; where there is none at all, its field
    is None.
    """

    pdq: str | None = None
    quality: int | None = None
    phash: str | None = None
    pdq_variants: tuple[str, ...] = ()
    phash_variants: tuple[str, ...] = ()
    declined: str | None = None
    damaged: bool = False
    scale: int = 1
    pdq_unknown: tuple[str, ...] = ()
    phash_unknown: tuple[str, ...] = ()
