import hashlib
from collections.abc import Sequence
from threading import Event

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from suite import absent

from triage.content import lanes
from triage.content.lanes import Both, LanesError, available
from triage.content.lanes_windows import MOST_OPEN, WINDOW, Fill, side_by_side

NOISE = np.random.default_rng(11).integers(0, 256, 200_000, dtype=np.uint8)
SMALL = 256
EDGES = (0, 1, 55, 56, 63, 64, 65, SMALL - 1, SMALL, SMALL + 1, SMALL + 55, SMALL + 56, 2 * SMALL, 3 * SMALL + 9)

Span = tuple[int, int]


@pytest.fixture(autouse=True)
def _lanes() -> None:
    if not available():
        absent("a processor with AVX2")


def filling(span: Span, *, until: int = 1 << 60) -> tuple[Fill, int]:
    """Return a content of the noise, given up where more than `until` of its bytes are asked for."""
    start, end = span
    asked = 0

    def fill(offset: int, window: memoryview) -> bool:
        nonlocal asked
        assert offset == asked, "not from start to end, or a byte twice"
        asked += len(window)
        if asked > until:
            return False
        window[:] = NOISE[start + offset : min(end, start + asked)].data
        return True

    return fill, end - start


def made(spans: Sequence[Span], window: int, slots: int) -> dict[int, Both | None]:
    arena = np.zeros(window * slots, np.uint8)
    ended = list(side_by_side([filling(span) for span in spans], arena, window))
    assert sorted(number for number, _ in ended) == list(range(len(spans)))
    return dict(ended)


def expected(spans: Sequence[Span]) -> dict[int, Both | None]:
    contents = [NOISE[start:end].data for start, end in spans]
    return {
        number: (hashlib.md5(content).hexdigest(), hashlib.sha1(content).hexdigest())
        for number, content in enumerate(contents)
    }


sizes = st.sampled_from(EDGES) | st.integers(0, 3_000) | st.integers(0, 40_000)


@settings(max_examples=60)
@given(
    spans=st.lists(st.tuples(st.integers(0, 100_000), sizes), max_size=30),
    window=st.sampled_from([64, 128, SMALL, 4096, 8192]),
    slots=st.integers(1, 20),
)
def test_contents_of_any_size_through_windows_of_any_size(spans: list[Span], window: int, slots: int) -> None:
    within = [(start, start + size) for start, size in spans]
    assert made(within, window, slots) == expected(within)


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 16, 17, 33])
def test_every_edge_of_a_window_in_every_number_of_contents(count: int) -> None:
    for size in EDGES:
        spans = [(7 * number, 7 * number + size) for number in range(count)]
        assert made(spans, SMALL, 16) == expected(spans)


def test_windows_of_the_usual_size() -> None:
    large = np.random.default_rng(12).integers(0, 256, 3 * WINDOW, dtype=np.uint8)
    ends = [WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW + 60, 3 * WINDOW]

    def fill(offset: int, window: memoryview) -> bool:
        window[:] = large[offset : offset + len(window)].data
        return True

    ended = dict(side_by_side([(fill, end) for end in ends], np.zeros(4 * WINDOW, np.uint8)))
    for number, end in enumerate(ends):
        assert ended[number] == (hashlib.md5(large[:end].data).hexdigest(), hashlib.sha1(large[:end].data).hexdigest())


def test_the_largest_are_begun_first_and_no_more_are_open_than_may_be() -> None:
    spans = [(0, size) for size in range(500, 40_500, 1000)]
    begun: list[int] = []
    ended: list[int] = []

    def watched(number: int) -> tuple[Fill, int]:
        fill, size = filling(spans[number])

        def watching(offset: int, window: memoryview) -> bool:
            if offset == 0:
                begun.append(number)
                assert len(begun) - len(ended) <= MOST_OPEN
            return fill(offset, window)

        return watching, size

    contents = [watched(number) for number in range(len(spans))]
    ended.extend(number for number, _ in side_by_side(contents, np.zeros(100 * SMALL, np.uint8), SMALL))
    assert begun == sorted(range(len(spans)), reverse=True)


@pytest.mark.parametrize("until", [0, SMALL, 900])
def test_a_content_that_is_given_up_costs_no_other(until: int) -> None:
    spans = [(number, 2_000 * (number % 3) + 10 * number) for number in range(1, 40)]
    contents = [filling(span, until=until if number % 4 == 1 else 1 << 60) for number, span in enumerate(spans)]
    found = dict(side_by_side(contents, np.zeros(16 * SMALL, np.uint8), SMALL))
    assert found == {
        number: None if number % 4 == 1 and end - start > until else both
        for (number, both), (start, end) in zip(expected(spans).items(), spans, strict=True)
    }


def test_all_may_be_given_up_and_there_may_be_none() -> None:
    assert made([], SMALL, 3) == {}
    contents = [filling((0, 5_000), until=0) for _ in range(20)]
    assert dict(side_by_side(contents, np.zeros(5 * SMALL, np.uint8), SMALL)) == dict.fromkeys(range(20))


@pytest.mark.parametrize("window", [0, -64, 100, 4096])
def test_windows_that_are_not_whole_blocks_or_not_in_the_arena_are_refused(window: int) -> None:
    with pytest.raises(ValueError, match=f"no window of {window} bytes in an arena of 1000"):
        next(side_by_side([filling((0, 9))], np.zeros(1000, np.uint8), window))


@pytest.mark.parametrize("constant", [0, 63, 64, 67])
def test_one_wrong_bit_of_a_constant_is_noticed_before_a_digest_is_given(
    constant: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = lanes._kernel()
    constants = kernel.constants.copy()
    constants[constant] ^= 1 << 17
    monkeypatch.setattr(lanes, "_kernel", lambda: kernel._replace(constants=constants))
    monkeypatch.setattr(lanes, "_distrusted", Event())
    with pytest.raises(LanesError, match="is not of hashlib"):
        next(side_by_side([filling((0, 9_000)), filling((0, 500))], np.zeros(4 * SMALL, np.uint8), SMALL))
    assert not available()


def test_a_state_that_is_not_kept_between_rounds_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = lanes._kernel()

    class Forgets:
        @staticmethod
        def begin(count: int) -> NDArray[np.uint32]:
            return np.asarray(kernel.begin(count))

        @staticmethod
        def advance(pieces: NDArray[np.int64], states: NDArray[np.uint32]) -> NDArray[np.uint32]:
            return np.asarray(kernel.advance(pieces, kernel.begin(len(states))))

    monkeypatch.setattr(lanes, "_kernel", Forgets)
    monkeypatch.setattr(lanes, "_distrusted", Event())
    with pytest.raises(LanesError, match="is not of hashlib"):
        next(side_by_side([filling((0, 9_000))], np.zeros(4 * SMALL, np.uint8), SMALL))


def test_a_content_that_goes_on_comes_in_whole_blocks() -> None:
    goes_on = np.array([False])
    for length in (0, 63, 65):
        with pytest.raises(ValueError, match="whole blocks"):
            lanes.advance(NOISE, np.array([[0, length]]), lanes.begin(1), np.array([length]), goes_on)
