"""QCOW2 images: what qemu-img makes, what a hostile hand makes, and what is missing."""

import random
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from suite import Corpus

from triage.model.errors import SourceError
from triage.model.runs import ByteRun
from triage.sources.qcow2 import open_qcow2
from triage.sources.source import EvidenceSource

BITS = 9
CLUSTER = 1 << BITS


Opened = Callable[[Path], EvidenceSource]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Return a function that opens an image; what it opened is closed after the test."""
    with ExitStack() as stack:

        def open_one(path: Path) -> EvidenceSource:
            source = open_qcow2(path)
            assert source is not None
            return stack.enter_context(closing(source))

        yield open_one


def read_all(source: EvidenceSource, step: int = 1 << 20) -> bytes:
    return b"".join(source.read_at(offset, step) for offset in range(0, source.info.size, step))


def content_of(path: Path) -> bytes:
    source = open_qcow2(path)
    assert source is not None
    with closing(source):
        data = read_all(source)
        assert source.unreadable_runs() == ()
    return data


@dataclass
class Writer:
    """A tiny QCOW2 writer: header, one L1 table, L2 tables, then clusters of 512 bytes."""

    size: int
    entries: dict[int, int] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    head: dict[str, int] = field(default_factory=dict)
    backing: bytes = b""

    @property
    def tables(self) -> int:
        return max(1, -(-self.size // (CLUSTER * (CLUSTER // 8))))

    @property
    def data_start(self) -> int:
        l1_clusters = -(-self.tables * 8 // CLUSTER)
        return CLUSTER * (1 + l1_clusters + self.tables)

    def _place(self, data: bytes, align: int) -> int:
        self.body.extend(bytes(-len(self.body) % align))
        offset = self.data_start + len(self.body)
        self.body.extend(data)
        return offset

    def plain(self, index: int, data: bytes) -> None:
        self.entries[index] = self._place(data.ljust(CLUSTER, b"\0"), CLUSTER) | 1 << 63

    def zero(self, index: int) -> None:
        self.entries[index] = 1

    def compressed(self, index: int, data: bytes) -> None:
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -12)
        packed = squeeze.compress(data.ljust(CLUSTER, b"\0")) + squeeze.flush()
        offset = self._place(packed, 1)
        sectors = (offset % 512 + len(packed) - 1) // 512
        self.entries[index] = 1 << 62 | sectors << (62 - (BITS - 8)) | offset

    def write(self, path: Path) -> Path:
        l1_clusters = -(-self.tables * 8 // CLUSTER)
        l2_start = CLUSTER * (1 + l1_clusters)
        h: dict[str, Any] = {
            "version": 3, "bits": BITS, "size": self.size, "crypt": 0, "l1_size": self.tables, "l1_at": CLUSTER,
            "snapshots": 0, "features": 0, **self.head,
        }  # fmt: skip
        backing_at = 112 if self.backing else 0
        header = struct.pack(
            ">4sIQIIQIIQQIIQQQQIIQ", b"QFI\xfb", h["version"], backing_at, len(self.backing), h["bits"], h["size"],
            h["crypt"], h["l1_size"], h["l1_at"], 0, 0, h["snapshots"], 0, h["features"], 0, 0, 4, 104, 0,
        ) + self.backing  # fmt: skip
        l1 = struct.pack(f">{self.tables}Q", *(l2_start + CLUSTER * index | 1 << 63 for index in range(self.tables)))
        per_table = CLUSTER // 8
        l2 = struct.pack(
            f">{self.tables * per_table}Q", *(self.entries.get(i, 0) for i in range(self.tables * per_table))
        )
        whole = header.ljust(CLUSTER, b"\0") + l1.ljust(CLUSTER * l1_clusters, b"\0") + l2 + self.body
        path.write_bytes(whole)
        return path


def test_a_file_of_another_kind_is_none(tmp_path: Path) -> None:
    path = tmp_path / "named.qcow2"
    path.write_bytes(bytes(4096))
    assert open_qcow2(path) is None
    path.write_bytes(b"")
    assert open_qcow2(path) is None


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot be opened: No such file.*; check the path"):
        open_qcow2(tmp_path / "absent.qcow2")


@pytest.mark.parametrize(
    ("image", "raw"),
    [
        ("made/m5_ntfs_undel_compressed.qcow2", "real/dftt/7-ntfs-undel.dd"),
        ("real/dfvfs/ext2.qcow2", "real/dfvfs/ext2.raw"),
        ("made/m3/m3_v2.qcow2", "made/m3/m3_flat-flat.vmdk"),
    ],
)
def test_images_of_the_corpus_equal_their_raw_form(corpus: Corpus, image: str, raw: str) -> None:
    assert content_of(corpus.path(image)) == corpus.path(raw).read_bytes()


def sample(size: int) -> bytes:
    """Return stretches of zeros, of noise, of text and of a little noise in zeros."""
    dice = random.Random(7)
    data = bytearray(size)
    for start in range(0, size, 65536):
        length = min(65536, size - start)
        kind = dice.randrange(4)
        if kind == 1:
            data[start : start + length] = dice.randbytes(length)
        elif kind == 2:
            data[start : start + length] = (b"line %07d\n" % start * 6000)[:length]
        elif kind == 3:
            data[start + 100 : start + 200] = dice.randbytes(100)
    return bytes(data[:size])


@pytest.fixture(scope="module")
def raw_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("qcow2") / "disk.raw"
    path.write_bytes(sample(3 * 1024 * 1024 + 7 * 512))
    return path


def convert(tool: Callable[[str], str], raw: Path, target: Path, *options: str) -> Path:
    subprocess.run([tool("qemu-img"), "convert", "-f", "raw", "-O", "qcow2", *options, raw, target], check=True)
    return target


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-c",),
        ("-o", "compat=0.10"),
        ("-c", "-o", "compat=0.10"),
        ("-o", "cluster_size=512"),
        ("-c", "-o", "cluster_size=2M"),
        ("-o", "extended_l2=on"),
        ("-c", "-o", "extended_l2=on"),
        ("-o", "preallocation=metadata"),
    ],
)
def test_what_qemu_img_writes_reads_back(
    tool: Callable[[str], str], tmp_path: Path, raw_disk: Path, options: tuple[str, ...]
) -> None:
    image = convert(tool, raw_disk, tmp_path / "disk.qcow2", *options)
    assert content_of(image) == raw_disk.read_bytes()


@pytest.mark.parametrize("raw_layout", ["on", "off"])
def test_an_external_data_file_is_followed_or_reported(
    opened: Opened, tool: Callable[[str], str], tmp_path: Path, raw_disk: Path, raw_layout: str
) -> None:
    data = tmp_path / "clusters.data"
    image = convert(tool, raw_disk, tmp_path / "disk.qcow2", "-o", f"data_file={data},data_file_raw={raw_layout}")
    assert content_of(image) == raw_disk.read_bytes()
    data.unlink()
    source = opened(image)
    assert "external data file" in source.info.troubles[0]
    assert source.unreadable_runs()[0].run == ByteRun(0, source.info.size)


def test_zstd_clusters_are_read(tool: Callable[[str], str], tmp_path: Path, raw_disk: Path) -> None:
    image = convert(tool, raw_disk, tmp_path / "disk.qcow2", "-c", "-o", "compression_type=zstd")
    assert content_of(image) == raw_disk.read_bytes()


@pytest.mark.parametrize(("crypt", "method"), [(1, "qcow2 AES"), (2, "qcow2 LUKS")])
def test_encrypted_images_are_named(opened: Opened, tmp_path: Path, crypt: int, method: str) -> None:
    source = opened(Writer(size=4096, head={"crypt": crypt}).write(tmp_path / "locked.qcow2"))
    assert source.info.encrypted == method
    assert source.unreadable_runs()[0].run == ByteRun(0, 4096)
    assert method in source.unreadable_runs()[0].reason


def test_an_overlay_reads_through_to_its_backing_file(
    opened: Opened, tool: Callable[[str], str], tmp_path: Path, raw_disk: Path
) -> None:
    base = convert(tool, raw_disk, tmp_path / "base.qcow2")
    middle, top = tmp_path / "middle.qcow2", tmp_path / "top.qcow2"
    for child, parent, options in ((middle, base, "cluster_size=4k"), (top, middle, "extended_l2=on")):
        create = [tool("qemu-img"), *["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b"]]
        subprocess.run([*create, str(parent), "-o", options, str(child), "5M"], check=True)
    subprocess.run([tool("qemu-io"), "-c", "write -P 0x41 70000 3000", "-c", "write -z 0 8192", top], check=True)
    expected = bytearray(raw_disk.read_bytes().ljust(5 << 20, b"\0"))
    expected[70000:73000] = b"A" * 3000
    expected[0:8192] = bytes(8192)
    assert content_of(top) == bytes(expected)
    assert opened(top).info.files == (str(top), str(middle), str(base))


def test_a_raw_backing_file_is_read_beside_the_image_only(opened: Opened, tmp_path: Path) -> None:
    writer = Writer(size=4 * CLUSTER, backing=b"/somewhere/else/base.img")
    writer.plain(1, b"child")
    image = writer.write(tmp_path / "child.qcow2")
    missing = opened(image)
    assert read_all(missing)[CLUSTER : CLUSTER + 5] == b"child"
    assert [run.run for run in missing.unreadable_runs()] == [ByteRun(0, CLUSTER), ByteRun(2 * CLUSTER, 2 * CLUSTER)]
    assert missing.unreadable_runs()[0].reason.startswith("backing file /somewhere/else/base.img is missing")
    (tmp_path / "base.img").write_bytes(b"base" * 100)
    found = opened(image)
    assert read_all(found)[:400] == b"base" * 100
    assert found.unreadable_runs() == ()
    found.close()
    found.close()


def test_a_backing_chain_that_leads_back_ends(opened: Opened, tmp_path: Path) -> None:
    Writer(size=CLUSTER, backing=b"two.qcow2").write(tmp_path / "one.qcow2")
    Writer(size=CLUSTER, backing=b"one.qcow2").write(tmp_path / "two.qcow2")
    source = opened(tmp_path / "one.qcow2")
    assert read_all(source) == bytes(CLUSTER)
    assert "leads back" in source.unreadable_runs()[0].reason


Clusters = st.dictionaries(
    st.integers(0, 150),
    st.tuples(st.sampled_from(["plain", "compressed", "zero"]), st.binary(max_size=CLUSTER)),
    max_size=20,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(clusters=Clusters, tail=st.integers(1, CLUSTER), window=st.tuples(st.integers(0, 80000), st.integers(0, 80000)))
def test_random_sparse_content_reads_back(
    opened: Opened, tmp_path: Path, clusters: dict[int, tuple[str, bytes]], tail: int, window: tuple[int, int]
) -> None:
    size = max(clusters, default=0) * CLUSTER + tail
    writer, expected = Writer(size=size), bytearray(size + CLUSTER)
    for index, (kind, data) in clusters.items():
        if kind == "zero":
            writer.zero(index)
            continue
        getattr(writer, kind)(index, data)
        expected[index * CLUSTER : index * CLUSTER + len(data)] = data
    source = opened(writer.write(tmp_path / "random.qcow2"))
    assert read_all(source, 10000) == bytes(expected[:size])
    assert source.read_at(*window) == bytes(expected[:size])[window[0] : sum(window)]
    assert source.unreadable_runs() == ()
    source.close()


def test_a_cut_file_costs_the_clusters_behind_the_cut(opened: Opened, tmp_path: Path) -> None:
    writer = Writer(size=3 * CLUSTER)
    for index in range(3):
        writer.plain(index, bytes([65 + index]) * CLUSTER)
    image = writer.write(tmp_path / "cut.qcow2")
    image.write_bytes(image.read_bytes()[:-CLUSTER])
    source = opened(image)
    assert read_all(source) == b"A" * CLUSTER + b"B" * CLUSTER + bytes(CLUSTER)
    assert [run.run for run in source.unreadable_runs()] == [ByteRun(2 * CLUSTER, CLUSTER)]
    assert "the file is cut" in source.unreadable_runs()[0].reason


def test_a_compressed_cluster_that_is_noise_is_unreadable(opened: Opened, tmp_path: Path) -> None:
    writer = Writer(size=2 * CLUSTER)
    writer.compressed(0, b"text " * 100)
    writer.plain(1, b"kept")
    writer.body[:4] = b"\xff\xff\xff\xff"
    source = opened(writer.write(tmp_path / "noise.qcow2"))
    assert read_all(source)[CLUSTER : CLUSTER + 4] == b"kept"
    assert [run.run for run in source.unreadable_runs()] == [ByteRun(0, CLUSTER)]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ({"version": 1}, "QCOW version 1 is not supported"),
        ({"bits": 30}, "cluster size of 2^30"),
        ({"size": 1 << 63}, "virtual size of 9223372036854775808"),
        ({"crypt": 77}, "encryption method 77"),
        ({"features": 1 << 40}, "incompatible features 0x10000000000"),
    ],
)
def test_a_hopeless_header_leaves_the_whole_unreadable(
    opened: Opened, tmp_path: Path, head: dict[str, int], said: str
) -> None:
    source = opened(Writer(size=CLUSTER, head=head).write(tmp_path / "bad.qcow2"))
    size = (tmp_path / "bad.qcow2").stat().st_size
    assert said in source.info.troubles[0]
    assert source.info.size == size
    assert source.unreadable_runs()[0].run == ByteRun(0, size)
    assert source.read_at(0, 10) == bytes(10)


@pytest.mark.parametrize("l1_at", [5, 1 << 40, (1 << 64) - 8])
def test_a_first_table_outside_the_file_is_recorded(opened: Opened, tmp_path: Path, l1_at: int) -> None:
    head = {"l1_at": l1_at, "l1_size": (1 << 32) - 1, "size": 1 << 40}
    source = opened(Writer(size=CLUSTER, head=head).write(tmp_path / "bad.qcow2"))
    assert "before the end of its first table" in source.info.troubles[0]
    assert source.read_at((1 << 40) - 100, 1000) == bytes(100)
    assert source.unreadable_runs()[-1].run.end == 1 << 40


def test_snapshots_and_the_corrupt_mark_are_told(opened: Opened, tmp_path: Path) -> None:
    source = opened(Writer(size=CLUSTER, head={"snapshots": 2, "features": 2}).write(tmp_path / "marked.qcow2"))
    assert source.info.troubles == ("the image is marked as corrupt", "internal snapshots are not examined: 2")


@pytest.mark.parametrize("name", ["corrupt/made_qcow2_huge_l1.qcow2", "corrupt/made_truncated.qcow2"])
def test_corrupt_images_of_the_corpus_end_well(opened: Opened, corpus: Corpus, name: str) -> None:
    source = opened(corpus.path(name))
    assert len(read_all(source)) == 4194304
    assert source.unreadable_runs() or source.info.troubles
