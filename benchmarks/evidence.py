"""Evidence for the benchmarks, made once by the tools of each file system: the same names, sizes and bytes always."""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

FOLDER = Path(tempfile.gettempdir()) / "digivan-bench"

Files = Iterable[tuple[str, bytes]]  # path with `/`, and content

_FIRST_MODIFIED = 1_700_000_000
_BETWEEN_TWO = 60  # seconds


def made(path: Path, make: Callable[[Path], None]) -> Path:
    """Return a file or folder, made where it is not there; what was made by half is never taken for it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        begun = time.perf_counter()
        partial = path.with_name(path.name + ".partial")
        make(partial)
        partial.rename(path)
        print(f"{path.name} was made in {time.perf_counter() - begun:.0f} s", flush=True)
    return path


def make_ntfs(image: Path, size: int, files: Files) -> None:
    """Make an NTFS image of so many bytes with the files, by mkntfs and ntfs-3g (root)."""
    _empty(image, size)
    subprocess.run(["mkntfs", "-F", "-Q", "-q", str(image)], check=True, capture_output=True)
    with mounted("ntfs-3g", "-o", "big_writes", str(image)) as folder:
        fill(folder, files)


def make_ext4(image: Path, size: int, files: Files) -> None:
    """Make an ext4 image of so many bytes with the files, by mke2fs and the kernel (root); an inode for 8 KiB."""
    _empty(image, size)
    options = ["-q", "-F", "-t", "ext4", "-i", "8192", "-E", "lazy_itable_init=0,lazy_journal_init=0"]
    subprocess.run(["mke2fs", *options, str(image)], check=True)
    with mounted("mount", "-o", "loop", str(image)) as folder:
        fill(folder, files)


@contextlib.contextmanager
def mounted(*command: str) -> Iterator[Path]:
    """Mount by a command that takes the folder as its last argument, for as long as the context is open."""
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([*command, name], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], check=True)


def fill(folder: Path, files: Files) -> None:
    """Write the files, each modified a minute after the one before it."""
    there: set[str] = set()
    for number, (name, data) in enumerate(files):
        path = f"{folder}/{name}"
        parent = path.rpartition("/")[0]
        if parent not in there:
            Path(parent).mkdir(parents=True, exist_ok=True)
            there.add(parent)
        with open(path, "wb", buffering=0) as file:  # noqa: PTH123 - a million times, and Path.open takes twice as long
            file.write(data)
        when = _FIRST_MODIFIED + number * _BETWEEN_TWO
        os.utime(path, (when, when))


def _empty(image: Path, size: int) -> None:
    with image.open("wb") as file:
        file.truncate(size)
