import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.filesystems.tsk_records import Records
from triage.model.runs import ByteRun
from triage.sources.opening import open_source
from triage.volumes.volume import Volume

RECORD = 1024
DATA, LIST = 0x80, 0x20
# Where the table lies in the volume: in two parts, the second one first, the first of three records.
RUNS = (ByteRun(8192, 3 * RECORD), ByteRun(4096, 4 * RECORD))


def data(size: int, written: int, *, name: str = "", first: int = 0, number: int = 1) -> bytes:
    raw = name.encode("utf-16-le")
    length = (64 + len(raw) + 15) // 8 * 8
    head = struct.pack("<IIBBHHH", DATA, length, 1, len(name), 64, 0, number)
    body = struct.pack("<QQHHIQQQ", first, first + 9, 64 + len(raw), 0, 0, size, size, written)
    return (head + body + raw).ljust(length, b"\0")


def listed(*numbers: int) -> bytes:
    entries = b"".join(struct.pack("<IHBBQQHxxxxxx", DATA, 32, 0, 26, 0, number | 7 << 48, 1) for number in numbers)
    return struct.pack("<IIBBHHHIHH", LIST, 24 + len(entries), 0, 0, 24, 0, 5, len(entries), 24, 0) + entries


def record(*attributes: bytes, base: int = 0) -> bytes:
    """Return a record as it is on the disk: the ends of its sectors in an array at its beginning."""
    raw = bytearray(RECORD)
    struct.pack_into("<4sHH12xH10xQ", raw, 0, b"FILE", 48, 3, 64, base)
    body = b"".join(attributes) + struct.pack("<II", 0xFFFFFFFF, 0)
    raw[64 : 64 + len(body)] = body
    raw[48:50] = b"\x07\x01"
    for sector in range(2):
        end = 512 * (sector + 1)
        raw[50 + 2 * sector : 52 + 2 * sector] = raw[end - 2 : end]
        raw[end - 2 : end] = b"\x07\x01"
    return bytes(raw)


def records(folder: Path, *table: bytes) -> Records:
    """Return the table of a volume that begins at byte 512 of its source."""
    volume = bytearray(16384)
    volume[:512] = struct.pack("<11xHB50xb", 512, 8, -10).ljust(512, b"\0")
    every = b"".join(table).ljust(7 * RECORD, b"\0")
    volume[8192 : 8192 + 3 * RECORD] = every[: 3 * RECORD]
    volume[4096 : 4096 + 4 * RECORD] = every[3 * RECORD :]
    (folder / "source").write_bytes(bytes(512) + volume)
    source = open_source(folder / "source")
    return Records(
        Volume(source, ByteRun(512, len(volume))), tuple(ByteRun(run.offset + 512, run.length) for run in RUNS)
    )


def test_what_was_written_to_its_end_is_told_from_what_was_not(tmp_path: Path) -> None:
    table = records(
        tmp_path,
        record(data(5000, 5000)),
        record(data(5000, 4999)),
        record(data(5000, 1 << 63)),
        record(data(70, 70, name="side ☃"), data(5000, 9000, number=2)),
    )
    assert [table.is_written(inode, b"", 5000) for inode in range(4)] == [True, False, False, True]
    assert table.is_written(3, "side ☃".encode(), 70)
    assert not table.is_written(3, b"side", 70)
    assert not table.is_written(0, b"", 4999), "the record speaks of another content"
    assert not table.is_written(5, b"", 5000)
    assert not table.is_written(1 << 40, b"", 5000)


def test_an_attribute_in_another_record_is_found_by_the_list(tmp_path: Path) -> None:
    table = records(
        tmp_path,
        record(listed(0, 2, 4)),
        record(listed(2)),
        record(base=7 << 48),
        record(listed(4, 3)),
        record(data(8000, 8000), base=7 << 48),
    )
    assert table.is_written(0, b"", 8000)
    assert not table.is_written(0, b"", 8001)
    assert not table.is_written(1, b"", 8000), "the other record belongs to another file"
    assert not table.is_written(3, b"", 8000)


@pytest.mark.parametrize(
    "attributes",
    [
        (data(5000, 5000), data(5000, 5000)),
        (data(5000, 5000), data(5000, 5000, number=2)),
        (data(5000, 5000, first=3),),
        (),
    ],
    ids=["one number twice", "one name twice", "not the first part", "nothing"],
)
def test_what_is_not_certain_is_not_written(tmp_path: Path, attributes: tuple[bytes, ...]) -> None:
    assert not records(tmp_path, record(*attributes)).is_written(0, b"", 5000)


def test_the_ends_of_sectors_are_put_back_and_torn_records_are_none(tmp_path: Path) -> None:
    filler = struct.pack("<II", 0x10, 400).ljust(400, b"\0")
    whole = record(filler, data(5000, 5000))
    assert whole[510:512] == b"\x07\x01"
    torn = whole[:1022] + b"\x06\x01"
    table = records(tmp_path, whole, torn)
    assert table.is_written(0, b"", 5000)
    assert not table.is_written(1, b"", 5000)


@given(table=st.binary(max_size=2 * RECORD), size=st.sampled_from([-10, 1, 0, 127, -128]))
def test_hostile_tables_end(tmp_path_factory: pytest.TempPathFactory, table: bytes, size: int) -> None:
    folder = tmp_path_factory.getbasetemp()
    boot = struct.pack("<11xHB50xb", 512, 8, size).ljust(512, b"\0")
    mended = bytearray(table.ljust(2 * RECORD, b"\0"))
    for start in (0, RECORD):
        mended[start : start + 8] = struct.pack("<4sHH", b"FILE", 48, 3)
        for end in (512, 1024):
            mended[start + end - 2 : start + end] = mended[start + 48 : start + 50]
    (folder / "hostile").write_bytes(boot + mended)
    source = open_source(folder / "hostile")
    hostile = Records(Volume(source, ByteRun(0, source.info.size)), (ByteRun(512, 2 * RECORD),))
    assert not any(hostile.is_written(inode, b"", -1) for inode in range(3))
    source.close()
