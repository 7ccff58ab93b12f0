"""The sections of an EWF segment file (EnCase E01, SMART S01): their layout and checksums.

Facts from "Expert Witness Compression Format specification" by Joachim Metz (libewf documentation). All integers are
little-endian; every structure ends with the Adler-32 of the bytes before it.

A segment file is a 13-byte header (signature, a 1, the segment number, a 0), then a chain of sections, each with a
76-byte descriptor: type (16 bytes), offset of the next descriptor, size, padding, checksum. `volume`, `disk` and `data`
hold the geometry, `sectors` the chunks, `table` and its copy `table2` the chunks' offsets; `hash` and `digest` what
the acquisition computed; `error2` the sectors that it could not read; the chain ends with `next` or, in the last
segment, `done`.
"""

import re
import struct
from dataclasses import dataclass
from zlib import adler32

import numpy as np
import numpy.typing as npt

SIGNATURE = b"EVF\x09\x0d\x0a\xff\x00"
SIGNATURE_LOGICAL = b"LVF\x09\x0d\x0a\xff\x00"
HEADER_SIZE = 13
DESCRIPTOR_SIZE = 76
TABLE_HEAD_SIZE = 24
LARGEST_CHUNK = 1 << 27
"""Bytes: four times what any writer offers; more is damage or a trap."""

_TYPES = (
    *("header", "header2", "xheader", "volume", "disk", "data", "sectors", "table", "table2", "session"),
    *("error2", "digest", "hash", "xhash", "ltree", "ltypes", "next", "done"),
)
_DESCRIPTOR_START = re.compile(rf"(?:{'|'.join(sorted(_TYPES, reverse=True))})\0{{3,15}}".encode())

