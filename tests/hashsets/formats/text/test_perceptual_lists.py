import hashlib

import imagehash
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from synthetic.published import InMemory, read

from triage.hashsets.formats.text.csv_table import CSV_TABLE
from triage.hashsets.formats.text.digest_list import DIGEST_LIST
from triage.hashsets.formats.text.perceptual_lists import PDQ_LIST, PHASH_LIST
from triage.hashsets.record import Record
from triage.model.errors import SourceError

PDQ = hashlib.sha256(b"picture").digest()
PHASH = hashlib.md5(b"picture").digest()[:8]
OTHER = hashlib.sha256(b"another picture").digest()


def test_hashes_with_and_without_more_columns_are_read() -> None:
    rows = ["# a comment", "", PDQ.hex(), f"{PDQ.hex().upper()},100,a name.jpg", "hash,quality", "0" * 64]
    records, report = read(PDQ_LIST, "\r\n".join(rows))
    assert records == [Record(pdq=PDQ)] * 2
    assert (report.rows, report.used) == (4, 2)
    assert set(report.bad_values) == {"PDQ is not 64 hexadecimal digits", "PDQ of a blank picture"}


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "{},98,picture.jpg",
        "hash={},norm=128,delta=0,quality=100,filename=picture.jpg",
        "{},2880742865368386,2020-07-31T18:47:52+0000,some tags",
        "picture.jpg,{}",
    ],
)
def test_what_the_tools_of_threatexchange_print_is_read(form: str) -> None:
    lines = [form.format(value.hex()) for value in (PDQ, OTHER)]
    assert read(PDQ_LIST, "\n".join(lines))[0] == [Record(pdq=PDQ), Record(pdq=OTHER)]


@pytest.mark.parametrize(
    "header", ["FilePath,Hash", "file,pdq", "name,hash value", "collab,signal_str", "filename,PDQ hash (hex)"]
)
def test_a_table_with_a_header_is_read(header: str) -> None:
    content = f"{header}\nx.jpg,{PDQ.hex()}\n"
    assert read(PDQ_LIST, content)[0] == [Record(pdq=PDQ)]
    assert read(PDQ_LIST, content.encode("utf-16"))[0] == [Record(pdq=PDQ)]


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=20))
def test_every_pdq_hash_that_is_no_blank_picture_is_read(values: list[bytes]) -> None:
    lines = [PDQ.hex(), *(value.hex() for value in values)]
    plain = [value for value in values if 64 <= int.from_bytes(value).bit_count() <= 192]
    records, report = read(PDQ_LIST, "\n".join(lines))
    assert records == [Record(pdq=PDQ), *(Record(pdq=value) for value in plain)]
    assert report.rows == len(values) + 1


def test_a_file_without_pdq_hashes_is_refused() -> None:
    with pytest.raises(SourceError, match="no header with a column of hashes"):
        read(PDQ_LIST, "dear reader\n")


def test_what_imagehash_prints_is_read_row_by_row() -> None:
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64), np.uint8))
    value = imagehash.phash(picture)
    expected = np.packbits(value.hash.ravel()).tobytes()
    assert read(PHASH_LIST, f"{value}\n{value}")[0] == [Record(phash=expected)] * 2
    assert read(CSV_TABLE, f"file,phash\nx,{value}\n")[0] == [Record(phash=expected)]


@given(st.lists(st.binary(min_size=8, max_size=8), max_size=20))
def test_every_phash_that_is_no_blank_picture_is_read(values: list[bytes]) -> None:
    lines = [PHASH.hex(), *(f"{value.hex()},name" for value in values)]
    plain = [value for value in values if 16 <= int.from_bytes(value).bit_count() <= 48]
    records, _ = read(PHASH_LIST, "\r\n".join(lines))
    assert records == [Record(phash=PHASH), *(Record(phash=value) for value in plain)]


def test_neither_is_ever_guessed() -> None:
    assert not PDQ_LIST.recognise(InMemory(PDQ.hex()))
    for reader in (PHASH_LIST, CSV_TABLE, DIGEST_LIST):
        assert not reader.recognise(InMemory(f"{PHASH.hex()}\n{PHASH.hex()}\n"))
