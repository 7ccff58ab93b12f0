"""EWF sets made by ewfacquire: every format it writes, and a disk with bad sectors."""

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyewf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.model.runs import ByteRun, total
from triage.sources.ewf import EwfSource, open_ewf

Tool = Callable[[str], str]


@pytest.fixture(scope="module")
def disk() -> bytes:
    """Return 3 MiB and 7 sectors: text that compresses, digests that do not, zeros."""
    text = b"".join(b"line %d of a text that compresses\n" % number for number in range(30000))[: 1 << 20]
    noise = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(1 << 15))
    return text + noise + bytes(1 << 20) + b"\x55" * 3584


def acquire(tool: Tool, folder: Path, disk: bytes, *options: str) -> list[Path]:
    (folder / "disk.raw").write_bytes(disk)
    command = [tool("ewfacquire"), "-u", "-q", "-d", "sha1", "-S", "1MiB", *options, "-t", "set", "disk.raw"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return sorted(path for path in folder.iterdir() if path.stem == "set")


@pytest.mark.parametrize("compression", ["none", "fast"])
@pytest.mark.parametrize("form", ["ewf", "smart", "ftk", "encase2", "encase4", "encase5", "encase6", "linen6", "ewfx"])
def test_every_format_reads_as_its_disk(tool: Tool, tmp_path: Path, disk: bytes, form: str, compression: str) -> None:
    paths = acquire(tool, tmp_path, disk, "-f", form, "-c", compression)
    source = open_ewf(paths[0])
    assert source is not None
    assert len(paths) > 1
    assert source.info.files == tuple(map(str, paths))
    assert source.read_at(0, len(disk) * 2) == disk
    assert (source.info.troubles, source.unreadable_runs()) == ((), ())
    assert dict(source.info.stored_digests)["md5"] == hashlib.md5(disk).hexdigest()
    assert dict(source.info.stored_digests).get("sha1") in {None, hashlib.sha1(disk).hexdigest()}
    source.close()


@pytest.mark.parametrize("sectors", ["16", "32768"])
def test_any_size_of_chunk(tool: Tool, tmp_path: Path, disk: bytes, sectors: str) -> None:
    paths = acquire(tool, tmp_path, disk, "-b", sectors)
    source = open_ewf(paths[0])
    assert source is not None
    assert [source.read_at(start, 100_000) for start in range(0, len(disk), 100_000)] == [
        disk[start : start + 100_000] for start in range(0, len(disk), 100_000)
    ]
    source.close()


@pytest.mark.parametrize("form", ["smart", "encase6"])
def test_a_truncated_set_keeps_what_lies_before_the_cut(tool: Tool, tmp_path: Path, disk: bytes, form: str) -> None:
    paths = acquire(tool, tmp_path, disk, "-f", form)
    last = paths[-1]
    last.write_bytes(last.read_bytes()[: last.stat().st_size * 6 // 10])
    source = open_ewf(paths[0])
    assert source is not None
    found = source.read_at(0, len(disk))
    bad = [run.run for run in source.unreadable_runs()]
    assert source.info.size == len(found) == len(disk)
    assert 0 < total(bad) < 1 << 20
    for run in bad:
        assert found[run.offset : run.end] == bytes(run.length)
        disk = disk[: run.offset] + bytes(run.length) + disk[run.end :]
    assert found == disk
    assert source.info.troubles == (f"{last.name} is cut short: a chunk table is lost",) or form == "smart"
    source.close()


def test_the_library_agrees_on_a_set_it_can_read(tool: Tool, tmp_path: Path, disk: bytes) -> None:
    paths = acquire(tool, tmp_path, disk)
    reference = pyewf.handle()
    reference.open([str(path) for path in paths])
    source = open_ewf(paths[0])
    assert source is not None
    for offset, length in ((0, 1), (32767, 2), (1 << 20, 70000), (len(disk) - 5, 5)):
        assert source.read_at(offset, length) == reference.read_buffer_at_offset(length, offset)
    reference.close()
    source.close()


def test_bad_sectors_met_by_the_acquisition_are_unreadable_runs(
    tool: Tool, tmp_path: Path, failing_disk: Callable[[str], Path], loop_device: Callable[..., Path]
) -> None:
    device = loop_device(failing_disk("rrErrr"))
    command = [tool("ewfacquire"), "-u", "-q", "-w", "-r", "0", "-t", str(tmp_path / "set"), str(device)]
    subprocess.run(command, check=True, capture_output=True)
    source = open_ewf(tmp_path / "set.E01")
    assert source is not None
    block = 64 << 10
    assert [bad.run for bad in source.unreadable_runs()] == [ByteRun(2 * block, block)]
    assert source.info.troubles == ("the acquisition could not read 128 sectors",)
    assert source.read_at(3 * block, 9) == b"\3" * 9
    source.close()


def test_an_acquisition_that_broke_off_gives_what_it_had_written(
    tool: Tool, tmp_path: Path, failing_disk: Callable[[str], Path]
) -> None:
    image = failing_disk("rrrrEr")
    command = [tool("ewfacquire"), "-u", "-q", "-r", "0", "-t", str(tmp_path / "set"), str(image)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1
    source = open_ewf(tmp_path / "set.E01")
    assert source is not None
    block = 64 << 10
    assert source.info.size == 6 * block
    assert source.read_at(0, 6 * block) == b"".join(bytes([n]) * block for n in range(4)) + bytes(2 * block)
    assert [bad.run for bad in source.unreadable_runs()] == [ByteRun(4 * block, 2 * block)]
    source.close()


@pytest.fixture(
    scope="module", params=[("none", 64), ("fast", 64), ("best", 64), ("fast", 256), ("none", 2048), ("best", 2048)]
)
def acquired(
    request: pytest.FixtureRequest, tool: Tool, tmp_path_factory: pytest.TempPathFactory, disk: bytes
) -> list[Path]:
    """Return sets of every compression with chunks of 32 KiB to 1 MiB; the last chunk is short."""
    compression, sectors = request.param
    return acquire(tool, tmp_path_factory.mktemp("set"), disk, "-c", compression, "-b", str(sectors))


READS = st.lists(
    st.tuples(st.integers(0, (3 << 20) + 3584), st.integers(0, (3 << 20) + 3584), st.booleans()), min_size=1, max_size=8
)


@settings(max_examples=20)
@given(reads=READS)
def test_any_reads_in_any_order_give_the_bytes_that_libewf_gives(
    acquired: list[Path], disk: bytes, reads: list[tuple[int, int, bool]]
) -> None:
    source = open_ewf(acquired[0])
    assert isinstance(source, EwfSource)
    reference = pyewf.handle()
    reference.open([str(path) for path in acquired])
    for offset, wanted, into in reads:
        length = min(wanted, len(disk) - offset)
        expected = reference.read_buffer_at_offset(length, offset) if length else b""
        assert expected == disk[offset : offset + length]
        if into:
            buffer = bytearray(b"\xaa" * (length + 20))
            source.read_into(offset, memoryview(buffer)[10 : 10 + length])
            assert buffer == b"\xaa" * 10 + expected + b"\xaa" * 10
        else:
            assert source.read_at(offset, wanted) == expected
    assert source.unreadable_runs() == ()
    reference.close()
    source.close()


def test_damage_in_a_large_read_is_the_damage_of_its_chunks(tool: Tool, tmp_path: Path, disk: bytes) -> None:
    first = acquire(tool, tmp_path, disk)[0]
    raw = bytearray(first.read_bytes())
    for place in range(100_000, len(raw), 200_000):
        raw[place] ^= 1
    first.write_bytes(raw)
    whole, chunkwise = open_ewf(first), open_ewf(first)
    assert whole is not None
    assert chunkwise is not None
    found = whole.read_at(0, len(disk))
    assert found == b"".join(chunkwise.read_at(offset, 32768) for offset in range(0, len(disk), 32768))
    assert whole.unreadable_runs() == chunkwise.unreadable_runs()
    assert {bad.reason for bad in whole.unreadable_runs()} <= {
        "set.E01: the checksum of a chunk is wrong",
        "set.E01: a compressed chunk does not inflate or its checksum is wrong",
    }
    for bad in whole.unreadable_runs():
        disk = disk[: bad.run.offset] + bytes(bad.run.length) + disk[bad.run.end :]
    assert (found, len(whole.unreadable_runs()) > 1) == (disk, True)
