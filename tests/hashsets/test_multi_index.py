import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.hashsets import multi_index
from triage.hashsets.multi_index import Hits, Numbers, Scheme, Words, build, plan, scan, search

SOME = 2_000
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
    def refuse(*_: object) -> Hits:
        raise AssertionError

    hashes = arranged(unrelated(20_000, words))
    arrays = index(hashes, Scheme(SCHEMES[words].chunks, 10))
    monkeypatch.setattr(multi_index, "scan", refuse)
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
