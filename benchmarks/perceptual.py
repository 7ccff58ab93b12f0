"""The perceptual index against `faiss.IndexBinaryFlat`, one thread each, in one run.

Sets of random 256-bit hashes, the same each time, are indexed once and then memory-mapped. Half of the queries are
members with 0 to 31 bits flipped, the others are unrelated to the set; what both find within 31 bits is compared before
a time is believed. A picture is asked for with eight variants.

Usage: python benchmarks/perceptual.py [--folder FOLDER] [--rounds N] [--sizes N ...]. Compares with faiss-cpu, where it
is installed.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from triage.hashsets import multi_index
from triage.hashsets.multi_index import Words

WORDS = 4
RADIUS = 31
FLIPS = range(RADIUS + 1)
MEMBERS = 4  # for each number of flipped bits
TURN = 64  # queries, before it is the other's turn
VARIANTS = 8
UNKNOWN_VARIANTS = 10
UNKNOWN_BITS = 4  # of each variant
SEED = 20260314

Hits = set[tuple[int, int, int]]
Search = Callable[[Words], Hits]
Times = dict[str, list[float]]


def make_hashes(path: Path, n: int) -> None:
    """Write `n` random hashes, sorted."""
    hashes = np.random.default_rng(SEED).integers(0, 1 << 64, (n, WORDS), np.uint64)
    hashes = hashes[np.argsort(hashes[:, 0])]
    if not (hashes[1:, 0] > hashes[:-1, 0]).all():
        sys.exit("two hashes begin with the same word: sort by all of them")
    np.save(path, hashes)


def build(folder: Path) -> dict[str, float]:
    """Index the hashes of a folder, one chunk in memory at a time; return seconds and peak memory."""
    hashes = np.load(folder / "hashes.npy", mmap_mode="r")
    scheme = multi_index.plan(len(hashes), WORDS)
    if scheme is None:
        sys.exit("a set of this size is searched linearly, without an index")
    next(multi_index.build(hashes[:1000], scheme))  # the loops are compiled, or loaded
    start = time.perf_counter()
    shape = (scheme.chunks, (1 << scheme.key_bits) + 1)
    offsets = open_memmap(folder / "offsets.npy", "w+", np.uint32, shape)
    ids = open_memmap(folder / "ids.npy", "w+", np.uint32, (scheme.chunks - 1, len(hashes)))
    for chunk, (of_keys, of_rows) in enumerate(multi_index.build(hashes, scheme)):
        offsets[chunk] = of_keys
        if chunk:
            ids[chunk - 1] = of_rows
    return {"seconds": time.perf_counter() - start, **peaks()}


def first_search(folder: Path) -> dict[str, float]:
    """Open the files in this fresh process and search once; return the seconds of each and peak memory."""
    start = time.perf_counter()
    arrays = opened(folder)
    ready = time.perf_counter()
    multi_index.search(*arrays, arrays[0][:1], RADIUS)
    return {"open": ready - start, "search": time.perf_counter() - ready, **peaks()}


def opened(folder: Path) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return hashes, offsets and ids as memory maps."""
    hashes, offsets, ids = (
        np.load(folder / f"{name}.npy", mmap_mode="r").view(np.ndarray) for name in ("hashes", "offsets", "ids")
    )
    return hashes, offsets, ids


