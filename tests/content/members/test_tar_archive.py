import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from content.members.made import contents, found, picture, told
from content.members.makers import tarred
from suite import Tool

from triage.content.members.member import Member
from triage.content.members.reading import holds_members

JPEG, PNG = picture(), picture("PNG")
FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


def with_link(kind: bytes, target: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("a.jpg")
        info.size = len(JPEG)
        archive.addfile(info, io.BytesIO(JPEG))
        link = tarfile.TarInfo("b.jpg")
        link.type, link.linkname = kind, target
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo("c"), io.BytesIO())
    return file.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
def test_members_are_given_as_they_were(kind: int) -> None:
    files = {"a/photo.jpg": JPEG, "b.png": PNG, "empty": b"", "../über.txt": b"text" * 500}
    assert contents(tarred(files, kind)) == files


@pytest.mark.parametrize("kind", FORMATS[1:])
def test_long_names_are_read(kind: int) -> None:
    name = "/".join(["a folder with a long name"] * 20) + "/photo.jpg"
    assert contents(tarred({name: JPEG, "b": b"b"}, kind)) == {name: JPEG, "b": b"b"}


def test_times_are_given_to_the_microsecond() -> None:
    member = found(tarred({"a": b"a"}, mtime=1_600_000_000.25))[0]
    assert isinstance(member, Member)
    assert member.modified == 1_600_000_000_250_000_000


def test_hard_links_have_the_content_of_what_they_link_to() -> None:
    assert contents(with_link(tarfile.LNKTYPE, "a.jpg")) == {"a.jpg": JPEG, "b.jpg": JPEG, "c": b""}
    assert len(contents(with_link(tarfile.LNKTYPE, "./a.jpg"))) == 3
    broken = with_link(tarfile.LNKTYPE, "elsewhere")
    assert told(found(broken)) == [("a.jpg", "", True), ("b.jpg", "damaged", False), ("c", "", True)]


def test_symbolic_links_and_folders_hold_nothing() -> None:
    assert contents(with_link(tarfile.SYMTYPE, "a.jpg")) == {"a.jpg": JPEG, "c": b""}
    assert contents(with_link(tarfile.DIRTYPE, "")) == {"a.jpg": JPEG, "c": b""}


@pytest.mark.parametrize("options", [["--format=gnu"], ["--format=pax"]])
def test_sparse_members_of_another_program_are_told(tool: Tool, tmp_path: Path, options: list[str]) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        for number in range(1, 60):
            file.seek(number << 18)
            file.write(b"piece")
    (tmp_path / "z.jpg").write_bytes(JPEG)
    subprocess.run([tool("tar"), "-S", *options, "-cf", "made.tar", "sparse", "z.jpg"], cwd=tmp_path, check=True)
    inside = told(found((tmp_path / "made.tar").read_bytes()))
    assert [(code, given) for _, code, given in inside] == [("unsupported", False), ("", True)]


def test_a_damaged_header_costs_only_its_own_member() -> None:
    data = bytearray(tarred({f"{number}.jpg": JPEG for number in range(4)}))
    at = data.index(b"1.jpg")
    data[at + 100 : at + 160] = b"x" * 60
    assert told(found(bytes(data))) == [
        ("0.jpg", "", True),
        ("", "damaged", False),
        ("2.jpg", "", True),
        ("3.jpg", "", True),
    ]


def test_a_cut_archive_gives_what_is_there() -> None:
    data = tarred({"a": b"a", "b.bin": bytes(range(256)) * 100})[: 512 * 5]
    inside = found(data)
    assert told(inside)[:2] == [("a", "", True), ("b.bin", "damaged", True)]
    assert isinstance(inside[1], Member)
    assert inside[1].content
    assert inside[1].content.whole() == (bytes(range(256)) * 100)[:1024]


def test_an_archive_in_a_compressed_stream_is_for_the_next_level() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        info = tarfile.TarInfo("a.jpg")
        info.size = len(JPEG)
        archive.addfile(info, io.BytesIO(JPEG))
    outer = contents(file.getvalue(), name="backup.tgz")
    assert list(outer) == ["backup.tar"]
    assert contents(outer["backup.tar"]) == {"a.jpg": JPEG}


@pytest.mark.parametrize("filling", [0, 512, 1 << 20])
def test_an_archive_behind_the_end_mark_is_given_and_told(filling: int) -> None:
    data = tarred({"a.txt": b"text"}) + bytes(filling) + old_form({"b.jpg": JPEG})
    assert told(found(data)) == [("a.txt", "", True), ("", "damaged", False), ("b.jpg", "", True)]


def test_an_archive_of_the_old_form_is_known_by_its_checksum() -> None:
    assert contents(old_form({"b.jpg": JPEG}), "application/octet-stream") == {"b.jpg": JPEG}
    assert not holds_members(None, b"b.jpg" + old_form({"b.jpg": JPEG})[4:4096])


def old_form(files: dict[str, bytes]) -> bytes:
    """Return an archive as tar wrote them before ustar: without a signature."""
    data = bytearray(tarred(files, tarfile.USTAR_FORMAT))
    data[257:265] = bytes(8)
    data[148:156] = b"%06o\0 " % (sum(data[:148]) + sum(data[156:512]) + 8 * ord(" "))
    return bytes(data)
