import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from triage.model.errors import SourceError
from triage.model.runs import ByteRun
from triage.sources import evidence_files
from triage.sources.device import open_device
from triage.sources.opening import open_source
from triage.sources.raw import RawSource

BLOCK = 64 << 10


@pytest.mark.parametrize("sector_size", [512, 4096])
def test_a_device_reads_as_its_bytes_and_is_opened_read_only(
    tmp_path: Path, loop_device: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, sector_size: int
) -> None:
    data = os.urandom(1 << 20)
    (tmp_path / "image").write_bytes(data)
    device = loop_device(tmp_path / "image", sector_size)
    flags: list[int] = []
    real = os.open

    def watched(path: Path, how: int) -> int:
        flags.append(how)
        return real(path, how)

    monkeypatch.setattr(os, "open", watched)
    source = open_source(device)
    monkeypatch.undo()
    assert (source.info.kind, source.info.size, source.info.sector_size) == ("device", 1 << 20, sector_size)
    assert source.read_at(0, 1 << 21) == data
    assert source.read_at(777, 5000) == data[777:5777]
    source.close()
    assert set(flags) == {os.O_RDONLY}
    assert source.unreadable_runs() == ()


def test_no_source_can_open_anything_for_writing() -> None:
    writing = re.compile(
        r"O_RDWR|O_WRONLY|O_CREAT|O_TRUNC|O_APPEND|open\([^)]*[\"'][rwax]b?\+|open\([^)]*[\"'][wax]b?[\"']"
    )
    code = {path.name: path.read_text() for path in Path(evidence_files.__file__).parent.glob("*.py")}
    assert {name: writing.findall(text) for name, text in code.items() if writing.search(text)} == {}
    assert re.findall(r"os\.open\(.*", code["evidence_files.py"]) == ["os.open(path, os.O_RDONLY)"]


def test_bad_sectors_of_a_device_are_read_around(
    failing_disk: Callable[[str], Path], loop_device: Callable[..., Path]
) -> None:
    device = loop_device(failing_disk("rrErEEr"))
    source = open_device(device)
    assert source is not None
    assert source.read_at(0, 7 * BLOCK) == b"".join(
        bytes([number if good == "r" else 0]) * BLOCK for number, good in enumerate("rrErEEr")
    )
    runs = source.unreadable_runs()
    source.close()
    assert [bad.run for bad in runs] == [ByteRun(2 * BLOCK, BLOCK), ByteRun(4 * BLOCK, 2 * BLOCK)]
    assert {bad.reason for bad in runs} == {f"{device.name}: input/output error"}


def test_a_buffer_is_filled_around_bad_sectors_of_a_device(
    failing_disk: Callable[[str], Path], loop_device: Callable[..., Path]
) -> None:
    device = loop_device(failing_disk("rrErEEr"))
    source, other = open_device(device), open_device(device)
    assert isinstance(source, RawSource)
    assert other is not None
    buffer = bytearray(b"\xaa" * 6 * BLOCK)
    source.read_into(BLOCK // 2, memoryview(buffer))
    assert buffer == other.read_at(BLOCK // 2, 6 * BLOCK)
    assert source.unreadable_runs() == other.unreadable_runs()
    assert [bad.run for bad in source.unreadable_runs()] == [ByteRun(2 * BLOCK, BLOCK), ByteRun(4 * BLOCK, 2 * BLOCK)]
    source.close()
    other.close()


def test_a_device_without_a_medium_is_refused(tmp_path: Path, loop_device: Callable[..., Path]) -> None:
    (tmp_path / "image").write_bytes(b"")
    with pytest.raises(SourceError, match="has no bytes: put the medium in"):
        open_source(loop_device(tmp_path / "image"))


def test_a_character_device_is_refused() -> None:
    with pytest.raises(SourceError, match="character device"):
        open_device(Path("/dev/null"))


def test_anything_else_is_no_device(tmp_path: Path) -> None:
    assert open_device(tmp_path) is None
    (tmp_path / "disk").write_bytes(bytes(1024))
    assert open_device(tmp_path / "disk") is None
