"""Make the exhibit of `make demo`: a partitioned NTFS and FAT disk and a folder of "known" pictures.

Usage: python tests/make_demo.py FOLDER. Everything is generated; the same bytes every time.
"""

import sys
from pathlib import Path

from images import pictures
from images.disk import FAT16_TYPE, NTFS_TYPE, mbr_disk
from images.fat import fat16
from images.ntfs import ntfs
from images.tree import File

KNOWN = range(8)
UNRELATED = range(100, 116)


def windows_files() -> list[File]:
    """Return what the NTFS partition holds: exact copies, altered copies, a hidden stream, unrelated pictures."""
    known = [pictures.scene(seed) for seed in KNOWN]
    files = [
        File(path=f"Users/sam/Pictures/holiday_{seed}.jpg", data=pictures.jpeg(pictures.scene(seed)))
        for seed in UNRELATED
    ]
    files += [
        File(path="Users/sam/Downloads/IMG_0001.jpg", data=pictures.jpeg(known[0])),
        File(path="Users/sam/Downloads/small.jpg", data=pictures.jpeg(pictures.resized(known[1], 0.4), 70)),
        File(path="Users/sam/Downloads/bright.png", data=pictures.png(pictures.brighter(known[2], 1.2))),
        File(path="Users/sam/Downloads/mirror.jpg", data=pictures.jpeg(pictures.mirrored(known[3]))),
        File(path="Users/sam/Desktop/old.jpg", data=pictures.jpeg(known[4]), deleted=True),
        File(
            path="Users/sam/Desktop/notes.txt",
            data=b"Shopping: bread, apples, tea.\n",
            streams={"extra": pictures.jpeg(known[5])},
        ),
    ]
    return files


def camera_files() -> list[File]:
    """Return what the FAT partition holds: a camera card with one known picture and a deleted altered copy."""
    files = [
        File(path=f"DCIM/100SYNTH/DSC_{seed:04d}.JPG", data=pictures.jpeg(pictures.scene(seed + 1000)))
        for seed in UNRELATED
    ]
    altered = pictures.jpeg(pictures.resized(pictures.scene(7), 0.7), 60)
    files.append(File(path="DCIM/100SYNTH/DSC_0200.JPG", data=pictures.jpeg(pictures.scene(6))))
    files.append(File(path="DCIM/100SYNTH/DSC_0201.JPG", data=altered, deleted=True))
    return files


def main() -> None:
    """Write `exhibit.img` and the folder `known` below the folder named."""
    folder = Path(sys.argv[1])
    (folder / "known").mkdir(parents=True, exist_ok=True)
    for seed in KNOWN:
        (folder / "known" / f"known_{seed}.jpg").write_bytes(pictures.jpeg(pictures.scene(seed)))
    disk = mbr_disk([(NTFS_TYPE, ntfs(windows_files(), 24 << 20)), (FAT16_TYPE, fat16(camera_files(), 16 << 20))])
    (folder / "exhibit.img").write_bytes(disk)


if __name__ == "__main__":
    main()
