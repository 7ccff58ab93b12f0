"""Exact look-ups in a set of 100 million MD5 digests, then beside `hfind` on fewer, the same for both, in one run.

The columns are made once, by a seeded generator, as files that are memory-mapped as a sealed set is. Half of the
queries are members, in random order. Every measurement runs in a fresh process on one thread, and every record found
is compared with the one that was asked for before a time is believed. `hfind` takes too long to index 100 million.

Usage: python benchmarks/lookup.py [--folder FOLDER] [--digests N] [--beside N] [--rounds N]. Needs hfind, and 22 bytes
of disc for each digest.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from triage.hashsets.columns import Column, Columns
from triage.hashsets.exact import DigestColumn, ExactIndex, prefix_table
from triage.hashsets.record import DIGEST_BYTES, HASH_BITS
from triage.model.digest import Digests
from triage.model.finding import MatchBy

ABSENT = -1
QUERIES = 1_000_000
SINGLES = 100_000
FIND_SIZES = (1_000, 10_000, 100_000, QUERIES)
LOOKUP_SIZES = (1, 10, 1_000, 100_000)
STRANGER_SIZES = (1, 64, 512)  # what the engine asks at once
BLOCK = 1 << 20
TYPES = {"md5_key": "<u8", "md5_rest": "S8", "md5_record": "<u4", "md5_table": "<u4", "present": "u1"}


def make_columns(folder: Path, number: int) -> Path:
    """Make the columns of so many digests in a folder of their own, the same each time, and return it."""
    made = folder / f"md5-{number}"
    if made.exists():
        return made
    unready = made.with_suffix(".partial")
    unready.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(number)
    keys = np.sort(chance.integers(0, 1 << 64, number, np.uint64))
    keys.tofile(unready / "md5_key")
    np.concatenate(list(prefix_table(keys))).tofile(unready / "md5_table")
    chance.integers(0, 1 << 64, number, np.uint64).tofile(unready / "md5_rest")
    chance.integers(0, number, number, np.uint32).tofile(unready / "md5_record")
    np.full(number, HASH_BITS["md5"], np.uint8).tofile(unready / "present")
    for name in TYPES:
        with (unready / name).open("rb") as file:
            os.fsync(file.fileno())
    return unready.rename(made)


def open_columns(folder: Path) -> Columns:
    """Map the columns; a set of MD5 digests has no others."""
    columns: dict[str, Column] = {name: np.asarray(np.memmap(folder / name, kind, "r")) for name, kind in TYPES.items()}
    for name in ("sha1", "sha256"):
        columns |= {f"{name}_key": np.empty(0, "<u8"), f"{name}_rest": np.empty(0, f"S{DIGEST_BYTES[name] - 8}")}
        columns |= {f"{name}_record": np.empty(0, "<u4"), f"{name}_table": np.zeros(2, "<u4")}
    return columns


def make_queries(columns: Columns, number: int, seed: int) -> tuple[Column, Column]:
    """Return digests, half of them members, in random order, and the record of each, ABSENT for the others."""
    chance = np.random.default_rng(seed)
    words = chance.integers(0, 1 << 64, (number, 2), np.uint64)
    records = np.full(number, ABSENT, np.int64)
    positions = chance.integers(0, len(columns["md5_key"]), number // 2)
    words[: number // 2, 0] = columns["md5_key"][positions].byteswap()
    words[: number // 2, 1] = columns["md5_rest"].view(np.uint64)[positions]
    records[: number // 2] = columns["md5_record"][positions]
    order = chance.permutation(number)
    return words[order].view("S16").ravel(), records[order]


def as_digests(queries: Column) -> list[Digests]:
    """Return queries as the engine has them."""
    text = queries.tobytes().hex()
    return [Digests(md5=text[start : start + 32]) for start in range(0, len(text), 32)]


def check(numbers: Column, found: Column, records: Column) -> None:
    """Exit unless exactly the members were found, each with its record."""
    members = np.flatnonzero(records != ABSENT)
    if not (np.array_equal(numbers, members) and np.array_equal(found, records[members])):
        sys.exit("the look-ups are wrong")


def seconds_to_find(column: DigestColumn, queries: Column, records: Column, size: int = 1 << 30) -> float:
    """Return the seconds for each query when they are asked in batches of a size."""
    starts = range(0, len(queries), size)
    begun = time.perf_counter()
    found = [column.find(queries[start : start + size]) for start in starts]
    seconds = time.perf_counter() - begun
    numbers = np.concatenate([part[0] + start for part, start in zip(found, starts, strict=True)])
    check(numbers, np.concatenate([part[1] for part in found]), records)
    return seconds / len(queries)


def seconds_to_look_up(index: ExactIndex, queries: Column, records: Column, size: int) -> float:
    """Return the same for the look-up that the engine calls, from hexadecimal text to hits."""
    queries, records = queries[:SINGLES], records[:SINGLES]
    batch = as_digests(queries)
    starts = range(0, len(batch), size)
    begun = time.perf_counter()
    found = [index.lookup(batch[start : start + size]) for start in starts]
    seconds = time.perf_counter() - begun
    hits = [(hit.query + start, hit.record) for part, start in zip(found, starts, strict=True) for hit in part.hits]
    numbers, found_records = np.array(hits).T
    check(numbers, found_records, records)
    return seconds / len(queries)


def seconds_for_strangers(index: ExactIndex, queries: Column, records: Column, size: int) -> float:
    """Return the same where no query is a member, as on most devices."""
    batch = as_digests(queries[records == ABSENT][:SINGLES])
    starts = range(0, len(batch), size)
    begun = time.perf_counter()
    found = [index.lookup(batch[start : start + size]) for start in starts]
    seconds = time.perf_counter() - begun
    if any(part.hits or part.disputed for part in found):
        sys.exit("a stranger is a member")
    return seconds / len(batch)


def measure_opening(folder: Path) -> tuple[float, float, float]:
    """Return seconds to map and index a set, for the first look-up, and for each of 1,000 after it."""
    begun = time.perf_counter()
    index = ExactIndex(open_columns(folder))
    opened = time.perf_counter()
    index.lookup((Digests(md5="5a" * 16),))
    first = time.perf_counter()
    batch = [Digests(md5=np.random.default_rng(seed).bytes(16).hex()) for seed in range(1000)]
    start = time.perf_counter()
    for digests in batch:
        index.lookup((digests,))
    return opened - begun, first - opened, (time.perf_counter() - start) / len(batch)


def measure_batches(folder: Path, rounds: int) -> dict[str, float]:
    """Return by kind and size of batch the median seconds for each query."""
    columns = open_columns(folder)
    index = ExactIndex(columns)
    column = index.columns[MatchBy.MD5]
    kinds = {f"find, batches of {size:,}": partial(seconds_to_find, column, size=size) for size in FIND_SIZES}
    kinds |= {f"lookup, batches of {size:,}": partial(seconds_to_look_up, index, size=size) for size in LOOKUP_SIZES}
    kinds |= {
        f"lookup, no member, batches of {size:,}": partial(seconds_for_strangers, index, size=size)
        for size in STRANGER_SIZES
    }
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(rounds + 1):
        queries, records = make_queries(columns, QUERIES, number)
        for kind, measure in kinds.items():
            seconds = measure(queries=queries, records=records)
            if number:  # the first round maps the pages
                times[kind].append(seconds)
    return {kind: statistics.median(measured) for kind, measured in times.items()}


def measure_cold(folder: Path, asked: tuple[Column, Column], size: int) -> tuple[float, int]:
    """Return seconds for each query and the number of pages that came from the disc."""
    column = ExactIndex(open_columns(folder)).columns[MatchBy.MD5]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_majflt
    seconds = seconds_to_find(column, *asked, size)
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_majflt - before


def measure_beside(folder: Path, asked: tuple[Column, Column]) -> tuple[float, float]:
    """Return seconds for each of the queries that hfind was asked, in one batch and one by one, the second time."""
    index = ExactIndex(open_columns(folder))
    seconds_to_find(index.columns[MatchBy.MD5], *asked)
    batch = seconds_to_find(index.columns[MatchBy.MD5], *asked)
    return batch, seconds_to_look_up(index, *asked, 1)


def drop_pages(folder: Path) -> None:
    """Have the system forget what it holds of the columns; no process may have them mapped."""
    for name in TYPES:
        with (folder / name).open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def write_list(columns: Columns, listed: Path) -> None:
    """Write the digests as md5sum does, each with its record as the name of the file."""
    with listed.open("w") as file:
        for start in range(0, len(columns["md5_key"]), BLOCK):
            some = slice(start, start + BLOCK)
            words = columns["md5_key"][some].tolist(), columns["md5_rest"][some].view(">u8").tolist()
            lines = zip(*words, columns["md5_record"][some].tolist(), strict=True)
            file.writelines(f"{key:016x}{rest:016x}  {record}\n" for key, rest, record in lines)


def make_hfind_index(folder: Path) -> Path:
    """Have hfind index a list of the digests."""
    listed = folder / "list.txt"
    if not (folder / "list.txt-md5.idx").exists():
        write_list(open_columns(folder), listed)
        begun = time.perf_counter()
        subprocess.run(["hfind", "-i", "md5sum", str(listed)], check=True, capture_output=True)
        print(f"hfind indexed its list in {time.perf_counter() - begun:.0f} s")
    return listed


def run_hfind(listed: Path, asked: tuple[Column, Column]) -> float:
    """Return the seconds that hfind takes for each query, its start taken off."""
    queries, records = asked
    seconds = []
    for batch in (queries[:1], queries):
        text = listed.with_name("queries.txt")
        text.write_text("".join(f"{digests.md5}\n" for digests in as_digests(batch)))
        begun = time.perf_counter()
        done = subprocess.run(["hfind", "-f", str(text), str(listed)], check=True, capture_output=True, text=True)
        seconds.append(time.perf_counter() - begun)
    answers = [line.split("\t")[1] for line in done.stdout.splitlines()]
    found = np.array([ABSENT if answer == "Hash Not Found" else int(answer) for answer in answers])
    numbers = np.flatnonzero(found != ABSENT)
    check(numbers, found[numbers], records)
    return (seconds[1] - seconds[0]) / len(queries)


def report_large(folder: Path, rounds: int, fresh: Callable[..., ProcessPoolExecutor]) -> None:
    """Print what is measured on the large set."""
    opening = []
    for _ in range(rounds):
        with fresh() as process:
            opening.append(process.submit(measure_opening, folder).result())
    opened, first, others = (statistics.median(column) for column in zip(*opening, strict=True))
    print(
        f"warm: opens in {1e3 * opened:.2f} ms, first look-up {1e6 * first:.0f} us, others {1e6 * others:.1f} us each"
    )
    with fresh() as process:
        for kind, seconds in process.submit(measure_batches, folder, rounds).result().items():
            print(f"warm: {kind}: {1e-6 / seconds:.2f} million a second, {1e6 * seconds:.2f} us each")
    drop_pages(folder)
    with fresh() as process:
        opened, first, others = process.submit(measure_opening, folder).result()
    print(
        f"cold: opens in {1e3 * opened:.2f} ms, first look-up {1e6 * first:.0f} us, others {1e6 * others:.0f} us each"
    )
    report_cold(folder, fresh)


def report_cold(folder: Path, fresh: Callable[..., ProcessPoolExecutor]) -> None:
    """Print what batches cost when nothing is in memory, in random order and sorted."""
    queries, records = make_queries(open_columns(folder), QUERIES, 0)
    for size in (10_000, QUERIES):
        order = np.argsort(queries[:size])
        for name, some in (("random order", np.arange(size)), ("sorted", order)):
            drop_pages(folder)
            with fresh() as process:
                asked = queries[some], records[some]
                seconds, pages = process.submit(measure_cold, folder, asked, size).result()
            rate = 1e-6 / seconds
            print(
                f"cold: find, one batch of {size:,}, {name}: {rate:.3f} million a second, {pages:,} waits for the disc"
            )


def report_beside(folder: Path, rounds: int, fresh: Callable[..., ProcessPoolExecutor]) -> None:
    """Print what both take on the same digests and the same queries."""
    listed = make_hfind_index(folder)
    asked = make_queries(open_columns(folder), 200_000, 1)
    times = []
    for number in range(rounds + 1):
        theirs = run_hfind(listed, asked)
        with fresh() as process:
            batch, single = process.submit(measure_beside, folder, asked).result()
        if number:
            times.append((theirs, batch, single))
    theirs, batch, single = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"medians: hfind {1e6 * theirs:.2f} us, find in one batch {1e6 * batch:.3f} us, lookup {1e6 * single:.2f} us")
    print(f"in a batch {theirs / batch:.0f} times as fast as hfind, one by one {theirs / single:.1f} times")


def main() -> None:
    """Measure the large set, then the smaller one beside hfind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "digivan-bench")
    parser.add_argument("--digests", type=int, default=100_000_000)
    parser.add_argument("--beside", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()

    def fresh() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))

    large = make_columns(arguments.folder, arguments.digests)
    print(f"{arguments.digests:,} digests, {sum(file.stat().st_size for file in large.iterdir()) / 1e9:.2f} GB")
    report_large(large, arguments.rounds, fresh)
    beside = make_columns(arguments.folder, arguments.beside)
    print(f"{arguments.beside:,} digests, the same for hfind")
    report_beside(beside, arguments.rounds, fresh)


if __name__ == "__main__":
    main()
