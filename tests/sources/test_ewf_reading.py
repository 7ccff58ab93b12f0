"""Reading EWF sets in large pieces: the same bytes and the same losses as chunk by chunk."""

import os
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triage.model.evidence import UnreadableRun
from triage.sources.ewf import EwfSource, open_ewf
from triage.sources.ewf_chunks import most_bytes

CHUNK = 4096


def opened(path: Path) -> EwfSource:
    source = open_ewf(path)
    assert isinstance(source, EwfSource)
    return source


def at_once(source: EwfSource) -> tuple[bytes, tuple[UnreadableRun, ...]]:
    buffer = bytearray(b"\xaa" * source.info.size)
    source.read_into(0, memoryview(buffer))
    return bytes(buffer), source.unreadable_runs()


def one_by_one(source: EwfSource) -> tuple[bytes, tuple[UnreadableRun, ...]]:
    data = b"".join(source.read_at(offset, CHUNK) for offset in range(0, source.info.size, CHUNK))
    return data, source.unreadable_runs()


def retable(path: Path, entries: list[int]) -> None:
    """Put other entries into both copies of the table, with the checksum that they need."""
    raw = bytearray(path.read_bytes())
    table = struct.pack(f"<{len(entries)}I", *entries)
    for kind in (b"table", b"table2"):
        at = raw.index(kind.ljust(16, b"\0")) + 76 + 24
        raw[at : at + len(table) + 4] = table + struct.pack("<I", zlib.adler32(table))
    path.write_bytes(raw)


def entries_of(path: Path) -> list[int]:
    raw = path.read_bytes()
    at = raw.index(b"table".ljust(16, b"\0")) + 76
    (count,) = struct.unpack_from("<I", raw, at)
    return list(struct.unpack_from(f"<{count}I", raw, at + 24))


def cut_in(path: Path, chunk: int) -> None:
    """End the file a few bytes behind the beginning of a chunk."""
    base = path.read_bytes().index(b"sectors".ljust(16, b"\0"))
    os.truncate(path, base + (entries_of(path)[chunk] & 0x7FFFFFFF) + 9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


def test_chunks_that_lie_back_to_back_come_with_one_call(
    tmp_path: Path, ewf_writer: Any, disk: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = opened(ewf_writer(per_segment=99).write(tmp_path / "d.E01", disk)[0])
    source.read_at(0, 1)
    real, calls = os.preadv, []

    def counted(handle: int, buffers: list[memoryview], offset: int) -> int:
        calls.append(len(buffers))
        return real(handle, buffers, offset)

    monkeypatch.setattr(os, "preadv", counted)
    monkeypatch.delattr(os, "pread")
    assert at_once(source) == (disk, ())
    assert len(calls) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(data=st.data())
def test_a_table_that_lies_gives_no_chunk_of_another_place(
    folder: Path, ewf_writer: Any, disk: bytes, data: st.DataObject
) -> None:
    path = ewf_writer(per_segment=99).write(folder / "d.E01", disk)[0]
    sound = entries_of(path)
    entry = st.sampled_from(sound) | st.sampled_from(sound).map(lambda told: told ^ 1 << 31) | st.integers(0, 2**32 - 1)
    places = data.draw(st.dictionaries(st.integers(0, len(sound) - 1), entry, min_size=1, max_size=8))
    retable(path, [places.get(index, told) for index, told in enumerate(sound)])
    assert at_once(opened(path)) == one_by_one(opened(path))


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("per_segment", [99, 5])
def test_a_file_cut_while_it_is_read_costs_what_lay_behind(
    tmp_path: Path, ewf_writer: Any, disk: bytes, per_segment: int, *, compressed: bool
) -> None:
    path = ewf_writer(per_segment=per_segment, compress=lambda _: compressed).write(tmp_path / "d.E01", disk)[0]
    whole, chunkwise = opened(path), opened(path)
    for source in (whole, chunkwise):
        source.read_at(0, 1)
    cut_in(path, 3)
    found = at_once(whole)
    assert found == one_by_one(chunkwise)
    assert found[0].startswith(disk[: 3 * CHUNK] + bytes(CHUNK))
    assert found[1][0].reason == "d.E01: the file ends inside a chunk"


def test_a_chunk_that_a_read_cuts_is_decoded_once(
    tmp_path: Path, ewf_writer: Any, disk: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = opened(ewf_writer(per_segment=99).write(tmp_path / "d.E01", disk)[0])
    piece = memoryview(bytearray(3 * CHUNK))
    source.read_into(CHUNK // 2, piece)
    monkeypatch.delattr(os, "pread")
    source.read_into(CHUNK // 2 + 3 * CHUNK - 1, piece[: CHUNK // 2])
    assert piece[: CHUNK // 2] == disk[CHUNK // 2 + 3 * CHUNK - 1 :][: CHUNK // 2]


def test_equal_streams_of_unequal_chunks_are_not_mixed_up(tmp_path: Path, ewf_writer: Any) -> None:
    data = bytes(6 * CHUNK) + b"\1" * (3 * CHUNK) + bytes(2 * CHUNK) + b"\1" * 512
    source = opened(ewf_writer(per_segment=99, compress=lambda _: True).write(tmp_path / "d.E01", data)[0])
    assert at_once(source) == (data, ())


@pytest.mark.parametrize("compressed", [True, False])
def test_what_an_earlier_read_left_behind_is_not_taken_for_the_disk(
    tmp_path: Path, ewf_writer: Any, disk: bytes, *, compressed: bool
) -> None:
    path = ewf_writer(per_segment=99, compress=lambda _: compressed).write(tmp_path / "d.E01", disk)[0]
    source, fresh = opened(path), opened(path)
    fresh.read_at(0, 1)
    buffer = bytearray(len(disk))
    source.read_into(0, memoryview(buffer))
    assert buffer == disk
    cut_in(path, 10)
    source.read_into(0, memoryview(buffer))
    assert (bytes(buffer), source.unreadable_runs()) == one_by_one(fresh)
    assert buffer == disk[: 10 * CHUNK].ljust(len(disk), b"\0")


def test_a_chunk_is_taken_from_where_its_table_says_not_from_behind_the_one_before(
    tmp_path: Path, ewf_writer: Any
) -> None:
    """The first chunk is said to be as long as a chunk can be, which is just where another one than its next begins."""
    noise = random.Random(7).randbytes(4 * CHUNK)
    longest = most_bytes(CHUNK)
    second = next(
        piece
        for length in range(CHUNK)
        if len(zlib.compress(piece := noise[:length].ljust(CHUNK, b"\0"))) == longest - CHUNK - 4
    )
    disk = noise[:CHUNK] + second + noise[2 * CHUNK :]
    path = ewf_writer(compress=lambda number: number == 1).write(tmp_path / "d.E01", disk)[0]
    first, _, third, fourth = entries_of(path)
    assert third - first == longest
    retable(path, [first, fourth, fourth, fourth])
    assert at_once(opened(path)) == (noise[:CHUNK] + 3 * noise[3 * CHUNK :], ())


def test_a_last_chunk_that_was_filled_up_is_as_long_as_the_disk_says(tmp_path: Path, ewf_writer: Any) -> None:
    writer = ewf_writer(per_segment=99, compress=lambda _: True, sectors_said=73)
    source = opened(writer.write(tmp_path / "d.E01", bytes(10 * CHUNK))[0])
    assert (source.info.size, source.info.troubles) == (73 * 512, ())
    assert at_once(source) == (bytes(73 * 512), ())
