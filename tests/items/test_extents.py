"""A content by its byte runs is what slices of the image are."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.items.extents import Extents
from triage.model.runs import ByteRun
from triage.sources.raw import open_raw
from triage.sources.source import EvidenceSource

SIZE = 64 << 10
DATA = random.Random(20260314).randbytes(SIZE)

some_runs = st.lists(
    st.integers(0, SIZE).flatmap(lambda offset: st.builds(ByteRun, st.just(offset), st.integers(0, SIZE - offset))),
    max_size=6,
).map(tuple)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> EvidenceSource:
    path = tmp_path_factory.mktemp("extents") / "disk.raw"
    path.write_bytes(DATA)
    opened = open_raw(path)
    assert opened is not None
    return opened


@given(runs=some_runs, offset=st.integers(0, 3 * SIZE), length=st.integers(0, 3 * SIZE))
def test_any_piece_is_that_of_the_slices_end_to_end(
    source: EvidenceSource, runs: tuple[ByteRun, ...], offset: int, length: int
) -> None:
    whole = b"".join(DATA[run.offset : run.end] for run in runs)
    assert Extents(source, runs).read_at(offset, length) == whole[offset : offset + length]


@pytest.mark.parametrize(("offset", "length"), [(0, 1), (9, 1), (9, 2), (10, 1), (10, 20), (29, 2), (0, 31)])
def test_a_piece_may_begin_and_end_on_either_side_of_a_seam(source: EvidenceSource, offset: int, length: int) -> None:
    runs = (ByteRun(5000, 10), ByteRun(100, 20), ByteRun(5010, 1))
    whole = DATA[5000:5010] + DATA[100:120] + DATA[5010:5011]
    assert Extents(source, runs).read_at(offset, length) == whole[offset : offset + length]


def test_without_runs_there_are_no_bytes(source: EvidenceSource) -> None:
    assert Extents(source, ()).read_at(0, 100) == b""
