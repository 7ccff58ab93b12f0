from collections.abc import Callable
from pathlib import Path

import pytest

from triage.hashsets.compile import compile_records
from triage.hashsets.library import Library
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetHeader, SetMeta
from triage.model.errors import StoreError, UsageError
from triage.model.finding import SetKind

Member = Callable[[int], Record]


def meta(name: str, version: str = "1") -> SetMeta:
    return SetMeta(name=name, version=version, kind=SetKind.NOTABLE, date="2026-01-02")


def test_a_library_that_is_not_there_is_empty(tmp_path: Path) -> None:
    library = Library(tmp_path / "none" / "yet")
    assert library.sets() == ()
    assert library.open_all() == ()
    assert not library.folder.exists()


def test_sets_come_in_the_order_of_their_file_names(library: Library, member: Member) -> None:
    for name in ["zeta", "Alpha", "m 2", "日本"]:
        compile_records([member(1)], meta(name), library)
    names = [listing.header.meta.name for listing in library.sets() if listing.header]
    assert names == ["Alpha", "m 2", "zeta", "日本"]
    assert [opened.identity.name for opened in library.open_all()] == names


@pytest.mark.parametrize("name", ["../../etc/x", "a/b", ".", "..", ".hidden", "a\\b", "a:b%2F", "x.hashset", "'; --"])
def test_a_name_never_leaves_the_folder(library: Library, member: Member, name: str) -> None:
    path = compile_records([member(1)], meta(name), library).path
    assert path.parent == library.folder
    assert path == library.path_of(name)
    assert [listing.header.meta.name for listing in library.sets() if listing.header] == [name]


def test_different_names_lie_in_different_files(library: Library) -> None:
    names = ["a/b", "a%2Fb", "a.b", "a%2Eb", "a b", "a_b", "A b"]
    assert len({library.path_of(name) for name in names}) == len(names)


def test_one_name_in_two_unicode_spellings_is_one_set(library: Library) -> None:
    assert library.path_of("Zo\u00eb") == library.path_of("Zoe\u0308")


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "a\0b", "a\u2028b", "\udcff", "x" * 201, "ß" * 101])
def test_what_is_no_name_is_wrong_usage(library: Library, name: str) -> None:
    with pytest.raises(UsageError):
        library.path_of(name)


def test_a_newer_version_takes_the_place_and_names_the_older(library: Library, member: Member) -> None:
    old = compile_records([member(1)], meta("set", "1"), library)
    still_open = library.open_all()[0]
    new = compile_records([member(2)], meta("set", "2"), library)
    assert old.replaced is None
    assert new.replaced == old.header.identity
    assert [opened.identity.version for opened in library.open_all()] == ["2"]
    assert still_open.exact.columns, "a run keeps the version it opened"
    assert still_open.counts["records"] == 1


def test_an_unreadable_set_is_listed_and_stops_a_run(library: Library, member: Member) -> None:
    compile_records([member(1)], meta("good"), library)
    library.path_of("bad").write_bytes(b"not a set")
    bad, good = library.sets()
    assert bad.header is None
    assert bad.problem is not None
    assert "not a sealed hash set" in bad.problem
    assert good.header is not None
    with pytest.raises(StoreError, match="bad"):
        library.open_all()


def test_other_files_in_the_folder_are_no_sets(library: Library, member: Member) -> None:
    compile_records([member(1)], meta("good"), library)
    (library.folder / ".import-abc.partial").write_bytes(b"left by a kill")
    (library.folder / "notes.txt").write_text("x")
    assert len(library.sets()) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device"), RuntimeError])
def test_nothing_is_left_behind_and_the_old_set_stays(library: Library, member: Member, error: BaseException) -> None:
    kept = compile_records([member(1)], meta("set"), library)

    def fail(file: object) -> SetHeader:
        assert file is not None
        raise error

    with pytest.raises((KeyboardInterrupt, StoreError, RuntimeError)):
        library.add("set", fail)
    assert list(library.folder.iterdir()) == [kept.path]
    assert library.open_all()[0].identity == kept.header.identity


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path, member: Member) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot write the hash-set library") as caught:
        compile_records([member(1)], meta("set"), Library(tmp_path / "file" / "library"))
    assert "\n" not in str(caught.value)


def test_a_library_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot list the hash-set library"):
        Library(tmp_path / "file").sets()


def test_a_new_set_is_for_its_owner_alone(library: Library, member: Member) -> None:
    path = compile_records([member(1)], meta("set"), library).path
    assert path.stat().st_mode & 0o777 == 0o600
