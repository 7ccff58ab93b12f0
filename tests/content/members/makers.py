"""Writers of small containers, by the standard library, by py7zr, and by hand where there is no other writer."""

import io
import struct
import tarfile
import zipfile
from email.message import EmailMessage
from typing import Any

import py7zr
from content.members.made import compound


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(files: dict[str, bytes], kind: int = tarfile.PAX_FORMAT, mtime: float = 0) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=kind) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), mtime
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def packed(files: dict[str, bytes], filters: list[dict[str, Any]] | None = None, **options: Any) -> bytes:
    file = io.BytesIO()
    with py7zr.SevenZipFile(file, "w", filters=filters, **options) as archive:
        for name, data in files.items():
            archive.writestr(data, name)
    return file.getvalue()


def image(about: bytes, data: bytes, size: tuple[int, int] = (40, 30)) -> bytes:
    head = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 " % size
    return stream(head + about, data)


def stream(about: bytes, data: bytes, length: bytes | None = None) -> bytes:
    return b"<< %s /Length %s >>\nstream\n%s\nendstream" % (about, length or b"%d" % len(data), data)


def pdf(*objects: bytes, trailer: bytes = b"<< /Root 1 0 R >>") -> bytes:
    """Return a PDF file of objects that are numbered from one on; no reader of ours needs its table."""
    numbered = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, body) for number, body in enumerate(objects, 1))
    return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + numbered + b"trailer\n" + trailer + b"\nstartxref\n0\n%%EOF\n"


def message(subject: str = "hello", files: dict[str, bytes] | None = None) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "a@example.org", "b@example.org", subject
    made["Message-ID"] = "<1@example.org>"
    made.set_content("hello\nFrom here on\n")
    for name, data in (files or {}).items():
        made.add_attachment(data, maintype="image", subtype="jpeg", filename=name)
    return made


def thumbs_db(files: dict[str, tuple[int, bytes]]) -> bytes:
    """Return the thumbs.db of Windows XP: pictures by the names of their files, each with the number of its entry."""
    entries, streams = b"", {}
    for name, (number, data) in files.items():
        text = name.encode("utf-16-le") + bytes(4)
        entries += struct.pack("<IIQ", 16 + len(text), number, 116_444_736_000_000_000 + 10**7) + text
        streams[str(number)[::-1]] = struct.pack("<III", 12, 1, len(data)) + data
    catalog = struct.pack("<HHIII", 16, 7, len(files), 96, 96) + entries
    return compound({**streams, "Catalog": catalog})


def thumbnail_cache(version: int, *records: bytes) -> bytes:
    return b"CMMM" + struct.pack("<IIIII", version, 2, 24, 24, len(records)) + b"".join(records)


def thumbnail_record(version: int, name: str, data: bytes, padding: int = 0) -> bytes:
    """Return a record: 20 is Vista, 21 is 7, 30 to 32 are 8 to 11."""
    text = name.encode("utf-16-le")
    sizes = struct.pack("<III", len(text), padding, len(data))
    extension = "jpg\0".encode("utf-16-le") if version == 20 else b""
    more = struct.pack("<I", 0) if version in {20, 21} else struct.pack("<III", 0, 96, 96)
    body = bytes(8) + extension + sizes + more + bytes(16) + text + bytes(padding) + data
    return b"CMMM" + struct.pack("<I", 8 + len(body)) + body
