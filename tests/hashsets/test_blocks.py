"""Hashes of blocks in a set: every one that was given is found or counted, and hits that follow each other are runs."""

import hashlib
import json
import random
import struct
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice, starmap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.hashsets import block_builder, external_sort
from triage.hashsets.block_builder import MOST_PLACES
from triage.hashsets.blocks import LEAST_RUN, BlockCounts, BlockIndex, BlockPart, BlockRun, KnownBlocks, runs_of
from triage.hashsets.compile import Destination, compile_records
from triage.hashsets.external_sort import ExternalSort, Table
from triage.hashsets.hashset import HashSet
from triage.hashsets.library import Library
from triage.hashsets.record import Record
from triage.hashsets.sealed import BLOCKS_VERSION, FORMAT_VERSION, SetMeta, open_sealed
from triage.hashsets.updating import Delta
from triage.model.blocks import BLOCK_BYTES
from triage.model.errors import SourceError, StoreError, UsageError
from triage.model.finding import MatchBy, SetKind

META = SetMeta(name="made", version="1", kind=SetKind.NOTABLE, date="2026-01-02")

File = tuple[int, ...]
"""The blocks of a file, each by a number that stands for its content; 0 is a plain block."""


def digest(number: int) -> bytes:
    return hashlib.md5(b"block %d" % number).digest()


def array(digests: Iterable[bytes]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 16)


def record(file: File) -> Record:
    content = repr(file).encode()
    size = BLOCK_BYTES * len(file) + 5
    return Record(hashlib.md5(content).digest(), sha256=hashlib.sha256(content).digest(), size=size)


def parts(file: File, size: int) -> Iterator[BlockPart]:
    for start in range(0, len(file), size):
        some = [(index, number) for index, number in enumerate(file[start : start + size], start=start)]
        told = [(index, number) for index, number in some if number]
        indexes = np.array([index for index, _ in told], np.int64)
        yield BlockPart(array(digest(number) for _, number in told), indexes, len(some) - len(told), 0)
    yield BlockPart(array([]), np.empty(0, np.int64), 0, 1)


def members(files: Sequence[File], size: int = 1000) -> Iterator[Record | KnownBlocks]:
    for file in files:
        yield record(file)
        sha256 = record(file).sha256
        assert sha256 is not None
        yield KnownBlocks(sha256, parts(file, size))


def made(library: Library, files: Sequence[File], size: int = 1000) -> HashSet:
    summary = compile_records(members(files, size), META, Destination(library=library), with_blocks=True)
    return HashSet.open(summary.path)


def found(opened: HashSet, numbers: Sequence[int]) -> list[tuple[int, bytes, int]]:
    """Return (query, SHA-256 of the file, index) of every hit."""
    hits = opened.match_blocks(array(map(digest, numbers)))
    sha256 = {number: raw for batch in opened.batches() for number, raw in enumerate(batch.hashes["sha256"])}
    columns = (column.tolist() for column in hits)
    return [(query, sha256[one].tobytes(), index) for query, one, index in zip(*columns, strict=True)]


FILES = st.lists(st.lists(st.integers(0, 12), max_size=30).map(tuple), min_size=1, max_size=12)


@settings(max_examples=40)
@given(FILES, st.integers(1, 9), st.integers(2, 7), st.integers(1, 4), st.randoms(use_true_random=False))
def test_every_block_is_held_or_counted_whatever_the_order(
    files: list[File], size: int, rows: int, most: int, chance: random.Random
) -> None:
    files.append((1, 2, 3))
    again = [*files, *files[::2]]
    chance.shuffle(again)
    distinct = sorted(set(files))
    places = Counter(number for file in distinct for number in file if number)
    held = sum(count for count in places.values() if count <= most)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_builder, "ExternalSort", partial(ExternalSort, run_rows=rows))
        patch.setattr(external_sort, "_SAMPLE_STEP", 2)
        patch.setattr(block_builder, "MOST_PLACES", most)
        one, other = (Library(Path(folder) / name) for name in ("one", "other"))
        opened = made(one, again, size)
        assert opened.path.read_bytes() == made(other, files, size).path.read_bytes()
    assert opened.header.blocks == BlockCounts(
        held=held,
        plain=sum(file.count(0) for file in distinct),
        common=places.total() - held,
        partial=len(distinct),
    )
    asked = [*range(13), 99]
    wanted = sorted(
        (query, record(file).sha256, index)
        for file in distinct
        for index, number in enumerate(file)
        for query in asked
        if number == query and number and places[number] <= most
    )
    assert sorted(found(opened, asked)) == wanted


