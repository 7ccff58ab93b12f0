import ctypes
import hashlib
import mmap
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from suite import absent

from triage.content import lanes
from triage.content.lanes import NAMES, LanesError, Span, available, md5_and_sha1, worth

Bytes = NDArray[np.uint8]

PROT_NONE = 0
EDGES = (0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 121, 127, 128, 129)
BOTH = frozenset(NAMES)


@pytest.fixture(autouse=True)
def _lanes() -> None:
    if not available():
        absent("a processor with AVX2")


def noise(size: int) -> Bytes:
    return np.random.default_rng(5).integers(0, 256, size, dtype=np.uint8)


def expected(arena: Bytes, spans: list[Span]) -> list[tuple[str, str]]:
    contents = [arena[start:end].data for start, end in spans]
    return [(hashlib.md5(content).hexdigest(), hashlib.sha1(content).hexdigest()) for content in contents]


NOISE = noise(300_000)


def test_the_vectors_of_rfc_1321_and_fips_180() -> None:
    md5s = {
        b"": "d41d8cd98f00b204e9800998ecf8427e",
        b"a": "0cc175b9c0f1b6a831c399e269772661",
        b"abc": "900150983cd24fb0d6963f7d28e17f72",
        b"message digest": "f96b697d7cb7938d525a2f31aaf161d0",
        b"abcdefghijklmnopqrstuvwxyz": "c3fcd3d76192e4007dfb496cca67e13b",
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789": "d174ab98d277d9f5a5611c2c9f419d9f",
        b"1234567890" * 8: "57edf4a22be3c955ac49da2e2107b67a",
    }
    sha1s = {
        b"abc": "a9993e364706816aba3e25717850c26c9cd0d89d",
        b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
    }
    texts = [*md5s, *sha1s]
    ends = np.cumsum([len(text) for text in texts]).tolist()
    made = md5_and_sha1(np.frombuffer(b"".join(texts), np.uint8), list(zip([0, *ends], ends, strict=False)))
    assert [md5 for md5, _ in made[: len(md5s)]] == list(md5s.values())
    assert [sha1 for _, sha1 in made[len(md5s) :]] == list(sha1s.values())


@settings(max_examples=60)
@given(
    spans=st.lists(
        st.tuples(
            st.integers(0, len(NOISE)), st.sampled_from(EDGES) | st.integers(0, 2_000) | st.integers(0, len(NOISE))
        ),
        max_size=80,
    )
)
def test_contents_of_any_size_at_any_place_overlapping_or_not(spans: list[Span]) -> None:
    within = [(start, min(start + size, len(NOISE))) for start, size in spans]
    assert md5_and_sha1(NOISE, within) == expected(NOISE, within)


@settings(max_examples=60)
@given(size=st.integers(0, 200), spans=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=20))
def test_contents_of_an_arena_that_is_hardly_a_block(size: int, spans: list[Span]) -> None:
    within = [(min(span[0], span[1], size), min(max(span), size)) for span in spans]
    assert md5_and_sha1(NOISE[:size], within) == expected(NOISE[:size], within)


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 15, 16, 17])
def test_every_edge_in_every_number_of_lanes(count: int) -> None:
    for size in EDGES:
        spans = [(7 * number, 7 * number + size) for number in range(count)]
        assert md5_and_sha1(NOISE, spans) == expected(NOISE, spans)


def test_every_length_up_to_three_blocks_and_more() -> None:
    spans = [(3 * length, 4 * length) for length in range(201)]
    assert md5_and_sha1(NOISE, spans) == expected(NOISE, spans)


def test_a_thousand_contents_of_very_different_sizes() -> None:
    sizes = np.random.default_rng(6).lognormal(7, 2, 1_000).clip(0, 200_000).astype(int).tolist()
    starts = np.random.default_rng(7).integers(0, 100_000, 1_000).tolist()
    spans = [(start, start + size) for start, size in zip(starts, sizes, strict=True)]
    assert md5_and_sha1(NOISE, spans) == expected(NOISE, spans)


@pytest.mark.parametrize("place", [0, 5, 30])
def test_a_content_that_outlasts_all_others(place: int) -> None:
    spans = [(number, 9 * number) for number in range(30)]
    spans.insert(place, (0, len(NOISE)))
    assert md5_and_sha1(NOISE, spans) == expected(NOISE, spans)


def test_identical_contents_have_identical_digests() -> None:
    assert md5_and_sha1(NOISE, [(11, 5_000)] * 40) == expected(NOISE, [(11, 5_000)]) * 40


def test_no_content_at_all() -> None:
    assert md5_and_sha1(NOISE, []) == []
    assert md5_and_sha1(noise(0), [(0, 0)]) == expected(noise(0), [(0, 0)])


