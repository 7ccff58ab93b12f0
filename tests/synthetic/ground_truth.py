"""A disk with known contents in every place where somebody may have them, and the folder of what is known.

The table says what is planted where. Real tools make the file systems, and root is needed for two of them. Pictures and
videos are generated, unlike each other; where a file system puts them, its times and its serial number are its affair.
"""

from dataclasses import dataclass
from pathlib import Path

from images.disk import LINUX_TYPE, NTFS_TYPE, mbr_disk

from synthetic.planted import Planted, State, Where
from synthetic.truth_contents import original
from synthetic.truth_table import PLANTED
from synthetic.truth_volumes import EVERYTHING, VOLUMES, gap, headless

_FAT32_TYPE = 0x0C
_TYPES = {Where.NTFS: NTFS_TYPE, Where.FAT32: _FAT32_TYPE, Where.EXT4: LINUX_TYPE, Where.LUKS: LINUX_TYPE}
_PAGE = 1 << 16
_PROBE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTruth:
    """The image and the folder of originals; where volumes begin, in bytes; and where the bytes of rows lie.

    `places` are the bytes of the image that each row was written to, by its name; there are none in what is encrypted.
    """

    image: Path
    known: Path
    volumes: dict[Where, int]
    places: dict[str, range]


def make(folder: Path) -> GroundTruth:
    """Make image and originals in a folder. Raises CalledProcessError or OSError where a tool fails or is absent."""
    known, image = folder / "known", folder / "disk.img"
    known.mkdir(parents=True)
    for row in PLANTED:
        (known / row.name).write_bytes(original(row.name))
    made = {where: maker() for where, maker in VOLUMES.items()}
    disk = mbr_disk([(_TYPES[where], volume) for where, volume in made.items()], gap=gap())
    _write(image, disk)
    return GroundTruth(
        image=image,
        known=known,
        volumes={where: disk.index(volume) for where, volume in made.items()},
        places={row.name: place for row in EVERYTHING if (place := _place(disk, row))},
    )


def _place(disk: bytes, row: Planted) -> range | None:
    """Return where the bytes of a row lie; of what is there in part, by some bytes from its first half."""
    data = headless(row) if row.state is State.BLOCKS else row.content
    start = disk.find(data)
    if start < 0:
        within = len(data) // 4
        start = disk.find(data[within : within + _PROBE]) - within
    assert (start < 0) == (row.state is State.ENCRYPTED), row.name
    return None if start < 0 else range(start, start + len(data))


def _write(image: Path, disk: bytes) -> None:
    """Write a sparse file."""
    with image.open("wb") as file:
        file.truncate(len(disk))
        for start in range(0, len(disk), _PAGE):
            page = disk[start : start + _PAGE]
            if any(page):
                file.seek(start)
                file.write(page)
