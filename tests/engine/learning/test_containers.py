"""Containers: which files are still to be gone through, and what never passes one over."""

import io
import zipfile
from pathlib import Path

import pytest
from content.members.makers import pdf, tarred, zipped
from engine.learning.grounds import Ground, record
from images import pictures

from triage.model.finding import SetKind
from triage.model.item import Outcome

LARGE = (1 << 20) + 512


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


def marked(archive: bytes, *names: str) -> bytes:
    """Return a zip archive in which some members are marked as encrypted, in both of their headers."""
    data = bytearray(archive)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for entry in opened.infolist():
            if entry.filename in names:
                data[entry.header_offset + 6] |= 1
    at = data.find(b"PK\1\2")
    while at >= 0:
        length = int.from_bytes(data[at + 28 : at + 30], "little")
        if data[at + 46 : at + 46 + length].decode() in names:
            data[at + 8] |= 1
        at = data.find(b"PK\1\2", at + 4)
    return bytes(data)


def test_containers_are_told_by_what_they_are_where_members_are_wanted(ground: Ground) -> None:
    files = {
        "archive": zipped({"a.txt": b"words"}),
        "backup": tarred({"a.txt": b"words"}),
        "document": pdf(b"<< /Type /Catalog >>"),
        "picture": pictures.jpeg(pictures.scene(1)),
        "text": b"plain words",
    }
    told = ground.examine(files, members=True)
    assert {name for name, result in told.items() if result.opens} == {"archive", "backup", "document"}
    assert {result.outcome for result in told.values()} == {Outcome.EXAMINED}
    told = ground.examine(files, members=True, thumbnails=True)
    assert {name for name, result in told.items() if result.opens} == {"archive", "backup", "document", "picture"}
    assert not any(result.opens for result in ground.examine(files).values())


def test_a_container_of_a_size_in_no_set_is_read_and_to_be_gone_through(ground: Ground) -> None:
    ground.know(record(b"some text"))
    files = {"archive": zipped({"a": bytes(LARGE)}, zipfile.ZIP_STORED), "text": b"word " * LARGE}
    told = ground.examine(files, members=True, skip_sizes=True)
    assert (told["archive"].outcome, told["archive"].opens) == (Outcome.EXAMINED, True)
    assert told["archive"].digests.md5 is not None
    assert (told["text"].outcome, told["text"].opens) == (Outcome.SKIPPED, False)
    assert ground.examine(files, skip_sizes=True)["archive"].outcome is Outcome.SKIPPED


def test_a_container_that_is_known_software_is_not_opened(ground: Ground) -> None:
    known, both = zipped({"a.txt": b"a program's text"}), zipped({"b.txt": b"another text"})
    ground.know(record(known), record(both), name="software", kind=SetKind.KNOWN)
    ground.know(record(both))
    told = ground.examine({"known": known, "both": both}, members=True, skip_known=True)
    assert (told["known"].outcome, told["known"].opens) == (Outcome.SKIPPED, False)
    assert told["known"].reason == "known: not opened; known software: software"
    assert told["known"].digests.md5 is not None
    assert (told["both"].outcome, told["both"].opens) == (Outcome.EXAMINED, True)
    assert ground.examine({"known": known}, members=True)["known"].opens


def test_an_encrypted_archive_is_opened_only_for_members_that_are_not(ground: Ground) -> None:
    archive = zipped({"a.txt": b"one", "b.txt": b"two", "folder/": b""})
    files = {
        "all": marked(archive, "a.txt", "b.txt"),
        "first": marked(archive, "a.txt"),
        "later": marked(archive, "b.txt"),
        "damaged": marked(archive, "a.txt", "b.txt")[:-30],
        "key": b"LUKS\xba\xbe\x00\x02" + bytes(5000),
    }
    told = ground.examine(files, members=True)
    assert {name: (result.outcome.value, result.opens) for name, result in told.items()} == {
        "all": ("encrypted", False),
        "first": ("encrypted", True),
        "later": ("examined", True),
        "damaged": ("encrypted", True),
        "key": ("encrypted", False),
    }
    assert told["first"].reason == "encrypted: ZIP"


def test_containers_are_told_without_decoding_too(ground: Ground) -> None:
    (result,) = ground.examine({"a.zip": zipped({"a.txt": b"words"})}, members=True, decode=False).values()
    assert result.opens
