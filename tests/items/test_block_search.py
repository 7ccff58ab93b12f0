"""Known content in a disk without a file system is found through its blocks, and every block read is counted."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from triage.hashsets.blocks import LEAST_RUN
from triage.hashsets.hashset import HashSet
from triage.hashsets.sealed import SetMeta
from triage.items import block_search
from triage.items.block_sample import BlockSample, BlockSpace
from triage.items.block_search import BatchSearched, BlockSearch, StratumCount
from triage.model.blocks import BLOCK_BYTES
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.finding import SetKind
from triage.model.runs import ByteRun
from triage.session import making
from triage.sources.opening import open_source
from triage.sources.source import EvidenceSource
from triage.sources.unreadable import UnreadableLog
from triage.sources.watched import WatchedSource

BLOCKS = 2000
START = 512  # of the first block: nothing says that blocks lie at multiples of their size
LONG, SHORT = 60, LEAST_RUN - 1
STRIDE = 50

Searched = Callable[..., tuple[list[BatchSearched], StratumCount]]


class Scratched:
    """A source of which some bytes cannot be read."""

    def __init__(self, inner: EvidenceSource, *bad: ByteRun) -> None:
        self._inner = inner
        self._bad = bad
        self._log = UnreadableLog()

    @property
    def info(self) -> SourceInfo:
        return self._inner.info

    def read_at(self, offset: int, length: int) -> bytes:
        data = bytearray(self._inner.read_at(offset, length))
        for run in self._bad:
            start, end = max(run.offset, offset), min(run.end, offset + len(data))
            if start < end:
                data[start - offset : end - offset] = bytes(end - start)
                self._log.add(ByteRun(start, end - start), "scratched")
        return bytes(data)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        return self._log.runs()

    def close(self) -> None:
        self._inner.close()


def content(blocks: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(blocks * BLOCK_BYTES + 100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("block-search")
    (place / "files").mkdir()
    for name, blocks in (("long", LONG), ("short", SHORT)):
        (place / "files" / name).write_bytes(content(blocks, blocks))
    disk = bytearray(random.Random(5).randbytes(START + BLOCKS * BLOCK_BYTES))
    for at, blocks in ((700, LONG), (1500, SHORT)):
        start = START + at * BLOCK_BYTES
        disk[start : start + blocks * BLOCK_BYTES] = content(blocks, blocks)[: blocks * BLOCK_BYTES]
    (place / "disk").write_bytes(disk)
    return place


@pytest.fixture(scope="module")
def known(folder: Path) -> HashSet:
    meta = SetMeta(name="known", version="1", kind=SetKind.NOTABLE, date="2026-01-02")
    place = making.destination(folder / "library")
    return HashSet.open(making.build(folder / "files", meta, place, progress=lambda *_: None).path)


@pytest.fixture
def searched(folder: Path, known: HashSet) -> Searched:
    """Return a function that searches the disk by a grid and so many draws."""

    def search(draws: int, *bad: ByteRun, stride: int | None = STRIDE) -> tuple[list[BatchSearched], StratumCount]:
        source = WatchedSource(Scratched(open_source(folder / "disk"), *bad))
        space = BlockSpace([ByteRun(START, BLOCKS * BLOCK_BYTES)])
        sample = BlockSample(space, "disk", seed=b"seed", stride=stride)
        count, looking, results = StratumCount(sample, "the disk"), BlockSearch(source, [known]), []
        for batch in sample.batches(draws, 64):
            results.append(looking.search(space, batch))
            count.add(batch, unreadable=results[-1].unreadable, leads=results[-1].leads)
        source.close()
        return results, count

    return search


def findings(results: list[BatchSearched]) -> set[tuple[int, int]]:
    """Return (block of the disk, block of the file) of the start of every finding."""
    runs = [one.run for result in results for one in result.runs if one.run.is_finding]
    return {((run.offset - START) // BLOCK_BYTES, run.index) for run in runs}


def test_a_grid_finds_a_content_as_long_as_its_stride(searched: Searched, known: HashSet) -> None:
    results, count = searched(0)
    assert count.stratum.leads >= 1
    found = findings(results)
    assert found
    assert all(at - 700 == index for at, index in found)
    (run,) = {one.run.record for result in results for one in result.runs if one.run.is_finding}
    assert known.blocks_in(run) == LONG
    assert count.stratum.grid == count.stratum.grid_read == count.stratum.read == BLOCKS // STRIDE


def test_a_short_run_stays_a_lead(searched: Searched) -> None:
    results, count = searched(BLOCKS)
    assert (count.stratum.complete, count.stratum.leads) == (True, LONG + SHORT)
    short = [one.run for result in results for one in result.runs if one.run.offset >= START + 1500 * BLOCK_BYTES]
    assert {run.blocks for run in short} == {SHORT}
    assert all(at < 1500 for at, _ in findings(results))


def test_blocks_that_cannot_be_read_are_counted_and_no_leads(searched: Searched) -> None:
    """One byte of a block, the seam of two, and a whole run: of each block that is touched nothing is known."""
    seam = START + 20 * BLOCK_BYTES
    bad = (ByteRun(START + 7, 1), ByteRun(seam - 1, 2), ByteRun(START + 700 * BLOCK_BYTES, LONG * BLOCK_BYTES))
    _, count = searched(BLOCKS, *bad)
    stratum = count.stratum
    assert stratum.grid_unreadable + stratum.drawn_unreadable == 1 + 2 + LONG
    assert stratum.read == BLOCKS - 3 - LONG
    assert stratum.leads == SHORT


def test_without_a_grid_the_draws_are_counted_alone(searched: Searched) -> None:
    _, count = searched(300, stride=None)
    stratum = count.stratum
    assert (stratum.grid, stratum.drawn, stratum.blocks, stratum.left_bytes) == (0, 300, BLOCKS, 0)


def test_of_many_leads_only_some_are_followed(searched: Searched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_search, "_MOST_FOLLOWED", 2)
    results, count = searched(BLOCKS)
    assert max(result.followed for result in results) == 2
    assert any(result.followed < result.leads for result in results)
    assert count.stratum.leads == LONG + SHORT
    assert findings(results)


def test_sets_without_blocks_find_nothing(folder: Path, tmp_path: Path) -> None:
    meta = SetMeta(name="bare", version="1", kind=SetKind.NOTABLE, date="2026-01-02")
    place = making.destination(tmp_path / "library")
    bare = making.build(folder / "files", meta, place, progress=lambda *_: None, blocks=False)
    source = WatchedSource(open_source(folder / "disk"))
    space = BlockSpace([ByteRun(START, BLOCKS * BLOCK_BYTES)])
    (batch,) = BlockSample(space, "disk", seed=b"seed", stride=None).draw_batches(0, 50)
    result = BlockSearch(source, [HashSet.open(bare.path)]).search(space, batch)
    assert (result.read, result.leads, result.runs) == (50, 0, ())
    source.close()
