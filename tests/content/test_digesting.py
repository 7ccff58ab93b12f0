import hashlib
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from suite import absent

from triage.content import lanes
from triage.content.content import Content
from triage.content.digesting import ALGORITHMS, Digested, digest, digest_many, digest_side_by_side
from triage.content.lanes import available
from triage.content.lanes_windows import WINDOW, Fill
from triage.model.digest import Digests


def content_of(data: bytes) -> Content:
    return Content(lambda offset, length: data[offset : offset + length], len(data))


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (3 << 20) + 7])
def test_all_digests_come_from_one_pass(size: int) -> None:
    data = bytes(index % 251 for index in range(1000)) * (size // 1000 + 1)
    data = data[:size]
    digests = digest(content_of(data), ALGORITHMS)
    assert digests == Digests(
        md5=hashlib.md5(data).hexdigest(),
        sha1=hashlib.sha1(data).hexdigest(),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def test_only_the_wanted_digests_are_made() -> None:
    assert digest(content_of(b"abc"), frozenset({"md5"})) == Digests(md5="900150983cd24fb0d6963f7d28e17f72")


def test_nothing_wanted_reads_nothing() -> None:
    def read(offset: int, length: int) -> bytes:
        raise AssertionError(f"read {length} bytes at {offset}")

    assert digest(Content(read, 10), frozenset()) == Digests()


def test_an_unknown_digest_is_refused() -> None:
    with pytest.raises(ValueError, match="no such digest: crc32"):
        digest(content_of(b""), frozenset({"md5", "crc32"}))


NOISE = np.random.default_rng(9).integers(0, 256, 6_000_000, dtype=np.uint8)
SPANS = [(number * 7, number * 7 + number * 300) for number in range(90)] + [(5, 4_000_000)]


def by_hashlib(spans: list[tuple[int, int]]) -> list[Digests]:
    contents = [NOISE[start:end].tobytes() for start, end in spans]
    return [
        Digests(
            md5=hashlib.md5(data).hexdigest(),
            sha1=hashlib.sha1(data).hexdigest(),
            sha256=hashlib.sha256(data).hexdigest(),
        )
        for data in contents
    ]


def test_many_contents_get_the_digests_each_would_get_alone() -> None:
    made = digest_many(NOISE, SPANS, ALGORITHMS)
    assert [one.digests for one in made] == by_hashlib(SPANS)
    assert not made[-1].in_lanes
    if available():
        assert all(one.in_lanes for one in made[:-1])


@pytest.mark.parametrize("wanted", [set(), {"md5"}, {"sha1"}, {"sha256"}, {"md5", "sha256"}])
def test_of_many_contents_only_the_wanted_digests_are_made(wanted: set[str]) -> None:
    made = digest_many(NOISE, SPANS, frozenset(wanted))
    for one, whole in zip(made, by_hashlib(SPANS), strict=True):
        assert {name: getattr(one.digests, name) for name in wanted} == {name: getattr(whole, name) for name in wanted}
        assert all(getattr(one.digests, name) is None for name in ALGORITHMS - wanted)
        assert not one.in_lanes or wanted & {"md5", "sha1"}


def test_many_contents_may_be_none_one_or_empty() -> None:
    assert digest_many(NOISE, [], ALGORITHMS) == []
    for spans in ([(3, 70)], [(5, 5)] * 20):
        assert digest_many(NOISE, spans, ALGORITHMS) == [(digests, False) for digests in by_hashlib(spans)]


def test_many_contents_with_an_unknown_digest_or_outside_the_arena_are_refused() -> None:
    with pytest.raises(ValueError, match="no such digest: crc32"):
        digest_many(NOISE, [], frozenset({"crc32"}))
    with pytest.raises(ValueError, match="not within"):
        digest_many(NOISE, [(0, len(NOISE) + 1)], ALGORITHMS)


def test_without_lanes_hashlib_makes_the_same_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_kernel", lambda: None)
    assert digest_many(NOISE, SPANS, ALGORITHMS) == [(digests, False) for digests in by_hashlib(SPANS)]


def test_after_a_wrong_digest_in_lanes_hashlib_makes_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def begin(count: int) -> NDArray[np.uint32]:
        return np.zeros((count, 9), np.uint32)

    def wrong(pieces: NDArray[np.int64], states: NDArray[np.uint32]) -> NDArray[np.uint32]:
        calls.append(pieces)
        return states

    monkeypatch.setattr(lanes, "_kernel", lambda: SimpleNamespace(begin=begin, advance=wrong))
    monkeypatch.setattr(lanes, "_distrusted", Event())
    for _ in range(2):
        assert digest_many(NOISE, SPANS, ALGORITHMS) == [(digests, False) for digests in by_hashlib(SPANS)]
    assert len(calls) == 1


SIZES = [0, 5, 70_000, 5_000_000, 1 << 20, (1 << 20) + 1, *range(3_000_000, 3_000_900, 90)]
"""Of contents that all begin where the noise begins."""

WHOLE = by_hashlib([(0, size) for size in SIZES])


def noise_until(size: int, calls: list[int]) -> tuple[Fill, int]:
    def fill(offset: int, window: memoryview) -> bool:
        calls.append(offset)
        window[:] = NOISE[offset : min(size, offset + len(window))].data
        return True

    return fill, size


def made_side_by_side(wanted: frozenset[str]) -> tuple[list[Digested | None], list[int]]:
    calls: list[int] = []
    contents = [noise_until(size, calls) for size in SIZES]
    made = dict(digest_side_by_side(contents, np.zeros(20 * WINDOW, np.uint8), wanted))
    return [made[number] for number in range(len(SIZES))], calls


@pytest.mark.parametrize("wanted", [{"md5"}, {"sha1"}, {"sha256"}, {"md5", "sha1"}, ALGORITHMS])
def test_contents_side_by_side_get_the_wanted_digests_and_are_read_once(wanted: set[str]) -> None:
    made, calls = made_side_by_side(frozenset(wanted))
    for one, whole in zip(made, WHOLE, strict=True):
        assert one is not None
        assert one.digests == Digests(**{name: getattr(whole, name) for name in wanted})
    assert len(calls) == sum(-(-size // WINDOW) for size in SIZES)
    if available() and "md5" in wanted:
        assert sum(one is not None and one.in_lanes for one in made) >= 10


def test_one_content_alone_is_left_to_hashlib() -> None:
    ((number, made),) = digest_side_by_side([noise_until(5_000_000, [])], np.zeros(WINDOW, np.uint8), ALGORITHMS)
    assert (number, made) == (0, (WHOLE[3], False))


def test_contents_side_by_side_without_lanes_are_left_to_hashlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_kernel", lambda: None)
    made, _ = made_side_by_side(ALGORITHMS)
    assert made == [(digests, False) for digests in WHOLE]


def test_after_a_wrong_witness_every_content_is_read_anew_and_left_to_hashlib(monkeypatch: pytest.MonkeyPatch) -> None:
    if not available():
        absent("a processor with AVX2")
    kernel = lanes._kernel()
    wrong = kernel._replace(constants=kernel.constants ^ np.uint32(2))
    monkeypatch.setattr(lanes, "_kernel", lambda: wrong)
    monkeypatch.setattr(lanes, "_distrusted", Event())
    made, calls = made_side_by_side(ALGORITHMS)
    assert made == [(digests, False) for digests in WHOLE]
    assert calls.count(0) > sum(size > 0 for size in SIZES)
    assert not available()


@pytest.mark.parametrize("usable", [True, False])
def test_a_content_that_is_given_up_has_no_digests_and_costs_no_other(
    monkeypatch: pytest.MonkeyPatch, *, usable: bool
) -> None:
    if not usable:
        monkeypatch.setattr(lanes, "_kernel", lambda: None)
    contents = [noise_until(3_000_000, []) for _ in range(9)]
    contents[4] = (lambda offset, _: offset == 0), 3_000_000
    made = dict(digest_side_by_side(contents, np.zeros(9 * WINDOW, np.uint8), ALGORITHMS))
    (whole,) = by_hashlib([(0, 3_000_000)])
    assert made.pop(4) is None
    assert [one and one.digests for one in made.values()] == [whole] * 8


def test_side_by_side_an_unknown_digest_or_an_arena_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="no such digest: crc32"):
        next(digest_side_by_side([], NOISE, frozenset({"crc32"})))
    with pytest.raises(ValueError, match="not within"):
        next(digest_side_by_side([], np.zeros(WINDOW - 1, np.uint8), ALGORITHMS))