@pytest.mark.parametrize("span", [(-1, 5), (5, 4), (0, len(NOISE) + 1), (len(NOISE) + 1, len(NOISE) + 1)])
def test_a_content_that_is_not_in_the_arena_is_refused(span: Span) -> None:
    with pytest.raises(ValueError, match="not within the 300000 bytes"):
        md5_and_sha1(NOISE, [(0, 5), span])


@pytest.mark.parametrize("arena", [NOISE[::2], NOISE.view(np.int8), NOISE.reshape(2, -1)])
def test_an_arena_that_is_not_a_row_of_bytes_is_refused(arena: Bytes) -> None:
    with pytest.raises(ValueError, match="not a row of bytes"):
        md5_and_sha1(arena, [(0, 1)])


def test_the_arena_may_be_read_only_and_may_be_shared_by_threads() -> None:
    arena = NOISE.copy()
    arena.flags.writeable = False
    spans = [(number, 3_000 * number) for number in range(1, 90)]
    with ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(md5_and_sha1, arena, spans) for _ in range(6)]
    assert [run.result() for run in runs] == [expected(arena, spans)] * 6


def test_nothing_is_read_outside_the_arena() -> None:
    page = mmap.PAGESIZE
    memory = mmap.mmap(-1, 3 * page)
    whole = np.frombuffer(memory, np.uint8)
    arena = whole[page : 2 * page]
    arena[:] = NOISE[:page]
    libc = ctypes.CDLL(None, use_errno=True)
    for unreadable in (whole[:page], whole[2 * page :]):
        address = ctypes.c_void_p(unreadable.ctypes.data)
        assert libc.mprotect(address, ctypes.c_size_t(page), PROT_NONE) == 0
    spans = [(page - size, page) for size in range(300)] + [(0, size) for size in range(300)] + [(0, page)]
    assert md5_and_sha1(arena, spans) == expected(arena, spans)


def test_contents_beyond_four_gibibytes() -> None:
    memory = mmap.mmap(-1, (4 << 30) + 70_000)
    arena = np.frombuffer(memory, np.uint8)
    arena[4 << 30 :] = NOISE[:70_000]
    spans = [((4 << 30) - 50 + number, (4 << 30) + 1_000 * number) for number in range(70)]
    assert md5_and_sha1(arena, spans) == expected(arena, spans)


@pytest.mark.parametrize(("constant", "name"), [(0, "md5"), (63, "md5"), (64, "sha1"), (67, "sha1")])
def test_one_wrong_bit_of_a_constant_raises_and_ends_the_use_of_lanes(
    constant: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = lanes._kernel()
    constants = kernel.constants.copy()
    constants[constant] ^= 1 << 17
    monkeypatch.setattr(lanes, "_kernel", lambda: kernel._replace(constants=constants))
    monkeypatch.setattr(lanes, "_distrusted", Event())
    with pytest.raises(LanesError, match=f"the {name} of a content of 500 bytes"):
        md5_and_sha1(NOISE, [(0, 1_000), (0, 500)])
    assert not available()
    with pytest.raises(LanesError, match="makes no digests in lanes"):
        md5_and_sha1(NOISE, [(0, 0)])


def test_one_content_is_not_worth_a_lane_and_many_small_ones_are() -> None:
    for wanted in (BOTH, {"md5"}, {"sha1"}, {"sha256", *BOTH}):
        assert worth(wanted, np.array([], np.int64)).tolist() == []
        assert worth(wanted, np.array([50_000_000])).tolist() == [False]
        assert worth(wanted, np.array([100, 200, 300])).tolist() == [False] * 3
        assert worth(wanted, np.full(1_000, 60_000)).all()


def test_no_content_is_worth_a_lane_where_lanes_make_none_of_the_digests() -> None:
    for wanted in (set[str](), {"sha256"}):
        assert not worth(wanted, np.full(1_000, 60_000)).any()


def test_the_content_that_would_outlast_the_others_is_left_to_hashlib() -> None:
    sizes = np.full(500, 100_000)
    sizes[[3, 77]] = 15_000_000, 30_000_000
    assert np.flatnonzero(~worth({"sha1"}, sizes)).tolist() == [3, 77]
    sizes[3] = 100_000
    assert np.flatnonzero(~worth({"md5"}, sizes)).tolist() == [77]
    assert worth(BOTH, sizes).all()


def test_both_digests_of_two_equal_contents_are_made_in_the_time_of_one() -> None:
    assert worth(BOTH, np.full(2, 10_000_000)).all()
    assert not worth({"sha1"}, np.full(2, 10_000_000)).any()


def test_neither_numba_nor_the_compiler_is_imported_before_lanes_are_needed_and_numba_never() -> None:
    program = """if True:
        import sys, numpy
        from triage.content.digesting import digest_many
        from triage.content.lanes import warm
        digest_many(numpy.zeros(9000, numpy.uint8), [(0, 9000), (1, 5)], frozenset({"md5", "sha1"}))
        print("llvmlite" in sys.modules)
        warm()
        print("llvmlite" in sys.modules, "numba" in sys.modules)"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True", "False"]