def test_blocks_of_a_large_batch_are_found_with_their_file_and_place(library: Library) -> None:
    files = [tuple(range(1 + 1000 * number, 1 + 1000 * number + 700)) for number in range(20)]
    opened = made(library, files)
    assert opened.has_blocks
    assert len(opened.blocks) == 14_000
    numbers = list(range(20_000))
    hits = found(opened, numbers)
    by_sha256 = {record(file).sha256: file for file in files}
    assert len(hits) == 14_000
    assert all(by_sha256[sha256][index] == query for query, sha256, index in hits)


def test_hits_are_ordered_by_query_record_and_index(library: Library) -> None:
    opened = made(library, [(1, 2, 1), (2, 1)])
    hits = opened.match_blocks(array([digest(1), digest(7), digest(2), digest(1)]))
    rows = list(zip(*(column.tolist() for column in hits), strict=True))
    assert rows == sorted(rows)
    assert [query for query, _, _ in rows] == [0, 0, 0, 2, 2, 3, 3, 3]


def test_a_match_by_block_says_what_the_set_says_of_the_file(library: Library) -> None:
    opened = made(library, [(1, 0, 3)])
    match = opened.block_match(0)
    assert (match.by, match.distance, match.set) == (MatchBy.BLOCK, 0, opened.identity)
    assert opened.blocks_in(0) == 3


def test_digests_of_another_shape_are_refused(library: Library) -> None:
    opened = made(library, [(1, 2)])
    assert len(opened.match_blocks(array([])).queries) == 0
    wrongs: list[Any] = [np.zeros((2, 20), np.uint8), np.zeros(16, np.uint8), np.zeros((1, 16), np.int64)]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="digests of blocks"):
            opened.match_blocks(wrong)


