import errno
import os
from pathlib import Path

import pytest

from triage.model.errors import SourceError
from triage.model.runs import ByteRun
from triage.sources.raw import RawSource, open_raw


def test_bytes_come_back(tmp_path: Path) -> None:
    path = tmp_path / "disk.dd"
    path.write_bytes(bytes(range(256)) * 4 + b"tail")
    source = open_raw(path)
    assert source is not None
    assert (source.info.kind, source.info.size, source.info.files) == ("raw", 1028, (str(path),))
    assert source.read_at(1020, 100) == b"\xfc\xfd\xfe\xfftail"
    assert source.unreadable_runs() == ()


def test_an_empty_file_is_a_source_of_no_bytes_with_a_trouble(tmp_path: Path) -> None:
    (tmp_path / "disk").touch()
    source = open_raw(tmp_path / "disk")
    assert source is not None
    assert (source.info.size, source.info.troubles, source.read_at(0, 10)) == (0, ("the file is empty",), b"")


def test_a_file_below_one_sector_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note").write_bytes(b"x" * 511)
    with pytest.raises(SourceError, match="511 bytes are too few") as raised:
        open_raw(tmp_path / "note")
    assert "\n" not in str(raised.value)


def test_a_folder_is_not_raw(tmp_path: Path) -> None:
    assert open_raw(tmp_path) is None


def test_a_file_that_shrinks_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(b"a" * 4096)
    source = open_raw(path)
    assert source is not None
    os.truncate(path, 1000)
    assert source.read_at(0, 4096) == b"a" * 1000 + bytes(3096)
    (bad,) = source.unreadable_runs()
    assert (bad.run, bad.reason) == (ByteRun(1000, 3096), "disk: the file ends before this place")


def test_bad_sectors_are_narrowed_down_and_not_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "disk"
    path.write_bytes(b"d" * 65536)
    source = open_raw(path)
    assert source is not None
    real, asked = os.pread, []

    def failing(handle: int, length: int, offset: int) -> bytes:
        asked.append(offset)
        if offset < 10752 and offset + length > 10240:
            raise OSError(errno.EIO, "no")
        return real(handle, length, offset)

    monkeypatch.setattr(os, "pread", failing)
    expected = b"d" * 10240 + bytes(512) + b"d" * (65536 - 10752)
    assert source.read_at(0, 65536) == expected
    (bad,) = source.unreadable_runs()
    assert (bad.run, bad.reason) == (ByteRun(10240, 512), "disk: input/output error")
    asked.clear()
    assert source.read_at(10000, 1000) == expected[10000:11000]
    assert asked == [10000, 10752]
    assert source.read_at(10300, 10) == bytes(10)
    assert len(asked) == 2


def test_a_buffer_is_filled_around_bad_sectors_which_are_not_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "disk"
    path.write_bytes(bytes(range(256)) * 256)
    source = open_raw(path)
    assert isinstance(source, RawSource)
    real_into, real, asked = os.preadv, os.pread, []

    def check(offset: int, length: int) -> None:
        asked.append(offset)
        if offset < 10752 and offset + length > 10240:
            raise OSError(errno.EIO, "no")

    def failing_into(handle: int, buffers: list[memoryview], offset: int) -> int:
        check(offset, sum(map(len, buffers)))
        return real_into(handle, buffers, offset)

    def failing(handle: int, length: int, offset: int) -> bytes:
        check(offset, length)
        return real(handle, length, offset)

    monkeypatch.setattr(os, "preadv", failing_into)
    monkeypatch.setattr(os, "pread", failing)
    whole = path.read_bytes()
    expected = whole[:10240] + bytes(512) + whole[10752:]
    buffer = bytearray(b"\xaa" * 65536)
    source.read_into(0, memoryview(buffer))
    assert buffer == expected
    (bad,) = source.unreadable_runs()
    assert (bad.run, bad.reason) == (ByteRun(10240, 512), "disk: input/output error")
    asked.clear()
    source.read_into(10000, memoryview(buffer)[10000:11000])
    assert asked == [10000, 10752]
    assert buffer == expected


def test_a_buffer_is_filled_however_little_the_system_gives_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "disk"
    path.write_bytes(bytes(range(256)) * 40)
    source = open_raw(path)
    assert isinstance(source, RawSource)
    real = os.preadv
    monkeypatch.setattr(
        os, "preadv", lambda handle, buffers, offset: real(handle, [buffers[0][: min(len(buffers[0]), 1000)]], offset)
    )
    buffer = bytearray(10240)
    source.read_into(0, memoryview(buffer))
    assert buffer == path.read_bytes()
    assert source.unreadable_runs() == ()


def test_the_end_of_a_file_that_shrinks_fills_a_buffer_with_zeros(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(b"a" * 4096)
    source = open_raw(path)
    assert isinstance(source, RawSource)
    os.truncate(path, 1000)
    buffer = bytearray(b"\xaa" * 4096)
    source.read_into(0, memoryview(buffer))
    assert buffer == b"a" * 1000 + bytes(3096)
    (bad,) = source.unreadable_runs()
    assert (bad.run, bad.reason) == (ByteRun(1000, 3096), "disk: the file ends before this place")
