"""What EXIF (CIPA DC-008) says of a picture that is needed before it is decoded: its orientation and its thumbnail.

EXIF is a TIFF structure: a header, and directories of 12-byte entries. The first directory is of the picture, the one
after it of the thumbnail, which is a JPEG file of its own inside the structure.
"""

from dataclasses import dataclass
from typing import Literal

_ORDERS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
_ORIENTATION, _OFFSET, _LENGTH = 0x0112, 0x0201, 0x0202
_SHORT, _LONG = 3, 4
_ENTRY = 12
_MOST_ENTRIES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Exif:
    """`orientation`: 1 to 8, 1 where there is none; `thumbnail`: offset and length in the TIFF structure."""

    orientation: int
    thumbnail: tuple[int, int] | None


def parse_exif(tiff: bytes) -> Exif | None:
    """Return what the structure says as far as it goes; None where it is none."""
    order = _ORDERS.get(tiff[:4])
    if order is None:
        return None
    values, following = _directory(tiff, int.from_bytes(tiff[4:8], order), order)
    orientation = values.get(_ORIENTATION, 1)
    thumbnail, _ = _directory(tiff, following, order) if following else ({}, 0)
    place = thumbnail.get(_OFFSET, 0), thumbnail.get(_LENGTH, 0)
    return Exif(orientation=orientation if 1 <= orientation <= 8 else 1, thumbnail=place if all(place) else None)  # noqa: PLR2004


def _directory(tiff: bytes, start: int, order: Literal["little", "big"]) -> tuple[dict[int, int], int]:
    """Return the numbers of a directory by their tags, and the offset of the next directory."""
    count = min(int.from_bytes(tiff[start : start + 2], order), _MOST_ENTRIES)
    values: dict[int, int] = {}
    for place in range(start + 2, start + 2 + count * _ENTRY, _ENTRY):
        kind = int.from_bytes(tiff[place + 2 : place + 4], order)
        if kind in {_SHORT, _LONG}:
            width = 2 if kind == _SHORT else 4
            tag = int.from_bytes(tiff[place : place + 2], order)
            values.setdefault(tag, int.from_bytes(tiff[place + 8 : place + 8 + width], order))
    end = start + 2 + count * _ENTRY
    return values, int.from_bytes(tiff[end : end + 4], order)
