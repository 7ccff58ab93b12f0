"""EWF sets made in pure Python, sound and damaged in every way."""

import hashlib
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import pyewf
import pytest

from triage.model.errors import SourceError
from triage.model.runs import ByteRun
from triage.sources.ewf import open_ewf
from triage.sources.source import EvidenceSource

CHUNK = 4096


def opened(path: Path) -> EvidenceSource:
    source = open_ewf(path)
    assert source is not None
    return source


def whole(source: EvidenceSource) -> bytes:
    return source.read_at(0, source.info.size + 1)


def runs(source: EvidenceSource) -> list[tuple[int, int, str]]:
    """Return the unreadable runs as first chunk, end chunk and reason."""
    return [(bad.run.offset // CHUNK, -(-bad.run.end // CHUNK), bad.reason) for bad in source.unreadable_runs()]


def blanked(data: bytes, first: int, end: int) -> bytes:
    stop = min(end * CHUNK, len(data))
    return data[: first * CHUNK] + bytes(stop - first * CHUNK) + data[stop:]


def flip(path: Path, offset: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[offset] ^= 0x10
    path.write_bytes(raw)


def section(path: Path, kind: bytes) -> tuple[int, int]:
    """Return where the descriptor of the first section of that type stands, and where the section ends."""
    raw = path.read_bytes()
    at = raw.index(kind.ljust(16, b"\0"))
    return at, struct.unpack_from("<Q", raw, at + 16)[0]


def chunk_at(path: Path, index: int) -> int:
    raw = path.read_bytes()
    at, _ = section(path, b"table")
    (base,) = struct.unpack_from("<Q", raw, at + 76 + 8)
    (entry,) = struct.unpack_from("<I", raw, at + 76 + 24 + 4 * index)
    return int(base + (entry & 0x7FFFFFFF))


@pytest.fixture
def made(tmp_path: Path, ewf_writer: Any, disk: bytes) -> list[Path]:
    """Six segments of four chunks each, the last one of five sectors less."""
    paths: list[Path] = ewf_writer().write(tmp_path / "d.E01", disk)
    assert len(paths) == 6
    return paths


def test_a_sound_set_reads_as_its_disk_and_as_the_library_reads_it(made: list[Path], disk: bytes) -> None:
    source = opened(made[0])
    assert (source.info.kind, source.info.size, source.info.sector_size) == ("ewf", len(disk), 512)
    assert source.info.files == tuple(map(str, made))
    assert source.info.stored_digests == (("md5", hashlib.md5(disk).hexdigest()),)
    assert whole(source) == disk
    assert (source.info.troubles, source.unreadable_runs()) == ((), ())
    reference = pyewf.handle()
    reference.open([str(path) for path in made])
    assert reference.read_buffer_at_offset(len(disk), 0) == disk
    reference.close()


@pytest.mark.parametrize("chunk", [4, 5])
def test_a_flipped_byte_is_recorded_where_the_library_is_silent(made: list[Path], disk: bytes, chunk: int) -> None:
    flip(made[1], chunk_at(made[1], chunk - 4) + 20)
    expected = blanked(disk, chunk, chunk + 1)
    reference = pyewf.handle()
    reference.open([str(path) for path in made])
    assert reference.read_buffer_at_offset(len(disk), 0) == expected
    reference.close()
    source = opened(made[0])
    assert whole(source) == expected
    ((first, end, reason),) = runs(source)
    assert (first, end) == (chunk, chunk + 1)
    assert reason in {
        "d.E02: the checksum of a chunk is wrong",
        "d.E02: a compressed chunk does not inflate or its checksum is wrong",
    }


@pytest.mark.parametrize(("gone", "first", "end"), [([2], 4, 8), ([2, 3], 4, 12), ([6], 20, 21), ([1], 0, 4)])
def test_a_missing_segment_costs_its_own_chunks(
    made: list[Path], disk: bytes, gone: list[int], first: int, end: int
) -> None:
    for number in gone:
        made[number - 1].unlink()
    source = opened(next(path for path in made if path.exists()))
    assert whole(source) == blanked(disk, first, end)
    ((lost, until, reason),) = runs(source)
    assert (lost, until) == (first, end)
    assert f"segment d.E0{gone[0]}" in reason
    assert "missing" in reason
    assert source.info.troubles == (reason,)
    assert len(source.info.files) == 6 - len(gone)


def test_segments_between_two_gaps_have_no_place(made: list[Path], disk: bytes) -> None:
    made[1].unlink()
    made[3].unlink()
    source = opened(made[0])
    assert whole(source) == blanked(disk, 4, 16)
    assert runs(source) == [
        (
            4,
            16,
            "segment d.E02 is missing; segment d.E04 is missing; where the chunks of d.E03 belong cannot be told",
        )
    ]
    assert "where the chunks of d.E03 belong cannot be told" in source.info.troubles


@pytest.mark.parametrize("number", [1, 2, 6])
def test_a_segment_cut_in_its_chunks_keeps_those_before_the_cut(made: list[Path], disk: bytes, number: int) -> None:
    index = 2 if number < 6 else 0
    cut = chunk_at(made[number - 1], index) + 9
    made[number - 1].write_bytes(made[number - 1].read_bytes()[:cut])
    source = opened(made[0])
    first = (number - 1) * 4 + index
    end = min(number * 4, 21)
    assert runs(source) == [(first, end, f"d.E0{number} is cut short: a chunk table is lost")]
    assert whole(source) == blanked(disk, first, end)
    assert source.info.size == len(disk)


def test_a_damaged_table_is_replaced_by_its_copy(made: list[Path], disk: bytes) -> None:
    at, _ = section(made[1], b"table")
    flip(made[1], at + 76 + 24 + 5)
    source = opened(made[0])
    assert whole(source) == disk
    assert source.unreadable_runs() == ()


def test_two_damaged_tables_make_their_chunks_unreadable(made: list[Path], disk: bytes) -> None:
    for kind in (b"table", b"table2"):
        flip(made[1], section(made[1], kind)[0] + 76 + 24 + 5)
    source = opened(made[0])
    assert whole(source) == blanked(disk, 4, 8)
    assert runs(source) == [(4, 8, "the chunk table of d.E02 is damaged and so is its copy")]


def test_two_damaged_table_heads_are_made_good_by_walking(made: list[Path], disk: bytes) -> None:
    for kind in (b"table", b"table2"):
        flip(made[1], section(made[1], kind)[0] + 76 + 1)
    source = opened(made[0])
    assert whole(source) == disk
    assert source.info.troubles == ("d.E02 is damaged: a chunk table is lost",)


@pytest.mark.parametrize("kind", [b"volume", b"sectors", b"table", b"table2", b"next"])
def test_a_damaged_descriptor_costs_no_chunk_where_the_chain_is_found_again(
    made: list[Path], disk: bytes, kind: bytes
) -> None:
    flip(made[0], section(made[0], kind)[0] + 40)
    source = opened(made[0])
    assert whole(source) == disk
    assert source.unreadable_runs() == ()
    assert any("d.E01" in trouble for trouble in source.info.troubles)


def test_an_image_inside_the_image_is_not_taken_for_its_sections(tmp_path: Path, ewf_writer: Any, disk: bytes) -> None:
    writer = ewf_writer(compress=lambda _: False, per_segment=99)
    inner = writer.write(tmp_path / "inner.E01", disk)[0].read_bytes()
    data = inner + bytes(-len(inner) % 512)
    outer = writer.write(tmp_path / "outer.E01", data)[0]
    flip(outer, section(outer, b"sectors")[0] + 40)
    assert whole(opened(outer)) == data


def test_sectors_that_the_acquisition_could_not_read_are_recorded(tmp_path: Path, ewf_writer: Any, disk: bytes) -> None:
    path = ewf_writer(per_segment=99, errors=[(3, 2), (160, 99)]).write(tmp_path / "d.E01", disk)[0]
    source = opened(path)
    assert [bad.run for bad in source.unreadable_runs()] == [ByteRun(3 * 512, 1024), ByteRun(160 * 512, 1024)]
    assert source.info.troubles == ("the acquisition could not read 101 sectors",)


def test_a_segment_of_another_set_is_not_mixed_in(tmp_path: Path, made: list[Path], ewf_writer: Any) -> None:
    (tmp_path / "other").mkdir()
    other = ewf_writer(identifier=b"another set's id").write(tmp_path / "other" / "d.E01", b"o" * CHUNK * 9)
    shutil.copy(other[1], made[1])
    source = opened(made[0])
    assert runs(source) == [(4, 8, "segment d.E02 is missing: d.E02 is of another set")]


def test_a_renamed_segment_is_not_taken_for_another(made: list[Path], disk: bytes) -> None:
    shutil.copy(made[2], made[1])
    source = opened(made[0])
    assert runs(source) == [(4, 8, "segment d.E02 is missing: d.E02 is something else")]
    assert whole(source) == blanked(disk, 4, 8)


def test_what_lies_behind_the_last_segment_is_named_and_not_read(made: list[Path], disk: bytes) -> None:
    shutil.copy(made[4], made[0].with_suffix(".E07"))
    source = opened(made[0])
    assert source.info.troubles == ("d.E07 lies behind the last segment: not read",)
    assert whole(source) == disk


def test_other_files_beside_a_set_are_left_alone(made: list[Path], disk: bytes) -> None:
    for suffix in (".txt", ".log", ".EXE", ".E01.txt", ".E"):
        made[0].with_suffix(suffix).write_text("notes")
    made[0].with_suffix(".zip").mkdir()
    source = opened(made[0])
    assert (source.info.troubles, whole(source)) == ((), disk)


def test_any_case_of_suffix_and_any_single_name_is_found(tmp_path: Path, ewf_writer: Any, disk: bytes) -> None:
    paths = ewf_writer().write(tmp_path / "d.e01", disk)
    assert paths[0].name == "d.e01"
    paths[2].rename(tmp_path / "d.E03")
    assert whole(opened(paths[0])) == disk
    single = ewf_writer(per_segment=99).write(tmp_path / "s.E01", disk)[0].rename(tmp_path / "anything.bin")
    assert whole(opened(single)) == disk


def test_a_set_renamed_to_numbers_is_found(tmp_path: Path, made: list[Path], disk: bytes) -> None:
    for number, path in enumerate(made, 1):
        path.rename(tmp_path / f"d.{number:03d}")
    (tmp_path / "d.003").unlink()
    source = opened(tmp_path / "d.001")
    assert runs(source) == [(8, 12, "segment d.003 is missing")]
    assert whole(source) == blanked(disk, 8, 12)


def test_more_than_99_segments_go_on_with_letters(tmp_path: Path, ewf_writer: Any) -> None:
    data = b"".join(bytes([number % 251]) * 512 for number in range(128))
    paths = ewf_writer(sectors_per_chunk=1, per_segment=1).write(tmp_path / "d.E01", data)
    for number, path in enumerate(paths[99:], 0):
        path.rename(tmp_path / f"d.E{chr(65 + number // 26)}{chr(65 + number % 26)}")
    (tmp_path / "d.EAC").unlink()
    source = opened(paths[0])
    assert [(bad.run, bad.reason) for bad in source.unreadable_runs()] == [
        (ByteRun(101 * 512, 512), "segment d.EAC is missing")
    ]
    assert whole(source) == data[: 101 * 512] + bytes(512) + data[102 * 512 :]


def test_a_later_segment_is_refused_with_the_first_named(made: list[Path]) -> None:
    with pytest.raises(SourceError, match=r"d.E03: segment 3 of an EWF set: give the first segment d.E01"):
        open_ewf(made[2])


def test_sizes_that_contradict_each_other_are_named(tmp_path: Path, ewf_writer: Any, disk: bytes) -> None:
    path = ewf_writer(per_segment=99, sectors_said=1 << 60).write(tmp_path / "d.E01", disk)[0]
    source = opened(path)
    assert source.info.size == 21 * CHUNK
    assert whole(source)[: 20 * CHUNK] == disk[: 20 * CHUNK]
    assert runs(source)[0][:2] == (20, 21)
    assert source.info.troubles[0].startswith("the sizes in the image contradict each other")


@pytest.mark.parametrize("length", [8, 13, 60, 200])
def test_a_set_without_its_size_is_unreadable(tmp_path: Path, made: list[Path], length: int) -> None:
    (tmp_path / "alone").mkdir()
    path = tmp_path / "alone" / "d.E01"
    path.write_bytes(made[0].read_bytes()[:length])
    source = opened(path)
    assert (source.info.kind, source.info.size, whole(source)) == ("ewf", 0, b"")
    assert source.info.troubles[-1] == "the section with the size of the disk is lost: nothing can be read"


def test_a_bomb_of_a_chunk_is_not_inflated_further_than_a_chunk(tmp_path: Path, ewf_writer: Any, disk: bytes) -> None:
    path = ewf_writer(per_segment=99).write(tmp_path / "d.E01", disk)[0]
    raw = bytearray(path.read_bytes())
    at = chunk_at(path, 4)
    bomb = zlib.compress(bytes(3 * CHUNK), 9)
    assert len(bomb) < chunk_at(path, 5) - at
    raw[at : at + len(bomb)] = bomb
    path.write_bytes(raw)
    source = opened(path)
    assert whole(source) == blanked(disk, 4, 5)
    assert runs(source) == [(4, 5, "d.E01: a compressed chunk has no end")]


def test_logical_evidence_is_refused(tmp_path: Path) -> None:
    (tmp_path / "l.L01").write_bytes(b"LVF\x09\x0d\x0a\xff\x00\x01\x01\x00\x00\x00" + bytes(600))
    with pytest.raises(SourceError, match="logical evidence"):
        open_ewf(tmp_path / "l.L01")


def test_an_encrypted_image_says_so(tmp_path: Path) -> None:
    (tmp_path / "d.E01").write_bytes(b"ADCRYPT\0" + bytes(2000))
    source = opened(tmp_path / "d.E01")
    assert (source.info.encrypted, source.info.size) == ("AD encryption", 2008)
    assert [bad.run for bad in source.unreadable_runs()] == [ByteRun(0, 2008)]


def test_a_file_of_nothing_but_sections_is_left_in_bounded_time(tmp_path: Path, ewf_writer: Any) -> None:
    raw = bytearray(ewf_writer().write(tmp_path / "d.E01", bytes(CHUNK))[0].read_bytes())
    del raw[section(tmp_path / "d.E01", b"done")[0] :]
    for _ in range(1000):
        ewf_writer._section(raw, b"session", b"")
    (tmp_path / "d.E01").write_bytes(raw)
    source = opened(tmp_path / "d.E01")
    assert (whole(source), source.info.troubles) == (bytes(CHUNK), ("d.E01 is cut short",))


def test_other_content_is_not_ewf(tmp_path: Path) -> None:
    (tmp_path / "d.E01").write_bytes(bytes(4096))
    assert open_ewf(tmp_path / "d.E01") is None
    (tmp_path / "e.E01").touch()
    assert open_ewf(tmp_path / "e.E01") is None
    assert open_ewf(tmp_path) is None
