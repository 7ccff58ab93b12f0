"""One chunk at a time: the fast library and zlib, its judge, give the same answer."""

import zlib
from collections.abc import Iterator

import pytest

from triage.sources import ewf_chunks
from triage.sources.ewf_chunks import BadChunk, decode

SIZE = 4096
TEXT = b"".join(b"line %d of a text that compresses\n" % number for number in range(200))[:SIZE]

Outcome = bytes | str


def outcome(raw: bytes, size: int, *, compressed: bool = True) -> Outcome:
    try:
        return bytes(decode(raw, size, SIZE, compressed=compressed))
    except BadChunk as bad:
        return str(bad)


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Leave every chunk to zlib while the context is entered."""
    with monkeypatch.context() as patch:
        yield patch


def both(raws: list[bytes], size: int, judge: pytest.MonkeyPatch) -> tuple[list[Outcome], list[Outcome]]:
    fast = [outcome(raw, size) for raw in raws]
    judge.setattr(ewf_chunks, "inflated", lambda *_: None)
    return fast, [outcome(raw, size) for raw in raws]


@pytest.mark.parametrize("level", [0, 1, 6, 9])
@pytest.mark.parametrize("data", [TEXT, bytes(SIZE), bytes(range(256)) * 16])
def test_every_flipped_bit_and_every_cut_is_judged_as_by_zlib_or_made_good(
    judge: pytest.MonkeyPatch, data: bytes, level: int
) -> None:
    raw = zlib.compress(data, level)
    number = int.from_bytes(raw, "little")
    step = 1 + len(raw) // 200
    flipped = [(number ^ 1 << bit).to_bytes(len(raw), "little") for bit in range(0, len(raw) * 8, step)]
    fast, slow = both([raw, *flipped, *(raw[:cut] for cut in range(0, len(raw), step))], SIZE, judge)
    assert fast[0] == slow[0] == data
    differing = {pair for pair in zip(fast, slow, strict=True) if pair[0] != pair[1]}
    assert differing <= {(data, "a compressed chunk does not inflate or its checksum is wrong")}
    assert set(fast[1:]) - {data} <= {
        "a compressed chunk does not inflate or its checksum is wrong",
        "a compressed chunk has no end",
    }


@pytest.mark.parametrize("size", [SIZE, 512])
def test_streams_of_another_length_are_judged_as_by_zlib(judge: pytest.MonkeyPatch, size: int) -> None:
    raws = [zlib.compress(b"x" * length) for length in (0, 1, 511, 512, 513, SIZE - 1, SIZE, SIZE + 1, 3 * SIZE)]
    fast, slow = both(raws, size, judge)
    assert fast == slow
    assert fast[-3:] == [b"x" * size, "a compressed chunk has no end", "a compressed chunk has no end"]
    assert fast[1] == f"a chunk inflates to 1 of {size} bytes"


def test_what_follows_a_stream_is_left_alone(judge: pytest.MonkeyPatch) -> None:
    fast, slow = both([zlib.compress(TEXT) + tail for tail in (b"", b"\0" * 9, zlib.compress(TEXT))], SIZE, judge)
    assert fast == slow == [TEXT] * 3


def test_a_raw_chunk_needs_its_checksum() -> None:
    good = TEXT + zlib.adler32(TEXT).to_bytes(4, "little")
    assert outcome(good, SIZE, compressed=False) == TEXT
    for bad in (good[:-1], TEXT, b"", good[:-1] + b"?", b"?" + good[1:]):
        assert outcome(bad, SIZE, compressed=False) == "the checksum of a chunk is wrong"


def reserved_length(code: int, checksum: int) -> bytes:
    """Return a stream of fixed codes: a literal zero, a match of a length code from 280 on, distance 1, the end."""
    bits = "110" + "00110000" + f"{0b11000000 + code - 280:08b}" + "00000" + "0000000"
    body = int(bits[::-1], 2).to_bytes(-(-len(bits) // 8), "little")
    return b"\x78\x01" + body + checksum.to_bytes(4, "big")


@pytest.mark.parametrize("code", [285, 286, 287])
def test_a_reserved_length_code_is_accepted_with_its_checksum_only(code: int) -> None:
    data = bytes(259)
    assert outcome(reserved_length(code, zlib.adler32(data)), 259) == data
    wrong = "a compressed chunk does not inflate or its checksum is wrong"
    assert outcome(reserved_length(code, zlib.adler32(data) ^ 1), 259) == wrong
