import hashlib
import io

from triage.hashsets.formats.pdq_list import PDQ_LIST
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.record import Record

PDQ = hashlib.sha256(b"picture").digest()


def test_hashes_with_and_without_more_columns_are_read() -> None:
    rows = ["# a comment", "", PDQ.hex(), f"{PDQ.hex().upper()},100,a name.jpg", "hash,quality", "0" * 64]
    report = ReadReport("list")
    assert list(PDQ_LIST.read(io.BytesIO("\r\n".join(rows).encode()), report)) == [Record(pdq=PDQ)] * 2
    assert (report.rows, report.used) == (4, 2)
    assert set(report.bad_values) == {"PDQ is not 64 hexadecimal digits", "PDQ of a blank picture"}


def test_it_is_never_guessed() -> None:
    assert not PDQ_LIST.recognise(PDQ.hex().encode())
