"""Bytes of a published set to text: encodings with and without a mark, whole lines in blocks, no binary files."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from triage.hashsets.formats.report import ReadReport

LINE_LIMIT = 1 << 20
BLOCK_BYTES = 1 << 18

# The mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 4096
# Which of each four bytes are zero, and which are never, in a text that is mostly ASCII as lists of hashes are.
_ZEROS = (
    ("utf-32-le", (2, 3), (0,)),
    ("utf-32-be", (0, 1), (3,)),
    ("utf-16-le", (1, 3), (0, 2)),
    ("utf-16-be", (0, 2), (1, 3)),
)
_MOSTLY = 0.4  # names of East Asia have none


def encoding_of(head: bytes) -> str:
    """Return the encoding by its mark, without one by where the zero bytes are; UTF-8 where neither tells."""
    by_mark = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    return by_mark or _encoding_by_zeros(head[:_SAMPLE])


def _encoding_by_zeros(sample: bytes) -> str:
    quads = len(sample) // 4
    zeros = [sample[place : 4 * quads : 4].count(0) for place in range(4)]
    for name, zero, never in _ZEROS:
        if all(zeros[place] > _MOSTLY * quads for place in zero) and not any(zeros[place] for place in never):
            return name
    return "utf-8"


def head_text(head: bytes) -> str:
    """Return the head of a file as text, its last cut character replaced."""
    return codecs.decode(head, encoding_of(head), "replace")


def is_binary(head: bytes) -> bool:
    """Tell whether the head of a file holds what no text does."""
    return "\0" in head_text(head)


def head_lines(head: bytes, whole: int) -> list[str]:
    """Return the lines of the head that are not blank; a last line that the head of `whole` bytes cut is left out."""
    lines = head_text(head).splitlines()
    if len(head) >= whole and len(lines) > 1:
        lines.pop()
    return [line for line in lines if line.strip()]


def blocks(stream: BinaryIO, report: ReadReport) -> Iterator[bytes]:
    """Yield the text in blocks of about 256 KiB: whole lines, each with a line feed behind it, in UTF-8.

    Bytes that are not of a file's wide encoding are replaced; those that are not UTF-8 are left to whoever decodes.
    Raises SourceError, with its line, for a NUL (a binary file chosen by mistake) and for a line longer than 1 Mi
    bytes; one a little longer may pass.
    """
    done = 0
    rest = b""
    for chunk in _with_line_feeds(_utf_8(stream)):
        data = rest + chunk
        end = data.rfind(b"\n") + 1
        _refuse_no_text(data, done, report)
        rest = data[end:]
        if end:
            yield data[:end]
            done += data.count(b"\n")
        if len(rest) >= LINE_LIMIT:
            report.place = done + 1
            raise report.refuse(f"a line of more than {LINE_LIMIT} characters, no list of hashes")
    if rest:
        yield rest + b"\n"


def _refuse_no_text(data: bytes, done: int, report: ReadReport) -> None:
    at = data.find(b"\0")
    if at >= 0:
        report.place = done + data.count(b"\n", 0, at) + 1
        raise report.refuse("a NUL byte, so this is a binary file and no list of hashes")


def _utf_8(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes as they are where they are UTF-8 or of an encoding of single bytes, else decoded and encoded."""
    chunk = stream.read(BLOCK_BYTES)
    encoding = encoding_of(chunk)
    if encoding in ("utf-8", "utf-8-sig"):
        chunk = chunk.removeprefix(codecs.BOM_UTF8)
        while chunk:
            yield chunk
            chunk = stream.read(BLOCK_BYTES)
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while chunk:
        yield decoder.decode(chunk).encode()
        chunk = stream.read(BLOCK_BYTES)
    yield decoder.decode(b"", final=True).encode()


def _with_line_feeds(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks with one line feed for every line end: LF, CR LF or CR, mixed too."""
    held = b""
    for chunk in chunks:
        data = held + chunk
        held = b"\r" if data.endswith(b"\r") else b""  # perhaps the first half of a CR LF
        data = data[: len(data) - len(held)]
        yield data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data
    if held:
        yield b"\n"
