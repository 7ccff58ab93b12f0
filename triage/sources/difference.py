"""What differencing images of every format share: the parent beside them, and bitmaps of stored sectors."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from triage.model.errors import EvidenceError, SourceError
from triage.model.evidence import SourceInfo
from triage.model.item import printable
from triage.sources.block_source import Below
from triage.sources.container_file import beside
from triage.sources.source import EvidenceSource

Chain = tuple[Path, ...]
"""The images from the one that was named down to the one in hand, resolved."""

_LONGEST_CHAIN = 32
_BYTES_A_LOOK = 17  # 128 sectors make 64 KiB, wherever in a byte they begin


def open_parent(
    path: Path,
    names: tuple[str, ...],
    chain: Chain,
    *,
    is_parent: Callable[[Path], bool],
    opener: Callable[[Path, Chain], EvidenceSource | None],
    what: str = "parent",
) -> Below:
    """Open the parent of the image at `path`: looked for beside it, whatever path it names.

    `is_parent` compares identifiers: another disk of the same name would give wrong bytes. Never raises; the reason
    why there is no parent is in the answer.
    """
    name = printable(names[0]) if names else "without a name"
    only = "this is only the difference to it"
    found = next((found for each in names if (found := beside(path, each))), None)
    if found is None:
        return Below(missing=f"{what} {name} is missing: {only}; put it beside the image")
    if found.resolve() in chain or len(chain) >= _LONGEST_CHAIN:
        return Below(missing=f"{what} {name} leads back to the image or too far down: {only}")
    try:
        if not is_parent(found):
            return Below(missing=f"{what} {name} is not the disk this image was derived from: {only}")
        source = opener(found, (*chain, found.resolve()))
    except (SourceError, EvidenceError) as error:
        return Below(missing=f"{what} {name} cannot be opened: {error}")
    return Below(source=source) if source is not None else Below(missing=f"{what} {name} is no disk image: {only}")


def with_parent(info: SourceInfo, below: Below) -> SourceInfo:
    """Return the identity of an image with the files and the troubles of what lies below it."""
    files, troubles = list(info.files), list(info.troubles)
    if below.missing is not None:
        troubles.append(below.missing)
    if below.source is not None:
        files.extend(below.source.info.files)
        troubles.extend(f"parent: {trouble}" for trouble in below.source.info.troubles)
    return replace(info, files=tuple(dict.fromkeys(files)), troubles=tuple(troubles))


def is_stored(bitmap: bytes, sector: int, *, high_bit_first: bool) -> bool:
    """Tell whether the bit of a sector is set."""
    byte, bit = divmod(sector, 8)
    return bool(bitmap[byte] >> (7 - bit if high_bit_first else bit) & 1)


def sectors_alike(bitmap: bytes, sector: int, *, high_bit_first: bool) -> int:
    """Return how many sectors from this one on have its bit, as far as 64 KiB of 512-byte sectors go; at least 1."""
    look = bitmap[sector // 8 : sector // 8 + _BYTES_A_LOOK]
    text = "".join(f"{byte:08b}" if high_bit_first else f"{byte:08b}"[::-1] for byte in look)[sector % 8 :]
    return len(text) - len(text.lstrip(text[0])) if text else 1
