"""Analyzers: what they find, with what certainty, and what they leave to others."""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from images import pictures

from triage.analyzers.analyzer import Facts
from triage.analyzers.order import ANALYZERS, analyze
from triage.content.content import Content
from triage.content.digesting import digest
from triage.content.picture import hash_picture
from triage.hashsets.blocks import KnownBlocks
from triage.hashsets.compile import Destination, compile_records
from triage.hashsets.frames import KnownFrames
from triage.hashsets.hashset import HashSet
from triage.hashsets.library import Library
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.model.address import Address
from triage.model.digest import Digests, PictureHashes
from triage.model.finding import MatchBy, SetKind
from triage.model.item import Item, ItemKind
from triage.model.video import VideoFrame, VideoHashes

KNOWN = pictures.scene(1)


def content_of(data: bytes) -> Content:
    file = io.BytesIO(data)

    def read(offset: int, length: int) -> bytes:
        file.seek(offset)
        return file.read(length)

    return Content(read, len(data))


def facts(data: bytes, sets: Sequence[HashSet], hashes: PictureHashes | None = None) -> Facts:
    item = Item(
        address=Address("file", "1"), kind=ItemKind.FILE, path="a.jpg", size=len(data), allocated=True, reference="1"
    )
    content = content_of(data)
    digests = digest(content)
    return Facts(
        item=item,
        digests=digests,
        exact=[hashset.match_digests((digests,))[0] for hashset in sets],
        media_type="image/jpeg",
        pictures=hashes or hash_picture(content, "image/jpeg"),
    )


def library(folder: Path, *kinds: SetKind) -> Sequence[HashSet]:
    data = pictures.jpeg(KNOWN)
    hashes = hash_picture(content_of(data), "image/jpeg")
    assert hashes.pdq is not None
    record = Record(md5=hashlib.md5(data).digest(), pdq=bytes.fromhex(hashes.pdq), category="1")
    for number, kind in enumerate(kinds):
        meta = SetMeta(name=f"synthetic {number}", version="7", kind=kind, date="2026-03-14")
        compile_records([record], meta, Destination(library=Library(folder)))
    return Library(folder).open_all()


@pytest.fixture
def notable(tmp_path: Path) -> Sequence[HashSet]:
    return library(tmp_path, SetKind.NOTABLE)


def test_the_same_bytes_are_a_match_and_nothing_more(notable: Sequence[HashSet]) -> None:
    (finding,) = analyze(facts(pictures.jpeg(KNOWN), notable), notable)
    assert (finding.match.by, finding.match.distance) == (MatchBy.MD5, 0)
    assert (finding.match.set.name, finding.match.set.version, finding.match.category) == ("synthetic 0", "7", "1")
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
    (finding,) = analyze(facts(altered, notable), notable)
    assert finding.match.by is MatchBy.PDQ
    assert 0 <= finding.match.distance <= 31
    assert finding.confirmed is None


def test_another_picture_is_no_finding(notable: Sequence[HashSet]) -> None:
    assert analyze(facts(pictures.jpeg(pictures.scene(2)), notable), notable) == ()


def test_a_picture_whose_hash_was_declined_is_never_a_candidate(notable: Sequence[HashSet]) -> None:
    altered = pictures.jpeg(KNOWN, 40)
    hashes = hash_picture(content_of(altered), "image/jpeg")
    declined = PictureHashes(pdq=hashes.pdq, quality=hashes.quality, declined="tiny: 40 x 30 pixels")
    assert analyze(facts(altered, notable, declined), notable) == ()


def test_membership_in_a_known_set_is_no_finding(tmp_path: Path) -> None:
    sets = library(tmp_path, SetKind.KNOWN)
    for data in (pictures.jpeg(KNOWN), pictures.jpeg(KNOWN, 40)):
        assert analyze(facts(data, sets), sets) == ()


def test_every_notable_set_makes_its_own_finding_beside_a_known_one(tmp_path: Path) -> None:
    sets = library(tmp_path, SetKind.NOTABLE, SetKind.KNOWN, SetKind.NOTABLE)
    for data, by in ((pictures.jpeg(KNOWN), MatchBy.MD5), (pictures.jpeg(KNOWN, 40), MatchBy.PDQ)):
        found = analyze(facts(data, sets), sets)
        assert [(finding.match.set.name, finding.match.by) for finding in found] == [
            ("synthetic 0", by),
            ("synthetic 2", by),
        ]


