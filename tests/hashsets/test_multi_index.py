import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.hashsets import multi_index
from triage.hashsets.multi_index import (
    Hits,
    Numbers,
    Scheme,
    Words,
    build,
    may_hold,
    may_hold_by_scan,
    plan,
    scan,
    search,
)

SOME = 8_000
SCHEMES = {4: Scheme(11, 8), 1: Scheme(3, 8)}
RADII = {4: 31, 1: 16}

Arrays = tuple[Numbers, Numbers]


def arranged(hashes: Words) -> Words:
    return np.ascontiguousarray(hashes[np.lexsort(hashes.T[::-1])])


def unrelated(n: int, words: int, seed: int = 5) -> Words:
    return np.random.default_rng(seed).integers(0, 1 << 64, (n, words), np.uint64)


def index(hashes: Words, scheme: Scheme) -> Arrays:
    offsets, ids = zip(*build(hashes, scheme), strict=True)
    assert not len(ids[0])
    return np.stack(offsets), np.stack(ids[1:])


def flipped(hash_: Words, bits: list[int]) -> Words:
    turned = hash_.copy()
    for bit in bits:
        turned[bit // 64] ^= np.uint64(1 << (bit % 64))
    return turned


def refuse(*_: object) -> Hits:
    raise AssertionError("the index was not enough")


def found(hits: Hits) -> list[tuple[int, int, int]]:
    columns = (hits.query, hits.row, hits.distance)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def far_flips(words: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, words * 64 - 1), max_size=RADII[words] + 2, unique=True)


@st.composite
def cases(draw: st.DrawFn, words: int) -> tuple[Words, Words]:
    """Return hashes, some unrelated, some equal or nearly so, and queries of the same kinds."""
    centres = unrelated(4, words, 6)
    near = draw(st.lists(st.tuples(st.integers(0, 3), far_flips(words), st.integers(1, 40)), max_size=8))
    clusters = [np.tile(flipped(centres[centre], bits), (times, 1)) for centre, bits, times in near]
    hashes = arranged(np.vstack([unrelated(SOME, words), *clusters]))
    asked = draw(st.lists(st.tuples(st.integers(0, len(hashes) - 1), far_flips(words)), max_size=6))
    return hashes, np.vstack([centres, *(flipped(hashes[row], bits) for row, bits in asked)])


@settings(max_examples=60)
@given(case=cases(4), radius=st.integers(0, 31))
def test_the_index_finds_what_a_linear_scan_finds_of_256_bits(case: tuple[Words, Words], radius: int) -> None:
    hashes, queries = case
    assert found(search(hashes, *index(hashes, SCHEMES[4]), queries, radius)) == found(scan(hashes, queries, radius))


@settings(max_examples=60)
@given(case=cases(1), radius=st.integers(0, 16))
def test_the_index_finds_what_a_linear_scan_finds_of_64_bits(case: tuple[Words, Words], radius: int) -> None:
    hashes, queries = case
    assert found(search(hashes, *index(hashes, SCHEMES[1]), queries, radius)) == found(scan(hashes, queries, radius))


@settings(max_examples=40)
@given(case=cases(4), chunks=st.integers(2, 17), key_bits=st.integers(1, 12), radius=st.integers(0, 31))
def test_any_scheme_finds_the_same(case: tuple[Words, Words], chunks: int, key_bits: int, radius: int) -> None:
    hashes, queries = case
    arrays = index(hashes, Scheme(chunks, key_bits))
    assert found(search(hashes, *arrays, queries, radius)) == found(scan(hashes, queries, radius))


