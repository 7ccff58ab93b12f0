"""What the sources are tested with: a writer of small EWF sets in pure Python, loop devices, a failing disk."""

import hashlib
import os
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from suite import Tool, absent


def summed(body: bytes) -> bytes:
    return body + struct.pack("<I", zlib.adler32(body))


@dataclass(frozen=True)
class EwfWriter:
    """Writes `data` as NAME.E01, .E02, ... with `per_segment` chunks in each; the options are attributes."""

    sectors_per_chunk: int = 8
    per_segment: int = 4
    errors: Sequence[tuple[int, int]] = ()
    identifier: bytes = b"sixteen bytes id"
    compress: Callable[[int], bool] = lambda number: number % 2 == 0
    sectors_said: int | None = None

    @property
    def chunk_size(self) -> int:
        return self.sectors_per_chunk * 512

    def write(self, first: Path, data: bytes) -> list[Path]:
        chunks = [data[start : start + self.chunk_size] for start in range(0, len(data), self.chunk_size)]
        groups = [chunks[start : start + self.per_segment] for start in range(0, len(chunks), self.per_segment)]
        paths = [first.with_suffix(f"{first.suffix[:2]}{number:02d}") for number in range(1, len(groups) + 1)]
        for index, (path, group) in enumerate(zip(paths, groups, strict=True)):
            number = index * self.per_segment
            path.write_bytes(self._segment(index + 1, number, group, data, is_last=index + 1 == len(groups)))
        return paths

    def _segment(self, number: int, first: int, chunks: list[bytes], data: bytes, *, is_last: bool) -> bytes:
        out = bytearray(b"EVF\x09\x0d\x0a\xff\x00\x01" + struct.pack("<HH", number, 0))
        self._section(out, b"volume" if number == 1 else b"data", self._volume(data))
        base = len(out)
        stored = [self._chunk(first + index, chunk) for index, chunk in enumerate(chunks)]
        self._section(out, b"sectors", b"".join(raw for raw, _ in stored))
        table, position = b"", 76
        for raw, flag in stored:
            table += struct.pack("<I", position | flag)
            position += len(raw)
        head = summed(struct.pack("<I4xQ4x", len(chunks), base))
        self._section(out, b"table", head + summed(table))
        self._section(out, b"table2", head + summed(table))
        if is_last:
            if self.errors:
                rows = b"".join(struct.pack("<II", *row) for row in self.errors)
                self._section(out, b"error2", summed(struct.pack("<I512x", len(self.errors))) + summed(rows))
            self._section(out, b"hash", summed(hashlib.md5(data).digest() + bytes(16)))
        self._section(out, b"done" if is_last else b"next", b"")
        return bytes(out)

    def _chunk(self, number: int, chunk: bytes) -> tuple[bytes, int]:
        return (zlib.compress(chunk), 1 << 31) if self.compress(number) else (summed(chunk), 0)

    def _volume(self, data: bytes) -> bytes:
        sectors = len(data) // 512 if self.sectors_said is None else self.sectors_said
        chunks = -(-len(data) // self.chunk_size)
        fields = struct.pack("<IIIIQ", 1, chunks, self.sectors_per_chunk, 512, sectors)
        return summed(fields.ljust(64, b"\0") + self.identifier.ljust(984, b"\0"))

    @staticmethod
    def _section(out: bytearray, kind: bytes, body: bytes) -> None:
        end = len(out) + 76 + len(body)
        following = len(out) if kind in {b"next", b"done"} else end
        size = 0 if kind in {b"next", b"done"} else 76 + len(body)
        out += summed(struct.pack("<16sQQ40x", kind, following, size)) + body


@pytest.fixture
def ewf_writer() -> type[EwfWriter]:
    """Return the writer class: it cannot be imported where tests are not a package."""
    return EwfWriter


@pytest.fixture
def disk() -> bytes:
    """Return 20 chunks of 4 KiB that differ, half of which compress, and two sectors more."""
    chunks = [hashlib.sha256(bytes([number])).digest() * 128 for number in range(20)]
    return b"".join(chunks) + b"\x77" * 1024


def need_root_and(device: str) -> None:
    """Skip, or fail where everything is expected to run, unless this machine lets us use the device."""
    if os.geteuid() or not Path(device).exists():
        absent(f"the right to use {device}")


@pytest.fixture
def loop_device(tool: Tool) -> Iterator[Callable[..., Path]]:
    """Return a function that makes a read-only loop device of an image; all are detached in the end.

    Ask for it after `failing_disk`, so that it goes before the disk does.
    """
    losetup = tool("losetup")
    need_root_and("/dev/loop-control")
    devices: list[str] = []

    def make(image: Path, sector_size: int = 512) -> Path:
        command = [losetup, "--find", "--show", "--read-only", "--sector-size", str(sector_size), str(image)]
        devices.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
        return Path(devices[-1])

    yield make
    for device in devices:
        subprocess.run([losetup, "--detach", device], check=True)


@pytest.fixture
def failing_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that mounts a file of 64 KiB blocks, one for each letter: `r` reads, `E` fails with EIO."""
    need_root_and("/dev/fuse")
    mountpoint = tmp_path / "failing"
    mountpoint.mkdir()
    servers: list[subprocess.Popen[bytes]] = []

    def mount(blocks: str) -> Path:
        program = Path(__file__).with_name("failing_disk.py")
        servers.append(subprocess.Popen([sys.executable, str(program), str(mountpoint), blocks]))
        for _ in range(500):
            if (mountpoint / "image").exists() or servers[0].poll() is not None:
                break
            time.sleep(0.02)
        return mountpoint / "image"

    yield mount
    for server in servers:
        subprocess.run(["umount", str(mountpoint)], check=True)
        server.wait(10)
