"""What lies inside files, at every depth: order, names, addresses, bounds."""

import io
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from content.members.made import compound, picture
from content.members.makers import message, packed, tarred, zipped
from images.ntfs import ntfs
from images.tree import File
from items.expanding import ALL, MEMBERS, Scratched, expanded, inside, listed, told
from synthetic.photographs import photograph, with_thumbnail

from triage.content.members.member import DEEPEST, TOO_DEEP
from triage.items.evidence import Evidence
from triage.items.expansion import LONGEST_NAME, Reach, opens
from triage.model.address import Address
from triage.model.item import Item, ItemKind
from triage.model.runs import ByteRun
from triage.model.trouble import TroubleCode
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource


def file_of(path: str, size: int = 1 << 20) -> Item:
    address = Address("volume", "0").child("file", "1")
    return Item(address=address, kind=ItemKind.FILE, path=path, size=size, allocated=True, reference="1")


def test_a_zip_in_a_zip_in_a_tar_is_gone_through_to_the_bottom_depth_first(tmp_path: Path) -> None:
    inner = zipped({"deep.jpg": picture(), "b.txt": b"b"})
    found = inside(tmp_path, "a.tar", tarred({"x/middle.zip": zipped({"inner.zip": inner, "c.txt": b"c"}), "d": b"d"}))
    assert [item.path for item in found.items] == [
        "a.tar/x/middle.zip",
        "a.tar/x/middle.zip/inner.zip",
        "a.tar/x/middle.zip/inner.zip/deep.jpg",
        "a.tar/x/middle.zip/inner.zip/b.txt",
        "a.tar/x/middle.zip/c.txt",
        "a.tar/d",
    ]
    assert found.contents["a.tar/x/middle.zip/inner.zip/deep.jpg"] == picture()
    assert found.troubles == []


def test_addresses_have_one_step_for_each_level_and_items_are_as_their_container(tmp_path: Path) -> None:
    found = inside(tmp_path, "a.tar", tarred({"one": b"1", "two.zip": zipped({"three": b"333"})}, mtime=86_400))
    addresses = [str(item.address).partition("!path:/a.tar")[2] for item in found.items]
    assert addresses == ["!member:0", "!member:1", "!member:1!member:0"]
    assert all(Address.parse(str(item.address)) == item.address for item in found.items)
    assert {(item.kind, item.allocated, item.recovered, item.runs) for item in found.items} == {
        (ItemKind.MEMBER, True, False, ())
    }
    assert [item.size for item in found.items] == [1, len(found.contents["a.tar/two.zip"]), 3]
    assert found.items[0].times.modified == 86_400 * 10**9
    assert len({item.reference for item in found.items}) == 3


def test_what_lies_in_a_recovered_container_is_recovered_as_well(tmp_path: Path) -> None:
    (tmp_path / "old.zip").write_bytes(zipped({"one": b"1"}))
    evidence = Evidence(WatchedSource(open_source(tmp_path)))
    ((item, volume),) = listed(evidence)
    found = told(expanded(evidence, replace(item, allocated=False, recovered=True), volume))
    assert [(inner.allocated, inner.recovered) for inner in found.items] == [(False, True)]
    evidence.source.close()


@pytest.mark.parametrize(
    ("name", "data", "path"),
    [
        (
            "a.docx",
            zipped({"[Content_Types].xml": b"<x/>", "word/media/image1.jpeg": picture()}),
            "word/media/image1.jpeg",
        ),
        ("a.7z", packed({"holiday.jpg": picture()}), "holiday.jpg"),
        ("a.eml", bytes(message("hello", {"beach.jpg": picture()})), "beach.jpg"),
        ("a.msg.bin", zipped({"mail.eml": bytes(message("hello", {"beach.jpg": picture()}))}), "mail.eml/beach.jpg"),
    ],
)
def test_the_picture_in_a_container_is_given_out(tmp_path: Path, name: str, data: bytes, path: str) -> None:
    found = inside(tmp_path, name, data, MEMBERS)
    assert found.contents[f"{name}/{path}"] == picture()
    assert found.troubles == []


def test_a_member_that_is_encrypted_is_listed_without_a_content(tmp_path: Path) -> None:
    data = bytearray(zipped({"secret.jpg": picture()}, zipfile.ZIP_STORED))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    found = inside(tmp_path, "a.zip", bytes(data))
    assert found.obstacles == {"a.zip/secret.jpg": TroubleCode.ENCRYPTED}
    assert found.contents == {}
    assert found.items[0].size == len(picture())


def test_a_bomb_is_no_content_but_an_obstacle(tmp_path: Path) -> None:
    bomb = zipped({"bomb": bytes(64 << 20)})
    found = inside(tmp_path, "a.zip", zipped({"b.zip": bomb, "after.txt": b"after"}))
    assert found.obstacles == {"a.zip/b.zip/bomb": TroubleCode.LIMIT}
    assert found.contents["a.zip/after.txt"] == b"after"


def test_all_levels_together_are_paid_for_from_one_budget(tmp_path: Path) -> None:
    small = zipped({f"{number}": bytes(15 << 20) for number in range(10)})
    found = inside(tmp_path, "a.zip", zipped({"1.zip": small, "2.zip": small}))
    codes = list(found.obstacles.values()) + [trouble.code for trouble in found.troubles]
    assert set(codes) == {TroubleCode.LIMIT}
    assert 2 < len(found.contents) < 22


