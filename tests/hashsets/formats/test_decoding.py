import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.hashsets.formats.decoding import BLOCK_BYTES, LINE_LIMIT, blocks, encoding_of, head_text, is_binary
from triage.hashsets.formats.report import ReadReport
from triage.model.errors import SourceError

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")


class Pieces(io.BytesIO):
    """A stream that gives a few bytes at a time."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self._size = size

    def read(self, size: int | None = -1, /) -> bytes:
        del size
        return super().read(self._size)


@given(
    st.lists(st.text(st.characters(codec="ascii", exclude_characters="\0\n\r"), max_size=6), max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(1, 7),
)
def test_lines_are_whole_whatever_their_end_and_wherever_a_read_ends(lines: list[str], end: str, size: int) -> None:
    content = "".join(line + end for line in lines).encode()
    found = list(blocks(Pieces(content, size), ReadReport("x")))
    assert b"".join(found) == "".join(line + "\n" for line in lines).encode()
    assert all(block.endswith(b"\n") for block in found)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_is_found_and_becomes_utf_8(encoding: str) -> None:
    text = "md5,näme\n" + "0123456789abcdef" * 2 + ",写真.jpg\n"
    content = text.encode(encoding)
    assert head_text(content).removeprefix("\ufeff") == text
    assert not is_binary(content)
    assert b"".join(blocks(io.BytesIO(content), ReadReport("x"))).decode() == text


@pytest.mark.parametrize(
    "content", [b"", b"a", b"\0\0\0\0" * 64, bytes(range(256)) * 16, b"a\0b\0c\0d\0e\0" + bytes(64)]
)
def test_what_is_no_text_is_not_taken_for_one(content: bytes) -> None:
    assert encoding_of(content) == "utf-8"


def test_a_nul_is_refused_by_its_line_in_any_block() -> None:
    line = b"x" * 63 + b"\n"
    content = line * (BLOCK_BYTES // 32) + b"a\0b\n"
    with pytest.raises(SourceError, match=f"a NUL byte.* at line {BLOCK_BYTES // 32 + 1}:"):
        list(blocks(io.BytesIO(content), ReadReport("x")))


def test_a_line_of_a_gigabyte_is_refused_after_its_first_megabytes() -> None:
    class Endless(io.BytesIO):
        given = 0

        def read(self, size: int | None = -1, /) -> bytes:
            assert size
            self.given += size
            return b"a" * size

    stream = Endless()
    with pytest.raises(SourceError, match=f"a line of more than {LINE_LIMIT} characters.* at line 1:"):
        list(blocks(stream, ReadReport("x")))
    assert stream.given <= 4 * LINE_LIMIT


def test_a_cut_character_at_the_end_is_replaced() -> None:
    content = "md5\n".encode("utf-16") + b"a"
    assert b"".join(blocks(io.BytesIO(content), ReadReport("x"))).decode() == "md5\n\ufffd\n"