def peaks() -> dict[str, float]:
    """Return peak memory in MB: all resident pages, among them those of mapped files, and those of this process."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"resident": resident, "own": int(status["RssAnon"].split()[0]) / 1024}


def in_fresh_process(what: str, folder: Path) -> dict[str, float]:
    """Run a part of this script in a process of its own and return what it measured."""
    command = [sys.executable, __file__, "--only", what, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def make_queries(hashes: Words) -> tuple[Words, list[tuple[int, int, int]]]:
    """Return queries, and for those that are changed members: number of the query, row, flipped bits."""
    chance = np.random.default_rng(SEED + 1)
    rows = chance.integers(0, len(hashes), len(FLIPS) * MEMBERS)
    members, known = hashes[rows].copy(), []
    for number, row in enumerate(rows.tolist()):
        flips = FLIPS[number % len(FLIPS)]
        for bit in chance.choice(64 * WORDS, flips, replace=False).tolist():
            members[number, bit // 64] ^= np.uint64(1 << (bit % 64))
        known.append((2 * number, row, flips))
    queries = np.empty((2 * len(rows), WORDS), np.uint64)
    queries[::2], queries[1::2] = members, chance.integers(0, 1 << 64, (len(rows), WORDS), np.uint64)
    return queries, known


def our_search(folder: Path) -> Search:
    """Return a search of the memory-mapped index."""
    hashes, offsets, ids = opened(folder)

    def search(queries: Words) -> Hits:
        hits = multi_index.search(hashes, offsets, ids, queries, RADIUS)
        return set(zip(hits.query.tolist(), hits.row.tolist(), hits.distance.tolist(), strict=True))

    return search


def flat_search(hashes: Words) -> Search | None:
    """Return a search by faiss with one thread, None where faiss is not installed."""
    try:
        faiss: Any = import_module("faiss")
    except ImportError:
        return None
    faiss.omp_set_num_threads(1)
    flat = faiss.IndexBinaryFlat(64 * WORDS)
    flat.add(np.ascontiguousarray(hashes).view(np.uint8))

    def search(queries: Words) -> Hits:
        ends, distances, rows = flat.range_search(queries.view(np.uint8), RADIUS + 1)  # faiss leaves the radius out
        numbers = np.repeat(np.arange(len(queries)), np.diff(ends.astype(np.int64)))
        return set(zip(numbers.tolist(), rows.tolist(), distances.astype(int).tolist(), strict=True))

    return search


def compare(searches: dict[str, Search], queries: Words, at_once: int, rounds: int) -> tuple[Times, dict[str, Hits]]:
    """Return the seconds of each call with so many queries, and the hits, by search.

    The searches take turns after every few calls, so that what else the machine does is the same for all.
    """
    times: Times = {name: [] for name in searches}
    hits: dict[str, Hits] = {name: set() for name in searches}
    for turn in [*range(0, len(queries), TURN)] * rounds:
        for name, search in searches.items():
            for first in range(turn, turn + TURN, at_once):
                start = time.perf_counter()
                found = search(queries[first : first + at_once])
                times[name].append(time.perf_counter() - start)
                hits[name] |= {(first + number, row, distance) for number, row, distance in found}
    return times, hits


def check(hits: dict[str, Hits], known: list[tuple[int, int, int]]) -> None:
    """Print the recall, and stop if a member is missed at any number of flips or the searches differ."""
    ours = hits["triage"]
    missed = [f"{flips} flips" for number, row, flips in known if (number, row, flips) not in ours]
    if missed:
        sys.exit(f"members were missed: {', '.join(missed)}")
    if any(other != ours for other in hits.values()):
        sys.exit("the searches found different hashes")
    print(f"  recall: {len(known)} of {len(known)} members, {MEMBERS} at each of 0 to {RADIUS} flipped bits")


def make_unknown(number: int) -> Words:
    """Return for so many queries which bits are not known."""
    chance = np.random.default_rng(SEED + 2)
    masks = np.zeros((number, WORDS), np.uint64)
    for mask in masks:
        for bit in chance.choice(64 * WORDS, UNKNOWN_BITS, replace=False).tolist():
            mask[bit // 64] |= np.uint64(1 << (bit % 64))
    return masks


def measure_unknown(folder: Path, queries: Words, known: list[tuple[int, int, int]], rounds: int) -> None:
    """Print what a picture costs that has unknown bits, in turns with the search for it as if all were known."""
    arrays = opened(folder)
    unknown = make_unknown(len(queries))
    wrong = queries ^ unknown
    missed = [
        f"{flips} flips"
        for number, _, flips in known
        if not multi_index.may_hold(*arrays, (wrong[number, None], unknown[number, None]), RADIUS)
    ]
    if missed:
        sys.exit(f"members were missed by their known bits: {', '.join(missed)}")
    strangers, masks = queries[1::2], unknown[1::2]
    times: Times = {"search": [], "may_hold": []}
    for first in [*range(0, len(strangers) - UNKNOWN_VARIANTS, UNKNOWN_VARIANTS)] * rounds:
        some = slice(first, first + UNKNOWN_VARIANTS)
        start = time.perf_counter()
        multi_index.search(*arrays, strangers[some], RADIUS)
        middle = time.perf_counter()
        if multi_index.may_hold(*arrays, (strangers[some], masks[some]), RADIUS):
            sys.exit("a stranger is held")
        times["search"].append(middle - start)
        times["may_hold"].append(time.perf_counter() - middle)
    search, may_hold = (1000 * statistics.median(seconds) for seconds in times.values())
    print(f"  recall with {UNKNOWN_BITS} unknown bits that are all wrong: {len(known)} of {len(known)} members")
    print(
        f"  picture ({UNKNOWN_VARIANTS} variants, {UNKNOWN_BITS} unknown bits each): {may_hold:.3f} ms, "
        f"{may_hold / search:.2f} times the search with all bits known ({search:.3f} ms)"
    )


def measure(folder: Path, n: int, rounds: int) -> None:
    """Build what is not there, print what was measured at one size."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "hashes.npy").exists():
        make_hashes(folder / "hashes.npy", n)
    built = in_fresh_process("build", folder)
    hashes, offsets, ids = opened(folder)
    print(f"{n:,} hashes, {len(offsets)} chunks with keys of {(offsets.shape[1] - 1).bit_length() - 1} bits")
    print(f"  build: {built['seconds']:.1f} s, {built['own']:.0f} MB of its own at the end")
    ratio = (hashes.nbytes + offsets.nbytes + ids.nbytes) / hashes.nbytes
    print(f"  size: index and hashes are {ratio:.2f} times the hashes ({hashes.nbytes / 1e6:.0f} MB)")
    fresh = in_fresh_process("open", folder)
    print(f"  fresh process: opens in {fresh['open']:.4f} s, first search {fresh['search']:.2f} s (imports numba)")
    print(f"  its peak memory: {fresh['resident']:.0f} MB resident, {fresh['own']:.0f} MB of its own")
    searches = {"triage": our_search(folder)}
    if flat := flat_search(hashes):
        searches["faiss"] = flat
    else:
        print("  faiss is not installed: nothing to compare with")
    queries, known = make_queries(hashes)
    for at_once in (1, VARIANTS):
        compare(searches, queries[:TURN], at_once, 1)  # to warm up
        times, hits = compare(searches, queries, at_once, rounds)
        check(hits, known)
        medians = {name: 1000 * statistics.median(seconds) for name, seconds in times.items()}
        what = "query" if at_once == 1 else f"picture ({at_once} variants)"
        print(f"  {what}: " + ", ".join(f"{name} {median:.3f} ms" for name, median in medians.items()))
        if "faiss" in medians:
            print(f"  triage is {medians['faiss'] / medians['triage']:.1f} times as fast as faiss.IndexBinaryFlat")
    measure_unknown(folder, queries, known, rounds)


def main() -> None:
    """Measure each size in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "digivan-bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--only", choices=("build", "open"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps({"build": build, "open": first_search}[arguments.only](arguments.folder)))
        return
    for n in arguments.sizes:
        measure(arguments.folder / f"pdq-{n}", n, arguments.rounds)


if __name__ == "__main__":
    main()
