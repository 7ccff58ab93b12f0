import ctypes
import hashlib
import mmap
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from suite import absent

from triage.content import md5_lanes
from triage.content.md5_lanes import LanesError, Span, available, md5_many, sha1_many, worth

Bytes = NDArray[np.uint8]
Many = Callable[[Bytes, list[Span]], list[str]]

BOTH = pytest.mark.parametrize(("many", "name"), [(md5_many, "md5"), (sha1_many, "sha1")])
PROT_NONE = 0
EDGES = (0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 121, 127, 128, 129)


@pytest.fixture(autouse=True)
def _lanes() -> None:
    if not available():
        absent("a processor with AVX2")


def noise(size: int) -> Bytes:
    return np.random.default_rng(5).integers(0, 256, size, dtype=np.uint8)


def expected(name: str, arena: Bytes, spans: list[Span]) -> list[str]:
    return [hashlib.new(name, arena[start:end].tobytes()).hexdigest() for start, end in spans]


NOISE = noise(300_000)


def test_the_vectors_of_rfc_1321() -> None:
    texts = {
        b"": "d41d8cd98f00b204e9800998ecf8427e",
        b"a": "0cc175b9c0f1b6a831c399e269772661",
        b"abc": "900150983cd24fb0d6963f7d28e17f72",
        b"message digest": "f96b697d7cb7938d525a2f31aaf161d0",
        b"abcdefghijklmnopqrstuvwxyz": "c3fcd3d76192e4007dfb496cca67e13b",
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789": "d174ab98d277d9f5a5611c2c9f419d9f",
        b"1234567890" * 8: "57edf4a22be3c955ac49da2e2107b67a",
    }
    ends = np.cumsum([len(text) for text in texts]).tolist()
    spans = list(zip([0, *ends], ends, strict=False))
    assert md5_many(np.frombuffer(b"".join(texts), np.uint8), spans) == list(texts.values())


def test_the_vectors_of_fips_180() -> None:
    texts = (b"abc", b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
    spans = [(0, 3), (3, 59)]
    assert sha1_many(np.frombuffer(b"".join(texts), np.uint8), spans) == [
        "a9993e364706816aba3e25717850c26c9cd0d89d",
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
    ]


@BOTH
@settings(max_examples=60)
@given(
    spans=st.lists(
        st.tuples(
            st.integers(0, len(NOISE)), st.sampled_from(EDGES) | st.integers(0, 2_000) | st.integers(0, len(NOISE))
        ),
        max_size=80,
    )
)
def test_contents_of_any_size_at_any_place_overlapping_or_not(many: Many, name: str, spans: list[Span]) -> None:
    within = [(start, min(start + size, len(NOISE))) for start, size in spans]
    assert many(NOISE, within) == expected(name, NOISE, within)


@BOTH
@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 33])
def test_every_edge_in_every_number_of_lanes(many: Many, name: str, count: int) -> None:
    for size in EDGES:
        spans = [(7 * number, 7 * number + size) for number in range(count)]
        assert many(NOISE, spans) == expected(name, NOISE, spans)


@BOTH
def test_a_thousand_contents_of_very_different_sizes(many: Many, name: str) -> None:
    sizes = np.random.default_rng(6).lognormal(7, 2, 1_000).clip(0, 200_000).astype(int).tolist()
    starts = np.random.default_rng(7).integers(0, 100_000, 1_000).tolist()
    spans = [(start, start + size) for start, size in zip(starts, sizes, strict=True)]
    assert many(NOISE, spans) == expected(name, NOISE, spans)


@BOTH
def test_identical_contents_have_identical_digests(many: Many, name: str) -> None:
    assert many(NOISE, [(11, 5_000)] * 40) == expected(name, NOISE, [(11, 5_000)]) * 40


def test_no_content_at_all() -> None:
    assert md5_many(NOISE, []) == []
    assert md5_many(noise(0), [(0, 0)]) == ["d41d8cd98f00b204e9800998ecf8427e"]


