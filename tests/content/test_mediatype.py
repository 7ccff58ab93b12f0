import io
import subprocess
import sys
import zipfile

import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from triage.content.mediatype import HEAD, media_type

pillow_heif.register_heif_opener()

FTYP = b"\0\0\0\x1cftyp"


def saved(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(file, kind)
    return file.getvalue()[:HEAD]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("GIF", "image/gif"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
        ("WEBP", "image/webp"),
        ("AVIF", "image/avif"),
        ("HEIF", "image/heic"),
        ("PDF", "application/pdf"),
    ],
)
def test_pictures_are_known_by_their_signature(kind: str, expected: str) -> None:
    assert media_type(saved(kind)) == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", "inode/x-empty"),
        (FTYP + b"mif1\0\0\0\0mif1avif" + bytes(8), "image/avif"),
        (FTYP + b"mif1\0\0\0\0mif1heic" + bytes(8), "image/heic"),
        (FTYP + b"msf1\0\0\0\0msf1xxxx" + bytes(8), "image/heif"),
        (FTYP + b"heix\0\0\0\0", "image/heic"),
        (FTYP + b"isom\0\0\2\0isomiso2", "video/mp4"),
        (b"BM and so on, a text that begins with two letters", "text/plain"),
        (b"\x7fELF\x02\x01\x01" + bytes(57), "application/octet-stream"),
        (b"hello\n", "text/plain"),
        (b"\x1f\x8b\x08\x00" + bytes(20), "application/gzip"),
        (bytes(512), "application/octet-stream"),
        (b"\xff\xd8\xff", "image/jpeg"),
    ],
)
def test_other_heads(head: bytes, expected: str) -> None:
    assert media_type(head) == expected


def test_an_archive_is_asked_about() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "a")
    assert media_type(file.getvalue()) == "application/zip"


def test_canon_raw_is_not_called_tiff() -> None:
    assert media_type(b"II*\0\x10\0\0\0CR\x02\0" + bytes(100)) == "image/x-canon-cr2"


@given(head=st.binary(max_size=200))
def test_any_head_has_one_type(head: bytes) -> None:
    first = media_type(head)
    assert "/" in first
    assert media_type(head) == first


def test_libmagic_is_the_one_that_is_carried_where_the_machine_has_none() -> None:
    """No libmagic is found on the system; the product's own import order must find the carried one."""
    program = """
import ctypes.util
ctypes.util.find_library = lambda name: None
from triage.content.mediatype import media_type
assert media_type(b"#!/bin/sh\\necho\\n") == "text/x-shellscript"
loaded = {line.split()[-1] for line in open("/proc/self/maps") if "libmagic" in line}
assert loaded, "no libmagic is loaded"
assert all("/pylibmagic/" in path for path in loaded), loaded
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
