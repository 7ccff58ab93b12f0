"""The header of 7z archives: where the packed streams are, by what chains of methods they decode, what files they are.

Source: `7zFormat.txt` and `Methods.txt` of the LZMA SDK, which are in the public domain.
"""

from dataclasses import dataclass, field
from itertools import accumulate

from triage.content.members.member import ObstacleError, as_name, damaged, from_filetime, unsupported
from triage.model.trouble import TroubleCode

HEADER, ENCODED_HEADER = 0x01, 0x17
_END, _PROPERTIES, _ADDITIONAL, _MAIN_STREAMS, _FILES, _PACKED, _UNPACKED, _SUBSTREAMS = 0, 2, 3, 4, 5, 6, 7, 8
_SIZE, _CRC, _FOLDER, _UNPACKED_SIZES, _COUNTS = 0x09, 0x0A, 0x0B, 0x0C, 0x0D
_EMPTY_STREAM, _EMPTY_FILE, _NAMES, _MODIFIED = 0x0E, 0x0F, 0x11, 0x14
_MOST_FILES = 1_000_000
_MOST_CODERS = 32


@dataclass(slots=True)
class Folder:
    """What decodes as one. `coders`: method and properties, the first to be applied first; None if not a plain chain.

    `parts`: sizes and checksums of the files it decodes to, in order.
    """

    coders: list[tuple[bytes, bytes]]
    chained: bool
    packed_streams: int
    outputs: list[int]
    last_output: int
    offset: int = 0
    packed: int = 0
    crc: int | None = None
    parts: list[tuple[int, int | None]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Return how many bytes the folder decodes to."""
        return self.outputs[self.last_output]


@dataclass(slots=True)
class File:
    """A file of the archive; `has_stream` is false for folders and empty files."""

    name: str
    modified: int | None = None
    has_stream: bool = True
    is_folder: bool = False


class Fields:
    """The header's bytes, read from start to end. Every reading raises ObstacleError where they end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Return how many bytes there still are."""
        return len(self._data) - self._at

    def take(self, length: int) -> bytes:
        """Return the next bytes."""
        if length > self.left:
            raise damaged("the header ends early")
        self._at += length
        return self._data[self._at - length : self._at]

    def byte(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def number(self) -> int:
        """Return the next number: as many bytes follow the first as it begins with ones; its rest is the highest."""
        first = self.byte()
        more = next((bit for bit in range(8) if not first & 0x80 >> bit), 8)
        low = int.from_bytes(self.take(more), "little")
        return low + ((first & (0x7F >> more)) << 8 * more)

    def count(self) -> int:
        """Return a number of things that take a part of a byte at least, each."""
        count = self.number()
        if count > 8 * self.left + 8:
            raise damaged("the header counts more things than it has room for")
        return count

    def bits(self, count: int) -> list[bool]:
        """Return so many bits, the highest of each byte first."""
        data = self.take(-(-count // 8))
        return [bool(data[at // 8] & 0x80 >> at % 8) for at in range(count)]

    def defined(self, count: int) -> list[bool]:
        """Return for which of so many things a value follows."""
        return [True] * count if self.byte() else self.bits(count)

    def expect(self, *kinds: int) -> int:
        """Return the next byte, which must be one of some."""
        kind = self.byte()
        if kind not in kinds:
            raise damaged("the header is damaged")
        return kind


def read_streams(fields: Fields) -> list[Folder]:
    """Return the folders with where their packed bytes are (offsets count from the end of the signature header)."""
    position, sizes, folders = 0, list[int](), list[Folder]()
    while kind := fields.expect(_END, _PACKED, _UNPACKED, _SUBSTREAMS):
        if kind == _PACKED:
            position, sizes = _packed(fields)
        elif kind == _UNPACKED:
            folders = _folders(fields)
        else:
            _substreams(fields, folders)
    _place(folders, position, sizes)
    for folder in folders:
        folder.parts = folder.parts or [(folder.size, folder.crc)]
    return folders


def _place(folders: list[Folder], position: int, sizes: list[int]) -> None:
    starts = list(accumulate(sizes, initial=position))
    at = 0
    for folder in folders:
        if at + folder.packed_streams > len(sizes):
            raise damaged("the header names fewer packed streams than there are")
        folder.offset, folder.packed = starts[at], sum(sizes[at : at + folder.packed_streams])
        at += folder.packed_streams


def _packed(fields: Fields) -> tuple[int, list[int]]:
    position, count, sizes = fields.number(), fields.count(), list[int]()
    while kind := fields.expect(_END, _SIZE, _CRC):
        if kind == _SIZE:
            sizes = [fields.number() for _ in range(count)]
        else:
            _checksums(fields, count)
    return position, sizes


def _checksums(fields: Fields, count: int) -> list[int | None]:
    return [int.from_bytes(fields.take(4), "little") if there else None for there in fields.defined(count)]


def _folders(fields: Fields) -> list[Folder]:
    fields.expect(_FOLDER)
    count = fields.count()
    if fields.byte():
        raise unsupported("a header with parts elsewhere")
    folders = [_folder(fields) for _ in range(count)]
    while kind := fields.expect(_END, _UNPACKED_SIZES, _CRC):
        if kind == _UNPACKED_SIZES:
            for folder in folders:
                folder.outputs = [fields.number() for _ in folder.outputs]
        else:
            for folder, crc in zip(folders, _checksums(fields, count), strict=True):
                folder.crc = crc
    return folders


def _folder(fields: Fields) -> Folder:
    """Read the coders of a folder, and the bonds between them, which give the order in which they are applied."""
    count = fields.number()
    if not 0 < count <= _MOST_CODERS:
        raise damaged("a folder with too many methods")
    coders, inputs, outputs = list[tuple[bytes, bytes]](), 0, 0
    for _ in range(count):
        flags = fields.byte()
        method = fields.take(flags & 0xF)
        ins, outs = (fields.number(), fields.number()) if flags & 0x10 else (1, 1)
        coders.append((method, fields.take(fields.number()) if flags & 0x20 else b""))
        inputs, outputs = inputs + ins, outputs + outs
    if not outputs or outputs > _MOST_CODERS or not outputs <= inputs <= 4 * _MOST_CODERS:
        raise damaged("a folder with too many streams")
    bonds = {fields.number(): fields.number() for _ in range(outputs - 1)}
    packed = inputs - len(bonds)
    if packed > 1:
        for _ in range(packed):
            fields.number()
    last = next(iter(set(range(outputs)) - set(bonds.values())), 0)
    order = _order(bonds, last) if inputs == outputs == count else None
    chained = order is not None and len(order) == count and max(order) < count
    ordered = [coders[at] for at in reversed(order)] if chained and order else coders
    return Folder(ordered, chained, packed, [0] * outputs, last)


def _order(bonds: dict[int, int], last: int) -> list[int]:
    """Return the coders from the one applied last to the one applied first."""
    order = [last]
    while order[-1] in bonds and len(order) <= len(bonds):
        order.append(bonds[order[-1]])
    return order


def _substreams(fields: Fields, folders: list[Folder]) -> None:
    counts = [1] * len(folders)
    sizes: list[list[int]] | None = None
    checksums: list[int | None] = []
    while kind := fields.expect(_END, _COUNTS, _SIZE, _CRC):
        if kind == _COUNTS:
            counts = [fields.count() for _ in folders]
        elif kind == _SIZE:
            sizes = [_sizes(fields, folder.size, count) for folder, count in zip(folders, counts, strict=True)]
        else:
            unknown = sum(
                count for folder, count in zip(folders, counts, strict=True) if count != 1 or folder.crc is None
            )
            checksums = _checksums(fields, min(unknown, 8 * fields.left + 8))
    _assign(folders, counts, sizes, checksums)


def _sizes(fields: Fields, size: int, count: int) -> list[int]:
    """Return the sizes of a folder's files; that of the last one is the rest."""
    sizes = [fields.number() for _ in range(count - 1)]
    rest = size - sum(sizes)
    if rest < 0:
        raise damaged("files that are larger than what they are a part of")
    return [*sizes, rest] if count else []


def _assign(
    folders: list[Folder], counts: list[int], sizes: list[list[int]] | None, checksums: list[int | None]
) -> None:
    left = iter(checksums)
    for at, (folder, count) in enumerate(zip(folders, counts, strict=True)):
        if sizes is None and count > 1:
            raise damaged("the sizes of files are gone")
        parts = sizes[at] if sizes is not None else [folder.size] * count
        known = count == 1 and folder.crc is not None
        folder.parts = [(size, folder.crc if known else next(left, None)) for size in parts]


def read_files(fields: Fields) -> list[File]:
    """Return the files of the archive, in the order of the streams that those have which are not empty."""
    count = fields.count()
    if count > _MOST_FILES:
        raise ObstacleError(TroubleCode.LIMIT, f"a header of {count} files")
    files = [File("") for _ in range(count)]
    empty: list[File] = []
    while kind := fields.number():
        part = Fields(fields.take(fields.number()))
        if kind == _EMPTY_STREAM:
            for file, is_empty in zip(files, part.bits(count), strict=True):
                file.has_stream, file.is_folder = not is_empty, is_empty
            empty = [file for file in files if not file.has_stream]
        elif kind == _EMPTY_FILE:
            for file, is_file in zip(empty, part.bits(len(empty)), strict=True):
                file.is_folder = not is_file
        elif kind == _NAMES:
            _name(files, part)
        elif kind == _MODIFIED:
            _time(files, part)
    return files


def _name(files: list[File], part: Fields) -> None:
    if part.byte():
        raise unsupported("a header with parts elsewhere")
    names = part.take(part.left).decode("utf-16-le", "surrogatepass").split("\0")
    if len(names) <= len(files):
        raise damaged("the header has fewer names than files")
    for file, name in zip(files, names, strict=False):
        file.name = as_name(name.encode("utf-8", "surrogatepass"))


def _time(files: list[File], part: Fields) -> None:
    there = part.defined(len(files))
    if part.byte():
        raise unsupported("a header with parts elsewhere")
    for file, is_there in zip(files, there, strict=True):
        if is_there:
            file.modified = from_filetime(int.from_bytes(part.take(8), "little"))


def skip_to_streams(fields: Fields) -> list[Folder]:
    """Read a header up to its files. Return the folders, none where there are only empty files."""
    folders: list[Folder] = []
    while kind := fields.expect(_END, _PROPERTIES, _ADDITIONAL, _MAIN_STREAMS, _FILES):
        if kind == _FILES:
            return folders
        if kind == _MAIN_STREAMS:
            folders = read_streams(fields)
        else:
            raise unsupported("a header with archive properties")
    return folders