@pytest.mark.parametrize("span", [(-1, 5), (5, 4), (0, len(NOISE) + 1), (len(NOISE) + 1, len(NOISE) + 1)])
def test_a_content_that_is_not_in_the_arena_is_refused(span: Span) -> None:
    with pytest.raises(ValueError, match="not within the 300000 bytes"):
        md5_many(NOISE, [(0, 5), span])


def test_the_arena_may_be_read_only_and_may_be_shared_by_threads() -> None:
    arena = NOISE.copy()
    arena.flags.writeable = False
    spans = [(number, 3_000 * number) for number in range(1, 90)]
    with ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(many, arena, spans) for many in (md5_many, sha1_many) * 4]
    assert [run.result() for run in runs] == [expected(name, arena, spans) for name in ("md5", "sha1")] * 4


@BOTH
def test_nothing_is_read_outside_the_arena(many: Many, name: str) -> None:
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
    assert many(arena, spans) == expected(name, arena, spans)


def test_contents_beyond_four_gibibytes() -> None:
    memory = mmap.mmap(-1, (4 << 30) + 70_000)
    arena = np.frombuffer(memory, np.uint8)
    arena[4 << 30 :] = NOISE[:70_000]
    spans = [((4 << 30) - 50 + number, (4 << 30) + 1_000 * number) for number in range(70)]
    assert md5_many(arena, spans) == expected("md5", arena, spans)


@pytest.mark.parametrize(("big_endian", "order"), [(False, "<Q"), (True, ">Q")])
@pytest.mark.parametrize("size", [0, 55, 56, 63, (1 << 29) + 1, (5 << 30) + 63, 1 << 60])
def test_the_padding_holds_the_size_in_bits_whatever_it_is(size: int, big_endian: bool, order: str) -> None:
    padding, tail = noise(128), NOISE[: size % 64]
    blocks = md5_lanes._kernel()._pad(padding, tail, size, big_endian)
    zeros = bytes(-(len(tail) + 9) % 64)
    assert padding[: 64 * blocks].tobytes() == tail.tobytes() + b"\x80" + zeros + struct.pack(order, 8 * size)


@BOTH
def test_a_wrong_digest_raises_and_ends_the_use_of_lanes(
    many: Many, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = md5_lanes._kernel()

    def one_bit_wrong(arena: Bytes, starts: Bytes, ends: Bytes, sha1: bool, states: NDArray[np.uint32]) -> None:
        kernel.digest_all(arena, starts, ends, sha1, states)
        states[:, 2] ^= 1

    monkeypatch.setattr(md5_lanes, "_kernel", lambda: SimpleNamespace(digest_all=one_bit_wrong))
    monkeypatch.setattr(md5_lanes, "_distrusted", Event())
    with pytest.raises(LanesError, match=f"the {name} of a content of 500 bytes"):
        many(NOISE, [(0, 1_000), (0, 500)])
    assert not available()
    with pytest.raises(LanesError, match="makes no digests in lanes"):
        many(NOISE, [(0, 0)])


@pytest.mark.parametrize("name", ["md5", "sha1"])
def test_one_content_is_not_worth_a_lane_and_many_small_ones_are(name: str) -> None:
    assert worth(name, np.array([], np.int64)).tolist() == []
    assert worth(name, np.array([50_000_000])).tolist() == [False]
    assert worth(name, np.array([100, 200, 300])).tolist() == [False] * 3
    assert worth(name, np.full(1_000, 60_000)).all()


def test_the_content_that_would_outlast_the_others_is_left_to_hashlib() -> None:
    sizes = np.full(500, 100_000)
    sizes[[3, 77]] = 20_000_000, 30_000_000
    chosen = worth("md5", sizes)
    assert np.flatnonzero(~chosen).tolist() == [3, 77]


def test_contents_just_too_many_for_a_second_round_are_left_to_hashlib() -> None:
    sizes = np.full(17, 10_000_000)
    assert worth("sha1", sizes).sum() == 16
    assert worth("sha1", np.full(32, 10_000_000)).all()
