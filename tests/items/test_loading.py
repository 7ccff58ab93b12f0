"""Contents read together: the same bytes as one by one, each byte read once, and no neighbour costs another."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from images.ntfs import ntfs
from images.tree import File

from triage.items.evidence import Evidence
from triage.items.loading import _GAP, _READ, LARGEST, LEAST, NOBODY, Loaded, Loader
from triage.model.address import Address
from triage.model.evidence import SourceInfo
from triage.model.item import Item, ItemKind
from triage.model.runs import ByteRun, total
from triage.sources.evidence_files import EvidenceFiles
from triage.sources.opening import open_source
from triage.sources.raw import Part, RawSource, open_raw
from triage.sources.watched import WatchedSource

SIZE = 8 << 20
WHOLE = ByteRun(0, SIZE)
DATA = random.Random(20260314).randbytes(SIZE)
VOLUME = Address("volume", "0")


@dataclass
class Bench:
    """A loader over one raw file of random bytes; `told` is what `begin` was told."""

    evidence: Evidence
    loader: Loader
    told: list[int] = field(default_factory=list)

    def load(self, items: Sequence[Item]) -> list[dict[int, bytes]]:
        """Return the contents of each group by the index of the item; each comes once, and none may have failed."""
        self.told.clear()
        groups: list[dict[int, bytes]] = []
        for group in self.loader.load(items, WHOLE, self.told.append):
            assert [loaded.failed for loaded in group] == [None] * len(group)
            groups.append(contents(self.loader, group))
        assert sorted(index for group in groups for index in group) == list(range(len(items)))
        return groups

    def load_one_group(self, items: Sequence[Item]) -> dict[int, bytes]:
        (group,) = self.load(items)
        return group

    def bytes_for(self, items: Sequence[Item]) -> int:
        before = self.evidence.source.bytes_read
        self.load(items)
        return self.evidence.source.bytes_read - before


def contents(loader: Loader, group: Sequence[Loaded]) -> dict[int, bytes]:
    """Return what lies in the buffer by the index of the item."""
    return {loaded.index: loader.arena[loaded.start : loaded.end].tobytes() for loaded in group}


def laid(*runs: tuple[int, int]) -> Item:
    """Return an item whose content lies in runs of (offset, length)."""
    places = tuple(ByteRun(offset, length) for offset, length in runs)
    return Item(
        address=VOLUME.child("file", str(runs)),
        kind=ItemKind.FILE,
        path="file.bin",
        size=total(places),
        allocated=True,
        reference=str(runs),
        runs=places,
        direct=True,
    )


def expected(item: Item) -> bytes:
    return b"".join(DATA[run.offset : run.end] for run in item.runs)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("loading") / "disk.raw"
    path.write_bytes(DATA)
    return path


@pytest.fixture(scope="module")
def bench(disk: Path) -> Iterator[Bench]:
    opened = open_raw(disk)
    assert opened is not None
    evidence = Evidence(WatchedSource(opened))
    yield Bench(evidence, Loader(evidence, 0))
    evidence.source.close()


def with_hole(folder: Path, hole: ByteRun) -> Evidence:
    """Return the disk as a split image of which the part in the middle is missing."""
    before, after = folder / "disk.001", folder / "disk.003"
    before.write_bytes(DATA[: hole.offset])
    after.write_bytes(DATA[hole.end :])
    parts = (
        Part(ByteRun(0, hole.offset), before),
        Part(hole, folder / "disk.002", missing="the second part is not here"),
        Part(ByteRun(hole.end, SIZE - hole.end), after),
    )
    info = SourceInfo(kind="split-raw", files=(str(before), str(after)), size=SIZE)
    return Evidence(WatchedSource(RawSource(info, parts, EvidenceFiles())))


# Near each other and far apart, so that stretches form and end.
places = st.tuples(st.integers(0, 300_000), st.integers(1, 60_000))
layouts = st.lists(st.lists(places, min_size=1, max_size=4).map(lambda runs: laid(*runs)), max_size=12)


@given(items=layouts)
def test_every_content_is_what_is_read_by_itself(bench: Bench, items: list[Item]) -> None:
    loaded = {index: data for group in bench.load(items) for index, data in group.items()}
    alone = [bench.evidence.content(item, WHOLE).read_at(0, item.size) for item in items]
    assert [loaded[index] for index in range(len(items))] == alone == list(map(expected, items))
    assert set(bench.told) <= {*loaded, NOBODY}
    assert len(bench.told) == len(items) or NOBODY in bench.told
    assert {index for index, item in enumerate(items) if len(item.runs) > 1} <= set(bench.told)


def test_content_in_several_runs_is_put_end_to_end(bench: Bench) -> None:
    item = laid((900_000, 70_000), (5, 1), (400_000, 5 << 20))
    assert bench.load_one_group([item]) == {0: expected(item)}


@pytest.mark.parametrize(("gap", "stretches"), [(0, 1), (1, 1), (_GAP, 1), (_GAP + 1, 2), (1 << 20, 2)])
def test_neighbours_are_read_at_one_go_up_to_a_gap(bench: Bench, gap: int, stretches: int) -> None:
    items = [laid((5000, 100)), laid((5100 + gap, 300))]
    assert bench.load_one_group(items) == {0: expected(items[0]), 1: expected(items[1])}
    assert bench.told == ([0, 1] if stretches == 2 else [NOBODY])
    assert bench.bytes_for(items) == 400 + (gap if stretches == 1 else 0)


def test_begin_is_told_every_stretch_in_physical_order_and_nobody_where_it_holds_several(bench: Bench) -> None:
    far = 5 << 20
    items = [laid((far + 200, 50)), laid((100, 100)), laid((far, 100)), laid((7 << 20, 10), (50, 10)), laid((300, 7))]
    bench.load(items)
    assert bench.told == [NOBODY, NOBODY, 3]


def test_begin_is_told_before_a_byte_of_the_stretch_is_read(bench: Bench) -> None:
    items = [laid((0, 1000)), laid((1 << 20, 1000)), laid((5 << 20, 10), (3 << 20, 20))]
    read: list[int] = []
    before = bench.evidence.source.bytes_read

    def begin(_: int) -> None:
        read.append(bench.evidence.source.bytes_read - before)

    list(bench.loader.load(items, WHOLE, begin))
    assert read == [0, 1000, 2000]


def test_contents_that_share_bytes_are_each_whole(bench: Bench) -> None:
    items = [laid((1000, 5000)), laid((3000, 5000)), laid((1000, 5000)), laid((3500, 10)), laid((0, 9000))]
    assert bench.load_one_group(items) == {index: expected(item) for index, item in enumerate(items)}


def spread(length: int, *, first: int = 0) -> Item:
    """Return an item of any length, longer ones of the same bytes again and again."""
    runs = [(first, min(length, SIZE - first))]
    while (left := length - sum(run for _, run in runs)) > 0:
        runs.append((0, min(left, SIZE)))
    return laid(*runs)


def test_more_bytes_than_the_buffer_come_in_groups(bench: Bench) -> None:
    items = [spread(LARGEST // 3, first=100 * number) for number in range(5)]
    groups = bench.load(items)
    assert [list(group) for group in groups] == [[0, 1], [2, 3], [4]]
    assert {index: data for group in groups for index, data in group.items()} == dict(enumerate(map(expected, items)))


def test_many_small_contents_fill_the_buffer_and_not_more(bench: Bench) -> None:
    items = [laid((number * 4000, 1000)) for number in range(LEAST // (1000 + _GAP) + 10)]
    groups = bench.load(items)
    assert [len(group) for group in groups] == [len(items) - 10, 10]
    assert bench.told == [NOBODY, NOBODY]
    assert {index: data for group in groups for index, data in group.items()} == dict(enumerate(map(expected, items)))


def test_the_largest_content_in_several_runs_fits_the_smallest_buffer(bench: Bench) -> None:
    items = [laid((7, 9)), spread(LARGEST, first=3000), laid((SIZE - 5, 5))]
    groups = bench.load(items)
    assert len(bench.loader.arena) == LEAST
    assert {index: data for group in groups for index, data in group.items()} == dict(enumerate(map(expected, items)))


def test_the_largest_content_in_one_run_fits_the_smallest_buffer(tmp_path: Path) -> None:
    path, start = tmp_path / "sparse.raw", 4097
    with path.open("wb") as file:
        file.truncate(start + LARGEST)
        for at in (start, start + _READ - 50, start + LARGEST - 100):
            file.seek(at)
            file.write(DATA[:100])
    source = open_raw(path)
    assert source is not None
    evidence = Evidence(WatchedSource(source))
    loader = Loader(evidence, 0)
    ((loaded,),) = loader.load([laid((start, LARGEST))], ByteRun(0, start + LARGEST), lambda _: None)
    with path.open("rb") as file:
        file.seek(start)
        assert loader.arena[loaded.start : loaded.end].tobytes() == file.read()
    evidence.source.close()


@pytest.mark.parametrize("window", [1000, _READ, _READ + 1, 3 << 20])
@pytest.mark.parametrize("runs", [[(7, 9 << 20)], [(5, 999), (3000, 1), (700, 999), (0, 4 << 20), (1 << 20, 7)]])
def test_windows_of_any_length_are_the_content_end_to_end(
    bench: Bench, runs: list[tuple[int, int]], window: int
) -> None:
    item = laid(*((offset, min(length, SIZE - offset)) for offset, length in runs))
    fill, read = bench.loader.windows(item), bytearray(item.size)
    for start in range(0, item.size, window):
        fill(start, memoryview(read)[start : start + window])
    assert read == expected(item)


def test_a_window_may_begin_and_end_anywhere_in_the_content(bench: Bench) -> None:
    item = laid((900, 70), (5, 1), (4_000, 0), (400, 500))
    window = bytearray(9)
    for start in range(item.size - len(window)):
        bench.loader.windows(item)(start, memoryview(window))
        assert window == expected(item)[start : start + len(window)]


def test_a_long_window_is_read_in_pieces(bench: Bench) -> None:
    reads: list[int] = []
    source = bench.evidence.source
    source.on_read = lambda: reads.append(source.bytes_read)
    before = source.bytes_read
    bench.loader.windows(laid((3, 5 << 20)))(77, memoryview(bytearray((2 << 20) + 1)))
    source.on_read = None
    assert [at - before for at in reads] == [_READ, 2 * _READ, 2 * _READ + 1]


def test_without_items_there_is_no_group_and_nothing_is_read(bench: Bench) -> None:
    assert bench.bytes_for([]) == 0
    assert bench.load([]) == []
    assert bench.told == []


def test_what_only_the_file_system_can_read_comes_from_there(tmp_path: Path) -> None:
    """Resident content has no runs of its own; it is read by itself, and told of."""
    files = [
        File(path="small.txt", data=b"in the record"),
        File(path="large.bin", data=DATA[:100_000]),
        File(path="other.txt", data=b"in another record"),
        File(path="empty", data=b""),
    ]
    image = tmp_path / "ntfs.img"
    image.write_bytes(ntfs(files, 4 << 20))
    evidence = Evidence(WatchedSource(open_source(image)))
    (region,) = evidence.survey().regions
    listed = [entry for entry in evidence.walk(region) if isinstance(entry, Item)]
    items = [next(item for item in listed if item.path == file.path) for file in files]
    assert [item.direct for item in items] == [False, True, False, False]
    loader, told = Loader(evidence, 0), list[int]()
    (group,) = loader.load(items, region.run, told.append)
    assert contents(loader, group) == {index: file.data for index, file in enumerate(files)}
    assert sorted(told) == [0, 1, 2, 3]
    evidence.source.close()


def test_what_its_file_system_cannot_read_fails_and_no_other(tmp_path: Path) -> None:
    """A folder's file that is another one by now is refused by its reader."""
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
    evidence = Evidence(WatchedSource(open_source(tmp_path)))
    (region,) = evidence.survey().regions
    items = [entry for entry in evidence.walk(region) if isinstance(entry, Item)]
    items[1] = Item(
        address=items[1].address, kind=ItemKind.FILE, path="b", size=999, allocated=True, reference="b", runs=()
    )
    loader = Loader(evidence, 0)
    (group,) = loader.load(items, region.run, lambda _: None)
    by_index = {loaded.index: loaded for loaded in group}
    assert by_index[1].failed == "changed since it was listed"
    assert by_index[1].start == by_index[1].end
    assert contents(loader, group) == {0: b"a" * 1000, 1: b"", 2: b"c" * 1000}
    evidence.source.close()


