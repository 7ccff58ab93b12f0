import os
from pathlib import Path

import pytest

from triage.filesystems.folder import FolderFileSystem, open_folder_filesystem
from triage.model.errors import EvidenceError
from triage.model.item import Item, ItemKind
from triage.model.runs import ByteRun, merge, total
from triage.sources.folder import open_folder
from triage.sources.raw import open_raw
from triage.sources.watched import WatchedSource
from triage.volumes.volume import Volume


def opened(path: Path) -> tuple[Volume, FolderFileSystem]:
    source = open_folder(path)
    assert source is not None
    volume = Volume(source, ByteRun(0, source.info.size))
    filesystem = open_folder_filesystem(volume)
    assert filesystem is not None
    return volume, filesystem


def test_items_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "picture.bin").write_bytes(b"p" * 5000)
    (tmp_path / "zero").write_bytes(b"")
    (tmp_path / "link").symlink_to("sub")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "twin").hardlink_to(tmp_path / "sub" / "picture.bin")
    os.utime(tmp_path / "zero", ns=(123456789, 987654321))
    volume, filesystem = opened(tmp_path)
    items = {item.path: item for item in filesystem.walk() if isinstance(item, Item)}
    assert {path: item.kind for path, item in items.items()} == {
        "link": ItemKind.LINK,
        "pipe": ItemKind.OTHER,
        "sub": ItemKind.DIRECTORY,
        "sub/picture.bin": ItemKind.FILE,
        "twin": ItemKind.FILE,
        "zero": ItemKind.FILE,
    }
    assert all(item.allocated for item in items.values())
    assert len({item.address for item in items.values()}) == len(items)
    assert items["twin"].reference == items["sub/picture.bin"].reference
    assert (items["zero"].times.accessed, items["zero"].times.modified) == (123456789, 987654321)
    assert filesystem.read_at(items["twin"], 4990, 100) == b"p" * 10
    assert filesystem.read_at(items["zero"], 0, 100) == b""
    assert filesystem.read_at(items["link"], 0, 100) == b""
    assert total(merge(run for item in items.values() for run in item.runs)) == volume.info.size
    assert list(filesystem.walk()) == list(filesystem.walk())
    volume.source.close()


def test_an_item_of_another_time_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")
    first_volume, first = opened(tmp_path)
    (item,) = first.walk()
    assert isinstance(item, Item)
    (tmp_path / "file").write_bytes(b"afterwards")
    second_volume, second = opened(tmp_path)
    with pytest.raises(EvidenceError, match=r"^changed since it was listed$"):
        second.read_at(item, 0, 6)
    first_volume.source.close()
    second_volume.source.close()


def test_a_watched_folder_is_still_a_folder_and_its_reads_are_seen(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    source = open_folder(tmp_path)
    assert source is not None
    watched = WatchedSource(source)
    filesystem = open_folder_filesystem(Volume(watched, ByteRun(0, 7)))
    assert filesystem is not None
    (item,) = filesystem.walk()
    assert isinstance(item, Item)
    assert filesystem.read_at(item, 0, 7) == b"content"
    assert watched.bytes_read == 7
    watched.close()


def test_an_empty_folder(tmp_path: Path) -> None:
    volume, filesystem = opened(tmp_path)
    assert list(filesystem.walk()) == []
    filesystem.close()
    volume.source.close()


def test_an_image_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(bytes(1 << 16))
    source = open_raw(tmp_path / "image")
    assert source is not None
    assert open_folder_filesystem(Volume(source, ByteRun(0, 1 << 16))) is None
    source.close()
