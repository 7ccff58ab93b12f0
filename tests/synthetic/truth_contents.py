"""The contents of the ground truth: known pictures and videos, altered copies of them, and files that hold them.

Everything is told by the name of the original: the same name gives the same bytes. Two names give pictures that are
unlike each other.
"""

import gzip
import random
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from zlib import crc32

from content.members.makers import (
    image,
    message,
    packed,
    pdf,
    tarred,
    thumbnail_cache,
    thumbnail_record,
    thumbs_db,
    zipped,
)
from PIL import Image

from synthetic.carvable import saved
from synthetic.copies import Alteration
from synthetic.photographs import photograph, with_thumbnail
from synthetic.videos import Copy, Frame, encoded, moving
from triage.model.blocks import BLOCK_BYTES

SIZE = (320, 240)
SIZES = {"slack.jpg": (96, 72), "blocks.jpg": (640, 480)}
FORMS = {
    "jpg": partial(saved, kind="JPEG", quality=85),
    "png": partial(saved, kind="PNG"),
    "gif": partial(saved, kind="GIF"),
    "webp": partial(saved, kind="WEBP", quality=80),
}
SECONDS = 4
FLOPPY = 1440  # KiB
PASSWORD = "invented"

Maker = Callable[[str], bytes]


@cache
def original(name: str) -> bytes:
    """Return the known file of a name, a picture or a video by its ending."""
    form = name.rpartition(".")[2]
    if form == "mp4":
        return encoded(frames(name), preset="veryfast", crf=26)
    return FORMS[form](picture(name))


def picture(name: str) -> Image.Image:
    """Return the picture of a name."""
    return photograph(crc32(name.encode()), SIZES.get(name, SIZE))


@cache
def frames(name: str) -> list[Frame]:
    """Return the frames of the video of a name."""
    return list(moving(crc32(name.encode()), SECONDS))


def noise(name: str, length: int) -> bytes:
    """Return bytes that are of nothing."""
    return random.Random(name).randbytes(length)


def altered(alteration: Alteration, name: str) -> bytes:
    """Return the picture after an alteration, as a JPEG file."""
    return saved(alteration(picture(name)), "JPEG", quality=85)


def copied(copy: Copy, name: str) -> bytes:
    """Return another copy of the video."""
    return copy.of(frames(name))


def in_zip(name: str) -> bytes:
    """Return a ZIP archive."""
    return zipped({"album/one.jpg": original(name), "album/list.txt": b"one\n"})


def in_zip_in_zip(name: str) -> bytes:
    """Return a ZIP archive in a ZIP archive."""
    return zipped({"inner.zip": in_zip(name)})


def in_tar_gz(name: str) -> bytes:
    """Return a tape archive, compressed by gzip."""
    return gzip.compress(tarred({"album/one.jpg": original(name)}), mtime=0)


def in_7z(name: str) -> bytes:
    """Return a 7z archive."""
    return packed({"album/one.jpg": original(name)})


def in_docx(name: str) -> bytes:
    """Return a text document with a picture."""
    types = b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    files = {"[Content_Types].xml": types, "word/document.xml": b"<document/>", "word/media/image1.jpg": original(name)}
    return zipped(files)


def in_pdf(name: str) -> bytes:
    """Return a PDF document of one picture."""
    about = b"/ColorSpace /DeviceRGB /Filter /DCTDecode"
    return pdf(b"<< /Type /Catalog >>", image(about, original(name), SIZE))


def in_mail(name: str) -> bytes:
    """Return a mail with a picture attached."""
    return message("a walk", {"walk.jpg": original(name)}).as_bytes()


def in_thumbs_db(name: str) -> bytes:
    """Return a thumbs.db of Windows XP."""
    return thumbs_db({"walk.jpg": (1, original(name))})


def in_thumbcache(name: str) -> bytes:
    """Return a thumbnail cache of Windows 10."""
    return thumbnail_cache(32, thumbnail_record(32, "a1b2c3d4e5f60718", original(name)))


def as_thumbnail(name: str) -> bytes:
    """Return another picture, with the known one as its thumbnail."""
    return with_thumbnail(picture(f"unknown, with {name}"), thumbnail=original(name))


def behind_junk(name: str) -> bytes:
    """Return 512 bytes of noise, and the file behind them."""
    return noise(name, 512) + original(name)


def two_blocks(name: str) -> bytes:
    """Return noise with two blocks of the file in it."""
    return noise(name, BLOCK_BYTES) + original(name)[BLOCK_BYTES : 3 * BLOCK_BYTES] + noise(name, BLOCK_BYTES)


def in_encrypted_zip(name: str) -> bytes:
    """Return a ZIP archive that asks for a password."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "one.jpg").write_bytes(original(name))
        subprocess.run(["zip", "-q", "-X", "-P", PASSWORD, "made.zip", "one.jpg"], cwd=folder, check=True)
        return Path(folder, "made.zip").read_bytes()


def in_floppy(name: str) -> bytes:
    """Return a raw image of a FAT12 disk."""
    with tempfile.TemporaryDirectory() as folder:
        disk = Path(folder, "disk.img")
        Path(folder, "one.jpg").write_bytes(original(name))
        subprocess.run(["mkfs.vfat", "-C", disk, str(FLOPPY)], check=True, capture_output=True)
        subprocess.run(["mcopy", "-i", disk, Path(folder, "one.jpg"), "::/ONE.JPG"], check=True)
        return disk.read_bytes()


def in_qcow2(name: str) -> bytes:
    """Return a disk of a virtual machine."""
    with tempfile.TemporaryDirectory() as folder:
        raw, disk = Path(folder, "raw"), Path(folder, "disk.qcow2")
        raw.write_bytes(in_floppy(name))
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, disk], check=True)
        return disk.read_bytes()
