"""Single hashes and files looked up: every kind of hash, in every set."""

import hashlib
from pathlib import Path

import pytest
from images import pictures

from triage.hashsets.compile import compile_records
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.model.errors import SourceError, StoreError, UsageError
from triage.model.finding import MatchBy, SetKind
from triage.session import lookup, making

DATA = b"invented"
PDQ, PHASH = bytes(range(32)), bytes(range(8))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make a library of a notable and a known set with one record in common."""
    record = Record(
        hashlib.md5(DATA).digest(), hashlib.sha1(DATA).digest(), hashlib.sha256(DATA).digest(), PDQ, PHASH, category="1"
    )
    for kind in SetKind:
        meta = SetMeta(name=kind.value, version="1", kind=kind, date="2026-01-02")
        compile_records([record], meta, making.destination(tmp_path / "library"))
    return tmp_path / "library"


@pytest.mark.parametrize(
    ("text", "by", "distance"),
    [
        (hashlib.md5(DATA).hexdigest().upper(), MatchBy.MD5, 0),
        (hashlib.sha1(DATA).hexdigest(), MatchBy.SHA1, 0),
        (hashlib.sha256(DATA).hexdigest(), MatchBy.SHA256, 0),
        (PDQ.hex(), MatchBy.PDQ, 0),
        (bytes([7, *range(1, 32)]).hex(), MatchBy.PDQ, 3),
        (bytes([7, *range(1, 8)]).hex(), MatchBy.PHASH, 3),
    ],
)
def test_every_kind_of_hash_is_found_in_every_set(place: Path, text: str, by: MatchBy, distance: int) -> None:
    (answer,) = lookup.lookup((text,), place)
    assert [(match.set.name, match.by, match.distance) for match in answer.matches] == [
        ("known", by, distance),
        ("notable", by, distance),
    ]


def test_several_are_answered_in_their_order(place: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA)
    found = lookup.lookup(("0" * 32, str(tmp_path / "file"), "0" * 64, PHASH.hex()), place)
    assert [[match.by for match in answer.matches] for answer in found] == [
        [],
        [MatchBy.SHA256] * 2,
        [],
        [MatchBy.PHASH] * 2,
    ]


def test_a_picture_is_looked_up_by_all_its_hashes(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.png").write_bytes(pictures.png(pictures.scene(8)))
    meta = SetMeta(name="set", version="1", kind=SetKind.NOTABLE, date="2026-01-02")
    making.build(tmp_path / "files", meta, making.destination(tmp_path / "library"), progress=lambda *_: None)
    (tmp_path / "copy.jpg").write_bytes(pictures.jpeg(pictures.resized(pictures.scene(8), 0.5)))
    files = (str(tmp_path / "files" / "a.png"), str(tmp_path / "copy.jpg"))
    same, altered = lookup.lookup(files, tmp_path / "library")
    assert [(match.by, match.distance) for match in same.matches] == [(MatchBy.SHA256, 0)]
    assert altered.matches[0].by is MatchBy.PDQ


@pytest.mark.parametrize("text", ["", "xyz", "123", "0" * 33, "0" * 63 + "g", "٣" * 32])
def test_what_is_no_hash_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        lookup.lookup(("0" * 32, text), tmp_path)


def test_a_damaged_set_stops_a_lookup(place: Path) -> None:
    """An answer that one set is not in would be a wrong one."""
    path = place / "known.hashset"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreError, match=r"known\.hashset"):
        lookup.lookup(("0" * 32,), place)


def test_what_cannot_be_reached_is_told(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises((SourceError, UsageError)):
        lookup.lookup((str(tmp_path / "loop"),), tmp_path)
