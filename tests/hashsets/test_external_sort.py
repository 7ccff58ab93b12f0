"""Sorting in runs and merging them: whatever the sizes of runs and tables, as if all had been sorted at once."""

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from triage.hashsets import external_sort
from triage.hashsets.external_sort import ExternalSort, Field, Spill, Table, write_all

FIELDS = {"raw": Field("u1", 9), "number": Field("<u4"), "size": Field("<i8")}

Row = tuple[bytes, int, int]


def key_of(table: Table) -> NDArray[np.uint64]:
    return np.ascontiguousarray(table["raw"][:, :8]).view(">u8").ravel().astype(np.uint64)


def table_of(rows: list[Row], *, bare: bool = False) -> Table:
    raw, numbers, sizes = zip(*rows, strict=True)
    table = {"raw": np.frombuffer(b"".join(raw), np.uint8).reshape(-1, 9)}
    if bare:
        return table
    return {**table, "number": np.array(numbers, "<u4"), "size": np.array(sizes, "<i8")}


def rows_of(table: Table) -> list[Row]:
    columns = (table[name].tolist() for name in FIELDS)
    return [(bytes(raw), number, size) for raw, number, size in zip(*columns, strict=True)]


def in_bytes(row: Row) -> bytes:
    """Return what rows are ordered by: the key is the first 8 bytes, so one string says all."""
    return row[0] + row[1].to_bytes(4) + row[2].to_bytes(8, signed=True)


@pytest.fixture(scope="module", autouse=True)
def _few_rows_a_sample() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(external_sort, "_SAMPLE_STEP", 4)
        yield


# Few keys, most of them the same or at the ends of what 64 bits hold; zero bytes at the ends of rows.
KEYS = st.sampled_from([0, 0, 0, 1, 255, 256, 1 << 63, (1 << 64) - 1]) | st.integers(0, (1 << 64) - 1)
ROWS = st.tuples(
    st.builds(lambda key, last: key.to_bytes(8) + bytes([last]), KEYS, st.sampled_from([0, 0, 1, 255])),
    st.sampled_from([0, 0, 1, 256, (1 << 32) - 1]),
    st.sampled_from([-1, 0, 1, 1 << 40]),
)


@settings(max_examples=80)
@given(st.lists(st.tuples(st.lists(ROWS, max_size=30), st.booleans()), max_size=6), st.integers(1, 40), st.booleans())
def test_any_tables_come_back_as_if_sorted_at_once(
    tables: list[tuple[list[Row], bool]], run_rows: int, distinct: bool
) -> None:
    added = [(raw, 0, 0) if bare else (raw, number, size) for rows, bare in tables for raw, number, size in rows]
    with (
        tempfile.TemporaryDirectory() as folder,
        ExternalSort(Path(folder), FIELDS, key_of, distinct=distinct, run_rows=run_rows) as sorting,
    ):
        for rows, bare in tables:
            if rows:
                sorting.add(table_of(rows, bare=bare), len(rows))
        blocks = [rows_of(block) for block in sorting.blocks()]
        again = [rows_of(block) for block in sorting.blocks()]
        assert not list(Path(folder).iterdir()), "the temporary file has no name that a kill could leave"
    wanted = sorted(set(added) if distinct else added, key=in_bytes)
    assert [row for block in blocks for row in block] == wanted
    assert again == blocks
    assert sorting.added == len(added)
    assert all(block for block in blocks)
    assert all(before[-1][0][:8] < after[0][0][:8] for before, after in pairwise(blocks)), "a key lies in one block"


@pytest.mark.parametrize("rows", [4000, 4001])
def test_a_block_is_about_as_large_as_a_run(tmp_path: Path, rows: int) -> None:
    keys = np.random.default_rng(7).integers(0, 1 << 63, rows, np.uint64)
    raw = np.zeros((rows, 9), np.uint8)
    raw[:, :8] = keys.astype(">u8").view(np.uint8).reshape(-1, 8)
    with ExternalSort(tmp_path, FIELDS, key_of, run_rows=100) as sorting:
        for start in range(0, rows, 50):
            sorting.add({"raw": raw[start : start + 50]}, len(raw[start : start + 50]))
        sizes = [len(block["raw"]) for block in sorting.blocks()]
    assert sum(sizes) == rows
    assert len(sizes) > 10
    runs = -(-rows // 100)
    assert max(sizes) <= 100 + 4 * runs, "each run adds less than a sample to what the bounds part"


def test_what_is_known_at_the_end_decides_the_order(tmp_path: Path) -> None:
    rows = [(b"same key.", number, 0) for number in (0, 1, 2)] * 3
    final = np.array([2, 1, 0], "<u4")
    with ExternalSort(tmp_path, FIELDS, key_of, distinct=True, run_rows=2) as sorting:
        for row in rows:
            sorting.add(table_of([row]), 1)
        (block,) = sorting.blocks(lambda table: {**table, "number": final[table["number"]]})
    assert rows_of(block) == [(b"same key.", number, 0) for number in (0, 1, 2)]


def test_no_rows_are_no_blocks(tmp_path: Path) -> None:
    with ExternalSort(tmp_path, FIELDS, key_of) as sorting:
        assert list(sorting.blocks()) == []
        sorting.add({"raw": np.empty((0, 9), np.uint8)}, 0)
        assert list(sorting.blocks()) == []
        assert sorting.added == 0


def test_a_spill_gives_back_what_it_took_in_pieces_of_any_length(tmp_path: Path) -> None:
    with Spill(tmp_path) as spill:
        first = spill.append(np.arange(10, dtype="<u4"))
        second = spill.append(np.empty(0, "<u4"))
        third = spill.append(np.arange(10, 15, dtype="<u4")[::-1])
        assert (first, second, third, spill.size) == (0, 40, 40, 60)
        for rows in (1, 4, 7, 15, 16):
            joined = np.concatenate(list(spill.blocks("<u4", rows)))
            assert joined.tolist() == [*range(10), 14, 13, 12, 11, 10]
        with pytest.raises(OSError, match="cut short"):
            spill.read(56, 8)


def test_a_file_that_takes_few_bytes_at_a_time_gets_all() -> None:
    class Slow:
        def __init__(self) -> None:
            self.taken = b""

        def write(self, data: memoryview) -> int:
            self.taken += bytes(data[:3])
            return min(3, len(data))

    slow = Slow()
    write_all(slow, np.arange(5, dtype="<u4"))  # type: ignore[arg-type] # all that is used of a file
    write_all(slow, np.empty((0, 4), "<u8"))  # type: ignore[arg-type] # as above
    assert slow.taken == np.arange(5, dtype="<u4").tobytes()
