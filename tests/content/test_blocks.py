"""Digests of blocks are those of hashlib; blocks that many unrelated files have are told from all others."""

import hashlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from triage.content import blocks as module
from triage.content import lanes
from triage.content.blocks import block_digests, telling
from triage.content.lanes import LanesError
from triage.model.blocks import BLOCK_BYTES

Bytes = NDArray[np.uint8]
WORDS = np.arange(1024, dtype=np.uint32)


def noise(count: int, seed: int = 7) -> Bytes:
    return np.random.default_rng(seed).integers(0, 256, (count, BLOCK_BYTES), np.uint8)


def block(data: bytes | Bytes) -> Bytes:
    return np.frombuffer(bytes(data), np.uint8).reshape(1, BLOCK_BYTES)


def expected(blocks: Bytes) -> bytes:
    return b"".join(hashlib.md5(one.tobytes()).digest() for one in blocks)


@pytest.mark.parametrize("count", [0, 1, module._FEW - 1, module._FEW, 300])
def test_digests_are_the_md5_of_each_block(count: int) -> None:
    some = noise(count)
    made = block_digests(some)
    assert made.shape == (count, 16)
    assert made.tobytes() == expected(some)


def test_digests_are_the_same_where_the_lanes_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def failing(*_: object) -> None:
        asked.append(True)
        monkeypatch.setattr(lanes, "available", lambda: False)
        raise LanesError("a difference")

    monkeypatch.setattr(lanes, "available", lambda: True)
    monkeypatch.setattr(lanes, "md5_and_sha1", failing)
    some = noise(100)
    assert block_digests(some).tobytes() == expected(some)
    assert asked == [True]


def test_what_is_no_blocks_is_refused() -> None:
    wrongs: list[Any] = [noise(2)[:, :512], noise(4)[::2], noise(1).astype(np.int16), np.zeros(BLOCK_BYTES, np.uint8)]
    for wrong in wrongs:
        for function in (block_digests, telling):
            with pytest.raises(ValueError, match="not blocks of 4096 bytes"):
                function(wrong)


PLAIN = {
    "zeros": bytes(BLOCK_BYTES),
    "one byte": b"\xff" * BLOCK_BYTES,
    "two words in turn": b"abcdefgh" * 512,
    "a pattern of 4 words": bytes(range(16)) * 256,
    "ramp": WORDS.astype("<u4").tobytes(),
    "ramp from elsewhere": (WORDS + 70_000).astype("<u4").tobytes(),
    "ramp with the most significant byte first": (WORDS + 70_000).astype(">u4").tobytes(),
    "few different bytes": np.random.default_rng(1)
    .choice(list(b"ACGTacgtnN\n\t>;*"), BLOCK_BYTES)
    .astype("u1")
    .tobytes(),
    "spaces between words": b"".join(b"%4d" % (one * 37 % 1000) + b" " * 12 for one in range(256)),
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_blocks_of_many_files_say_nothing(data: bytes) -> None:
    assert telling(block(data)).tolist() == [False]


def test_noise_text_and_half_filled_blocks_say_where_they_are_from() -> None:
    text = ", ".join(f"number {one * one}" for one in range(700)).encode()[:BLOCK_BYTES]
    mostly_zero = noise(1)[0].copy()
    mostly_zero[BLOCK_BYTES - 256 * 4 :] = 0
    for data in (text, mostly_zero, noise(1, seed=3)):
        assert telling(block(data)).tolist() == [True]


def test_the_bounds_are_those_that_were_published() -> None:
    """Half of the words of a ramp, a quarter of the words the same: up to these a block says something."""
    for words, first, said in ((512, WORDS, True), (514, WORDS, False)):
        data = noise(1).view("<u4").copy()
        data[0, :words] = first[:words]
        assert telling(data.view(np.uint8)).tolist() == [said]
    for count, said in ((256, True), (257, False)):
        data = noise(1).view("<u4").copy()
        data[0, :count] = 5
        assert telling(data.view(np.uint8)).tolist() == [said]


def test_each_block_of_many_is_judged_for_itself() -> None:
    many = noise(2 * module._AT_ONCE + 3)
    many[::5] = 0
    assert telling(many).tolist() == [number % 5 != 0 for number in range(len(many))]
    assert telling(many[:0]).tolist() == []
