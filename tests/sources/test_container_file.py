"""The file of a container: what it gives at its edges, which neighbours it finds, what it keeps in memory."""

import os
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model.errors import EvidenceError, SourceError
from triage.sources.container_file import ByteCache, ContainerFile, beside


def test_reads_end_where_the_file_ends(tmp_path: Path) -> None:
    path = tmp_path / "ten.bin"
    path.write_bytes(b"0123456789")
    with closing(ContainerFile(path)) as file:
        assert file.size == 10
        assert file.read_up_to(8, 10) == file.read_some(8, 10) == file.peek(8, 10) == b"89"
        assert file.read_exactly(2, 3) == b"234"
        assert file.read_up_to(1 << 70, 5) == file.peek(1 << 70, 5) == b""
        for read in (file.read_exactly, file.read_some):
            with pytest.raises(EvidenceError, match=r"ten\.bin: the file is cut, it ends at 10 bytes"):
                read(1 << 70, 5)


def test_a_file_that_cannot_be_opened_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Is a directory"):
        ContainerFile(tmp_path)


def test_only_regular_files_of_the_folder_are_found(tmp_path: Path) -> None:
    image, base, upper = tmp_path / "image", tmp_path / "base.vhd", tmp_path / "BASE.VHD"
    for path in (image, base, upper):
        path.write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("base.vhd", r"C:\other\base.vhd", "/other/base.vhd", "base.vhd\0\0"):
        assert beside(image, name) == base
    assert beside(image, "BASE.VHD") == upper
    assert beside(image, "Base.Vhd") == upper
    for name in ("pipe", "folder", "image", "", ".", "..", "../", "absent", "ba\0se.vhd"):
        assert beside(image, name) is None


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 60)), max_size=60))
def test_the_cache_keeps_the_newest_within_its_limit(entries: list[tuple[int, int]]) -> None:
    cache, limit = ByteCache(100), 100
    for key, length in entries:
        if cache.get(key) is None:
            cache.put(key, bytes(length))
        assert cache.get(key) is not None
        kept = [data for other in range(21) if (data := cache.get(other)) is not None]
        assert sum(map(len, kept)) <= limit