def test_a_container_below_the_deepest_level_is_named_and_not_opened(tmp_path: Path) -> None:
    data = b"at the bottom"
    for number in range(DEEPEST + 1):
        data = zipped({f"{number}.zip" if number else "bottom.txt": data})
    found = inside(tmp_path, "a.zip", data)
    assert len(found.items) == DEEPEST
    (trouble,) = found.troubles
    assert (trouble.address, trouble.code, trouble.text) == (found.items[-1].address, *TOO_DEEP)


def test_names_are_kept_as_they_are_stored_but_for_separators(tmp_path: Path) -> None:
    names = ["../../etc/escape", "/absolute", "C:\\Users\\a.txt", "same", "same", "line\nbreak", "a\x1b[31m"]
    found = inside(tmp_path, "a.tar", stored_twice(names))
    assert [item.path.removeprefix("a.tar/") for item in found.items] == [
        "../../etc/escape",
        "absolute",
        "C:/Users/a.txt",
        "same",
        "same",
        "line\nbreak",
        "a\x1b[31m",
    ]
    assert len({item.address for item in found.items}) == len(names)


def test_a_member_without_a_name_is_called_by_its_number(tmp_path: Path) -> None:
    found = inside(tmp_path, "a.zip", zipped({"first": b"1", "/": b"", "//": b"x"}))
    assert "a.zip/first" in {item.path for item in found.items}
    assert all(not item.path.endswith("/") for item in found.items)


def test_a_name_without_end_is_cut_and_said_to_be(tmp_path: Path) -> None:
    found = inside(tmp_path, "a.zip", zipped({"n" * 5000: b"1"}))
    assert len(found.items[0].path) == LONGEST_NAME + len("a.zip/")
    assert [(trouble.address, trouble.code) for trouble in found.troubles] == [
        (found.items[0].address, TroubleCode.LIMIT)
    ]


def test_damage_of_a_container_is_trouble_of_that_container(tmp_path: Path) -> None:
    cut = tarred({"one": b"1" * 2000, "two": b"2" * 20_000})[:4000]
    found = inside(tmp_path, "a.zip", zipped({"cut.tar": cut, "fine.txt": b"fine"}))
    assert {trouble.code for trouble in found.troubles} | set(found.obstacles.values()) == {TroubleCode.DAMAGED}
    assert all(str(trouble.address).endswith("!member:0") for trouble in found.troubles)
    assert found.contents["a.zip/fine.txt"] == b"fine"
    assert found.contents["a.zip/cut.tar/one"] == b"1" * 2000


def test_an_archive_that_is_not_read_is_said_to_be(tmp_path: Path) -> None:
    found = inside(tmp_path, "a.rar", b"Rar!\x1a\x07\x01\x00" + bytes(500))
    assert [trouble.code for trouble in found.troubles] == [TroubleCode.UNSUPPORTED]


def test_bytes_that_cannot_be_read_are_no_members(tmp_path: Path) -> None:
    data = tarred({"one": b"1" * 4096, "two": b"2" * 4096, "three": b"3" * 4096})
    image = tmp_path / "disk.raw"
    image.write_bytes(ntfs([File(path="a.tar", data=data)], 4 << 20))
    bad = ByteRun(image.read_bytes().index(b"2" * 512) + 1024, 512)
    source = WatchedSource(Scratched(open_source(image), bad))
    evidence = Evidence(source)
    item, volume = next(pair for pair in listed(evidence) if pair[0].path == "a.tar")
    found = told(expanded(evidence, item, volume))
    assert found.contents == {"a.tar/one": b"1" * 4096, "a.tar/three": b"3" * 4096}
    assert found.obstacles == {"a.tar/two": TroubleCode.UNREADABLE}
    assert source.touched
    source.close()


def test_hostile_bytes_raise_nothing(tmp_path: Path) -> None:
    whole = zipped({"a.zip": zipped({"b": b"b" * 100}), "c.ole": compound({"Data": b"d" * 5000})})
    for number, at in enumerate(range(0, len(whole), 7)):
        data = bytearray(whole)
        data[at] ^= 0xFF
        folder = tmp_path / str(number)
        folder.mkdir()
        assert inside(folder, "a.zip", bytes(data)) is not None


def test_the_thumbnail_in_a_photograph_is_looked_for_only_when_asked(tmp_path: Path) -> None:
    data = with_thumbnail(photograph(3, (640, 480)))
    without = Reach(thumbnails=False, images=True, shadows=True)
    assert not opens(file_of("a.jpg"), "image/jpeg", data[:4096], without)
    assert inside(tmp_path, "a.jpg", data, without).items == []
    assert [item.path for item in inside(tmp_path, "a.jpg", data, ALL).items] == ["a.jpg/exif-thumbnail.jpg"]


@pytest.mark.parametrize(
    ("path", "kind", "head"),
    [
        ("a.txt", "text/plain", b"hello"),
        ("a.jpg", "image/jpeg", b"\xff\xd8\xff\xe0"),
        ("a.exe", "application/vnd.microsoft.portable-executable", b"MZ" + bytes(4000)),
        ("$Boot", "application/octet-stream", bytes(510) + b"\x55\xaa"),
    ],
)
def test_nothing_is_opened_in_what_holds_nothing(path: str, kind: str, head: bytes) -> None:
    assert not opens(file_of(path, 8192), kind, head, Reach(thumbnails=False, images=True, shadows=True))


def stored_twice(names: list[str]) -> bytes:
    """Return a tar in which names may be the same."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return file.getvalue()
