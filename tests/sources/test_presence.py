"""A source that goes away is told from one with bad sectors; the devices and file systems are real ones."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from triage.model.runs import ByteRun
from triage.sources.device import open_device
from triage.sources.opening import open_source
from triage.sources.presence import Presence, is_there
from triage.sources.watched import WatchedSource

MIB = 1 << 20


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image"
    path.write_bytes(os.urandom(4 * MIB))
    return path


def test_a_file_that_stays_is_present_and_one_that_was_replaced_or_cut_is_not(image: Path) -> None:
    presence = Presence.of(image)
    assert presence.lasts()
    data = image.read_bytes()
    image.rename(image.with_suffix(".old"))
    assert not presence.lasts()
    assert not is_there(image)
    image.write_bytes(data)
    assert is_there(image)
    assert not presence.lasts()
    again = Presence.of(image)
    os.truncate(image, MIB)
    assert not again.lasts()


def test_a_folder_is_present_until_it_is_another(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    presence = Presence.of(folder)
    assert presence.lasts()
    assert is_there(folder)
    folder.rename(tmp_path / "elsewhere")
    assert not presence.lasts()
    assert not is_there(folder)
    folder.mkdir()
    assert is_there(folder)
    assert not presence.lasts()


def test_a_bad_sector_is_no_absence(failing_disk: Callable[[str], Path], loop_device: Callable[..., Path]) -> None:
    device = loop_device(failing_disk("ErrE"))
    presence = Presence.of(device)
    assert presence.witness == 2 * (64 << 10)
    source = open_device(device)
    assert source is not None
    source.read_at(0, 4 * (64 << 10))
    source.close()
    assert len(source.unreadable_runs()) == 2
    assert presence.lasts()


def test_a_device_whose_size_fell_to_nothing_while_it_was_open_is_gone(
    image: Path, loop_device: Callable[..., Path]
) -> None:
    """The kernel leaves a device that was removed open with no bytes; a loop device can be brought to that."""
    device = loop_device(image)
    presence, data = Presence.of(device), image.read_bytes()
    source = open_device(device)
    assert source is not None
    os.truncate(image, 0)
    subprocess.run(["losetup", "-c", str(device)], check=True)
    source.read_at(MIB, 512)
    assert source.unreadable_runs()[0].reason.endswith("the file ends before this place")
    assert not presence.lasts()
    assert not is_there(device)
    image.write_bytes(data)
    subprocess.run(["losetup", "-c", str(device)], check=True)
    assert is_there(device)
    source.close()


def test_a_device_that_fails_every_read_is_gone_although_its_node_stays(
    image: Path, loop_device: Callable[..., Path]
) -> None:
    device = loop_device(image)
    presence = Presence.of(device)
    assert presence.lasts()
    os.truncate(image, 0)  # every read of the device fails with EIO from now on
    assert not presence.lasts()
    assert not is_there(device)


def test_a_device_that_was_detached_is_gone_and_attached_again_there(
    image: Path, loop_device: Callable[..., Path]
) -> None:
    device = loop_device(image)
    presence = Presence.of(device)
    subprocess.run(["losetup", "-d", str(device)], check=True)
    assert not presence.lasts()
    assert not is_there(device)
    subprocess.run(["losetup", "-r", str(device), str(image)], check=True)
    assert is_there(device)


def test_fresh_unreadable_bytes_are_told_before_anybody_reads_them(
    failing_disk: Callable[[str], Path], loop_device: Callable[..., Path]
) -> None:
    source = WatchedSource(open_source(loop_device(failing_disk("rrErEr"))))
    told: list[tuple[ByteRun, ...]] = []
    source.on_unreadable = lambda: told.append(tuple(bad.run for bad in source.unreadable_runs()))
    block = 64 << 10
    for _ in range(2):
        source.read_at(0, 2 * block)
        source.read_at(2 * block, block)
        source.read_into(4 * block, memoryview(bytearray(block)))
    source.close()
    assert told == [(ByteRun(2 * block, block),), (ByteRun(2 * block, block), ByteRun(4 * block, block))]
