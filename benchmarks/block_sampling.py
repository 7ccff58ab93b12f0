"""A device sampled block by block: what is found, how long it takes, and whether the stated confidence holds.

The device is a real loop device on a sparse file of so many gigabytes, made and removed here. On it lies noise at eight
places, and known contents: two as long as the stride of the grid, two short ones, and one in pieces of 64 KiB. The set
is made of them as `triage hashset build` does, with and without blocks. The device is searched by the grid and by as
many draws as 20 MiB need at 99 %: printed is what was found, and when. Then, for each row of the table of draws, seeded
samples of a device of that size: how many miss known content that lies in one run, or scattered evenly.

Usage: python benchmarks/block_sampling.py [--gigabytes N] [--rounds N] [--largest N]. Needs root (loop devices).
"""

import argparse
import contextlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import table
from triage.content.blocks import block_digests, telling
from triage.hashsets.hashset import HashSet
from triage.hashsets.sealed import SetMeta
from triage.items.block_sample import BlockSample, BlockSpace, Part, stride_for
from triage.items.block_search import BatchSearched, BlockSearch, StratumCount
from triage.items.permutation import Permutation
from triage.model.blocks import BLOCK_BYTES
from triage.model.finding import SetKind
from triage.model.runs import ByteRun
from triage.policy.block_bounds import blocks_needed, blocks_told
from triage.session import making
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource

GIGA = 10**9
TARGET = 20 << 20
CONFIDENCE = 0.99
SEED = b"benchmark"
SIZES = {"long 1": TARGET, "long 2": TARGET + 5000, "short 1": 3 << 20, "short 2": 200_000, "scattered": 40 << 20}
SLOT = 1 << 28  # bytes between places
NOISE, NOISES = 64 << 20, 8
PIECE = 64 << 10  # of what is scattered, all of it behind the noise
TABLE = ((32, 0.99), (128, 0.99), (500, 0.99), (1000, 0.99), (1000, 0.999), (4000, 0.99))


@dataclass
class Search:
    """A search of one device, what it found first of each planted content, and when."""

    known: HashSet
    source: WatchedSource
    planted: dict[int, str]
    first: dict[str, float] = field(default_factory=dict)
    begun: float = field(default_factory=time.perf_counter)

    def run(self, space: BlockSpace, sample: BlockSample, draws: int) -> None:
        """Search, part by part, and print what each found."""
        count, looking = StratumCount(sample, "the whole device"), BlockSearch(self.source, [self.known])
        for part, batches in ((Part.GRID, sample.grid_batches(256)), (Part.DRAW, sample.draw_batches(0, draws))):
            begun, read, leads, findings = time.perf_counter(), 0, 0, 0
            for batch in batches:
                result = looking.search(space, batch)
                count.add(batch, unreadable=result.unreadable, leads=result.leads)
                read, leads = read + result.read, leads + result.leads
                findings += self._noted(result)
            seconds = time.perf_counter() - begun
            print(f"{part}: {read:,} blocks in {seconds:.2f} s, {leads} leads, {findings} runs that are findings")
        print("\n".join(blocks_told([count.stratum])))

    def _noted(self, result: BatchSearched) -> int:
        """Note what was found for the first time, and return how many runs are findings."""
        findings = [found.run for found in result.runs if found.run.is_finding]
        for run in findings:
            name = self.planted[run.offset - run.index * BLOCK_BYTES]
            self.first.setdefault(name, time.perf_counter() - self.begun)
        return len(findings)


