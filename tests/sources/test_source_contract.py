"""What every source promises, held to by each of them."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triage.model.evidence import SourceInfo
from triage.model.runs import ByteRun, merge, total
from triage.sources.ewf import open_ewf
from triage.sources.raw import open_raw
from triage.sources.source import EvidenceSource, ReadsInto
from triage.sources.split import open_split
from triage.sources.unreadable import UnreadableSource
from triage.sources.watched import WatchedSource
from triage.volumes.volume import Volume

Build = Callable[[Path, bytes, Any], EvidenceSource | None]


def raw(folder: Path, disk: bytes, _: Any) -> EvidenceSource | None:
    (folder / "d.dd").write_bytes(disk)
    return open_raw(folder / "d.dd")


def split(folder: Path, disk: bytes, _: Any) -> EvidenceSource | None:
    for number in range(0, len(disk), 10_000):
        (folder / f"d.{1 + number // 10_000:03d}").write_bytes(disk[number : number + 10_000])
    return open_split(folder / "d.001")


def split_with_a_gap(folder: Path, disk: bytes, writer: Any) -> EvidenceSource | None:
    split(folder, disk, writer)
    (folder / "d.003").unlink()
    return open_split(folder / "d.001")


def ewf(folder: Path, disk: bytes, writer: Any) -> EvidenceSource | None:
    return open_ewf(writer().write(folder / "d.E01", disk)[0])


def ewf_with_a_gap(folder: Path, disk: bytes, writer: Any) -> EvidenceSource | None:
    paths = writer().write(folder / "d.E01", disk)
    paths[1].unlink()
    return open_ewf(paths[0])


def volume(folder: Path, disk: bytes, writer: Any) -> EvidenceSource | None:
    source = raw(folder, b"x" * 3000 + disk + b"y" * 1000, writer)
    assert source is not None
    return Volume(source, ByteRun(3000, len(disk)))


def unreadable(_: Path, disk: bytes, __: Any) -> EvidenceSource | None:
    return UnreadableSource(SourceInfo(kind="ewf", files=("d.E01",), size=len(disk)), "lost")


@pytest.mark.parametrize("build", [raw, split, split_with_a_gap, ewf, ewf_with_a_gap, volume, unreadable])
class TestSource:
    @pytest.fixture
    def source(self, build: Build, tmp_path: Path, disk: bytes, ewf_writer: Any) -> EvidenceSource:
        source = build(tmp_path, disk, ewf_writer)
        assert source is not None
        return source

    def test_reading_everything_gives_its_size_and_the_bytes_that_are_not_unreadable(
        self, source: EvidenceSource, disk: bytes
    ) -> None:
        whole = source.read_at(0, source.info.size)
        assert len(whole) == source.info.size == len(disk)
        expected = bytearray(disk)
        for bad in source.unreadable_runs():
            expected[bad.run.offset : bad.run.end] = bytes(bad.run.length)
        assert whole == expected

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
    @given(data=st.data())
    def test_any_piece_is_that_piece_of_the_whole(self, source: EvidenceSource, data: st.DataObject) -> None:
        size = source.info.size
        offset = data.draw(st.integers(0, size + 10))
        length = data.draw(st.integers(0, size + 10))
        assert source.read_at(offset, length) == source.read_at(0, size)[offset : offset + length]

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
    @given(data=st.data())
    def test_a_filled_buffer_holds_what_a_read_returns(self, source: EvidenceSource, data: st.DataObject) -> None:
        watched = WatchedSource(source)
        size = source.info.size
        offset = data.draw(st.integers(0, size))
        length = data.draw(st.integers(0, size - offset))
        buffer = bytearray(b"\xaa" * (length + 20))
        watched.read_into(offset, memoryview(buffer)[10 : 10 + length])
        assert buffer == b"\xaa" * 10 + source.read_at(offset, length) + b"\xaa" * 10
        assert watched.bytes_read == length

    def test_a_buffer_that_cannot_be_filled_is_refused(self, source: EvidenceSource) -> None:
        watched = WatchedSource(source)
        size = source.info.size
        buffer = memoryview(bytearray(100))
        for offset in (size - 99, size, 1 << 60, -1):
            with pytest.raises(ValueError, match="reach past"):
                watched.read_into(offset, buffer)
        for unfit in (buffer.toreadonly(), buffer[::2]):
            with pytest.raises(ValueError, match="cannot be filled"):
                watched.read_into(0, unfit)
        watched.read_into(size, buffer[:0])
        assert (bytes(buffer), watched.bytes_read) == (bytes(100), 0)

    def test_a_buffer_of_another_shape_is_filled_byte_by_byte(self, source: EvidenceSource) -> None:
        table = memoryview(bytearray(400)).cast("I", (10, 10))
        WatchedSource(source).read_into(3, table)
        assert table.tobytes() == source.read_at(3, 400)

    def test_odd_pieces_make_the_whole(self, source: EvidenceSource) -> None:
        size = source.info.size
        assert b"".join(source.read_at(at, 777) for at in range(0, size, 777)) == source.read_at(0, size)

    def test_past_the_end_there_is_nothing(self, source: EvidenceSource) -> None:
        size = source.info.size
        assert [source.read_at(at, 5) for at in (size, size + 1, 1 << 60)] == [b"", b"", b""]
        assert source.read_at(size - 3, 100) == source.read_at(size - 3, 3)
        assert source.read_at(0, 0) == b""

    def test_unreadable_runs_are_sorted_within_the_source_and_without_overlap(self, source: EvidenceSource) -> None:
        source.read_at(0, source.info.size)
        runs = [bad.run for bad in source.unreadable_runs()]
        assert runs == sorted(runs)
        assert total(merge(runs)) == total(runs) <= source.info.size
        assert all(run.end <= source.info.size for run in runs)

    def test_closing_twice_is_harmless(self, source: EvidenceSource) -> None:
        source.read_at(0, 1)
        source.close()
        source.close()
        assert source.info.kind


@pytest.mark.parametrize("build", [raw, split, ewf, volume])
def test_a_medium_that_fails_gives_zeros_and_a_reason(
    build: Build, tmp_path: Path, disk: bytes, ewf_writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = build(tmp_path, disk, ewf_writer)
    assert source is not None

    def failing(*_: object) -> bytes:
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(os, "pread", failing)
    monkeypatch.setattr(os, "preadv", failing)
    assert source.read_at(0, len(disk)) == bytes(len(disk))
    runs = source.unreadable_runs()
    assert total(bad.run for bad in runs) == len(disk)
    assert all("input/output error" in bad.reason for bad in runs)
    buffer = bytearray(b"\xaa" * len(disk))
    watched = WatchedSource(source)
    watched.read_into(0, memoryview(buffer))
    assert buffer == bytes(len(disk))
    assert watched.touched
    assert source.unreadable_runs() == runs


@pytest.mark.parametrize("build", [raw, split, ewf])
def test_a_medium_that_fails_while_a_buffer_is_filled_gives_zeros_and_a_reason(
    build: Build, tmp_path: Path, disk: bytes, ewf_writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = build(tmp_path, disk, ewf_writer)
    assert built is not None
    source = WatchedSource(built)
    assert isinstance(built, ReadsInto)

    def failing(*_: object) -> bytes:
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(os, "pread", failing)
    monkeypatch.setattr(os, "preadv", failing)
    buffer = bytearray(b"\xaa" * len(disk))
    source.read_into(0, memoryview(buffer))
    assert buffer == bytes(len(disk))
    runs = source.unreadable_runs()
    assert total(bad.run for bad in runs) == len(disk)
    assert all("input/output error" in bad.reason for bad in runs)
