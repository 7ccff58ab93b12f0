"""Apple disk images: UDIF with every compression that the standard library knows, encrypted and damaged ones."""

import base64
import bz2
import lzma
import plistlib
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from suite import Corpus

from triage.model.runs import ByteRun
from triage.sources.dmg import open_dmg
from triage.sources.source import EvidenceSource

Opened = Callable[[Path], EvidenceSource]
SECTOR = 512
ZERO, RAW, IGNORE, ADC, ZLIB, BZIP2, LZFSE, LZMA, END = 0, 1, 2, *range(0x80000004, 0x80000009), 0xFFFFFFFF
PACK: dict[int, Callable[[bytes], bytes]] = {
    RAW: bytes, ZLIB: zlib.compress, BZIP2: bz2.compress, LZMA: lzma.compress, ADC: bytes, LZFSE: bytes,
}  # fmt: skip


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Return a function that opens an image; what it opened is closed after the test."""
    with ExitStack() as stack:

        def open_one(path: Path) -> EvidenceSource:
            source = open_dmg(path)
            assert source is not None
            return stack.enter_context(closing(source))

        yield open_one


def read_all(source: EvidenceSource) -> bytes:
    return b"".join(source.read_at(offset, 10_000) for offset in range(0, source.info.size, 10_000))


@dataclass(frozen=True)
class Chunk:
    """`data` is a whole number of sectors of the disk; `packed` replaces what would be stored of it."""

    kind: int
    data: bytes
    packed: bytes | None = None


def disk_image(*tables: Sequence[Chunk], prefix: bytes = b"") -> bytes:
    """Return a UDIF image; `prefix` lies before the data fork."""
    fork, entries, sector = b"", [], 0
    for table in tables:
        rows, length = b"", 0
        for chunk in table:
            stored = PACK[chunk.kind](chunk.data) if chunk.kind in PACK else b""
            stored = chunk.packed if chunk.packed is not None else stored
            sectors = len(chunk.data) // SECTOR
            rows += struct.pack(">IIQQQQ", chunk.kind, 0, length, sectors, len(fork), len(stored))
            fork, length = fork + stored, length + sectors
        rows += struct.pack(">IIQQQQ", END, 0, length, 0, len(fork), 0)
        head = struct.pack(">4sIQQQII", b"mish", 1, sector, length, 0, 0, 0).ljust(200, b"\0")
        entries.append({"Name": "invented", "Data": head + struct.pack(">I", len(table) + 1) + rows})
        sector += length
    properties = plistlib.dumps({"resource-fork": {"blkx": entries}})
    trailer = struct.pack(">4sIIIQQQQQII", b"koly", 4, 512, 1, 0, len(prefix), len(fork), 0, 0, 1, 1).ljust(216, b"\0")
    trailer += struct.pack(">QQ", len(prefix) + len(fork), len(properties))
    return prefix + fork + properties + trailer.ljust(492, b"\0") + struct.pack(">Q", sector).ljust(20, b"\0")


def test_the_image_of_the_corpus_has_the_checksums_that_it_claims(opened: Opened, corpus: Corpus) -> None:
    path = corpus.path("real/dfvfs/hfsplus_zlib.dmg")
    source = opened(path)
    disk = read_all(source)
    assert source.unreadable_runs() == ()
    assert source.info.kind == "dmg"
    raw = path.read_bytes()
    offset, length = struct.unpack_from(">QQ", raw, len(raw) - 512 + 216)
    tables = [entry["Data"] for entry in plistlib.loads(raw[offset : offset + length])["resource-fork"]["blkx"]]
    for table in tables:
        (first, _, claimed, count) = (
            *struct.unpack_from(">QQ", table, 8),
            *struct.unpack_from(">I", table, 72),
            *struct.unpack_from(">I", table, 200),
        )
        checksum = 0
        for index in range(count):
            kind, _, sector, sectors = struct.unpack_from(">IIQQ", table, 204 + 40 * index)
            if kind not in (IGNORE, END):  # ignored sectors are not part of the checksum
                checksum = zlib.crc32(disk[(first + sector) * SECTOR : (first + sector + sectors) * SECTOR], checksum)
        assert checksum == claimed
    assert len(tables) == 7


@pytest.mark.parametrize(
    "name", ["real/be/1mb_fat32.dmg", "real/nps/nps-2009-hfsjtest1.gen1.dmg", "encrypted/dfvfs_apfs_encrypted.dmg"]
)
def test_raw_images_called_dmg_are_none(corpus: Corpus, name: str) -> None:
    assert open_dmg(corpus.path(name)) is None


@pytest.mark.parametrize("content", [b"", b"koly", bytes(4096)])
def test_other_files_are_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "named.dmg"
    path.write_bytes(content)
    assert open_dmg(path) is None


Chunks = st.lists(
    st.builds(
        lambda kind, data, sectors: (kind, (data * 512)[: sectors * SECTOR].ljust(sectors * SECTOR, b"\0")),
        st.sampled_from([ZERO, RAW, IGNORE, ZLIB, BZIP2, LZMA]),
        st.binary(min_size=1, max_size=40),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=Chunks,
    second=Chunks,
    prefix=st.binary(max_size=9),
    window=st.tuples(st.integers(0, 50000), st.integers(0, 50000)),
)
def test_every_kind_of_chunk_reads_back(
    tmp_path: Path,
    first: list[tuple[int, bytes]],
    second: list[tuple[int, bytes]],
    prefix: bytes,
    window: tuple[int, int],
) -> None:
    path = tmp_path / "disk.dmg"
    tables = [[Chunk(kind, data) for kind, data in table] for table in (first, second)]
    path.write_bytes(disk_image(*tables, prefix=prefix))
    expected = b"".join(bytes(len(data)) if kind in (ZERO, IGNORE) else data for kind, data in (*first, *second))
    source = open_dmg(path)
    assert source is not None
    with closing(source):
        assert read_all(source) == expected
        assert source.read_at(*window) == expected[window[0] : sum(window)]
        assert source.unreadable_runs() == ()


@pytest.mark.parametrize(
    ("chunk", "said"),
    [
        (Chunk(ADC, b"a" * SECTOR, b"\x80"), "a chunk compressed by ADC or LZFSE"),
        (Chunk(LZFSE, b"a" * SECTOR, b"noise"), "a chunk compressed by ADC or LZFSE"),
        (Chunk(0x80000077, b"a" * SECTOR), "chunks compressed by method 0x80000077 are not supported"),
        (Chunk(ZLIB, b"a" * SECTOR, b"noise"), "damaged compressed chunk"),
        (Chunk(BZIP2, b"a" * SECTOR, b"noise"), "damaged compressed chunk"),
        (Chunk(LZMA, b"a" * SECTOR, b"noise"), "damaged compressed chunk"),
        (Chunk(ZLIB, b"a" * SECTOR, zlib.compress(bytes(10_000_000))), "does not end where it should"),
        (Chunk(ZLIB, b"a" * SECTOR, zlib.compress(b"a" * SECTOR)[:-1]), "does not end where it should"),
        (Chunk(ZLIB, b"a" * SECTOR, zlib.compress(b"a")), "does not end where it should"),
        (Chunk(RAW, b"a" * SECTOR, b""), "a stored chunk is shorter than its place"),
    ],
)
def test_a_chunk_that_cannot_be_decoded_costs_itself_only(
    opened: Opened, tmp_path: Path, chunk: Chunk, said: str
) -> None:
    path = tmp_path / "disk.dmg"
    path.write_bytes(disk_image([Chunk(ZLIB, b"1" * SECTOR), chunk, Chunk(RAW, b"3" * SECTOR)]))
    source = opened(path)
    assert read_all(source) == b"1" * SECTOR + bytes(SECTOR) + b"3" * SECTOR
    (bad,) = source.unreadable_runs()
    assert bad.run == ByteRun(SECTOR, SECTOR)
    assert said in bad.reason


# one stream of each kind of block (LZVN, LZFSE, stored), the first two made by the reference encoder
LZFSE_STREAMS = [
    (
        (b"line of text, " * 80)[:1024],
        base64.b85decode("Vs?0L00aO4BLDyZ?rdppWgu^6AarGTbSxk^4)Fi*|M36ts^Mt{000000001Dc6cN"),
    ),
    (
        b"".join(b"line %d of text, " % (n % 40) for n in range(300))[:4608],
        base64.b85decode(
            "Vs>~k01^NIH~^pl04o4sk-I%R)HDD<nE(I)KLij8`#}Hz000321OVXbEr9+Y69AY10KmThOePZm000000002~0{{R300000;"
            "9~#)08W9^59L4kPfkxyPft$)00000000000Dy1c6i(rkZ{QT*8vsrL000000000000000000000000000000000000000000"
            "010{|mtN3IP68RXluF%d02H8oU>;6g(0D0000000000*iN`;{@*J`L<|n#t_B7SfDpieLqvuH+JJ>MDv*LGIKhN3rJ_n#9)l"
            "BNc6cN"
        ),
    ),
    (bytes(range(256)) * 2, b"bvx-" + struct.pack("<I", 512) + bytes(range(256)) * 2 + b"bvx$"),
]


@pytest.mark.parametrize(("data", "packed"), LZFSE_STREAMS)
def test_lzfse_chunks_read_back(opened: Opened, tmp_path: Path, data: bytes, packed: bytes) -> None:
    path = tmp_path / "disk.dmg"
    path.write_bytes(disk_image([Chunk(RAW, b"1" * SECTOR), Chunk(LZFSE, data, packed), Chunk(RAW, b"3" * SECTOR)]))
    source = opened(path)
    assert read_all(source) == b"1" * SECTOR + data + b"3" * SECTOR
    assert source.unreadable_runs() == ()
    source.close()
    source.close()


def test_adc_chunks_read_back(opened: Opened, tmp_path: Path) -> None:
    # 7 plain bytes, 9 more from 7 back by a two-byte run, 62 times 8 from 16 back by three-byte runs
    packed = b"\x86seven77" + bytes([(9 - 3) << 2, 7 - 1]) + bytes([0x40 | 8 - 4, 0, 16 - 1]) * 62
    data = bytearray(b"seven77")
    for length, back in ((9, 7), *[(8, 16)] * 62):
        for _ in range(length):
            data.append(data[-back])
    path = tmp_path / "disk.dmg"
    path.write_bytes(disk_image([Chunk(ADC, bytes(data), packed), Chunk(RAW, b"2" * SECTOR)]))
    assert read_all(opened(path)) == bytes(data) + b"2" * SECTOR


def test_a_place_that_no_table_covers_is_unreadable(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "disk.dmg"
    whole = bytearray(disk_image([Chunk(RAW, b"1" * SECTOR)]))
    struct.pack_into(">Q", whole, len(whole) - 20, 5)
    path.write_bytes(whole)
    source = opened(path)
    assert read_all(source) == b"1" * SECTOR + bytes(4 * SECTOR)
    assert [(bad.run, bad.reason) for bad in source.unreadable_runs()] == [
        (ByteRun(SECTOR, 4 * SECTOR), "no block table covers this place")
    ]


@pytest.mark.parametrize(
    ("head", "tail", "method"),
    [
        (b"encrcdsa" + bytes(48) + struct.pack(">Q", 3000), b"", "FileVault encrypted disk image (encrcdsa)"),
        (b"", b"cdsaencr", "FileVault encrypted disk image (cdsaencr)"),
    ],
)
def test_encrypted_images_are_named(opened: Opened, tmp_path: Path, head: bytes, tail: bytes, method: str) -> None:
    path = tmp_path / "locked.dmg"
    path.write_bytes(head + bytes(4096) + tail)
    source = opened(path)
    assert source.info.encrypted == method
    assert source.info.size == (3000 if head else 4104)
    assert source.unreadable_runs()[0].run == ByteRun(0, source.info.size)


def damaged(whole: bytes, from_end: int, value: bytes) -> bytes:
    place = len(whole) - from_end
    return whole[:place] + value + whole[place + len(value) :]


GOOD = disk_image([Chunk(RAW, b"1" * SECTOR)])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (damaged(GOOD, 20, b"\xff" * 8), "damaged trailer: virtual size"),
        (damaged(GOOD, 512 - 216, struct.pack(">Q", 1 << 62)), "the file is cut"),
        (damaged(GOOD, 512 - 224, struct.pack(">Q", 1 << 62)), "no block tables, or they are too large"),
        (damaged(GOOD, 512 - 224, bytes(8)), "no block tables, or they are too large"),
        (GOOD.replace(b"<plist", b"<plisp"), "damaged property list"),
        (GOOD.replace(b'"UTF-8"', b'"UTF-D"'), "damaged property list"),
        (GOOD.replace(b"resource-fork", b"resource-spoon"[:13]), "damaged property list"),
        (GOOD.replace(b"bWlzaA", b"cWlzaA"), "a block table is damaged"),
        (b"sprs\x00\x00\x00\x03" + bytes(4096), "sparse disk images are not supported"),
    ],
)
def test_hopeless_images_are_unreadable_as_a_whole(opened: Opened, tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "bad.dmg"
    path.write_bytes(content)
    source = opened(path)
    assert said in source.info.troubles[0]
    assert source.unreadable_runs()[0].run == ByteRun(0, source.info.size)
    assert read_all(source) == bytes(source.info.size)


def test_a_table_that_claims_more_chunks_than_it_holds(opened: Opened, tmp_path: Path) -> None:
    table = struct.pack(">4sIQQQII", b"mish", 1, 0, 1, 0, 0, 0).ljust(200, b"\0") + b"\xff" * 4
    properties = plistlib.dumps({"resource-fork": {"blkx": [{"Data": table}]}})
    trailer = bytearray(GOOD[-512:])
    struct.pack_into(">QQ", trailer, 216, 0, len(properties))
    path = tmp_path / "bad.dmg"
    path.write_bytes(properties + trailer)
    assert opened(path).info.troubles == ("UDIF image: a block table is cut",)


def test_a_segment_of_a_larger_image_says_so(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "part.dmg"
    path.write_bytes(damaged(GOOD, 512 - 60, struct.pack(">I", 3)))
    assert "one of 3 segments" in opened(path).info.troubles[0]