def test_unreadable_bytes_inside_a_content_are_zeros_that_are_known(tmp_path: Path) -> None:
    hole = ByteRun(60_000, 1000)
    evidence = with_hole(tmp_path, hole)
    items = [laid((50_000, 9000)), laid((59_500, 2000)), laid((61_600, 400)), laid((2 << 20, 10), (60_990, 100))]
    loader = Loader(evidence, 0)
    (group,) = loader.load(items, WHOLE, lambda _: None)
    loaded = contents(loader, group)
    holed = DATA[: hole.offset] + bytes(hole.length) + DATA[hole.end : 1 << 20]
    assert loaded[0] == expected(items[0])
    assert loaded[1] == holed[59_500:61_500]
    assert loaded[2] == expected(items[2])
    assert loaded[3] == DATA[2 << 20 : (2 << 20) + 10] + holed[60_990:61_090]
    assert [evidence.unreadable_in(item) for item in items] == [0, 1000, 0, 10]
    evidence.source.close()


def test_unreadable_bytes_between_two_contents_cost_neither(tmp_path: Path) -> None:
    evidence = with_hole(tmp_path, ByteRun(60_000, 1000))
    items = [laid((50_000, 10_000)), laid((61_000, 5000))]
    loader = Loader(evidence, 0)
    told: list[int] = []
    (group,) = loader.load(items, WHOLE, told.append)
    assert told == [NOBODY]
    assert contents(loader, group) == {0: expected(items[0]), 1: expected(items[1])}
    assert [evidence.unreadable_in(item) for item in items] == [0, 0]
    evidence.source.close()