COMPRESSED = 0x80000000
LARGEST_OFFSET = 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class Section:
    """One section: type, offset of its descriptor, first offset after it."""

    kind: str
    offset: int
    end: int

    @property
    def body(self) -> int:
        """Where the content begins."""
        return self.offset + DESCRIPTOR_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """The size of the disk and how it is cut into chunks; `identifier` is common to the segments of a set."""

    chunk_count: int
    sectors_per_chunk: int
    sector_size: int
    sector_count: int
    identifier: bytes

    @property
    def chunk_size(self) -> int:
        """Bytes in every chunk but the last."""
        return self.sectors_per_chunk * self.sector_size

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self.sector_count * self.sector_size

    def size_of(self, chunk: int) -> int:
        """Return the bytes in one chunk: the last one holds what is left."""
        return max(0, min(self.chunk_size, self.size - chunk * self.chunk_size))

    @property
    def is_consistent(self) -> bool:
        """Tell whether the number of chunks is the one that the number of sectors needs."""
        return self.chunk_count == -(-self.sector_count // self.sectors_per_chunk)


@dataclass(frozen=True, slots=True)
class TableHead:
    """How many offsets a table has, and what is to be added to each."""

    count: int
    base: int


@dataclass(frozen=True, slots=True)
class Entries:
    """The offsets of a table as stored: 31 bits to be added to `base`, below the flag of a zlib stream.

    From entry `wide_from` on they are 32 bits without a flag, of raw chunks: what writers do behind 2 GiB.
    """

    stored: npt.NDArray[np.uint32]
    base: int
    wide_from: int

    def __len__(self) -> int:
        return len(self.stored)

    def offset(self, index: int) -> int:
        """Return where in the segment file a chunk begins."""
        entry = int(self.stored[index])
        return self.base + (entry & LARGEST_OFFSET if index < self.wide_from else entry)

    def offsets(self, first: int, end: int) -> npt.NDArray[np.int64]:
        """Return where in the segment file the chunks [first, end) begin."""
        found = self.stored[first:end].astype(np.int64)
        found[: max(0, self.wide_from - first)] &= LARGEST_OFFSET
        return found + self.base

    def compressed(self, first: int, end: int) -> npt.NDArray[np.bool_]:
        """Tell which of the chunks [first, end) are zlib streams."""
        found = self.stored[first:end] >= COMPRESSED
        found[max(0, self.wide_from - first) :] = False
        return found

    def is_compressed(self, index: int) -> bool:
        """Tell whether a chunk is a zlib stream, else it is raw bytes and their Adler-32."""
        return index < self.wide_from and bool(int(self.stored[index]) & COMPRESSED)


def segment_number(header: bytes) -> int | None:
    """Return the segment number of a file header, None where it is none."""
    if len(header) < HEADER_SIZE or not header.startswith(SIGNATURE):
        return None
    return int.from_bytes(header[9:11], "little")


def parse_descriptor(raw: bytes, offset: int) -> Section | None:
    """Return the section whose descriptor stands at `offset`, None where the checksum or the chain is wrong."""
    if len(raw) < DESCRIPTOR_SIZE or not _sums(raw[:DESCRIPTOR_SIZE]):
        return None
    kind = raw[:16].rstrip(b"\0").decode("latin-1")
    following, size = struct.unpack_from("<QQ", raw, 16)
    if kind in {"next", "done"}:
        return Section(kind, offset, offset + DESCRIPTOR_SIZE)
    end = following if following > offset else offset + size
    return Section(kind, offset, end) if end >= offset + DESCRIPTOR_SIZE else None


def find_descriptor(raw: bytes, base: int) -> Section | None:
    """Return the first sound descriptor in bytes that stand at `base` in their file.

    Its own account of where it ends must hold, so that an image inside the image is not mistaken for a section.
    """
    for match in _DESCRIPTOR_START.finditer(raw):
        descriptor = raw[match.start() : match.start() + DESCRIPTOR_SIZE]
        offset = base + match.start()
        section = parse_descriptor(descriptor, offset)
        following, size = struct.unpack_from("<QQ", descriptor.ljust(DESCRIPTOR_SIZE, b"\0"), 16)
        if section is not None and following in {offset, offset + size}:
            return section
    return None


def parse_geometry(body: bytes) -> Geometry | None:
    """Return the geometry in a `volume`, `disk` or `data` section, None where it is damaged.

    1052 bytes in EnCase's form with a 64-bit number of sectors, 94 bytes in the SMART form.
    """
    if len(body) < 94 or not _sums(body):  # noqa: PLR2004 - the size is named in the docstring
        return None
    wide = len(body) > 94  # noqa: PLR2004 - as above
    chunk_count, sectors_per_chunk, sector_size, sector_count = struct.unpack_from(
        "<IIIQ" if wide else "<IIII", body, 4
    )
    geometry = Geometry(
        chunk_count=chunk_count,
        sectors_per_chunk=sectors_per_chunk,
        sector_size=sector_size,
        sector_count=sector_count,
        identifier=body[64:80] if wide else bytes(16),
    )
    return geometry if 0 < geometry.chunk_size <= LARGEST_CHUNK else None


def parse_table_head(raw: bytes) -> TableHead | None:
    """Return the head of a `table` or `table2` section, None where its checksum is wrong."""
    if len(raw) < TABLE_HEAD_SIZE or not _sums(raw[:TABLE_HEAD_SIZE]):
        return None
    count, base = struct.unpack_from("<I4xQ", raw)
    return TableHead(count, base) if base < 1 << 62 else None


def parse_entries(raw: bytes, head: TableHead, *, summed: bool) -> Entries | None:
    """Return the offsets in a table, None where they are cut or (if `summed`) their checksum is wrong."""
    end = head.count * 4
    if len(raw) < end or (summed and not _sums(raw[: end + 4])):
        return None
    stored = np.frombuffer(raw, dtype="<u4", count=head.count).astype(np.uint32, copy=False)
    offsets = stored & np.uint32(LARGEST_OFFSET)
    falls = np.flatnonzero(offsets[1:] < offsets[:-1])
    is_wide = falls.size and stored[falls[0] + 1] > offsets[falls[0]]
    return Entries(stored, head.base, int(falls[0]) + 1 if is_wide else head.count)


def parse_errors(body: bytes) -> tuple[tuple[int, int], ...]:
    """Return the (first sector, number of sectors) of an `error2` section; none where it is damaged."""
    if len(body) < 520 or not _sums(body[:520]):  # noqa: PLR2004 - number, 512 bytes of padding, checksum
        return ()
    end = 520 + 8 * int.from_bytes(body[:4], "little")
    if len(body) < end + 4 or not _sums(body[520 : end + 4]):
        return ()
    return tuple(struct.iter_unpack("<II", body[520:end]))


def parse_digests(kind: str, body: bytes) -> tuple[tuple[str, str], ...]:
    """Return the digests in a `hash` (MD5) or `digest` (MD5, SHA-1) section; none where it is damaged."""
    sizes = {"hash": (36, (("md5", 0, 16),)), "digest": (80, (("md5", 0, 16), ("sha1", 16, 36)))}
    size, fields = sizes[kind]
    if len(body) < size or not _sums(body[:size]):
        return ()
    found = ((name, body[start:end]) for name, start, end in fields)
    return tuple((name, digest.hex()) for name, digest in found if any(digest))


def _sums(raw: bytes) -> bool:
    """Tell whether bytes end with the Adler-32 of those before."""
    return adler32(raw[:-4]) == int.from_bytes(raw[-4:], "little")
