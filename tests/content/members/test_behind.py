"""What lies behind the end of a picture or a program."""

import io
import random
import struct

import pytest
from content.members.made import contents, found, picture, told
from content.members.makers import packed, zipped
from PIL import Image

from triage.content.content import Content
from triage.content.mediatype import quick_type
from triage.content.members.reading import holds_members

JPEG, PNG, GIF, OTHER = picture(), picture("PNG"), picture("GIF"), picture(colour="red")
PICTURES = [JPEG, PNG, GIF]


def program(rest: bytes = b"", signature: bytes = b"") -> bytes:
    """Return a program of one section, with what follows it, and its certificates last."""
    section = b"PK\3\4" + bytes(508)
    end = 1024 + len(rest)
    optional = struct.pack("<H126xII", 0x10B, end if signature else 0, len(signature)).ljust(224, b"\0")
    header = b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 1, 0, 0, 0, len(optional), 2) + optional
    table = b".text\0\0\0" + struct.pack("<IIII", 512, 4096, 512, 512) + bytes(16)
    head = (b"MZ" + bytes(58) + struct.pack("<I", 64) + header + table).ljust(512, b"\0")
    return head + section + rest + signature


def opens(data: bytes) -> bool:
    return holds_members(quick_type(data[:4096]), data[:4096], Content.of(memoryview(data)), thumbnails=False)


@pytest.mark.parametrize("data", [*PICTURES, *(each + bytes(900) for each in PICTURES), program(), b"\1text" * 999])
def test_what_ends_as_it_should_is_no_container(data: bytes) -> None:
    assert not opens(data)
    assert found(data) == []


@pytest.mark.parametrize("front", [*PICTURES, program(), b"MZ" + bytes(2000), b"\0", b"#!/bin/sh\nexit\n"])
@pytest.mark.parametrize("comment", [b"", b"a comment " * 500])
def test_the_members_of_a_zip_behind_something_are_given(front: bytes, comment: bytes) -> None:
    archive = zipped({"a.jpg": OTHER})[:-2] + struct.pack("<H", len(comment)) + comment
    assert opens(front + archive)
    assert contents(front + archive, "application/octet-stream") == {"a.jpg": OTHER}


def test_an_archive_in_front_of_a_programs_signature_is_found() -> None:
    assert contents(program(zipped({"a.jpg": OTHER}), bytes(70_000))) == {"a.jpg": OTHER}
    assert not opens(program(b"", bytes(70_000)))


@pytest.mark.parametrize("front", [JPEG, PNG, program(b";!@Install@!UTF-8!"), b"MZ" + bytes(900)])
def test_another_archive_behind_something_is_a_member(front: bytes) -> None:
    archive = packed({"a.jpg": OTHER})
    assert contents(front + archive) == {"behind-the-end.7z": archive}
    rar = b"Rar!\x1a\x07\1\0" + bytes(100)
    assert contents(front + rar) == {"behind-the-end.rar": rar}


@pytest.mark.parametrize("front", PICTURES)
@pytest.mark.parametrize("between", [b"", b"\1 some junk"])
def test_pictures_behind_a_picture_are_members(front: bytes, between: bytes) -> None:
    data = front + between + OTHER + PNG
    assert opens(data)
    assert list(contents(data).values()) == [OTHER, PNG]


def test_the_end_of_a_large_picture_of_several_scans_is_found() -> None:
    noise = Image.frombytes("RGB", (1100, 1100), random.Random(1).randbytes(1100 * 1100 * 3))
    file = io.BytesIO()
    noise.save(file, "JPEG", quality=95, progressive=True)
    assert len(file.getvalue()) > 1 << 20
    assert not opens(file.getvalue())
    assert list(contents(file.getvalue() + OTHER).values()) == [OTHER]


def test_a_broken_picture_behind_a_picture_is_told() -> None:
    (member,) = told(found(PNG + OTHER[:-100]))
    assert member[1:] == ("damaged", True)
