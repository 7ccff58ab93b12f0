"""Hash sets as a person makes and asks them; a set never lacks a member in silence."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from images import pictures
from suite import absent

from triage.model.errors import SourceError, UsageError
from triage.model.finding import MatchBy, SetKind
from triage.session import hashsets

NOBODY = 65534


def test_a_folder_becomes_a_set_that_knows_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "a.jpg").write_bytes(pictures.jpeg(pictures.scene(3)))
    (folder / "text.txt").write_text("words")
    (folder / "empty").touch()
    seen: list[tuple[int, int]] = []
    summary = hashsets.build(
        folder, name="mine", version="1", kind=SetKind.NOTABLE, library=tmp_path, progress=lambda *at: seen.append(at)
    )
    assert (summary.header.counts["records"], summary.header.counts["pdq"], summary.empty_files) == (2, 1, 1)
    assert seen[-1][0] == seen[-1][1]
    (tmp_path / "link").symlink_to(folder / "below" / "a.jpg")
    for named in (folder / "below" / "a.jpg", tmp_path / "link"):
        (match,) = hashsets.lookup(str(named), tmp_path)
        assert match.by is MatchBy.SHA256
    assert hashsets.lookup(summary.header.digest[:32], tmp_path) == ()


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not a folder"):
        hashsets.build(tmp_path / "none", name="a", version="1", kind=SetKind.NOTABLE, library=tmp_path)


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
    library = as_nobody / "library"
    with pytest.raises(SourceError, match="closed"):
        hashsets.build(as_nobody / "files", name="a", version="1", kind=SetKind.NOTABLE, library=library)
    assert hashsets.listing(library) == ()


@pytest.mark.parametrize("text", ["", "xyz", "123", "0" * 33])
def test_what_is_no_hash_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        hashsets.lookup(text, tmp_path)


def test_a_built_set_has_no_categories(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a").write_text("words")
    made = hashsets.build(tmp_path / "files", name="a", version="1", kind=SetKind.KNOWN, library=tmp_path / "library")
    assert made.header.meta.category_map == "absent"
    assert [entry.verified for entry in hashsets.listing(tmp_path / "library")] == [True]
    assert hashsets.nothing_to_find(tmp_path / "library") is not None
    assert hashsets.missing(tmp_path / "library") is None
    assert hashsets.missing(tmp_path / "none") == tmp_path / "none"
