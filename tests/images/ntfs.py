"""An NTFS file system in pure Python, after the Linux-NTFS project's documentation of the on-disk format.

Small and regular: clusters and file records of 4 KiB, so that a folder's index stays resident, no journal content.
"""

import struct
from dataclasses import dataclass, field

from images.tree import WHEN, File, folders_of

SECTOR = 512
CLUSTER = 4096
_FIRST_USER = 24
_ROOT = 5
_MFT_CLUSTER = 4
_FILETIME = (int(WHEN.timestamp()) + 11_644_473_600) * 10_000_000
_RESIDENT_LIMIT = 700
_STANDARD, _NAME, _VOLUME_NAME, _VOLUME_INFORMATION, _DATA, _INDEX_ROOT = 0x10, 0x30, 0x60, 0x70, 0x80, 0x90
_IN_USE, _IS_FOLDER = 1, 2
_SYSTEM = 0x06


def ntfs(files: list[File], size: int) -> bytes:
    """Return an NTFS volume of `size` bytes that holds the files."""
    return _Ntfs(size).build(files)


@dataclass(slots=True)
class _Record:
    number: int
    parent: int
    name: str
    flags: int
    file_attributes: int = 0x20
    data: bytes = b""
    attributes: list[bytes] = field(default_factory=list)
    entries: list[tuple[str, bytes]] = field(default_factory=list)


