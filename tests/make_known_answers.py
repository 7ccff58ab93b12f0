"""Make what the self-test examines, all of it invented, and print the answers that `known_answers` holds.

Usage: python tests/make_known_answers.py FOLDER. The packaged files are those of `triage/engine/selftest/synthetic`.
"""

import hashlib
import io
import sys
import zipfile
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

from images.fat12 import Entry, fat12_disk
from images.pictures import jpeg, scene

from triage.content.content import Content
from triage.content.picture import hash_picture
from triage.hashsets.batch import in_batches
from triage.hashsets.builder import SetBuilder
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.model.finding import SetKind

OTHERS = range(1, 6)  # members of the set that nothing is to match


def picture() -> bytes:
    """Return a picture of clouds, just large enough to be decoded at half its sides."""
    return jpeg(scene(26, (512, 512)), 20)


def archive() -> bytes:
    """Return a ZIP archive of a deflated and a stored text."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        for name, method in (("list.txt", zipfile.ZIP_DEFLATED), ("garden/seeds.txt", zipfile.ZIP_STORED)):
            entry = zipfile.ZipInfo(name, (2026, 3, 14, 9, 26, 52))
            entry.compress_type = method
            file.writestr(entry, lines(name, 20))
    return target.getvalue()


def disk() -> bytes:
    """Return a partitioned disk: a file in pieces, one in a folder, a deleted one."""
    inside = (Entry(name=b"APPLES  TXT", clusters=(9,), data=lines("apples", 10)),)
    return fat12_disk(
        [
            Entry(name=b"BREAD   TXT", clusters=(2, 5, 3), data=lines("bread", 70)),
            Entry(name=b"GARDEN     ", clusters=(8,), inside=inside),
            Entry(name=b"OLDTEA  TXT", clusters=(11, 12), data=lines("tea", 45), deleted=True),
        ]
    )


def lines(word: str, count: int) -> bytes:
    """Return an invented text."""
    return b"".join(b"%s %d: bought\n" % (word.encode(), number) for number in range(count))


def write_set(path: Path, member: bytes) -> None:
    """Write a sealed set of the picture and of invented contents."""
    hashes = hash_picture(Content.of(member), "image/jpeg")
    assert hashes.pdq is not None
    assert hashes.phash is not None
    pdq, phash = bytes.fromhex(hashes.pdq), bytes.fromhex(hashes.phash)
    records = [Record(*_digests(member), pdq, phash, len(member), "1")]
    records += [Record(*_digests(b"invented %d" % number), size=10, category="2") for number in OTHERS]
    meta = SetMeta(name="self-test", version="1", kind=SetKind.NOTABLE, date="2026-03-14", origin="invented")
    with TemporaryDirectory() as folder, SetBuilder(Path(folder)) as builder, path.open("w+b") as file:
        for batch in in_batches(enumerate(records)):
            builder.add(batch)
        builder.write(file, meta, lambda _: None)


def _digests(content: bytes) -> tuple[bytes, bytes, bytes]:
    return hashlib.md5(content).digest(), hashlib.sha1(content).digest(), hashlib.sha256(content).digest()


def main() -> None:
    """Write the files and print what is known of them."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    made = {"picture.jpg": picture(), "archive.zip": archive(), "disk.zlib": zlib.compress(disk(), 9)}
    for name, content in made.items():
        (folder / name).write_bytes(content)
    write_set(folder / "known.set", made["picture.jpg"])
    sys.stdout.write(f"{hash_picture(Content.of(made['picture.jpg']), 'image/jpeg')}\n")
    contents = {
        "picture.jpg": made["picture.jpg"],
        **{name: lines(name, 20) for name in ("list.txt", "garden/seeds.txt")},
        **{word: lines(word, count) for word, count in (("bread", 70), ("apples", 10), ("tea", 45))},
    }
    for name, content in contents.items():
        digests = " ".join(raw.hex() for raw in _digests(content))
        sys.stdout.write(f"{name}: {len(content)} bytes, {digests}\n")


if __name__ == "__main__":
    main()
