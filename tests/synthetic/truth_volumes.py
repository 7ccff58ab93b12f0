"""The volumes of the ground truth, each made by the tools of its file system, with its rows in their states.

Root is needed: ntfs-3g and the kernel mount what files are deleted from.
"""

import contextlib
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from images.fat import fat16
from images.tree import File

from synthetic.planted import Planted, State, Where
from synthetic.truth_contents import PASSWORD, noise, original
from synthetic.truth_table import PLANTED, UNKNOWN
from triage.model.blocks import BLOCK_BYTES

TOOLS = ("mkntfs", "ntfs-3g", "mkfs.vfat", "mcopy", "mdel", "mke2fs", "mount", "cryptsetup", "qemu-img", "zip")
EVERYTHING = (*PLANTED, *UNKNOWN)

_MIB = 1 << 20
_SECTOR = 512
_FORMER = 15 * _MIB  # behind all that mke2fs writes
_HOST = b"High water at six in the morning and at seven in the evening.\n"
_DELETED = frozenset({State.DELETED, State.OVERWRITTEN, State.FRAGMENTED, State.NAMELESS})


def ntfs_volume() -> bytes:
    """Return an NTFS volume of 24 MiB with clusters of 4 KiB."""
    with tempfile.TemporaryDirectory() as name:
        image = _empty(Path(name, "image"), 24)
        _run("mkntfs", "-F", "-Q", "-q", "-c", BLOCK_BYTES, image)
        mount = ("ntfs-3g", "-o", "streams_interface=windows", image)
        with _mounted(*mount) as root:
            (root / "Users/anna/Documents").mkdir(parents=True)
            (root / "Users/anna/Documents/notes.txt").write_bytes(_HOST)
            _fill(root, Where.NTFS)
        with _mounted(*mount) as root:
            for row in _deleted(Where.NTFS):
                (root / row.path).unlink()
        volume = bytearray(image.read_bytes())
    for row in _rows(Where.NTFS, State.OVERWRITTEN):
        data = original(row.name)
        start, kept = volume.index(data), len(data) // 2
        volume[start + kept : start + len(data)] = noise(row.name, len(data) - kept)
    return bytes(volume)


def fat_volume() -> bytes:
    """Return a FAT32 volume of 36 MiB with clusters of 512 bytes."""
    with tempfile.TemporaryDirectory() as name:
        image, tree = _empty(Path(name, "image"), 36), Path(name, "tree")
        _run("mkfs.vfat", "-F", 32, "-s", 1, image)
        _fill(tree, Where.FAT32)
        _run("mcopy", "-s", "-i", image, *sorted(tree.iterdir()), "::/")
        for row in _deleted(Where.FAT32):
            _run("mdel", "-i", image, f"::/{row.path}")
        volume = bytearray(image.read_bytes())
    for row in _rows(Where.FAT32, State.FRAGMENTED):
        _part(volume, original(row.name))
    return bytes(volume)


def ext_volume() -> bytes:
    """Return an ext4 volume of 20 MiB, made over a FAT16 that held a picture."""
    with tempfile.TemporaryDirectory() as name:
        image, tree = Path(name, "image"), Path(name, "tree")
        former = [File(path=row.name, data=original(row.name)) for row in _rows(Where.EXT4, State.FORMER)]
        image.write_bytes(fat16([File(path="large.bin", data=bytes(_FORMER)), *former], 20 * _MIB))
        _fill(tree, Where.EXT4)
        (tree / "tides.txt").write_bytes(_HOST)
        _run("mke2fs", "-q", "-F", "-t", "ext4", "-b", BLOCK_BYTES, "-E", "nodiscard", "-d", tree, image)
        with _mounted("mount", "-o", "loop", image) as root:
            for row in _deleted(Where.EXT4):
                (root / row.path).unlink()
        volume = bytearray(image.read_bytes())
    for row in _rows(Where.EXT4, State.SLACK):
        start = volume.index(_HOST) + _SECTOR
        volume[start : start + len(original(row.name))] = original(row.name)
    return bytes(volume)


def locked_volume() -> bytes:
    """Return a LUKS2 volume, encrypted in place, that holds a picture and nothing else."""
    with tempfile.TemporaryDirectory() as name:
        image, secret = _empty(Path(name, "image"), 12), Path(name, "secret")
        secret.write_text(PASSWORD)
        with image.open("r+b") as file:
            file.write(b"".join(original(row.name) for row in _rows(Where.LUKS, State.ENCRYPTED)))
        few = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", 1000, "--key-file", secret)
        place = ("--reduce-device-size", "8M", "--force-offline-reencrypt")
        _run("cryptsetup", "reencrypt", "-q", "--encrypt", "--type", "luks2", *few, *place, image)
        return image.read_bytes()


def gap() -> bytes:
    """Return a mebibyte for the gap between two partitions."""
    space = bytearray(_MIB)
    for number, row in enumerate(_rows(Where.GAP, State.BARE), start=1):
        start = number * _MIB // 4 + _SECTOR  # where no block begins
        space[start : start + len(original(row.name))] = original(row.name)
    for row in _rows(Where.GAP, State.BLOCKS):
        data = headless(row)
        space[-len(data) :] = data
    return bytes(space)


def headless(row: Planted) -> bytes:
    """Return the blocks of a file that lie in the gap: all whole ones but the first two."""
    data = original(row.name)
    return data[2 * BLOCK_BYTES : len(data) // BLOCK_BYTES * BLOCK_BYTES]


VOLUMES: Mapping[Where, Callable[[], bytes]] = {
    Where.NTFS: ntfs_volume,
    Where.FAT32: fat_volume,
    Where.EXT4: ext_volume,
    Where.LUKS: locked_volume,
}


def _rows(where: Where, state: State) -> Iterator[Planted]:
    return (row for row in EVERYTHING if row.where is where and row.state is state)


def _deleted(where: Where) -> Iterator[Planted]:
    return (row for state in sorted(_DELETED) for row in _rows(where, state))


def _fill(root: Path, where: Where) -> None:
    """Write every file of a volume that has a name; a stream after the file that it belongs to."""
    for row in EVERYTHING:
        if row.where is where and row.path:
            (root / row.path).parent.mkdir(parents=True, exist_ok=True)
            (root / row.path).write_bytes(row.content)


def _part(volume: bytearray, data: bytes) -> None:
    """Move the second half of a deleted file to other free space, and put noise where it was.

    FAT forgets the chain of a file with the file, so this is what a file in two pieces leaves.
    """
    half = len(data) // 2 // _SECTOR * _SECTOR
    start, rest = volume.index(data), data[half:]
    elsewhere = len(volume) - 2 * _MIB
    assert not any(volume[elsewhere : elsewhere + len(rest)])
    volume[elsewhere : elsewhere + len(rest)] = rest
    volume[start + half : start + len(data)] = noise("between", len(rest))


def _empty(image: Path, mebibytes: int) -> Path:
    with image.open("wb") as file:
        file.truncate(mebibytes * _MIB)
    return image


def _run(*words: object) -> None:
    subprocess.run([*map(str, words)], check=True, capture_output=True)


@contextlib.contextmanager
def _mounted(*command: object) -> Iterator[Path]:
    """Mount by a command that takes the folder as its last argument, for as long as the context is open."""
    with tempfile.TemporaryDirectory() as name:
        _run(*command, name)
        try:
            yield Path(name)
        finally:
            _run("umount", name)
