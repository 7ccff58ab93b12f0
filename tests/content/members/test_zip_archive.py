import io
import random
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest
from content.members.made import contents, found, picture, told
from content.members.makers import zipped
from suite import Tool

from triage.content.members.member import Budget, Limits, Member, Obstacle

JPEG, PNG = picture(), picture("PNG")
STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED


class Unseekable:
    """A file that can only be written on, so that sizes follow the members in descriptors."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes, /) -> int:
        self.data += data
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def described(files: dict[str, bytes], method: int = DEFLATED) -> bytes:
    file = Unseekable()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return bytes(file.data)


@pytest.mark.parametrize("method", [STORED, DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_are_given_as_they_were(method: int) -> None:
    files = {"a/photo.jpg": JPEG, "b.png": PNG, "leer.txt": b"", "../über.txt": b"text" * 5000}
    assert contents(zipped(files, method)) == files
    assert contents(described(files, method)) == files
    assert contents(b"#!/bin/sh\n" * 9 + zipped(files, method), "application/zip") == files


def test_folders_are_no_members() -> None:
    assert contents(zipped({"folder/": b"", "folder/a": b"a"})) == {"folder/a": b"a"}


def test_a_name_that_is_no_utf8_keeps_its_bytes() -> None:
    data = zipped({"ABCD.txt": b"a"}).replace(b"ABCD", b"\xe4\xf6\xff ")
    assert [name.encode("utf-8", "surrogateescape") for name in contents(data)] == [b"\xe4\xf6\xff .txt"]


def test_office_documents_books_and_packages_are_zips() -> None:
    document = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>", "word/media/image1.jpeg": JPEG}
    assert contents(zipped(document)) == document
    slides = {"[Content_Types].xml": b"<Types/>", "ppt/presentation.xml": b"<p/>", "ppt/media/image1.png": PNG}
    assert contents(zipped(slides)) == slides
    text = {"mimetype": b"application/vnd.oasis.opendocument.text", "Pictures/1.jpg": JPEG}
    assert contents(zipped(text, STORED)) == text
    book = {"mimetype": b"application/epub+zip", "OEBPS/cover.jpg": JPEG}
    assert contents(zipped(book, STORED)) == book
    package = {"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n", "res/icon.png": PNG}
    assert contents(zipped(package)) == package


def test_a_zip_in_a_zip_is_opened_level_by_level() -> None:
    inner = zipped({"photo.jpg": JPEG})
    outer = contents(zipped({"inner.zip": inner}))
    assert outer == {"inner.zip": inner}
    assert contents(outer["inner.zip"]) == {"photo.jpg": JPEG}


@pytest.mark.parametrize("method", [STORED, DEFLATED])
@pytest.mark.parametrize("make", [zipped, described])
def test_without_its_directory_members_are_found_by_their_headers(method: int, make: object) -> None:
    inner = zipped({"in.jpg": JPEG})
    files = {"a.jpg": JPEG, "inner.zip": inner, "b.png": PNG}
    data = make(files, method)  # type: ignore[operator]
    cut = data[: data.rindex(b"PK\1\2", 0, data.rindex(b"PK\5\6")) - 150]
    inside = found(cut, "application/zip")
    assert [item.code for item in inside if isinstance(item, Obstacle)] == ["damaged"]
    given = {item.name: bytes(item.content.whole()) for item in inside if isinstance(item, Member) and item.content}
    assert {name: given.get(name) for name in files if name != "b.png"} == {"a.jpg": JPEG, "inner.zip": inner}


def test_a_damaged_entry_of_the_directory_costs_no_member() -> None:
    data = bytearray(zipped({f"{number}.jpg": JPEG + bytes([number]) for number in range(5)}))
    at = data.index(b"PK\1\2", data.index(b"PK\1\2") + 1)
    data[at : at + 4] = b"XXXX"
    inside = found(bytes(data))
    assert [item.code for item in inside if isinstance(item, Obstacle)] == ["damaged"]
    assert sorted(item.name for item in inside if isinstance(item, Member)) == [f"{n}.jpg" for n in range(5)]


def test_a_wrong_checksum_is_told_and_the_content_given() -> None:
    data = zipped({"a.jpg": JPEG}, STORED).replace(JPEG, JPEG[:-1] + b"X")
    member = found(data)[0]
    assert isinstance(member, Member)
    assert member.obstacle
    assert member.obstacle.code == "damaged"
    assert member.content
    assert member.content.whole() == JPEG[:-1] + b"X"


def test_a_member_cut_short_is_given_as_far_as_it_goes() -> None:
    text = random.Random(1).randbytes(200_000)
    data = bytearray(zipped({"a.bin": text}))
    data[100_000:100_064] = bytes(64)
    member = found(bytes(data))[0]
    assert isinstance(member, Member)
    assert member.obstacle
    assert member.obstacle.code == "damaged"
    assert member.content
    assert bytes(member.content.whole())[:90_000] == text[:90_000]


@pytest.mark.parametrize(
    ("flags", "method", "code"),
    [(1, 8, "encrypted"), (1, 99, "encrypted"), (0, 9, "unsupported"), (0, 98, "unsupported")],
)
def test_what_cannot_be_decoded_is_told(flags: int, method: int, code: str) -> None:
    data = bytearray(zipped({"a.jpg": JPEG, "b.jpg": JPEG}))
    directory = data.index(b"PK\1\2")
    struct.pack_into("<HH", data, directory + 8, flags, method)
    assert told(found(bytes(data))) == [("a.jpg", code, False), ("b.jpg", "", True)]


def test_zip64_records_are_read() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, archive.open("a.jpg", "w", force_zip64=True) as member:
        member.write(JPEG)
    data = file.getvalue()
    assert contents(data) == {"a.jpg": JPEG}
    end = data.index(b"PK\5\6")
    size, offset = struct.unpack_from("<II", data, end + 12)
    record = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, size, offset)
    locator = b"PK\6\7" + struct.pack("<IQI", 0, end, 1)
    last = data[end : end + 12] + b"\xff" * 8 + b"\0\0"
    assert contents(data[:end] + record + locator + last) == {"a.jpg": JPEG}


def test_times_are_given_where_they_are_in_utc(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a")
    subprocess.run([tool("touch"), "-d", "2021-03-04T05:06:07Z", "a.txt"], cwd=tmp_path, check=True)
    subprocess.run([tool("zip"), "-q", "made.zip", "a.txt"], cwd=tmp_path, check=True)
    member = found((tmp_path / "made.zip").read_bytes())[0]
    assert isinstance(member, Member)
    assert member.modified == 1_614_834_367_000_000_000
    dos = found(zipped({"a.txt": b"a"}))[0]
    assert isinstance(dos, Member)
    assert dos.modified is None


def test_an_encrypted_zip_of_another_program(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a" * 100)
    subprocess.run([tool("zip"), "-q", "-P", "invented", "made.zip", "a.txt"], cwd=tmp_path, check=True)
    assert told(found((tmp_path / "made.zip").read_bytes())) == [("a.txt", "encrypted", False)]


def test_a_claimed_bomb_is_not_decoded() -> None:
    budget = Budget.of(0)
    before = budget.bytes
    data = zipped({"zeros": bytes(64 << 20), "a.jpg": JPEG})
    assert told(found(data, budget=budget)) == [("zeros", "limit", False), ("a.jpg", "", True)]
    assert before - budget.bytes < 1 << 20


def test_a_bomb_that_lies_about_its_size_ends_at_the_size_it_claims() -> None:
    data = bytearray(zipped({"zeros": bytes(64 << 20)}))
    struct.pack_into("<I", data, data.index(b"PK\1\2") + 24, 1000)
    member = found(bytes(data))[0]
    assert isinstance(member, Member)
    assert member.obstacle
    assert member.obstacle.code == "damaged"
    assert member.content
    assert member.content.size == 1000


def test_members_that_lie_on_each_other_are_decoded_once() -> None:
    payload = zlib.compress(bytes(15 << 20), 9)[2:-4]
    local = b"PK\3\4" + struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, 0, len(payload), 15 << 20, 1, 0) + b"a" + payload
    entry = (
        b"PK\1\2"
        + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0, 8, 0, 0, 0, len(payload), 15 << 20, 1, 0, 0, 0, 0, 0, 0)
        + b"a"
    )
    directory = entry * 3000
    data = local + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 3000, 3000, len(directory), len(local), 0)
    budget = Budget(members=10_000, bytes=100 << 20)
    codes = [code for _, code, _ in told(found(data, budget=budget))]
    assert len(codes) == 3000
    assert codes.count("damaged") == 1
    assert codes.count("limit") == 2999
    assert budget.bytes >= 84 << 20


def test_more_members_than_allowed_are_told() -> None:
    data = zipped({f"{number}": b"a" for number in range(20)})
    inside = found(data, budget=Budget(members=10, bytes=1 << 20))
    assert told(inside)[9:] == [("9", "", True), ("", "limit", False)]


@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_a_member_too_large_to_be_held_is_decoded_as_it_is_read(method: int) -> None:
    data = random.Random(1).randbytes(4 << 20)
    member = found(
        zipped({"film.bin": data}, method), limits=Limits(held=1 << 20), budget=Budget(members=9, bytes=1 << 30)
    )[0]
    assert isinstance(member, Member)
    assert member.obstacle is None
    assert member.content
    assert member.content.head() == data[:4096]
    assert b"".join(member.content.blocks()) == data
    assert member.content.read_at(3 << 20, 100) == data[3 << 20 :][:100]
    assert member.content.read_at(10, 100) == data[10:110]
    assert member.content.read_at((4 << 20) - 5, 100) == data[-5:]


def without_an_entry(data: bytes, name: bytes) -> bytes:
    """Return an archive whose directory does not name one member, the last of it."""
    start, end = data.index(b"PK\1\2"), data.rindex(b"PK\5\6")
    left = data[start : data.rindex(b"PK\1\2", 0, data.rindex(name))]
    counts = struct.pack("<HHII", left.count(b"PK\1\2"), left.count(b"PK\1\2"), len(left), start)
    return data[:start] + left + data[end : end + 8] + counts + data[end + 20 :]


def test_a_member_that_the_directory_leaves_out_is_given_and_told() -> None:
    data = without_an_entry(zipped({"a.txt": b"text" * 50, "hidden.jpg": JPEG}), b"hidden.jpg")
    assert told(found(data)) == [("a.txt", "", True), ("", "damaged", False), ("hidden.jpg", "", True)]


def test_an_archive_in_front_of_another_one_is_gone_through() -> None:
    data = zipped({"first.jpg": JPEG}) + zipped({"second.txt": b"text"})
    assert told(found(data)) == [("second.txt", "", True), ("", "damaged", False), ("first.jpg", "", True)]


def test_four_bytes_that_look_like_a_header_are_no_member() -> None:
    assert contents(zipped({"a": b"a"}), "application/zip") == {"a": b"a"}
    stub = b"MZ" + bytes(200) + b"PK\3\4" + b"\xcc" * 300
    assert told(found(stub + zipped({"a": b"a"}), "application/zip")) == [("a", "", True)]


@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_a_member_that_is_said_to_be_empty_or_shorter_is_told(method: int) -> None:
    data = bytearray(zipped({"a.jpg": JPEG}, method))
    struct.pack_into("<I", data, data.index(b"PK\1\2") + 24, 0)
    member = found(bytes(data))[0]
    assert isinstance(member, Member)
    assert member.content
    assert bytes(member.content.whole()) == JPEG
    assert told([member]) == [("a.jpg", "damaged", True)]
    struct.pack_into("<II", data, data.index(b"PK\1\2") + 16, zlib.crc32(JPEG[:10]), len(JPEG[:10]))
    data[data.index(b"PK\1\2") + 20 : data.index(b"PK\1\2") + 24] = data[18:22]
    struct.pack_into("<I", data, data.index(b"PK\1\2") + 24, 10)
    assert [code for _, code, _ in told(found(bytes(data)))] == ["damaged"]
