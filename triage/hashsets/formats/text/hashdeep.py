"""What hashdeep writes: a line of its version, a line of its columns, then unquoted rows that end in a name.

Source of the facts: FILEFORMAT in hashdeep's source, version 1.0. The size is the first column and the name the last;
further commas belong to the name; lines that begin with `#` are comments.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from triage.hashsets.batch import Batch
from triage.hashsets.formats.decoding import head_lines
from triage.hashsets.formats.reader import HEAD_BYTES, Published, Reader, streamed
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.text.layout import Layout
from triage.hashsets.formats.text.table import read_table

_MARK = "%%%% "
_VERSION = f"{_MARK}HASHDEEP-1.0"
_COLUMNS = {"size": "size", "md5": "md5", "sha1": "sha1", "sha-1": "sha1", "sha256": "sha256", "sha-256": "sha256"}


def _recognise(published: Published) -> bool:
    first = head_lines(published.head, HEAD_BYTES)[:1]
    return [line.strip().upper() for line in first] == [_VERSION]


def _layout(sample: Sequence[str]) -> Layout | None:
    header = next((number for number, line in enumerate(sample) if line.lower().startswith(f"{_MARK}size,")), None)
    if header is None:
        return None
    names = sample[header].removeprefix(_MARK).strip().lower().split(",")
    columns = {_COLUMNS[name]: index for index, name in enumerate(names) if name in _COLUMNS}
    return Layout(delimiter=",", width=len(names), columns=columns, by_digits={}, quoted=False, skipped=header + 1)


def _read(stream: BinaryIO, report: ReadReport) -> Iterator[Batch]:
    return read_table(stream, report, _layout)


HASHDEEP = Reader(name="hashdeep", unit="line", recognise=_recognise, read=streamed(_read))
