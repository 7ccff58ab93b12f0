"""Analyzers: what they find, with what certainty, and what they leave to others."""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from images import pictures

from triage.analyzers.analyzer import Facts
from triage.analyzers.order import ANALYZERS, analyze
from triage.content.content import Content
from triage.content.digesting import digest
from triage.content.picture import hash_picture
from triage.hashsets.compile import compile_records
from triage.hashsets.hashset import HashSet
from triage.hashsets.library import Library
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.model.address import Address
from triage.model.digest import PictureHashes
from triage.model.finding import MatchBy, SetKind
from triage.model.item import Item, ItemKind

KNOWN = pictures.scene(1)


def content_of(data: bytes) -> Content:
    file = io.BytesIO(data)

    def read(offset: int, length: int) -> bytes:
        file.seek(offset)
        return file.read(length)

    return Content(read, len(data))


def facts(data: bytes, hashes: PictureHashes | None = None) -> Facts:
    item = Item(
        address=Address("file", "1"), kind=ItemKind.FILE, path="a.jpg", size=len(data), allocated=True, reference="1"
    )
    content = content_of(data)
    return Facts(
        item=item,
        digests=digest(content),
        media_type="image/jpeg",
        pictures=hashes or hash_picture(content, "image/jpeg"),
    )


def library(folder: Path, kind: SetKind) -> Sequence[HashSet]:
    data = pictures.jpeg(KNOWN)
    hashes = hash_picture(content_of(data), "image/jpeg")
    assert hashes.pdq is not None
    record = Record(md5=hashlib.md5(data).digest(), pdq=bytes.fromhex(hashes.pdq), category="1")
    meta = SetMeta(name="synthetic", version="7", kind=kind, date="2026-03-14")
    compile_records([record], meta, Library(folder))
    return Library(folder).open_all()


@pytest.fixture
def notable(tmp_path: Path) -> Sequence[HashSet]:
    return library(tmp_path, SetKind.NOTABLE)


def test_the_same_bytes_are_a_match_and_nothing_more(notable: Sequence[HashSet]) -> None:
    (finding,) = analyze(facts(pictures.jpeg(KNOWN)), notable)
    assert (finding.match.by, finding.match.distance) == (MatchBy.MD5, 0)
    assert (finding.match.set.name, finding.match.set.version, finding.match.category) == ("synthetic", "7", "1")
    assert (finding.analyzer, finding.analyzer_version) == (ANALYZERS[0].name, ANALYZERS[0].version)


@pytest.mark.parametrize(
    "altered",
    [
        pictures.jpeg(KNOWN, 40),
        pictures.jpeg(pictures.resized(KNOWN, 0.5)),
        pictures.jpeg(pictures.mirrored(KNOWN)),
        pictures.jpeg(KNOWN.rotate(90, expand=True)),
    ],
    ids=["re-encoded", "resized", "mirrored", "turned"],
)
def test_an_altered_copy_is_a_candidate_with_its_distance(altered: bytes, notable: Sequence[HashSet]) -> None:
    (finding,) = analyze(facts(altered), notable)
    assert finding.match.by is MatchBy.PDQ
    assert 0 <= finding.match.distance <= 31
    assert finding.confirmed is None


def test_another_picture_is_no_finding(notable: Sequence[HashSet]) -> None:
    assert analyze(facts(pictures.jpeg(pictures.scene(2))), notable) == ()


def test_a_picture_whose_hash_was_declined_is_never_a_candidate(notable: Sequence[HashSet]) -> None:
    altered = pictures.jpeg(KNOWN, 40)
    hashes = hash_picture(content_of(altered), "image/jpeg")
    declined = PictureHashes(pdq=hashes.pdq, quality=hashes.quality, declined="tiny: 40 x 30 pixels")
    assert analyze(facts(altered, declined), notable) == ()


def test_membership_in_a_known_set_is_no_finding(tmp_path: Path) -> None:
    assert analyze(facts(pictures.jpeg(KNOWN)), library(tmp_path, SetKind.KNOWN)) == ()


def test_names_of_analyzers_are_unique() -> None:
    assert len({analyzer.name for analyzer in ANALYZERS}) == len(ANALYZERS)
