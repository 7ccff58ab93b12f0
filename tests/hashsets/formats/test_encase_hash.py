import hashlib
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic.published import InMemory, is_digest, read

from triage.hashsets.batch import BATCH_ROWS
from triage.hashsets.formats.encase_hash import ENCASE_HASH, NO_RECORD
from triage.hashsets.formats.reader import Published
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.record import Record
from triage.model.errors import SourceError

EMPTY = hashlib.md5(b"").digest()
NAMED = "the set calls itself 'Invented', of category 'Known'"


def encase(values: list[bytes], count: int | None = None, version: tuple[int, int] = (2, 1)) -> bytes:
    header = bytearray(1152)
    header[:8] = b"HASH\r\n\xff\x00"
    struct.pack_into("<III", header, 8, *version, len(values) if count is None else count)
    header[1032 : 1032 + 16] = "Invented".encode("utf-16-le")
    header[1112 : 1112 + 10] = "Known".encode("utf-16-le")
    return bytes(header) + b"".join(value + b"\0\0" for value in values)


@given(st.lists(st.binary(min_size=16, max_size=16).filter(is_digest), max_size=30))
def test_what_is_written_is_read(values: list[bytes]) -> None:
    content = encase(values)
    assert ENCASE_HASH.recognise(InMemory(content))
    records, report = read(ENCASE_HASH, content)
    assert records == [Record(value) for value in values]
    assert (report.rows, report.used, report.notes) == (len(values), len(values), (NAMED,))


def test_more_digests_than_a_batch_are_read_with_their_numbers() -> None:
    values = [hashlib.md5(b"%d" % number).digest() for number in range(BATCH_ROWS + 3)]
    values[7] = values[BATCH_ROWS + 1] = EMPTY
    values[8] = bytes(16)
    content = bytearray(encase(values))
    content[1152 + 18 * 9 + 16] = 1
    records, report = read(ENCASE_HASH, bytes(content))
    assert records == [Record(value) for number, value in enumerate(values) if number not in {7, 8, 9, BATCH_ROWS + 1}]
    assert {reason: tally.places for reason, tally in report.skipped.items()} == {
        NO_RECORD: [10],
        "the empty file": [8, BATCH_ROWS + 2],
        "no usable hash in the row": [9],
    }
    assert [tally.places for tally in report.bad_values.values()] == [[9]]
    assert report.rows == len(values)


def test_a_file_with_more_than_its_header_says_is_read_whole_and_told() -> None:
    values = [hashlib.md5(b"%d" % number).digest() for number in range(5)]
    records, report = read(ENCASE_HASH, encase(values, count=3) + b"rest")
    assert records == [Record(value) for value in values]
    assert report.notes[0] == "the header says 3 digests, the file holds 5 and 4 bytes more: all digests were read"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (encase([EMPTY])[:1000], "cut in its header"),
        (encase([EMPTY] * 5)[:-1], "cut after 4 of 5 digests"),
        (encase([], count=2**32 - 1), "cut after 0 of 4294967295 digests"),
        (encase([], version=(3, 1)), "version 3.1, which is not read"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_one_line(content: bytes, cause: str) -> None:
    assert ENCASE_HASH.recognise(InMemory(content))
    with pytest.raises(SourceError, match=cause) as caught:
        read(ENCASE_HASH, content)
    assert "\n" not in str(caught.value)


def test_it_is_a_format_of_bytes_and_of_no_other_file(tmp_path: Path) -> None:
    assert ENCASE_HASH.binary
    assert not ENCASE_HASH.recognise(InMemory(b"HASH\r\n"))
    published = Published(tmp_path / "absent")
    with pytest.raises(SourceError, match="cannot be read"):
        list(ENCASE_HASH.read(published, ReadReport("absent")))
