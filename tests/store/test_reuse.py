"""How much of the space of deleted items others have, against counting it byte by byte."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite import placed

from triage.model.evidence import Region, VolumeReport
from triage.model.item import Item, ItemKind
from triage.model.runs import ByteRun
from triage.store import reuse
from triage.store.case import Case
from triage.store.reuse import measured
from triage.store.spans import spans_of

SIZE = 120
RUNS = st.lists(st.builds(ByteRun, st.integers(0, 130), st.integers(0, 20)), max_size=5)
START = 1 << 20

Row = tuple[str, int | None, int | None]


def held(runs: list[ByteRun]) -> set[int]:
    return {byte for run in runs for byte in range(run.offset, min(run.end, SIZE))}


@given(st.lists(RUNS, min_size=1, max_size=6), RUNS)
def test_every_byte_is_counted_once(deleted: list[list[ByteRun]], allocated: list[ByteRun]) -> None:
    spans = np.array(
        [(min(run.offset, SIZE), min(run.end, SIZE)) for runs in deleted for run in runs], np.int64
    ).reshape(-1, 2)
    counts = np.array([len(runs) for runs in deleted], np.int64)
    expected = [[len(held(runs)), len(held(runs) & held(allocated))] for runs in deleted]
    assert measured(spans, counts, spans_of(allocated, SIZE)).tolist() == expected


@pytest.fixture
def rows(prepared: Case) -> Callable[[], list[Row]]:
    """Return a function that lists path, space and reused of every item."""

    def listed() -> list[Row]:
        return [(row["path"], row["space_bytes"], row["reused_bytes"]) for row in prepared.queries.items("ABC/1")]

    return listed


@pytest.fixture
def file(item: Callable[[int], Item]) -> Callable[..., Item]:
    """Return a function that makes a file by its number with runs in the volume."""

    def make(number: int, *runs: tuple[int, int], allocated: bool = False, kind: ItemKind = ItemKind.FILE) -> Item:
        lying = tuple(ByteRun(START + offset, length) for offset, length in runs)
        return replace(item(number), path=f"f{number}", runs=lying, allocated=allocated, kind=kind)

    return make


@pytest.fixture(params=[1, 3, 1 << 13])
def gathered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse, "_AT_ONCE", request.param)


@pytest.mark.usefixtures("gathered")
def test_deleted_items_know_what_allocated_ones_have_of_their_space(
    prepared: Case, region: Region, file: Callable[..., Item], rows: Callable[[], list[Row]]
) -> None:
    items = [
        file(1, (0, 4096), allocated=True),
        file(2, (8192, 8192), (4096, 100), allocated=True),
        file(3, (4096, 8192)),  # overwritten in part
        file(4, (20000, 500)),  # not at all
        file(5, (0, 4096)),  # whole
        file(6, (12288, 4096), (20000, 100), (12288, 8)),  # by a file, and by a deleted one, which is not told
        file(7),  # resident, or not known
    ]
    prepared.journal.add_items("ABC/1", region.run.offset, placed(items), first=0)
    carved = file(8, (0, 4096), kind=ItemKind.CARVED)
    prepared.journal.add_carved("ABC/1", placed([carved]), carved.runs)
    assert {row[1:] for row in rows()} == {(None, None)}
    prepared.layout.mark_walked("ABC/1", region.run.offset, listed=True)
    assert rows() == [
        ("f1", None, None),
        ("f2", None, None),
        ("f3", 8192, 100 + 4096),
        ("f4", 500, 0),
        ("f5", 4096, 4096),
        ("f6", 4196, 4096),
        ("f7", None, None),
        ("f8", None, None),
    ]


def test_a_block_is_that_of_its_file_to_its_end(
    prepared: Case, region: Region, file: Callable[..., Item], rows: Callable[[], list[Row]]
) -> None:
    report = VolumeReport(region=region, state="read", file_system="fat32", block_size=2048)
    prepared.layout.record_volume("ABC/1", report)
    items = [file(1, (512, 2048), (6656, 1), allocated=True), file(2, (0, 10000)), file(3, (6657, 2047))]
    prepared.journal.add_items("ABC/1", region.run.offset, placed(items), first=0)
    prepared.layout.mark_walked("ABC/1", region.run.offset, listed=True)
    assert rows() == [("f1", None, None), ("f2", 10000, 4096), ("f3", 2047, 2047)]
    assert prepared.layout.volumes("ABC/1") == (replace(report, listed=True),)


def test_nothing_is_told_where_the_names_are_not_all_listed(
    prepared: Case, region: Region, file: Callable[..., Item], rows: Callable[[], list[Row]]
) -> None:
    items = [file(1, (0, 10), allocated=True), file(2, (0, 10))]
    prepared.journal.add_items("ABC/1", region.run.offset, placed(items), first=0)
    prepared.layout.mark_walked("ABC/1", region.run.offset, listed=False)
    assert rows() == [("f1", None, None), ("f2", None, None)]


def test_runs_that_no_disk_holds_are_cut(
    prepared: Case, region: Region, file: Callable[..., Item], rows: Callable[[], list[Row]], info_size: int
) -> None:
    hostile = file(1, *[(number, (1 << 63) - 1) for number in range(64)])
    prepared.journal.add_items("ABC/1", region.run.offset, placed([hostile]), first=0)
    prepared.layout.mark_walked("ABC/1", region.run.offset, listed=True)
    assert rows() == [("f1", info_size - START, 0)]


@pytest.fixture
def info_size(prepared: Case) -> int:
    record = prepared.exhibits.get("ABC/1")
    assert record is not None
    return record.info.size