def main() -> None:
    """Search the device and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=int, default=20, help="of the device, 8 or more")
    parser.add_argument("--rounds", type=int, default=1000, help="seeded samples for each row of the table")
    parser.add_argument("--largest", type=int, default=500, help="gigabytes of the largest device of the table")
    options = parser.parse_args()
    print_rates()
    with tempfile.TemporaryDirectory(prefix="block-sampling-") as name:
        folder = Path(name)
        known = make_set(folder)
        planted = plant(folder / "device.raw", options.gigabytes * GIGA // BLOCK_BYTES * BLOCK_BYTES)
        with loop_device(folder / "device.raw") as device:
            search(device, known, planted)
    headings = ["device", "confidence", "draws", "stated misses", "misses of a run", "scattered", "us a draw"]
    rows = [simulated(size, level, options.rounds) for size, level in TABLE if size <= options.largest]
    print(table(headings, rows))


def print_rates() -> None:
    """Print how fast blocks are digested and judged."""
    blocks = np.random.default_rng(3).integers(0, 256, (16_384, BLOCK_BYTES), np.uint8)
    for name, function in (("digested", block_digests), ("judged", telling)):
        function(blocks[:256])
        begun = time.process_time()
        function(blocks)
        spent = time.process_time() - begun
        print(f"blocks {name}: {spent / len(blocks) * 1e6:.1f} us each, {blocks.nbytes / spent / 1e6:,.0f} MB/s")


def make_set(folder: Path) -> HashSet:
    """Return a set of the known files with their blocks, and print what blocks cost."""
    (folder / "files").mkdir()
    for name in SIZES:
        (folder / "files" / name).write_bytes(content(name))
    meta = SetMeta(name="known", version="1", kind=SetKind.NOTABLE, date="2026-01-02")
    for blocks in (False, True):
        place = making.destination(folder / f"library-{blocks}")
        begun = time.process_time()
        made = making.build(folder / "files", meta, place, progress=lambda *_: None, blocks=blocks)
        spent, size = time.process_time() - begun, made.path.stat().st_size
        print(f"set of {sum(SIZES.values()) >> 20} MiB, blocks {blocks}: {spent:.2f} s of processor, {size:,} bytes")
    return HashSet.open(made.path)


def content(name: str) -> bytes:
    """Return an invented content, the same for the same name."""
    return random.Random(name).randbytes(SIZES[name])


def plant(image: Path, size: int) -> dict[int, str]:
    """Make a sparse image with noise and known contents; return, by where each would begin, what is planted.

    A piece of what is scattered lies as if its file began before it.
    """
    chance = random.Random(8)
    slots = chance.sample(range(1, size // SLOT), NOISES + len(SIZES) - 1)
    free = [(slot * SLOT + NOISE + number * PIECE) for slot in slots[:NOISES] for number in range(2000)]
    starts = dict(
        zip(SIZES, (slot * SLOT + BLOCK_BYTES * chance.randrange(999) for slot in slots[NOISES:]), strict=False)
    )
    planted = {start: name for name, start in starts.items()}
    with image.open("wb") as file:
        file.truncate(size)
        for at, data in [(slot * SLOT, chance.randbytes(NOISE)) for slot in slots[:NOISES]]:
            file.seek(at)
            file.write(data)
        for name, start in starts.items():
            file.seek(start)
            file.write(content(name))
        scattered = content("scattered")
        for begin, at in zip(
            range(0, len(scattered), PIECE), chance.sample(free, len(scattered) // PIECE), strict=True
        ):
            file.seek(at)
            file.write(scattered[begin : begin + PIECE])
            planted[at - begin] = "scattered"
    return planted


@contextlib.contextmanager
def loop_device(image: Path) -> Iterator[Path]:
    """Give the image as a read-only block device for as long as the context is open."""
    command = ["losetup", "--find", "--show", "--read-only", str(image)]
    device = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield Path(device)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


def search(device: Path, known: HashSet, planted: dict[int, str]) -> None:
    """Search the whole device and print what was found, and when."""
    source = WatchedSource(open_source(device))
    space = BlockSpace([ByteRun(0, source.info.size)])
    sample = BlockSample(space, "whole device", seed=SEED, stride=stride_for(TARGET))
    draws = blocks_needed(sample.others, TARGET, CONFIDENCE)
    print(f"{device}: {source.info.size:,} bytes, {sample.grid:,} blocks on the grid, {draws:,} draws")
    searching = Search(known, source, planted)
    searching.run(space, sample, draws)
    print(f"{source.bytes_read / (1 << 20):,.0f} MiB read, {time.perf_counter() - searching.begun:.2f} s in all")
    when = {name: f"{seconds:.2f} s" for name, seconds in searching.first.items()}
    rows = [(name, f"{size:,}", when.get(name, "not found")) for name, size in SIZES.items()]
    print(table(["planted", "bytes", "found after"], rows))
    source.close()


def simulated(gigabytes: int, confidence: float, rounds: int) -> tuple[str, ...]:
    """Return a row: how many of the seeded samples meet none of 20 MiB of known blocks."""
    blocks, known = gigabytes * GIGA // BLOCK_BYTES, TARGET // BLOCK_BYTES
    draws = blocks_needed(blocks, TARGET, confidence)
    missed, begun = np.zeros(2, np.int64), time.process_time()
    for seed in range(rounds):
        numbers = Permutation(blocks, b"%d" % seed).numbers(0, draws)
        start = seed * 7_919_333 % (blocks - known)
        in_run = (numbers >= start) & (numbers < start + known)
        step = blocks // known
        scattered = (numbers % step == seed % step) & (numbers < known * step)
        missed += (not in_run.any(), not scattered.any())
    spent = (time.process_time() - begun) / rounds / draws * 1e6
    shares = [f"{count / rounds:.2%}" for count in missed.tolist()]
    return (f"{gigabytes:,} GB", f"{confidence:.1%}", f"{draws:,}", f"{1 - confidence:.2%}", *shares, f"{spent:.3f}")


if __name__ == "__main__":
    main()
