from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from triage.hashsets.compile import compile_records
from triage.hashsets.exact import DigestColumn
from triage.hashsets.hashset import HashSet
from triage.hashsets.library import Library
from triage.hashsets.perceptual import PdqIndex
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta, open_sealed, read_header
from triage.model.errors import StoreError
from triage.model.finding import SetKind

Member = Callable[[int], Record]

META = SetMeta(name="made", version="2026-01", kind=SetKind.KNOWN, date="2026-01-02", origin="a test")


@pytest.fixture
def path(library: Library, member: Member) -> Path:
    return compile_records([member(number) for number in range(50)], META, library).path


def test_the_header_says_what_was_given(path: Path) -> None:
    header = read_header(path)
    assert header.meta == META
    assert header.counts["records"] == 50
    assert header.identity.kind is SetKind.KNOWN
    assert len(header.identity.digest) == 64


def test_the_same_records_in_any_order_give_the_same_digest(library: Library, member: Member) -> None:
    records = [member(number) for number in range(50)]
    beside, third = Library(library.folder / "beside"), Library(library.folder / "third")
    there = compile_records(records, META, library).header
    back = compile_records(reversed(records), META, beside).header
    other = compile_records(records, replace(META, kind=SetKind.NOTABLE), third).header
    assert there.digest == back.digest
    assert other.digest != there.digest
    assert other.content == there.content


def test_every_altered_byte_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    step = max(1, len(content) // 300)
    for at in [*range(200), *range(200, len(content), step), len(content) - 1]:
        altered = bytearray(content)
        altered[at] ^= 0x40
        path.write_bytes(altered)
        with pytest.raises(StoreError, match="hash set is refused") as caught:
            HashSet.open(path)
        assert "\n" not in str(caught.value)
    path.write_bytes(content)
    assert HashSet.open(path).counts["records"] == 50


@pytest.mark.parametrize("keep", [0, 1, 47, 48, 100, 1000, -64, -1])
def test_a_truncated_file_is_refused_even_without_reading_it(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(StoreError, match="hash set"):
        open_sealed(path, verify=False)


def test_a_file_with_more_behind_it_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0" * 64)
    with pytest.raises(StoreError, match="were sealed"):
        open_sealed(path, verify=False)


def test_a_newer_format_is_named(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8] = 9
    path.write_bytes(content)
    with pytest.raises(StoreError, match="version 9, this software reads version 1"):
        open_sealed(path)


def test_an_absent_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot open the hash set"):
        HashSet.open(tmp_path / "absent.hashset")


def test_columns_cannot_be_written(path: Path) -> None:
    sealed = open_sealed(path)
    assert not any(column.flags.writeable for name, column in sealed.columns.items() if column.size)


def test_a_set_that_misses_a_digest_is_not_kept(
    library: Library, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DigestColumn, "find", lambda _self, _digests: iter(()))
    with pytest.raises(StoreError, match="misses a member by sha256"):
        compile_records([member(1)], META, library)
    assert list(library.folder.iterdir()) == []


def test_a_set_that_misses_a_picture_is_not_kept(
    library: Library, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = PdqIndex.near
    monkeypatch.setattr(PdqIndex, "near", lambda self, hashes: near(self, hashes, 30))
    with pytest.raises(StoreError, match="misses a member by pdq"):
        compile_records([member(number) for number in range(9)], META, library)
    assert list(library.folder.iterdir()) == []


def test_a_member_with_equal_words_is_told_from_its_neighbour(library: Library) -> None:
    words = np.array([[1, 2, 3, 4], [1, 2, 3, 2**64 - 1]], ">u8")
    opened = HashSet.open(compile_records([Record(pdq=row.tobytes()) for row in words], META, library).path)
    assert [opened.pdq.hash_at(number)[1] for number in range(2)] == [row.tobytes() for row in words]