@pytest.mark.parametrize("words", [4, 1])
def test_the_index_alone_finds_members_whatever_bits_are_flipped(words: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = arranged(unrelated(20_000, words))
    arrays = index(hashes, Scheme(SCHEMES[words].chunks, 10))
    monkeypatch.setattr(multi_index, "_scanned", refuse)
    chance = np.random.default_rng(7)
    most = {4: 31, 1: 8}[words]
    for flips in range(most + 1):
        rows = chance.integers(0, len(hashes), 50)
        queries = np.stack(
            [flipped(hashes[row], list(chance.choice(words * 64, flips, replace=False))) for row in rows]
        )
        wanted = {(number, row, flips) for number, row in enumerate(rows.tolist())}
        assert wanted <= set(found(search(hashes, *arrays, queries, most)))


@pytest.mark.parametrize(("words", "radius"), [(4, 31), (4, 0), (1, 16), (1, 8), (1, 0)])
def test_the_planned_scheme_finds_what_a_linear_scan_finds(words: int, radius: int) -> None:
    hashes = arranged(unrelated(100_000, words))
    scheme = plan(len(hashes), words)
    assert scheme is not None
    queries = np.stack([flipped(hashes[row], list(range(row % 40))) for row in range(0, 100_000, 2_501)])
    hits = found(search(hashes, *index(hashes, scheme), queries, radius))
    assert hits == found(scan(hashes, queries, radius))
    assert len({query for query, _, _ in hits}) >= radius // 2


@pytest.mark.parametrize("flips", [0, 1, 12])
def test_a_set_of_near_equal_hashes_loses_none_of_them(flips: int) -> None:
    centre = unrelated(1, 4, 6)[0]
    chance = np.random.default_rng(8)
    near = [flipped(centre, list(chance.choice(256, flips, replace=False))) for _ in range(50)]
    hashes = arranged(np.vstack([np.tile(near, (1_000, 1)), unrelated(SOME, 4)]))
    hits = search(hashes, *index(hashes, SCHEMES[4]), np.vstack([centre, centre, unrelated(1, 4, 9)]), 31)
    assert np.bincount(hits.query).tolist() == [50_000, 50_000]
    assert set(hits.distance.tolist()) == {flips}


def test_hits_outgrow_their_first_array() -> None:
    centre = unrelated(1, 4, 6)[0]
    hashes = arranged(np.vstack([np.tile(centre, (3_000, 1)), unrelated(50_000, 4)]))
    hits = search(hashes, *index(hashes, Scheme(11, 10)), np.tile(centre, (3, 1)), 31)
    assert np.bincount(hits.query).tolist() == [3_000] * 3
    assert len(set(zip(hits.query.tolist(), hits.row.tolist(), strict=True))) == 9_000


@pytest.mark.parametrize("broken", ["offsets", "ids"])
def test_an_index_that_points_outside_its_rows_reads_and_misses_nothing(broken: str) -> None:
    hashes = arranged(unrelated(SOME, 4))
    arrays = dict(zip(("offsets", "ids"), index(hashes, SCHEMES[4]), strict=True))
    arrays[broken][:] = 0xFFFF_FFFF if broken == "offsets" else (1 << (SOME - 1).bit_length()) - 1
    queries = hashes[::100]
    assert found(search(hashes, **arrays, queries=queries, radius=31)) == found(scan(hashes, queries, 31))


@pytest.mark.parametrize("radius", [64, 128, 256])
def test_a_radius_too_large_for_the_index_is_searched_without_it(radius: int) -> None:
    hashes = arranged(unrelated(SOME, 4))
    queries = ~hashes[:2]
    expected = [(n, row) for n in range(2) for row in range(SOME) if distance(queries[n], hashes[row]) <= radius]
    hits = search(hashes, *index(hashes, SCHEMES[4]), queries, radius)
    assert [(query, row) for query, row, _ in found(hits)] == expected


def distance(one: Words, other: Words) -> int:
    return (int.from_bytes(one.tobytes()) ^ int.from_bytes(other.tobytes())).bit_count()


def test_the_scan_counts_the_bits_that_differ() -> None:
    hashes = np.vstack([unrelated(40_000, 4), ~unrelated(1, 4, 9)])
    queries = np.vstack([unrelated(1, 4, 9), hashes[17:18]])
    hits = found(scan(hashes, queries, 110))
    expected = [(n, row) for n in range(2) for row in range(40_001) if distance(queries[n], hashes[row]) <= 110]
    assert [(query, row) for query, row, _ in hits] == expected
    assert all(distance(queries[query], hashes[row]) == bits for query, row, bits in hits)


@pytest.mark.parametrize("words", [4, 1])
@pytest.mark.parametrize("n", [65_536, 100_000, 1_000_000, 1_048_575, 10_000_000, 50_000_000, 1 << 31])
def test_the_index_and_the_hashes_take_at_most_two_and_a_half_times_the_hashes(n: int, words: int) -> None:
    scheme = plan(n, words)
    assert scheme is not None
    stored = 4 * (scheme.chunks * ((1 << scheme.key_bits) + 1) + (scheme.chunks - 1) * n)
    assert 1 + stored / (8 * words * n) <= 2.5


def test_a_small_set_has_no_index() -> None:
    assert plan(0, 4) is plan(1, 1) is plan(65_535, 4) is None


def test_arrays_that_may_not_be_written_are_searched() -> None:
    hashes = arranged(unrelated(SOME, 4))
    arrays = (hashes, *index(hashes, SCHEMES[4]))
    for array in arrays:
        array.flags.writeable = False
    assert found(search(*arrays, hashes[:3], 31)) == [(n, n, 0) for n in range(3)]


def test_the_loops_are_compiled_where_no_folder_can_keep_them() -> None:
    kernel = multi_index._kernel()
    scope: dict[str, object] = {}
    exec("def twice(number):\n    return 2 * number", scope)
    assert kernel._compiled(kernel.types.int64(kernel.types.int64))(scope["twice"])(21) == 42


def mask_of(bits: list[int], words: int) -> Words:
    return flipped(np.zeros(words, np.uint64), bits)


def unknown_bits(words: int) -> st.SearchStrategy[list[int]]:
    """Return no to 30 bits: anywhere, side by side (in one chunk or over its border), or all there are."""
    anywhere = st.lists(st.integers(0, words * 64 - 1), max_size=30, unique=True)
    together = st.tuples(st.integers(0, words * 64 - 1), st.integers(0, 30)).map(
        lambda run: list(range(run[0], min(sum(run), words * 64)))
    )
    return anywhere | together | st.just(list(range(words * 64)))


def is_near(hashes: Words, query: Words, unknown: Words, radius: int) -> bool:
    """Compare with every hash, as large integers."""
    asked, known = (int.from_bytes(value.tobytes()) for value in (query, ~unknown))
    return any(((int.from_bytes(row.tobytes()) ^ asked) & known).bit_count() <= radius for row in hashes)


@settings(max_examples=60)
@given(data=st.data(), words=st.sampled_from([4, 1]), radius=st.integers(0, 31), known=st.booleans())
def test_what_may_be_held_is_what_differs_in_few_known_bits(
    data: st.DataObject, words: int, radius: int, *, known: bool
) -> None:
    hashes, queries = data.draw(cases(words))
    masks = st.just([]) if known else unknown_bits(words)
    unknown = np.stack([mask_of(data.draw(masks), words) for _ in queries])
    arrays = index(hashes, SCHEMES[words])
    near = [is_near(hashes, *pair, radius) for pair in zip(queries, unknown, strict=True)]
    for number, expected in enumerate(near):
        asked = queries[number : number + 1], unknown[number : number + 1]
        assert may_hold(hashes, *arrays, asked, radius) == may_hold_by_scan(hashes, asked, radius) == expected
    assert may_hold(hashes, *arrays, (queries, unknown), radius) == any(near)


def far_members(words: int, unknown: list[int], flips: int, chance: np.random.Generator) -> Words:
    """Return a hash and one that may stand for it: so many known bits differ, and of the unknown ones any."""
    member = unrelated(1, words, int(chance.integers(1 << 32)))[0]
    known = [bit for bit in range(64 * words) if bit not in unknown]
    differ = [*chance.choice(known, flips, replace=False), *(bit for bit in unknown if chance.random() < 0.5)]
    return np.stack([member, flipped(member, [msb(int(bit)) for bit in differ])])


CHUNKS = [256 * chunk // 11 for chunk in range(11)]
PILES = {
    "none": [],
    "one chunk": [*range(CHUNKS[2], CHUNKS[2] + 8)],
    "a whole chunk": [*range(CHUNKS[1], CHUNKS[2])],
    "over a border": [*range(CHUNKS[2] - 6, CHUNKS[2] + 6)],
    "over all borders": [*CHUNKS[1:], *(first - 1 for first in CHUNKS[1:])],
    "the first chunk": [*range(4)],
    "behind the key": [*range(CHUNKS[1] + 11, CHUNKS[2])],
    "thirty": [*range(2, 240, 8)],
}


@pytest.mark.parametrize("unknown", PILES.values(), ids=PILES.keys())
@pytest.mark.parametrize("clustered", [False, True])
def test_the_index_alone_misses_no_member_to_the_last_known_bit(
    unknown: list[int], clustered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = np.random.default_rng(12)
    mask = mask_of([*map(msb, unknown)], 4)
    near, far = (np.stack([far_members(4, unknown, flips, chance) for _ in range(40)]) for flips in (31, 32))
    around = [flipped(row, list(chance.choice(256, 60, replace=False))) for row in near[:, 0] for _ in range(20)]
    others = np.stack(around) if clustered else unrelated(800, 4)
    hashes = arranged(np.vstack([unrelated(20_000, 4), others, near[:, 0], far[:, 0]]))
    arrays = index(hashes, Scheme(11, 11))
    monkeypatch.setattr(multi_index, "_HASHES_PER_PROBE", 1)
    monkeypatch.setattr(multi_index, "_scanned", refuse)
    found = [
        [may_hold(hashes, *arrays, (asked[None], mask[None]), 31) for asked in pairs[:, 1]] for pairs in (near, far)
    ]
    assert found == [[True] * 40, [False] * 40]


@pytest.mark.parametrize("unknown", [[], [first + 5 for first in CHUNKS]], ids=["known", "one unknown in each chunk"])
@pytest.mark.parametrize("last", range(1, 11))
def test_a_member_that_only_one_chunk_can_find_is_found(
    unknown: list[int], last: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = unrelated(1, 4, 6)[0]
    flips = [2 if chunk in {0, last} else 3 for chunk in range(11)]
    assert sum(flips) == 31
    differ = [first + bit for first, count in zip(CHUNKS, flips, strict=True) for bit in range(count)]
    query, mask = flipped(member, [*map(msb, differ), *map(msb, unknown)]), mask_of([*map(msb, unknown)], 4)
    hashes = arranged(np.vstack([unrelated(20_000, 4), member]))
    arrays = index(hashes, Scheme(11, 11))
    monkeypatch.setattr(multi_index, "_scanned", refuse)
    assert may_hold(hashes, *arrays, (query[None], mask[None]), 31)
    assert not may_hold(hashes, *arrays, (flipped(query, [msb(CHUNKS[0] + 9)])[None], mask[None]), 31)


def msb(bit: int) -> int:
    """Return what `flipped` calls the bit that is so many after the most significant one of word 0."""
    return bit ^ 63


def test_more_unknown_bits_than_an_index_can_serve_are_answered_without_it() -> None:
    hashes = arranged(unrelated(SOME, 4))
    arrays = index(hashes, SCHEMES[4])
    query, everything = ~hashes[:1], np.full((1, 4), ~np.uint64(0))
    assert may_hold(hashes, *arrays, (query, everything), 0)
    few_known = everything.copy()
    few_known[0, 0] = 0
    assert not may_hold(hashes, *arrays, (query, few_known), 10)
    assert may_hold(hashes, *arrays, (query ^ ~few_known, few_known), 0)


def test_an_index_that_points_outside_its_rows_is_not_asked_what_may_be_held() -> None:
    hashes = arranged(unrelated(SOME, 4))
    offsets, ids = index(hashes, SCHEMES[4])
    offsets[:] = 0xFFFF_FFFF
    nothing = np.zeros((1, 4), np.uint64)
    assert may_hold(hashes, offsets, ids, (hashes[5:6], nothing), 31)
    assert not may_hold(hashes, offsets, ids, (~hashes[5:6], nothing), 31)


def test_the_compiled_loops_can_be_loaded_beforehand() -> None:
    code = "import sys; from triage.hashsets import multi_index; multi_index.warm(); assert 'numba' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("share", [0, 0.5])
def test_kept_machine_code_that_is_damaged_is_not_used(ending: str, share: float, tmp_path: Path) -> None:
    kernel = multi_index._kernel()
    source = tmp_path / "doubling.py"
    source.write_text("def twice(number):\n    return 2 * number\n")

    def twice() -> int:
        spec = spec_from_file_location("doubling", source)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        compiled = kernel._compiled(kernel.types.int64(kernel.types.int64))(module.twice)
        return int(compiled(21))

    assert twice() == 42
    (kept,) = tmp_path.glob(f"__pycache__/*.{ending}")
    whole = kept.read_bytes()
    kept.write_bytes(whole[: int(share * len(whole))])
    assert twice() == 42