class _Ntfs:
    def __init__(self, size: int) -> None:
        self.image = bytearray(size)
        self.clusters = size // CLUSTER - 1
        self.used = bytearray(self.clusters)
        self.next = 0
        self.records: dict[int, _Record] = {}

    def build(self, files: list[File]) -> bytes:
        folders = {"": _ROOT}
        users = folders_of(files)
        count = _FIRST_USER + len(users) + len(files)
        self._system(count)
        number = _FIRST_USER
        for folder in users:
            parent = folders[folder.rpartition("/")[0]]
            folders[folder] = number
            self._folder(number, parent, folder.rpartition("/")[2])
            number += 1
        for file in files:
            self._file(number, folders[file.path.rpartition("/")[0]], file)
            number += 1
        self._finish(count)
        return bytes(self.image)

    def _system(self, count: int) -> None:
        """The first records, each where the format wants it; their content is filled in at the end."""
        self.used[0:2] = b"\1\1"
        self.mft = self._place(bytes(count * CLUSTER), at=_MFT_CLUSTER)
        self.mirror = self._place(bytes(4 * CLUSTER), at=self.clusters // 2)
        log = self._place(b"\xff" * (64 << 10))
        upcase = self._place(_upcase())
        self.bitmap = self._place(bytes(-(-self.clusters // 64) * 8))
        nothing = (0, 0)
        self._new(_ROOT, _ROOT, ".", _IN_USE | _IS_FOLDER, file_attributes=_SYSTEM)
        for number, name, place, size in (
            (0, "$MFT", self.mft, count * CLUSTER),
            (1, "$MFTMirr", self.mirror, 4 * CLUSTER),
            (2, "$LogFile", log, 64 << 10),
            (3, "$Volume", nothing, 0),
            (4, "$AttrDef", self._place(_attribute_definitions()), len(_attribute_definitions())),
            (6, "$Bitmap", self.bitmap, -(-self.clusters // 64) * 8),
            (7, "$Boot", (0, 2), 2 * CLUSTER),
            (8, "$BadClus", nothing, 0),
            (9, "$Secure", nothing, 0),
            (10, "$UpCase", upcase, len(_upcase())),
        ):
            record = self._new(number, _ROOT, name, _IN_USE, file_attributes=_SYSTEM)
            if number == 3:
                record.attributes.append(_resident(_VOLUME_NAME, "SYNTHETIC".encode("utf-16-le")))
                record.attributes.append(_resident(_VOLUME_INFORMATION, struct.pack("<QBBH", 0, 3, 1, 0)))
            record.attributes.append(_outside(place, size) if size else _resident(_DATA, b""))
        self._new(11, _ROOT, "$Extend", _IN_USE | _IS_FOLDER, file_attributes=_SYSTEM)

    def _folder(self, number: int, parent: int, name: str) -> None:
        self._new(number, parent, name, _IN_USE | _IS_FOLDER)

    def _file(self, number: int, parent: int, file: File) -> None:
        name = file.path.rpartition("/")[2]
        record = self._new(number, parent, name, 0 if file.deleted else _IN_USE, size=len(file.data))
        record.attributes.append(self._content(file.data, deleted=file.deleted))
        for identity, (stream, data) in enumerate(sorted(file.streams.items()), 8):
            record.attributes.append(self._content(data, stream, identity, deleted=file.deleted))

    def _content(self, data: bytes, name: str = "", identity: int = 7, *, deleted: bool) -> bytes:
        if len(data) <= _RESIDENT_LIMIT:
            return _resident(_DATA, data, name, identity)
        place = self._place(data)
        if deleted:
            self.used[place[0] : place[0] + place[1]] = bytes(place[1])
        return _outside(place, len(data), name, identity)

    def _new(
        self, number: int, parent: int, name: str, flags: int, *, size: int = 0, file_attributes: int = 0x20
    ) -> _Record:
        folder = bool(flags & _IS_FOLDER)
        kind = file_attributes | (0x10000000 if folder else 0)
        file_name = _file_name(parent, name, size, kind)
        record = _Record(number, parent, name, flags)
        record.attributes.append(
            _resident(_STANDARD, struct.pack("<4QI", *[_FILETIME] * 4, file_attributes) + bytes(36))
        )
        record.attributes.append(_resident(_NAME, file_name, identity=2, indexed=True))
        self.records[number] = record
        if flags & _IN_USE and number != parent:
            self.records[parent].entries.append((name, _index_entry(number, file_name)))
        return record

    def _place(self, data: bytes, at: int | None = None) -> tuple[int, int]:
        """Write data into free clusters that follow one another; return (first cluster, clusters)."""
        count = -(-len(data) // CLUSTER)
        start = self.used.find(bytes(count), self.next) if at is None else at
        if at is None:
            self.next = start + count
        self.used[start : start + count] = b"\1" * count
        self.image[start * CLUSTER : start * CLUSTER + len(data)] = data
        return start, count

    def _finish(self, count: int) -> None:
        for number in range(count):
            record = self.records.get(number) or _Record(number, _ROOT, "", 0)
            raw = _file_record(record)
            at = (self.mft[0] + number) * CLUSTER
            self.image[at : at + CLUSTER] = raw
            if number < 4:
                at = (self.mirror[0] + number) * CLUSTER
                self.image[at : at + CLUSTER] = raw
        bits = bytearray(-(-self.clusters // 64) * 8)
        for cluster, used in enumerate(self.used):
            bits[cluster // 8] |= used << cluster % 8
        at = self.bitmap[0] * CLUSTER
        self.image[at : at + len(bits)] = bits
        self._boot()

    def _boot(self) -> None:
        boot = bytearray(SECTOR)
        boot[:11] = b"\xeb\x52\x90NTFS    "
        struct.pack_into("<HB", boot, 11, SECTOR, CLUSTER // SECTOR)
        struct.pack_into("<BHHH", boot, 21, 0xF8, 0, 63, 255)
        sectors = len(self.image) // SECTOR - 1
        struct.pack_into(
            "<IQQQbxxxbxxxQ", boot, 36, 0x800080, sectors, self.mft[0], self.mirror[0], 1, 1, 0x2026031409265200
        )
        boot[510:512] = b"\x55\xaa"
        self.image[:SECTOR] = boot
        self.image[-SECTOR:] = boot


def _file_name(parent: int, name: str, size: int, kind: int) -> bytes:
    allocated = -(-size // CLUSTER) * CLUSTER
    reference = parent | 1 << 48
    head = struct.pack("<Q4QQQII", reference, *[_FILETIME] * 4, allocated, size, kind, 0)
    return head + struct.pack("<BB", len(name.encode("utf-16-le")) // 2, 1) + name.encode("utf-16-le")


def _index_entry(number: int, file_name: bytes) -> bytes:
    length = -(-(16 + len(file_name)) // 8) * 8
    return (struct.pack("<QHHI", number | 1 << 48, length, len(file_name), 0) + file_name).ljust(length, b"\0")


def _resident(kind: int, data: bytes, name: str = "", identity: int = 1, *, indexed: bool = False) -> bytes:
    raw_name = name.encode("utf-16-le")
    at = -(-(24 + len(raw_name)) // 8) * 8
    length = -(-(at + len(data)) // 8) * 8
    head = struct.pack("<IIBBHHHIHBB", kind, length, 0, len(name), 24, 0, identity, len(data), at, indexed, 0)
    return ((head + raw_name).ljust(at, b"\0") + data).ljust(length, b"\0")


def _outside(place: tuple[int, int], size: int, name: str = "", identity: int = 7) -> bytes:
    """A data attribute in one run of clusters."""
    raw_name = name.encode("utf-16-le")
    runs = struct.pack("<BIi", 0x44, place[1], place[0]) + b"\0"
    at = -(-(64 + len(raw_name)) // 8) * 8
    length = -(-(at + len(runs)) // 8) * 8
    head = struct.pack("<IIBBHHH", _DATA, length, 1, len(name), 64, 0, identity)
    body = struct.pack("<QQHHIQQQ", 0, place[1] - 1, at, 0, 0, place[1] * CLUSTER, size, size)
    return ((head + body + raw_name).ljust(at, b"\0") + runs).ljust(length, b"\0")


def _index_root(entries: list[tuple[str, bytes]]) -> bytes:
    body = b"".join(entry for _, entry in sorted(entries, key=lambda pair: pair[0].upper()))
    body += struct.pack("<QHHI", 0, 16, 0, 2)
    head = struct.pack("<IIIBxxx", _NAME, 1, CLUSTER, 1) + struct.pack(
        "<IIIBxxx", 16, 16 + len(body), 16 + len(body), 0
    )
    return _resident(_INDEX_ROOT, head + body, "$I30", 3)


def _file_record(record: _Record) -> bytes:
    attributes = list(record.attributes)
    if record.flags & _IS_FOLDER:
        attributes.append(_index_root(record.entries))
    attributes.sort(key=lambda raw: struct.unpack_from("<I", raw)[0])
    first = 72
    body = b"".join(attributes) + struct.pack("<II", 0xFFFFFFFF, 0)
    used = first + len(body)
    assert used <= CLUSTER, f"too much for one file record: {record.name}"
    head = struct.pack(
        "<4sHHQHHHHIIQHHI",
        b"FILE", 48, CLUSTER // SECTOR + 1, 0, 1, 1, first, record.flags, used, CLUSTER, 0, 16, 0, record.number,
    )  # fmt: skip
    raw = bytearray((head.ljust(first, b"\0") + body).ljust(CLUSTER, b"\0"))
    check = b"\x05\x00"
    raw[48:50] = check
    for sector in range(CLUSTER // SECTOR):
        end = (sector + 1) * SECTOR - 2
        raw[50 + 2 * sector : 52 + 2 * sector] = raw[end : end + 2]
        raw[end : end + 2] = check
    return bytes(raw)


def _upcase() -> bytes:
    table = []
    for code in range(1 << 16):
        upper = chr(code).upper() if not 0xD800 <= code <= 0xDFFF else chr(code)
        table.append(ord(upper) if len(upper) == 1 and ord(upper) < 1 << 16 else code)
    return struct.pack("<65536H", *table)


def _attribute_definitions() -> bytes:
    names = {
        _STANDARD: "$STANDARD_INFORMATION", 0x20: "$ATTRIBUTE_LIST", _NAME: "$FILE_NAME", 0x40: "$OBJECT_ID",
        0x50: "$SECURITY_DESCRIPTOR", _VOLUME_NAME: "$VOLUME_NAME", _VOLUME_INFORMATION: "$VOLUME_INFORMATION",
        _DATA: "$DATA", _INDEX_ROOT: "$INDEX_ROOT", 0xA0: "$INDEX_ALLOCATION", 0xB0: "$BITMAP",
    }  # fmt: skip
    return b"".join(
        name.encode("utf-16-le").ljust(128, b"\0") + struct.pack("<IIIIQQ", kind, 0, 0, 0, 0, (1 << 64) - 1)
        for kind, name in names.items()
    )
