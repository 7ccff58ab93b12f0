"""Hostile EWF sets: whatever is done to the files, no byte comes back wrong without being recorded."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triage.model.errors import SourceError
from triage.model.evidence import UnreadableRun
from triage.sources import ewf_chunks
from triage.sources.ewf import open_ewf

Damage = list[tuple[int, int, int]]

DAMAGE = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1 << 17), st.integers(1, 255)), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def chunk_by_chunk(path: Path) -> tuple[bytes, tuple[UnreadableRun, ...]]:
    """Return what a set reads as with zlib alone, and what of it is unreadable."""
    source = open_ewf(path)
    assert source is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ewf_chunks, "inflated", lambda *_: None)
        data = b"".join(source.read_at(offset, 4096) for offset in range(0, source.info.size, 4096))
    source.close()
    return data, source.unreadable_runs()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(damage=DAMAGE, cut=st.one_of(st.none(), st.tuples(st.integers(0, 2), st.integers(0, 60_000))))
def test_no_wrong_byte_is_given_out(
    folder: Path, ewf_writer: Any, disk: bytes, damage: Damage, cut: tuple[int, int] | None
) -> None:
    paths = ewf_writer(per_segment=8).write(folder / "d.E01", disk)
    for number, offset, bits in damage:
        raw = bytearray(paths[number].read_bytes())
        raw[offset % len(raw)] ^= bits
        paths[number].write_bytes(raw)
    if cut:
        paths[cut[0]].write_bytes(paths[cut[0]].read_bytes()[: cut[1]])
    try:
        source = open_ewf(paths[0])
    except SourceError:
        return
    if source is None:
        assert not paths[0].read_bytes().startswith(b"EVF\x09\x0d\x0a\xff\x00")
        return
    found = source.read_at(0, source.info.size)
    assert (found, source.unreadable_runs()) == chunk_by_chunk(paths[0])
    assert len(found) == source.info.size
    expected = bytearray(disk.ljust(len(found), b"\0")[: len(found)])
    for bad in source.unreadable_runs():
        expected[bad.run.offset : bad.run.end] = bytes(bad.run.length)
    assert found == expected
    source.close()


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=3000))
def test_any_bytes_behind_a_signature_open(folder: Path, body: bytes) -> None:
    path = folder / "any.E01"
    path.write_bytes(b"EVF\x09\x0d\x0a\xff\x00\x01\x01\x00\x00\x00" + body)
    source = open_ewf(path)
    assert source is not None
    assert len(source.read_at(0, 4096)) == min(4096, source.info.size)
    assert source.info.troubles
    source.close()
