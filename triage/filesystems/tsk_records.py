"""Records of an NTFS master file table read from their own bytes, for what the library does not tell.

Of content that was never written to its end (its valid data length is less than its size) the library gives zeros for
the rest, whatever lies in the clusters, and does not say so. Facts: the NTFS documentation of libfsntfs. Where an
attribute lies in several records, the library takes the lengths from the first that it meets, in the order of the
attribute list, and so does this.
"""

import struct
from collections import OrderedDict

from triage.filesystems.pieces import Pieces
from triage.model.runs import Runs
from triage.volumes.volume import Volume

_PIECE = 1 << 16
_PIECES = 512
_STRIDE = 512
_RECORD_SIZES = (1 << 9, 1 << 16)
_NO_RECORD = b""
_LIST, _DATA, _END = 0x20, 0x80, 0xFFFFFFFF
_LEAST = 16
_OUTSIDE_HEADER = 64
_LIST_ENTRY = 26
_REFERENCE = (1 << 48) - 1
_MOST = 1 << 63
_FIXES = struct.Struct("<HH").unpack_from
_HEAD = struct.Struct("<II").unpack_from
_FORM = struct.Struct("<BBH").unpack_from
_LENGTHS = struct.Struct("<Q24xQQ").unpack_from
_NO_SIZES = (-1, -1)


class Records:
    """The master file table of one volume, read in pieces of 64 KiB of which the last ones used are kept."""

    def __init__(self, volume: Volume | Pieces, runs: Runs) -> None:
        """Take the runs of the table, offsets in the source; without runs it has no records."""
        self._volume = volume
        self.runs = runs
        self.size = _record_size(volume.read_at(0, _STRIDE))
        self._pieces: OrderedDict[int, bytes] = OrderedDict()

    def is_written(self, inode: int, name: bytes, size: int) -> bool:
        """Tell whether the data attribute of that name (UTF-8) and size in bytes was written to its end.

        False also where that is not certain: the table is damaged, or the list of attributes not in the record.
        """
        base = self.record(inode)
        wanted = name and name.decode("utf-8", "replace").encode("utf-16-le", "replace")
        found = _sizes(base, wanted)
        if not found:
            for other in _extensions(base, inode):
                record = self.record(other)
                if int.from_bytes(record[32:40], "little") & _REFERENCE != inode:
                    return False
                found = _sizes(record, wanted)
                if found:
                    break
        return len(found) == 1 and found[0][0] == size <= found[0][1] < _MOST

    def record(self, inode: int) -> bytes:
        """Return one record with the ends of its sectors put back, nothing where there is none or it is torn."""
        if not self.size:
            return _NO_RECORD
        number, index = divmod(inode, _PIECE // self.size)
        piece = self._pieces.get(number)
        if piece is None:
            piece = self._pieces[number] = self._load(number * _PIECE)
            if len(self._pieces) > _PIECES:
                self._pieces.popitem(last=False)
        return _whole(piece[index * self.size : (index + 1) * self.size])

    def _load(self, offset: int) -> bytes:
        piece = b""
        for run in self.runs:
            if offset < run.length and len(piece) < _PIECE:
                start = run.offset - self._volume.run.offset + offset
                piece += self._volume.read_at(start, min(run.length - offset, _PIECE - len(piece)))
            offset = max(0, offset - run.length)
        return piece


def _record_size(boot: bytes) -> int:
    """Return the size of a record in bytes from the boot sector, 0 where it makes no sense."""
    if len(boot) < _STRIDE:
        return 0
    power = int.from_bytes(boot[64:65], signed=True)
    sectors = boot[13] if boot[13] <= 0x80 else 1 << (256 - boot[13])  # noqa: PLR2004 - above: the power of two
    size = 1 << -power if power < 0 else power * sectors * int.from_bytes(boot[11:13], "little")
    return size if _RECORD_SIZES[0] <= size <= _RECORD_SIZES[1] and size.bit_count() == 1 else 0


def _whole(record: bytes) -> bytes:
    """Return a record with the ends of its sectors put back, nothing where it was not written to its end."""
    if record[:4] != b"FILE":
        return _NO_RECORD
    at, count = _FIXES(record, 4)
    check, whole = record[at : at + 2], bytearray(record)
    if len(record) != (count - 1) * _STRIDE or at + 2 * count > len(record):
        return _NO_RECORD
    for end in range(_STRIDE, len(record) + 1, _STRIDE):
        if record[end - 2 : end] != check:
            return _NO_RECORD
        at += 2
        whole[end - 2 : end] = record[at : at + 2]
    return bytes(whole)


def _attributes(record: bytes, wanted: int) -> list[tuple[int, int]]:
    """Return position and length in bytes of the attributes of one type in a record."""
    found: list[tuple[int, int]] = []
    position = int.from_bytes(record[20:22], "little")
    last = len(record) - _LEAST
    while position <= last:
        kind, length = _HEAD(record, position)
        if kind == _END or length < _LEAST or position + length > len(record):
            break
        if kind == wanted:
            found.append((position, length))
        position += length
    return found


def _sizes(record: bytes, name: bytes) -> list[tuple[int, int]]:
    """Return size and valid data length, in bytes, of the data attributes of a name that lie outside the record.

    What can be no answer stands there as (-1, -1): a part that is not the first, which has no lengths of its own, and
    attributes of the same number, which the library may refuse.
    """
    attributes = _attributes(record, _DATA)
    if len(attributes) > 1 and len({record[at + 14 : at + 16] for at, _ in attributes}) < len(attributes):
        return [_NO_SIZES]
    found: list[tuple[int, int]] = []
    for position, length in attributes:
        outside, letters, at = _FORM(record, position + 8)
        at += position
        if outside and length >= _OUTSIDE_HEADER and record[at : at + 2 * letters] == name:
            first, size, written = _LENGTHS(record, position + 16)
            found.append(_NO_SIZES if first else (size, written))
    return found


def _extensions(record: bytes, own: int) -> list[int]:
    """Return the numbers of the other records that a list of attributes inside the record names, each once."""
    numbers: dict[int, None] = {}
    for position, length in _attributes(record, _LIST):
        if length < 24 or record[position + 8]:  # noqa: PLR2004 - the header of a resident one
            continue
        size, start = struct.unpack_from("<IH", record, position + 16)
        at, end = position + start, min(position + start + size, position + length)
        while at + _LIST_ENTRY <= end:
            (step,) = struct.unpack_from("<H", record, at + 4)
            if not step:
                break
            numbers[int.from_bytes(record[at + 16 : at + 22], "little")] = None
            at += step
    numbers.pop(own, None)
    return list(numbers)
