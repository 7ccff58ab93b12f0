import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from triage.model.errors import SourceError
from triage.model.runs import ByteRun
from triage.sources.device import open_device

BLOCK = 64 << 10


@pytest.fixture
def needs_loop(tool: object) -> None:
    """Skip, or fail where everything is expected to run, unless loop devices can be made."""
    assert callable(tool)
    tool("losetup")
    if os.geteuid() or not Path("/dev/loop-control").exists():
        if os.environ.get("DIGIVAN_NO_SKIP") == "1":
            pytest.fail("loop devices cannot be made here, and this run may not skip")
        pytest.skip("loop devices cannot be made here")


@contextmanager
def loop_device(image: Path, sector_size: int = 512) -> Iterator[Path]:
    command = ["losetup", "--find", "--show", "--read-only", "--sector-size", str(sector_size), str(image)]
    device = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield Path(device)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


@contextmanager
def failing_disk(mountpoint: Path, blocks: str) -> Iterator[Path]:
    server = subprocess.Popen([sys.executable, str(Path(__file__).with_name("failing_disk.py")), mountpoint, blocks])
    try:
        for _ in range(200):
            if (mountpoint / "image").exists() or server.poll() is not None:
                break
            time.sleep(0.02)
        yield mountpoint / "image"
    finally:
        subprocess.run(["umount", mountpoint], check=True)
        server.wait(10)


@pytest.mark.usefixtures("needs_loop")
@pytest.mark.parametrize("sector_size", [512, 4096])
def test_a_device_reads_as_its_bytes_and_is_opened_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sector_size: int
) -> None:
    data = os.urandom(1 << 20)
    (tmp_path / "image").write_bytes(data)
    flags: list[int] = []
    real = os.open

    def watched(path: Path, how: int) -> int:
        flags.append(how)
        return real(path, how)

    with loop_device(tmp_path / "image", sector_size) as device:
        monkeypatch.setattr(os, "open", watched)
        source = open_device(device)
        assert source is not None
        assert (source.info.kind, source.info.size, source.info.sector_size) == ("device", 1 << 20, sector_size)
        assert source.read_at(0, 1 << 21) == data
        assert source.read_at(777, 5000) == data[777:5777]
        source.close()
    assert flags == [os.O_RDONLY]
    assert source.unreadable_runs() == ()


@pytest.mark.usefixtures("needs_loop")
def test_bad_sectors_of_a_device_are_read_around(tmp_path: Path) -> None:
    if not Path("/dev/fuse").exists():
        pytest.skip("/dev/fuse is not here")
    with failing_disk(tmp_path, "rrErEEr") as image, loop_device(image) as device:
        source = open_device(device)
        assert source is not None
        assert source.read_at(0, 7 * BLOCK) == b"".join(
            bytes([number if good == "r" else 0]) * BLOCK for number, good in enumerate("rrErEEr")
        )
        runs = source.unreadable_runs()
        source.close()
    assert [bad.run for bad in runs] == [ByteRun(2 * BLOCK, BLOCK), ByteRun(4 * BLOCK, 2 * BLOCK)]
    assert {bad.reason for bad in runs} == {f"{device.name}: input/output error"}


def test_a_character_device_is_refused() -> None:
    with pytest.raises(SourceError, match="character device"):
        open_device(Path("/dev/null"))


def test_anything_else_is_no_device(tmp_path: Path) -> None:
    assert open_device(tmp_path) is None
    (tmp_path / "disk").write_bytes(bytes(1024))
    assert open_device(tmp_path / "disk") is None
