"""Lists of perceptual hashes, one a line or in a column, with or without a header: PDQ, and pHash of imagehash.

Source of the facts: the PDQ tools of ThreatExchange, which print a hash, its quality and a file name to the line, or
`hash=`, `norm=` and so on before each, and read a hash and anything after a comma; the Python library imagehash, which
prints 16 hexadecimal digits, 64 bits row by row. A PDQ hash looks like a SHA-256 digest, and the other hashes of
imagehash (average, difference, wavelet) look like its pHash and cannot be compared with it, so neither format is ever
guessed: it must be named.
"""

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from triage.hashsets.batch import Batch
from triage.hashsets.formats.reader import Published, Reader, streamed
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.text.layout import find_layout
from triage.hashsets.formats.text.table import read_table
from triage.hashsets.record import HASH_BYTES


def _never(_published: Published) -> bool:
    return False


def _reader(name: str) -> Reader:
    find = partial(find_layout, by_digits={2 * HASH_BYTES[name]: name})

    def read(stream: BinaryIO, report: ReadReport) -> Iterator[Batch]:
        return read_table(stream, report, find)

    return Reader(name=name, unit="line", recognise=_never, read=streamed(read))


PDQ_LIST = _reader("pdq")
PHASH_LIST = _reader("phash")
