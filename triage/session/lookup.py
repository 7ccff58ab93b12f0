"""Single hashes and files looked up in every set of the library."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from triage.content.content import Content
from triage.content.digesting import digest
from triage.content.mediatype import media_type
from triage.content.picture import PICTURE_TYPES, hash_picture
from triage.model.digest import Digests, PictureHashes
from triage.model.errors import SourceError, UsageError
from triage.model.finding import Match
from triage.session.library import library_at
from triage.session.making import mode_of

_BY_LENGTH = {32: "md5", 40: "sha1", 64: "sha256"}
_PHASH_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Answer:
    """What the library holds of one hash or file; `note` says what a person must know of the question, if anything."""

    matches: tuple[Match, ...]
    note: str | None


def lookup(texts: tuple[str, ...], library: Path | None) -> list[Answer]:
    """Look hashes up in every set: each a file, by its digests and perceptual hashes, or hexadecimal digits.

    32, 40 and 64 digits are MD5, SHA-1 and SHA-256; 64 are tried as PDQ too; 16 are a 64-bit pHash. Raises UsageError
    for what is neither a file nor a hash.
    """
    hashes = [_hashes_of(text) for text in texts]
    sets = library_at(library).open_all()
    return [
        Answer(tuple(match for opened in sets for match in opened.match(digests, pictures)), _note(pictures))
        for digests, pictures in hashes
    ]


def _note(pictures: PictureHashes | None) -> str | None:
    if pictures is not None and pictures.declined:
        return f"not compared by appearance: {pictures.declined}"
    return "decoded only in part, because of damage" if pictures is not None and pictures.damaged else None


def _hashes_of(text: str) -> tuple[Digests, PictureHashes | None]:
    path = Path(text)
    if stat.S_ISREG(mode_of(path) or 0):
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
