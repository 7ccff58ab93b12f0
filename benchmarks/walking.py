"""What the walk costs for each item, and what an item costs on its way from one process to another.

The images hold as many small files as are asked for in folders of 10 to 200, made once. Of each are printed: the
processor time of the walk in microseconds an item (the least of the rounds), the share of items and of bytes that can
be read without the file system, and the memory at the end. Then, for lists of 500 items as they travel between
processes: bytes and microseconds an item, pickled as they are and as flat tuples.

Usage, as root: python benchmarks/walking.py [--folder FOLDER] [--files N] [--rounds N]. Needs mkntfs, ntfs-3g, mke2fs,
mkfs.vfat and mtools.
"""

import argparse
import itertools
import pickle
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.evidence import FOLDER, fill, made, make_ext4, make_ntfs
from benchmarks.measuring import table
from triage.filesystems.filesystem import FileSystem
from triage.filesystems.recognition import recognise
from triage.model.item import Item
from triage.model.runs import ByteRun
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource
from triage.volumes.volume import Volume

FILES = 100_000
SIZES = (200, 900, 3000, 5000, 9000, 15_000)
BYTES_A_FILE = 20_000
LIST = 500
SAMPLE = 40_000


def files(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield paths and contents: folders of 10 to 200 files, a fifth of them in another folder."""
    chance = random.Random(5)
    content = chance.randbytes(max(SIZES))
    folders = [""]
    made_so_far = 0
    while made_so_far < count:
        parent = chance.choice(folders[-40:]) if chance.random() < 1 / 5 else ""
        folders.append(f"{parent}folder {len(folders):05d}/")
        for number in range(made_so_far, min(count, made_so_far + chance.randint(10, 200))):
            yield f"{folders[-1]}IMG_{number:07d}.jpg", content[: chance.choice(SIZES)]
            made_so_far += 1


def make_fat32(image: Path, count: int) -> None:
    """Make a FAT32 image with the files, by mkfs.vfat and mtools."""
    with image.open("wb") as file:
        file.truncate(BYTES_A_FILE * count + (64 << 20))
    subprocess.run(["mkfs.vfat", "-F", "32", "-s", "8", str(image)], check=True, capture_output=True)
    with tempfile.TemporaryDirectory() as name:
        fill(Path(name), files(count))
        subprocess.run(["mcopy", "-s", "-i", str(image), *map(str, sorted(Path(name).iterdir())), "::"], check=True)


def makers(count: int) -> dict[str, Callable[[Path], None]]:
    """Return how each image is made."""
    size = BYTES_A_FILE * count + (64 << 20)
    return {
        "ntfs": lambda image: make_ntfs(image, size, files(count)),
        "ext4": lambda image: make_ext4(image, size, files(count)),
        "fat32": lambda image: make_fat32(image, count),
    }


def opened(image: Path) -> FileSystem:
    """Open an image as a worker does."""
    source = WatchedSource(open_source(image))
    filesystem = recognise(Volume(source, ByteRun(0, source.info.size))).filesystem
    if filesystem is None:
        sys.exit(f"{image} cannot be read; delete it and run again")
    return filesystem


def walk(image: Path) -> tuple[float, int, float, float]:
    """Return microseconds an item, the number of items, and the shares of files and of bytes that are direct."""
    filesystem = opened(image)
    count = contents = direct = size = direct_size = 0
    start = time.process_time()
    for item in filesystem.walk():
        count += 1
        if isinstance(item, Item) and item.has_content and item.size:
            contents += 1
            size += item.size
            if item.direct:
                direct += 1
                direct_size += item.size
    return (time.process_time() - start) * 1e6 / count, count, direct / contents, direct_size / size


def flat(item: Item) -> tuple[Any, ...]:
    """Return an item as a tuple of plain values; the volume's own address is not in it."""
    times, place = item.times, item.address.parent
    return (
        place and place.value, item.kind.value, item.path, item.size, item.allocated, item.reference,
        times.modified, times.created, times.accessed, times.changed,
        tuple((run.offset, run.length) for run in item.runs),
        item.recovered, item.encrypted, item.unlocated, item.direct,
    )  # fmt: skip


def least(way: Callable[[], Any], count: int, rounds: int) -> float:
    """Return the least processor time of a way in microseconds an item."""
    taken: list[float] = []
    for _ in range(rounds):
        start = time.process_time()
        way()
        taken.append((time.process_time() - start) * 1e6 / count)
    return min(taken)


def travel(image: Path, rounds: int) -> list[tuple[str, ...]]:
    """Return one row for each form in which items may travel."""
    items = [item for item in itertools.islice(opened(image).walk(), SAMPLE) if isinstance(item, Item)]
    lists = [items[start : start + LIST] for start in range(0, len(items), LIST)]
    forms: dict[str, Callable[[list[Item]], Any]] = {
        "items": lambda some: some,
        "flat tuples": lambda some: [flat(item) for item in some],
    }
    rows: list[tuple[str, ...]] = []
    for name, form in forms.items():

        def write(form: Callable[[list[Item]], Any] = form) -> list[bytes]:
            return [pickle.dumps(form(some), pickle.HIGHEST_PROTOCOL) for some in lists]

        sent = write()

        def read(sent: list[bytes] = sent) -> None:
            for data in sent:
                pickle.loads(data)

        times = (f"{least(way, len(items), rounds):.2f}" for way in (write, read))
        rows.append((name, f"{sum(map(len, sent)) / len(items):.0f}", *times))
    return rows


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rows: list[tuple[str, ...]] = []
    for name, make in makers(arguments.files).items():
        image = made(arguments.folder / f"walking-{arguments.files}.{name}", make)
        walks = [walk(image) for _ in range(arguments.rounds)]
        taken, count, share, share_of_bytes = min(walks)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        rows.append((name, str(count), f"{taken:.1f}", f"{share:.1%}", f"{share_of_bytes:.1%}", f"{peak} MiB"))
    print(table(("image", "items", "us an item", "direct files", "direct bytes", "peak memory"), rows))
    print()
    travelled = travel(arguments.folder / f"walking-{arguments.files}.ntfs", arguments.rounds)
    print(table((f"lists of {LIST}", "bytes an item", "us to write", "us to read"), travelled))


if __name__ == "__main__":
    main()