def test_a_set_without_the_content_tells_what_resembles_it(tmp_path: Path) -> None:
    """One set holds the very bytes, another only a picture that looks the same: each says what it knows."""
    exact = library(tmp_path / "exact", SetKind.NOTABLE)
    altered = pictures.jpeg(KNOWN, 40)
    record = Record(md5=hashlib.md5(altered).digest(), category="2")
    meta = SetMeta(name="other", version="1", kind=SetKind.NOTABLE, date="2026-03-14")
    compile_records([record], meta, Destination(library=Library(tmp_path / "other")))
    sets = [*exact, *Library(tmp_path / "other").open_all()]
    found = analyze(facts(altered, sets), sets)
    assert {(finding.match.set.name, finding.match.by) for finding in found} == {
        ("synthetic 0", MatchBy.PDQ),
        ("other", MatchBy.MD5),
    }


def test_names_of_analyzers_are_unique() -> None:
    assert len({analyzer.name for analyzer in ANALYZERS}) == len(ANALYZERS)


def test_the_nearest_candidate_is_by_pdq_before_any_phash(tmp_path: Path) -> None:
    """Many pictures share a hash of 64 bits: one of 256 bits tells more, at whatever distance."""
    altered = pictures.jpeg(KNOWN, 40)
    hashes = hash_picture(content_of(altered), "image/jpeg")
    assert hashes.pdq is not None
    assert hashes.phash is not None
    far = (int(hashes.pdq, 16) ^ (1 << 20) - 1).to_bytes(32)
    records = [Record(pdq=far, category="by pdq"), Record(phash=bytes.fromhex(hashes.phash), category="by phash")]
    meta = SetMeta(name="both", version="1", kind=SetKind.NOTABLE, date="2026-03-14")
    compile_records(records, meta, Destination(library=Library(tmp_path)))
    sets = Library(tmp_path).open_all()
    (finding,) = analyze(facts(altered, sets), sets)
    assert (finding.match.by, finding.match.distance, finding.match.category) == (MatchBy.PDQ, 20, "by pdq")
    assert [match.by for match in sets[0].match_pictures(hashes)] == [MatchBy.PDQ, MatchBy.PHASH]


def test_a_video_is_a_candidate_of_each_set_that_has_its_frames_and_not_its_bytes(tmp_path: Path) -> None:
    frames = np.random.default_rng(1).integers(0, 256, (6, 32), np.uint8)
    digest_of = bytes([1]) * 32
    parts: list[Record | KnownBlocks | KnownFrames] = [
        KnownFrames(digest_of, frames, 500 * np.arange(6)),
        Record(sha256=digest_of, size=9, category="1"),
    ]
    sets = []
    for name, kind in (("one", SetKind.NOTABLE), ("two", SetKind.NOTABLE), ("software", SetKind.KNOWN)):
        meta = SetMeta(name=name, version="1", kind=kind, date="2026-03-14")
        sets.append(HashSet.open(compile_records(parts, meta, Destination(library=Library(tmp_path))).path))
    hashes = tuple(raw.tobytes().hex() for raw in frames)
    video = VideoHashes(
        frames=tuple(VideoFrame(pdq=text, quality=100, milliseconds=0, variants=(text,)) for text in hashes),
        looked_at=6,
    )
    seen = facts(b"a video", sets)._replace(pictures=None, video=video)
    found = analyze(seen, sets)
    assert [(finding.analyzer, finding.match.set.name, finding.match.by) for finding in found] == [
        ("video-match", "one", MatchBy.PDQ),
        ("video-match", "two", MatchBy.PDQ),
    ]
    the_same = sets[0].match_digests((Digests(sha256=digest_of.hex()),))[0]
    found = analyze(seen._replace(exact=[the_same, seen.exact[1], seen.exact[2]]), sets)
    assert [(finding.analyzer, finding.match.set.name) for finding in found] == [
        ("exact-match", "one"),
        ("video-match", "two"),
    ]
