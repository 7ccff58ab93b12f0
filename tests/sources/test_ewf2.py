"""Ex01 through libewf. No free tool writes Ex01, so a small one is made here."""

import hashlib
import struct
import zlib
from pathlib import Path
from typing import Any

import pyewf
import pytest

from triage.model.errors import SourceError
from triage.model.evidence import SourceInfo
from triage.sources.ewf2 import SIGNATURE, SIGNATURE_LOGICAL, Ewf2Source, open_ewf2

CHUNK = 4096


def summed(body: bytes) -> bytes:
    return body + struct.pack("<I", zlib.adler32(body))


class Ex01Writer:
    """Writes one Ex01 file; every other chunk is compressed. Layout: libewf's documentation of EWF version 2."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.out = bytearray(SIGNATURE + struct.pack("<BBHI", 2, 1, 1, 1) + b"sixteen bytes id")
        self.previous = 0
        self.offsets: list[int] = []

    def write(self, path: Path) -> Path:
        count = -(-len(self.data) // CHUNK)
        self._text("sn md lb ts hc dc dt pid rs ls bp ph", {"ts": len(self.data) // 512, "dt": "f", "bp": 512, "ph": 1})
        self._text("nm cn en ex nt av os tt at tb cp sb gr wb", {"tb": count, "sb": CHUNK // 512})
        base = len(self.out)
        chunks, entries = bytearray(), b""
        for number in range(count):
            chunk = self.data[number * CHUNK : (number + 1) * CHUNK]
            stored, flag = (summed(chunk), 2) if number % 2 else (zlib.compress(chunk), 1)
            self.offsets.append(base + len(chunks))
            entries += struct.pack("<QII", self.offsets[-1], len(stored), flag)
            chunks += stored + bytes(-len(stored) % 16)
        self._section(3, bytes(chunks))
        self._section(4, summed(struct.pack("<QII", 0, count, 0)) + bytes(12) + summed(entries) + bytes(12))
        self._section(8, summed(hashlib.md5(self.data).digest()) + bytes(12))
        self._section(15, b"")
        path.write_bytes(self.out)
        return path

    def _text(self, names: str, values: dict[str, object]) -> None:
        fields = names.split()
        rows = ["1", "main", "\t".join(fields), "\t".join(str(values.get(name, "")) for name in fields), "", ""]
        self._section(1 if "sn" in fields else 2, zlib.compress("\n".join(rows).encode("utf-16")))

    def _section(self, kind: int, body: bytes) -> None:
        padding = -len(body) % 16
        size = len(body) + padding
        self.out += body + bytes(padding)
        end = len(self.out)
        self.out += summed(struct.pack("<IIQQII28x", kind, 0, self.previous, size, 64, padding))
        self.previous = end


def test_an_ex01_reads_as_its_disk(tmp_path: Path, disk: bytes) -> None:
    source = open_ewf2(Ex01Writer(disk).write(tmp_path / "d.Ex01"))
    assert source is not None
    assert (source.info.kind, source.info.size, source.info.sector_size) == ("ewf2", len(disk), 512)
    assert source.info.stored_digests == (("md5", hashlib.md5(disk).hexdigest()),)
    assert source.read_at(0, len(disk) + 1) == disk
    assert source.read_at(5000, 10) == disk[5000:5010]
    assert source.unreadable_runs() == ()
    source.close()


def test_the_library_is_silent_on_a_damaged_chunk_and_the_trouble_says_so(tmp_path: Path, disk: bytes) -> None:
    writer = Ex01Writer(disk)
    path = writer.write(tmp_path / "d.Ex01")
    raw = bytearray(path.read_bytes())
    raw[writer.offsets[5] + 100] ^= 1
    path.write_bytes(raw)
    source = open_ewf2(path)
    assert source is not None
    assert source.read_at(5 * CHUNK, CHUNK) == bytes(CHUNK)
    assert source.unreadable_runs() == ()
    assert "as zeros without a word" in source.info.troubles[0]
    source.close()


def test_what_the_library_cannot_read_is_an_unreadable_run(tmp_path: Path, ewf_writer: Any, disk: bytes) -> None:
    paths = ewf_writer().write(tmp_path / "d.E01", disk)
    handle = pyewf.handle()
    handle.open([str(path) for path in paths[:2]])
    info = SourceInfo(kind="ewf2", files=(), size=len(disk))
    source = Ewf2Source(info, handle, 4096)
    found = source.read_at(0, len(disk) + 1)
    (bad,) = source.unreadable_runs()
    assert (bad.run.offset, bad.run.end, bad.reason) == (8 * 4096, len(disk), "libewf cannot read this chunk")
    assert found == disk[: 8 * 4096] + bytes(len(disk) - 8 * 4096)
    assert source.read_at(len(disk), 1) == b""
    source.close()
    source.close()


def test_a_set_the_library_refuses_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "d.Ex01").write_bytes(SIGNATURE + bytes(5000))
    source = open_ewf2(tmp_path / "d.Ex01")
    assert source is not None
    assert (source.info.kind, source.info.size, source.read_at(0, 9)) == ("ewf2", 0, b"")
    assert source.info.troubles[0].startswith("libewf cannot open this Ex01 set")


def test_logical_evidence_is_refused_and_other_content_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "d.Lx01").write_bytes(SIGNATURE_LOGICAL + bytes(5000))
    with pytest.raises(SourceError, match="logical evidence"):
        open_ewf2(tmp_path / "d.Lx01")
    (tmp_path / "d.Ex01").write_bytes(bytes(5000))
    assert open_ewf2(tmp_path / "d.Ex01") is None
    assert open_ewf2(tmp_path) is None
