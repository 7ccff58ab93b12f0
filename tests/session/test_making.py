"""Sets made of files at hand and of published ones; a set never lacks a member in silence."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from images import pictures
from PIL import Image
from suite import absent

from triage.content.blocks import block_digests
from triage.hashsets.blocks import BlockCounts
from triage.hashsets.compile import ImportSummary
from triage.hashsets.hashset import HashSet
from triage.hashsets.importing import ImportOrder
from triage.hashsets.sealed import SetMeta
from triage.model.errors import SourceError, UsageError
from triage.model.finding import MatchBy, SetKind
from triage.session import library, lookup, making

NOBODY = 65534


def built(
    folder: Path, place: Path, *, kind: SetKind = SetKind.NOTABLE, seen: list[object] | None = None
) -> ImportSummary:
    meta = SetMeta(name="mine", version="1", kind=kind, date="2026-01-02")
    told = [] if seen is None else seen
    return making.build(folder, meta, making.destination(place), progress=lambda *at: told.append(at))


def test_a_folder_becomes_a_set_that_knows_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    picture = folder / "below" / "a.jpg"
    picture.write_bytes(pictures.jpeg(pictures.scene(3)))
    (folder / "text.txt").write_text("words")
    (folder / "empty").touch()
    seen: list[object] = []
    summary = built(folder, tmp_path, seen=seen)
    counts = summary.header.counts
    assert (counts["records"], counts["md5"], summary.empty_files) == (2, 2, 1)
    assert counts["pdq"] == 1 + counts["variants"]
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert ("reading", size, size) in seen
    (tmp_path / "link").symlink_to(picture)
    found = lookup.lookup((str(picture), str(tmp_path / "link"), summary.header.digest[:32]), tmp_path)
    assert [[match.by for match in answer.matches] for answer in found] == [[MatchBy.SHA256], [MatchBy.SHA256], []]


def test_a_crop_of_a_built_picture_is_found(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    picture = pictures.scene(4)
    (tmp_path / "files" / "a.png").write_bytes(pictures.png(picture))
    made = built(tmp_path / "files", tmp_path / "library")
    assert made.header.counts["variants"] > 0
    width, height = picture.size
    crop = tmp_path / "crop.jpg"
    crop.write_bytes(pictures.jpeg(picture.crop((0, 0, width, round(0.9 * height)))))
    (answer,) = lookup.lookup((str(crop),), tmp_path / "library")
    assert MatchBy.PDQ in {match.by for match in answer.matches}


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("words")
    for path in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(SourceError, match="is not a folder"):
            built(path, tmp_path / "library")
    assert not (tmp_path / "library").exists()


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """Take away the rights of root, who can read everything, and give a folder in which nobody may work."""
    if os.geteuid() != 0:
        absent("the right to become another user")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        (Path(folder) / "files" / "closed").mkdir(parents=True)
        (Path(folder) / "files" / "open.txt").write_text("words")
        (Path(folder) / "files" / "closed").chmod(0)
        os.seteuid(NOBODY)
        yield Path(folder)
        os.seteuid(0)


def test_a_folder_that_cannot_be_listed_stops_the_building(as_nobody: Path) -> None:
    with pytest.raises(SourceError, match="closed"):
        built(as_nobody / "files", as_nobody / "library")
    assert library.listing(as_nobody / "library") == ()


def test_a_built_set_has_no_categories(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a").write_text("words")
    made = built(tmp_path / "files", tmp_path / "library", kind=SetKind.KNOWN)
    assert made.header.meta.category_map == "absent"
    assert (made.header.counts["records"], made.header.identity.kind) == (1, SetKind.KNOWN)


def test_a_published_set_is_imported_and_updated(tmp_path: Path) -> None:
    published = tmp_path / "list.md5"
    place = making.destination(tmp_path / "library")
    for number, delta in enumerate((None, False, True), start=1):
        published.write_text(f"{number:032x}  name\n")
        date, origin = making.made_now([published])
        order = ImportOrder(name="set", version=str(number), date=date, origin=origin, kind=SetKind.NOTABLE)
        if delta is None:
            making.import_published([published], order, place, progress=lambda *_: None)
        else:
            making.update([published], order, place, delta=delta, progress=lambda *_: None)
    (entry,) = library.listing(tmp_path / "library")
    assert entry.header is not None
    assert (entry.header.meta.version, entry.header.meta.origin) == ("3", "list.md5")
    hashes = tuple(f"{number:032x}" for number in (1, 2, 3))
    assert [len(answer.matches) for answer in lookup.lookup(hashes, tmp_path / "library")] == [0, 1, 1]
    order = ImportOrder(name="other", version="1", date="2026-01-02")
    with pytest.raises(UsageError, match="no such hash set"):
        making.update([published], order, place, delta=False, progress=lambda *_: None)


def test_what_cannot_be_compared_by_appearance_is_a_member_by_its_digests(tmp_path: Path) -> None:
    """The hash of a flat or nearly empty picture resembles that of every other one."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "cut.png").write_bytes(pictures.png(pictures.scene(3))[:60])
    (folder / "flat.png").write_bytes(pictures.png(Image.new("RGB", (320, 240), (10, 20, 30))))
    gradient = Image.linear_gradient("L").resize((640, 480)).point(lambda value: value // 16)
    (folder / "low.png").write_bytes(pictures.png(gradient.convert("RGB")))
    made = built(folder, tmp_path / "library")
    assert {name: made.header.counts[name] for name in ("records", "md5", "pdq", "phash", "variants")} == {
        "records": 3, "md5": 3, "pdq": 0, "phash": 0, "variants": 0,
    }  # fmt: skip
    answers = lookup.lookup(tuple(str(path) for path in sorted(folder.iterdir())), tmp_path / "library")
    assert [match.by for answer in answers for match in answer.matches] == [MatchBy.SHA256] * 3
    causes = ["", "flat: ", "low quality: "]
    for answer, cause in zip(answers, causes, strict=True):
        assert answer.note is not None
        assert answer.note.startswith(f"not compared by appearance: {cause}")


def test_the_blocks_of_files_are_found_whatever_lies_around_them(tmp_path: Path) -> None:
    """A content larger than is kept in memory and read in pieces, one with blocks that say nothing, and a small one."""
    folder = tmp_path / "files"
    folder.mkdir()
    noise = np.random.default_rng(11).integers(0, 256, (2500, 4096), np.uint8)
    noise[7] = noise[8] = 0
    (folder / "large").write_bytes(noise.tobytes() + b"the rest")
    (folder / "again").write_bytes(noise.tobytes() + b"the rest")
    (folder / "small").write_bytes(b"words")
    made = built(folder, tmp_path / "library")
    assert made.header.blocks == BlockCounts(held=2498, plain=2, common=0, partial=2)
    hits = HashSet.open(made.path).match_blocks(block_digests(noise))
    assert hits.queries.tolist() == hits.indexes.tolist() == [number for number in range(2500) if number not in {7, 8}]
    assert len(set(hits.records.tolist())) == 1


def test_a_set_without_blocks_is_made_on_demand(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a").write_bytes(bytes(range(256)) * 64)
    meta = SetMeta(name="mine", version="1", kind=SetKind.NOTABLE, date="2026-01-02")
    place = making.destination(tmp_path / "library")
    made = making.build(tmp_path / "files", meta, place, progress=lambda *_: None, blocks=False)
    assert made.header.blocks is None
