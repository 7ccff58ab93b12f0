import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.content import content as module
from triage.content.content import Content


def content_of(data: bytes, *, keep: int = module.KEEP) -> Content:
    return Content(lambda offset, length: data[offset : offset + length], len(data), keep=keep)


@given(data=st.binary(max_size=500), block=st.integers(1, 600), keep=st.integers(0, 600))
def test_blocks_are_the_content_whatever_their_size(data: bytes, block: int, keep: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        content = content_of(data, keep=keep)
        for _ in range(2):
            assert b"".join(content.blocks()) == data


@given(
    data=st.binary(max_size=500),
    keep=st.integers(0, 600),
    moves=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 600))),
)
def test_a_file_over_the_content_reads_like_bytes(data: bytes, keep: int, moves: list[tuple[int, int]]) -> None:
    file, expected = content_of(data, keep=keep).open(), io.BytesIO(data)
    for offset, length in moves:
        assert file.seek(offset) == expected.seek(offset)
        assert file.read(length) == expected.read(length)


@given(data=st.binary(max_size=500), length=st.integers(0, 600))
def test_head_is_the_beginning_before_and_after_reading(data: bytes, length: int) -> None:
    content = content_of(data)
    before = content.head(length)
    assert b"".join(content.blocks()) == data
    assert before == content.head(length) == data[:length]


def test_a_small_content_is_read_once() -> None:
    reads: list[tuple[int, int]] = []

    def read(offset: int, length: int) -> bytes:
        reads.append((offset, length))
        return bytes(length)

    content = Content(read, 3 << 20)
    assert sum(len(block) for block in content.blocks()) == 3 << 20
    assert len(content.open().read()) == 3 << 20
    assert reads == [(0, 1 << 20), (1 << 20, 1 << 20), (2 << 20, 1 << 20)]


def test_a_reader_that_ends_early_ends_the_content() -> None:
    content = Content(lambda offset, length: b"abc"[offset : offset + length], 10)
    assert b"".join(content.blocks()) == b"abc"


def test_a_file_seeks_from_the_end() -> None:
    file = content_of(bytes(range(100)), keep=0).open()
    assert file.seek(-3, io.SEEK_END) == 97
    assert file.read() == bytes((97, 98, 99))


def test_the_whole_content_is_read_once_while_it_is_small() -> None:
    data = bytes(range(256)) * 9
    asked: list[int] = []

    def read(offset: int, length: int) -> bytes:
        asked.append(offset)
        return data[offset : offset + length]

    content = Content(read, len(data))
    assert content.whole() == content.whole() == data
    assert asked == [0]
    large = Content(read, len(data), keep=100)
    assert large.whole() == large.whole() == data
    assert asked == [0, 0, 0]
    kept = memoryview(data)
    assert Content.of(kept).whole() is kept
