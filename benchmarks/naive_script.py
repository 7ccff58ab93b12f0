"""The script that a user would write in place of the product: pytsk3, hashlib, Pillow and imagehash.

It walks an image of one file system, reads every file in pieces, computes MD5 and SHA-1, opens every picture and
computes its pHash, and compares both with those of the files in a folder. It prints a JSON object a hit, and one last
with the numbers of files and pictures. Nothing in it is slow on purpose.

Usage: python benchmarks/naive_script.py IMAGE KNOWN [--processes N].
"""

import argparse
import functools
import hashlib
import io
import json
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import pytsk3
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

PIECE = 1 << 20
NEAR = 8  # of 64 bits

_PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The files that are looked for: digests, and the pHash of each as a row of 64 bits."""

    digests: frozenset[str]
    hashes: NDArray[np.bool_]


@functools.cache
def open_image(image: Path) -> Any:
    """Return the file system of an image, opened once by each process."""
    return pytsk3.FS_Info(pytsk3.Img_Info(str(image)))


def walk(directory: Any, path: str = "") -> Iterator[tuple[str, int]]:
    """Yield path and inode of every regular file with content."""
    for entry in directory:
        name = entry.info.name.name.decode("utf-8", "replace")
        if name in {".", ".."} or entry.info.meta is None:
            continue
        if entry.info.meta.type == pytsk3.TSK_FS_META_TYPE_DIR:
            if name != "$OrphanFiles":
                yield from walk(entry.as_directory(), f"{path}{name}/")
        elif entry.info.meta.type == pytsk3.TSK_FS_META_TYPE_REG and entry.info.meta.size:
            yield f"{path}{name}", entry.info.meta.addr


def read(file: Any) -> bytes:
    """Return the content of a file."""
    size = file.info.meta.size
    return b"".join(file.read_random(start, min(PIECE, size - start)) for start in range(0, size, PIECE))


def phash(data: bytes) -> NDArray[np.bool_] | None:
    """Return the pHash of a picture, None for what is none."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return np.asarray(imagehash.phash(picture).hash).ravel()
    except (UnidentifiedImageError, OSError):
        return None


def examine(found: tuple[str, int], image: Path, known: Known) -> tuple[bool, list[dict[str, Any]]]:
    """Return whether a file is a picture, and its hits."""
    path, inode = found
    data = read(open_image(image).open_meta(inode))
    digests = {hashlib.md5(data).hexdigest(), hashlib.sha1(data).hexdigest()}
    hits = [{"path": path, "match": "digest", "distance": 0}] if digests & known.digests else []
    bits = phash(data) if path.lower().endswith(_PICTURES) else None
    if bits is not None and (distance := int((known.hashes != bits).sum(axis=1).min())) <= NEAR:
        hits.append({"path": path, "match": "phash", "distance": distance})
    return bits is not None, hits


def load(folder: Path) -> Known:
    """Return what a folder holds."""
    contents = [file.read_bytes() for file in sorted(folder.iterdir())]
    digests = frozenset(hashlib.new(kind, data).hexdigest() for data in contents for kind in ("md5", "sha1"))
    return Known(digests=digests, hashes=np.array([bits for data in contents if (bits := phash(data)) is not None]))


def main() -> None:
    """Examine every file and print the hits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", type=Path)
    parser.add_argument("known", type=Path)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    one = functools.partial(examine, image=arguments.image, known=load(arguments.known))
    if arguments.processes == 1:
        report(map(one, walk(open_image(arguments.image).open_dir("/"))))
    else:
        files = list(walk(open_image(arguments.image).open_dir("/")))
        with multiprocessing.get_context("spawn").Pool(arguments.processes) as pool:
            report(pool.imap_unordered(one, files, chunksize=16))


def report(examined: Iterator[tuple[bool, list[dict[str, Any]]]]) -> None:
    """Print the hits as they come, then the numbers."""
    files = pictures = 0
    for is_picture, hits in examined:
        files += 1
        pictures += is_picture
        for hit in hits:
            print(json.dumps(hit))
    print(json.dumps({"files": files, "pictures": pictures}))


if __name__ == "__main__":
    main()