def test_one_block_over_and_over_is_common_and_does_not_wait_in_full(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    add = ExternalSort.add

    def counting(self: ExternalSort, table: Table, count: int) -> None:
        rows.append(count if "index" in table else 0)
        add(self, table, count)

    monkeypatch.setattr(ExternalSort, "add", counting)
    opened = made(library, [(5,) * 3000 + (6,)])
    assert opened.header.blocks == BlockCounts(held=1, plain=0, common=3000, partial=1)
    assert sum(rows) == 3 * (MOST_PLACES + 1) + 1


def test_blocks_at_as_many_places_as_may_be_are_held(library: Library) -> None:
    opened = made(library, [(5,) * MOST_PLACES, (6,) * MOST_PLACES + (7,), (6,)])
    assert [query for query, _, _ in found(opened, [5, 6, 7])] == [0] * MOST_PLACES + [2]


def header_of(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    told = json.loads(content[struct.unpack_from("<Q", content, 16)[0] :])
    assert isinstance(told, dict)
    return told


def test_a_set_without_blocks_is_of_the_version_before(library: Library) -> None:
    with_blocks = made(library, [(1, 2)])
    without = compile_records([record((1, 2))], META, Destination(library=Library(library.folder / "beside")))
    versions = [struct.unpack_from("<I", path.read_bytes(), 8)[0] for path in (with_blocks.path, without.path)]
    assert versions == [BLOCKS_VERSION, FORMAT_VERSION] == [3, 2]
    told = header_of(without.path)
    assert "blocks" not in told
    assert not any(name.startswith("block") for name in told["columns"])  # type: ignore[attr-defined] # a table
    opened = HashSet.open(without.path)
    assert opened.header.blocks is None
    assert not opened.has_blocks
    assert len(opened.match_blocks(array([digest(1)])).queries) == 0


def test_a_set_of_small_files_is_one_with_blocks_that_has_none(library: Library) -> None:
    opened = made(library, [(), (0,)])
    assert opened.header.blocks == BlockCounts(held=0, plain=1, common=0, partial=2)
    assert len(opened.match_blocks(array([digest(1)])).queries) == 0


@pytest.mark.parametrize("name", ["held", "plain", "common", "partial"])
@pytest.mark.parametrize("value", [-1, "1", None, True, 1.5])
def test_numbers_of_blocks_that_make_no_sense_are_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match="number of blocks"):
        BlockCounts.parsed({**asdict(BlockCounts()), name: value})


def forged(path: Path, name: str, place: list[int]) -> None:
    """Rewrite the header with digests that fit, as anybody could."""
    content = path.read_bytes()
    offset = struct.unpack_from("<Q", content, 16)[0]
    told = header_of(path)
    told["columns"][name] = place  # type: ignore[index] # a table
    text = json.dumps(told).encode()
    prefix = struct.pack("<8sIIQQ", b"TRIAGSET", BLOCKS_VERSION, len(text), offset, 0)
    path.write_bytes(prefix + hashlib.sha256(prefix + text).digest() + content[64:offset] + text)


@pytest.mark.parametrize("name", ["block_key", "block_rest", "block_table", "block_record", "block_index"])
def test_columns_of_blocks_that_do_not_fit_are_refused(library: Library, name: str) -> None:
    path = made(library, [(1, 2)]).path
    forged(path, name, [192, 1])
    with pytest.raises(StoreError, match="refused"):
        open_sealed(path, verify=False)


def test_a_block_of_no_record_is_refused(library: Library) -> None:
    path = made(library, [(1, 2)]).path
    told = header_of(path)
    numbers = told["columns"]["block_index"]  # type: ignore[index] # a table
    forged(path, "block_record", numbers)
    forged(path, "block_index", told["columns"]["block_record"])  # type: ignore[index] # as above
    with pytest.raises(StoreError, match="block_record points outside the set"):
        open_sealed(path)


def test_blocks_of_a_file_that_is_not_in_the_set_are_a_defect(library: Library) -> None:
    stray = KnownBlocks(bytes(32), parts((1, 2), 10))
    with pytest.raises(StoreError, match="a file whose blocks were given is not in the set"):
        compile_records([record((3,)), stray], META, Destination(library=library), with_blocks=True)
    assert library.sets() == ()


def test_blocks_that_vanish_while_they_are_sorted_are_missed(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = ExternalSort.blocks

    def losing(self: ExternalSort, *more: object) -> Iterator[Table]:
        for block in blocks(self, *more):  # type: ignore[arg-type] # what it was given
            yield {name: column[1:] for name, column in block.items()} if "index" in block else block

    monkeypatch.setattr(ExternalSort, "blocks", losing)
    with pytest.raises(StoreError, match="of 3 blocks only 2 came back"):
        made(library, [(1, 2, 3)])


def test_a_set_that_misses_a_block_is_not_kept(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    match = BlockIndex.match
    monkeypatch.setattr(BlockIndex, "match", lambda self, digests: match(self, digests ^ 1))
    with pytest.raises(StoreError, match="misses a member by block"):
        made(library, [(1, 2, 3)])
    assert library.sets() == ()


def test_more_files_or_blocks_than_numbers_tell_are_refused(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_builder, "_MOST", 2)
    made(library, [(1, 2), (3,)])
    for files in ([(1,), (2,), (3,)], [(1, 2, 3, 4)]):
        with pytest.raises(SourceError, match="divide the set"):
            made(Library(library.folder / "other"), files)


def test_a_delta_does_not_leave_blocks_behind(library: Library) -> None:
    with pytest.raises(UsageError, match="was built from files"):
        Delta(made(library, [(1, 2)]))


HITS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2), st.integers(0, 6)), max_size=40)


@given(HITS, st.sampled_from([0, 512, 3 * BLOCK_BYTES + 7]), st.randoms(use_true_random=False))
def test_hits_that_follow_each_other_are_runs(
    hits: list[tuple[int, int, int]], start: int, chance: random.Random
) -> None:
    """By following each hit to the next one, whichever other files match between."""
    wanted = []
    placed = {(start + BLOCK_BYTES * at, file, index) for at, file, index in hits}
    for offset, file, index in placed:
        if (offset - BLOCK_BYTES, file, index - 1) not in placed:
            count = 1
            while (offset + BLOCK_BYTES * count, file, index + count) in placed:
                count += 1
            wanted.append(BlockRun(offset, file, index, count))
    rows = [*placed, *islice(placed, 3)]
    chance.shuffle(rows)
    columns = np.array(rows, np.int64).reshape(-1, 3)
    assert runs_of(columns[:, 0], columns[:, 1].astype("<u4"), columns[:, 2].astype("<u4")) == sorted(wanted)


def test_a_run_is_a_finding_from_a_length_on() -> None:
    told = list(starmap(BlockRun, [(0, 1, 2, LEAST_RUN - 1), (0, 1, 2, LEAST_RUN)]))
    assert [run.is_finding for run in told] == [False, True]
