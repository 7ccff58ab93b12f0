import subprocess
import sys
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from triage.hashsets import multi_index
from triage.hashsets.multi_index import Scheme, Words
from triage.hashsets.perceptual import Candidate, PdqIndex, PerceptualIndex, PhashIndex

KINDS = [PdqIndex, PhashIndex]
CHUNKS = {4: 11, 1: 3}


def made(kind: type[PerceptualIndex], hashes: Words, records: list[int], *, indexed: bool = False) -> PerceptualIndex:
    """Return an index of hashes given in any order, with flat columns as a file has them."""
    order = np.lexsort(hashes.T[::-1])
    rows = np.ascontiguousarray(hashes[order])
    offsets, ids = np.empty(0, np.uint32), np.empty(0, np.uint32)
    if indexed:
        parts = list(multi_index.build(rows, Scheme(CHUNKS[kind.words], 8)))
        offsets, ids = (np.concatenate(column) for column in zip(*parts, strict=True))
    columns: Mapping[str, NDArray[np.uint64 | np.uint32]] = {
        kind.name: rows,
        f"{kind.name}_record": np.array(records, np.uint32)[order],
        f"{kind.name}_offsets": offsets,
        f"{kind.name}_ids": ids,
    }
    return kind(columns)


def unrelated(n: int, words: int, seed: int = 3) -> Words:
    return np.random.default_rng(seed).integers(0, 1 << 64, (n, words), np.uint64)


def text(words: Words) -> bytes:
    return words.astype(">u8").tobytes()


def flipped(value: bytes, flips: int, seed: int = 4) -> bytes:
    bits = np.random.default_rng(seed).choice(8 * len(value), flips, replace=False)
    return (int.from_bytes(value) ^ sum(1 << int(bit) for bit in bits)).to_bytes(len(value))


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_members_are_found_to_the_recommended_radius_and_not_beyond(kind: type[PerceptualIndex], indexed: bool) -> None:
    hashes = unrelated(3_000, kind.words)
    index = made(kind, hashes, list(range(3_000)), indexed=indexed)
    for flips in range(kind.radius + 3):
        near = Candidate(flips, 7 * flips)
        found = index.near([flipped(text(hashes[7 * flips]), flips, seed=flips)])
        assert (near in found) == (flips <= kind.radius)
        assert all(candidate.distance <= kind.radius for candidate in found)


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_record_has_its_best_distance_over_all_variants_and_hashes(
    kind: type[PerceptualIndex], indexed: bool
) -> None:
    hashes = unrelated(2_000, kind.words)
    member = text(hashes[5])
    twin = np.frombuffer(flipped(member, 2, seed=9), ">u8").astype(np.uint64)
    index = made(kind, np.vstack([hashes, twin, hashes[5]]), [*range(2_000), 5, 4_000], indexed=indexed)
    variants = [flipped(member, 6), text(unrelated(1, kind.words, 11)[0]), flipped(member, 3), flipped(member, 4)]
    assert index.near(variants) == [Candidate(3, 5), Candidate(3, 4_000)]
    assert index.near([text(twin), member], 0) == [Candidate(0, 5), Candidate(0, 4_000)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("radius", [0, 3, 8, 16])
def test_the_radius_may_be_given(kind: type[PerceptualIndex], radius: int) -> None:
    hashes = unrelated(2_000, kind.words)
    linear, indexed = (made(kind, hashes, list(range(2_000)), indexed=choice) for choice in (False, True))
    for row in range(20):
        query = flipped(text(hashes[row]), row, seed=row)
        assert indexed.near([query], radius) == linear.near([query], radius)
        assert (Candidate(row, row) in linear.near([query], radius)) == (row <= radius)


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_member_may_be_held_to_the_radius_on_the_known_bits(kind: type[PerceptualIndex], indexed: bool) -> None:
    hashes = unrelated(3_000, kind.words)
    index = made(kind, hashes, list(range(3_000)), indexed=indexed)
    unknown = 0b1011 << (40 * kind.words)
    mask = unknown.to_bytes(8 * kind.words)
    stranger = text(unrelated(1, kind.words, 11)[0])
    for flips in range(kind.radius + 3):
        near = flipped_outside(text(hashes[7 * flips]), unknown, flips)
        asked = [stranger, near], [bytes(len(mask)), mask]
        assert index.may_hold(*asked) == (flips <= kind.radius)
        assert index.may_hold(*asked, flips)
        assert not index.may_hold(asked[0][:1], asked[1][1:])
        assert index.may_hold(asked[0]) == (flips + 3 <= kind.radius), "three bits more differ where all are known"


def flipped_outside(value: bytes, mask: int, flips: int) -> bytes:
    """Flip so many of the bits that are not in the mask, and all that are."""
    others = [bit for bit in range(8 * len(value)) if not mask >> bit & 1]
    bits = np.random.default_rng(flips).choice(others, flips, replace=False)
    return (int.from_bytes(value) ^ mask ^ sum(1 << int(bit) for bit in bits)).to_bytes(len(value))


@pytest.mark.parametrize("kind", KINDS)
def test_masks_that_do_not_fit_the_hashes_are_refused(kind: type[PerceptualIndex]) -> None:
    index = made(kind, unrelated(9, kind.words), list(range(9)))
    value = bytes(8 * kind.words)
    for masks in ([value], [value, value[1:]], [value] * 3):
        with pytest.raises(ValueError, match="do not belong together"):
            index.may_hold([value] * 2, masks)


@pytest.mark.parametrize("kind", KINDS)
def test_candidates_are_sorted_by_distance_then_record(kind: type[PerceptualIndex]) -> None:
    member = text(unrelated(1, kind.words)[0])
    near = [np.frombuffer(flipped(member, flips, seed=flips), ">u8").astype(np.uint64) for flips in (4, 0, 4, 2)]
    index = made(kind, np.vstack(near), [9, 8, 3, 1])
    assert index.near([member]) == [Candidate(0, 8), Candidate(2, 1), Candidate(4, 3), Candidate(4, 9)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_position_gives_its_record_and_hash(kind: type[PerceptualIndex]) -> None:
    hashes = unrelated(50, kind.words)
    index = made(kind, hashes, list(range(50)))
    assert len(index) == 50
    held = [index.hash_at(position) for position in range(50)]
    assert sorted(held) == [(record, text(hashes[record])) for record in range(50)]
    assert [value for _, value in held] == sorted(value for _, value in held)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_set_and_no_query_find_nothing(kind: type[PerceptualIndex]) -> None:
    empty = made(kind, np.empty((0, kind.words), np.uint64), [])
    assert len(empty) == 0
    assert empty.near([bytes(8 * kind.words)]) == []
    assert not empty.may_hold([bytes(8 * kind.words)])
    assert not made(kind, unrelated(900, kind.words), list(range(900)), indexed=True).may_hold([])
    assert made(kind, unrelated(9, kind.words), list(range(9))).near([]) == []
    assert made(kind, unrelated(900, kind.words), list(range(900)), indexed=True).near([]) == []


def test_numba_is_not_imported_before_an_index_is_searched() -> None:
    code = """if True:
        import sys
        import numpy as np
        from triage.hashsets.perceptual import PdqIndex
        none = np.empty(0, np.uint32)
        hashes = np.arange(40, dtype=np.uint64).reshape(10, 4)
        record = np.arange(10, dtype=np.uint32)
        index = PdqIndex({"pdq": hashes, "pdq_record": record, "pdq_offsets": none, "pdq_ids": none})
        assert index.near([bytes(32)])
        assert "numba" not in sys.modules, "numba was imported"
    """
    subprocess.run([sys.executable, "-c", code], check=True)
