import errno
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from triage.model.runs import ByteRun
from triage.sources.badsectors import read_around

GRANULE = 8


class Disk:
    """A disk driven by a map: one letter a granule, `r` reads, `E` fails, `G` says that the disk is gone."""

    def __init__(self, blocks: str, size: int) -> None:
        self.blocks = blocks
        self.data = bytes(1 + index % 250 for index in range(size))
        self.reads = 0

    def read(self, offset: int, length: int) -> bytes:
        self.reads += 1
        touched = range(offset // GRANULE, -(-min(offset + length, len(self.data)) // GRANULE))
        kinds = [self.blocks[number] for number in touched]
        if kinds and kinds[0] != "r":
            raise OSError(errno.EIO if kinds[0] == "E" else errno.ENODEV, "no")
        good = next((n for n, kind in enumerate(kinds) if kind != "r"), None)
        end = offset + length if good is None else touched[good] * GRANULE
        return self.data[offset:end]


@given(st.text("rE", min_size=1, max_size=40), st.data())
def test_good_granules_come_back_and_only_bad_ones_are_zeros(blocks: str, data: st.DataObject) -> None:
    size = data.draw(st.integers((len(blocks) - 1) * GRANULE + 1, len(blocks) * GRANULE))
    start = data.draw(st.integers(0, size))
    length = data.draw(st.integers(0, size - start))
    disk = Disk(blocks, size)
    found, bad = read_around(disk.read, ByteRun(start, length), GRANULE)
    is_bad = [blocks[at // GRANULE] == "E" for at in range(start, start + length)]
    assert found == bytes(
        0 if broken else disk.data[at] for at, broken in zip(range(start, start + length), is_bad, strict=True)
    )
    marked = {at for run in bad for at in range(run.run.offset, run.run.end)}
    assert marked == {at for at, broken in zip(range(start, start + length), is_bad, strict=True) if broken}


def test_a_disk_that_is_gone_is_asked_once() -> None:
    disk = Disk("G" * 1000, 8000)
    found, bad = read_around(disk.read, ByteRun(0, 8000), GRANULE)
    assert (found, disk.reads) == (bytes(8000), 1)
    assert [(run.run, run.reason) for run in bad] == [(ByteRun(0, 8000), "no such device")]


def test_one_bad_granule_costs_few_reads() -> None:
    disk = Disk("r" * 500 + "E" + "r" * 523, 8192)
    _, bad = read_around(disk.read, ByteRun(0, 8192), GRANULE)
    assert [run.run for run in bad] == [ByteRun(4000, 8)]
    assert disk.reads < 25


def test_the_end_of_a_shorter_file_is_bad() -> None:
    found, bad = read_around(Disk("rr", 12).read, ByteRun(0, 16), GRANULE)
    assert found[12:] == bytes(4)
    assert [(run.run, run.reason) for run in bad] == [(ByteRun(12, 4), "the file ends before this place")]
    assert [key for key, _ in groupby(found[:12], bool)] == [True]
