"""How much of deleted files others have by now, against what The Sleuth Kit's own tools say of every block."""

import os
import random
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from suite import Tool, absent

from triage.engine.plan import Profile
from triage.model.event import Event, VolumeOpened, Walking
from triage.session.examination import Examination, Order, open_case

BLOCK = {"ntfs": 4096, "fat": 512, "ext4": 4096}
FILES = {"alpha.bin": 40_000, "kept.bin": 30_000, "delta.bin": 20_000}
TAKEN = 7 * 4096 + 100  # bytes written into what the deleted files left
TOOLS = ("fls", "istat", "blkls")
TOOLS_OF = {"ntfs": ("mkntfs", "ntfs-3g"), "fat": ("mkfs.vfat", "mmd", "mcopy", "mdel"), "ext4": ("mke2fs", "mount")}
NUMBER = re.compile(r"^(?:\d+ )+$", re.MULTILINE)

Made = tuple[str, Path]


def run(*command: object) -> str:
    return subprocess.run(tuple(map(str, command)), check=True, capture_output=True, text=True).stdout


def fill(path: Path, most: int = 1 << 30) -> None:
    """Append to a file until it has grown by so many bytes or the volume is full."""
    with path.open("ab", buffering=0) as file:
        try:
            while most > 0:
                most -= file.write(b"x" * min(most, 65536)) or 0
        except OSError:
            return


@contextmanager
def mounted(*command: object) -> Iterator[Path]:
    place = Path(str(command[-1]))
    place.mkdir(exist_ok=True)
    run(*command)
    try:
        yield place
    finally:
        run("umount", place)


def overwritten_in_part(*mount: object) -> None:
    """Fill a volume, delete two files, and let a third one grow into a part of what they left."""
    with mounted(*mount) as root:
        for name, size in FILES.items():
            (root / name).write_bytes(random.Random(name).randbytes(size))
        (root / "grown.bin").touch()
        fill(root / "filled.bin")
    with mounted(*mount) as root:
        (root / "alpha.bin").unlink()
        (root / "delta.bin").unlink()
    with mounted(*mount) as root:
        fill(root / "grown.bin", TAKEN)


def ntfs(image: Path) -> None:
    run("mkntfs", "-F", "-Q", "-q", "-c", BLOCK["ntfs"], image)
    overwritten_in_part("ntfs-3g", image, image.with_name("mounted"))


def ext4(image: Path) -> None:
    run("mke2fs", "-q", "-F", "-t", "ext4", "-b", BLOCK["ext4"], image)
    overwritten_in_part("mount", "-o", "loop", image, image.with_name("mounted"))


def fat(image: Path) -> None:
    """Make a FAT16 with clusters of four of the library's blocks; a third file comes to lie where the first did."""
    run("mkfs.vfat", "-F", 16, "-s", 4, image)
    run("mmd", "-i", image, "::/later")
    for name, size in FILES.items():
        file = image.with_name(name)
        file.write_bytes(random.Random(name).randbytes(size))
        run("mcopy", "-i", image, file, "::/")
    run("mdel", "-i", image, *(f"::/{name}" for name in FILES if name != "kept.bin"))
    grown = image.with_name("grown.bin")
    grown.write_bytes(b"x" * TAKEN)
    run("mcopy", "-i", image, grown, "::/later/")


MAKERS: dict[str, Callable[[Path], None]] = {"ntfs": ntfs, "fat": fat, "ext4": ext4}


@pytest.fixture(scope="module", params=list(MAKERS))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tool: Tool) -> Made:
    kind: str = request.param
    for name in (*TOOLS, *TOOLS_OF[kind]):
        tool(name)
    if kind != "fat" and (os.geteuid() != 0 or not all(map(os.path.exists, ("/dev/fuse", "/dev/loop-control")))):
        absent("the right to mount")
    image = tmp_path_factory.mktemp(kind) / "image"
    with image.open("wb") as file:
        file.truncate((12 if kind == "fat" else 4) << 20)
    MAKERS[kind](image)
    return kind, image


def examined(image: Path, jobs: int, *, stopped_at: type[Event] | None = None) -> list[dict[str, Any]]:
    """Examine an image, if asked for in two runs, the first of which ends with an event; return the items."""
    case = image.with_name(f"case-{jobs}-{stopped_at}")
    order = Order(source=image, case=case, exhibit="A/1", jobs=jobs, profile=Profile.EXACT)
    if stopped_at is not None:
        with Examination(order) as examination, closing(examination.events()) as events:
            next(event for event in events if isinstance(event, stopped_at))
    with Examination(order) as examination:
        assert examination.resumed is (stopped_at is not None)
        list(examination.events())
    with open_case(order.case) as reader:
        return list(reader.queries.items())


def truth(kind: str, image: Path) -> dict[str, tuple[int, int]]:
    """Return of each deleted file how many bytes its blocks hold, and how many of these are in allocated ones."""
    lines = run("blkls", "-e", "-l", image).splitlines()
    allocated = {int(line.split("|")[0]) for line in lines if line.endswith("|a")}
    told: dict[str, tuple[int, int]] = {}
    for line in run("fls", image).splitlines():
        entry = re.fullmatch(r"\S+ \* ([\d-]+)(?:\(realloc\))?:\t(\S+\.bin)", line)
        if entry is not None:
            blocks = [
                int(number) for found in NUMBER.findall(run("istat", image, entry[1])) for number in found.split()
            ]
            size = next(size for name, size in FILES.items() if name[1:] == entry[2][1:])
            held = [min(BLOCK[kind], size - place * BLOCK[kind]) for place in range(len(blocks))]
            taken = sum(count for block, count in zip(blocks, held, strict=True) if block in allocated)
            told[entry[2]] = sum(held), taken
    return told


def test_it_is_what_the_bitmap_of_the_file_system_says(made: Made) -> None:
    kind, image = made
    rows = [row for row in examined(image, 1) if not row["allocated"] and row["path"].endswith(".bin")]
    told = {row["path"]: (row["space_bytes"], row["reused_bytes"]) for row in rows}
    if kind == "ext4":  # which forgets where a deleted file lay
        assert set(told.values()) <= {(None, None)}
        return
    assert told == truth(kind, image)
    assert len(told) == len(FILES) - 1
    assert sum(reused for _, reused in told.values()) > 0


def test_it_is_the_same_however_the_work_went(made: Made) -> None:
    _, image = made
    once = examined(image, 2)
    assert once == examined(image, 1, stopped_at=VolumeOpened)
    assert once == examined(image, 1, stopped_at=Walking)
    assert {row["space_bytes"] is None for row in once if row["allocated"]} == {True}
