"""`triage hashset` as a user meets it: every command from end to end, and what a kill leaves of an import."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from images import pictures
from suite import Ran, Triage

from triage.hashsets.compile import Destination, compile_records
from triage.hashsets.library import Library
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.model.finding import SetKind

V2 = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{}/$metadata#Media"
ROW_KEYS = [
    "file", "name", "version", "kind", "date", "published", "origin", "region", "category_map", "phash_distance",
    "counts", "blocks", "frames", "digest", "seal", "size", "problem", "verified",
]  # fmt: skip
MATCH_KEYS = ["query", "set", "set_version", "kind", "match", "distance", "category", "grade", "series", "flags"]


def md5(number: int) -> str:
    return hashlib.md5(b"invented %d" % number).hexdigest()


def vics(path: Path, *media: dict[str, Any], region: str = "Default") -> Path:
    path.write_text(json.dumps({"@odata.context": V2.format(region), "value": media}))
    return path


def one_line(ran: Ran, code: int) -> str:
    assert ran.code == code, ran.err
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("triage: ")
    return ran.err


def done(ran: Ran) -> Ran:
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    return ran


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture(scope="module")
def imported(triage: Triage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Import a notable set of three members; return the folder of the library, beside which the published file lies."""
    folder = tmp_path_factory.mktemp("imported")
    path = vics(
        folder / "national.json",
        {"MD5": md5(1).upper(), "Category": 1, "Series": "one", "VictimIdentified": True},
        {"MD5": md5(2), "Category": "2"},
        {"MD5": md5(3), "Category": None},
        {"MD5": md5(4), "Category": 0},
    )
    words = ("--name", "national", "--set-version", "2026-10", "--published", "2020-01-02")
    ran = done(triage("hashset", "import", path, *words, "--library", folder / "library"))
    assert ran.out == "national 2026-10 (notable): 3 records (3 md5)\n"
    assert "4 rows read, 3 used" in ran.err
    assert "1 skipped: category 0 (non-pertinent) is not notable" in ran.err
    return folder / "library"


@pytest.fixture
def national(imported: Path, library: Path) -> Path:
    """Give a library with that set, and return its file as it was published."""
    shutil.copytree(imported, library)
    return imported.parent / "national.json"


@pytest.mark.usefixtures("national")
def test_what_was_imported_is_listed_shown_verified_and_looked_up(triage: Triage, library: Path) -> None:
    place = ("--library", library)
    (row,) = done(triage("hashset", "list", *place, "--json")).rows
    assert [*row] == ROW_KEYS
    assert (row["name"], row["version"], row["kind"], row["published"], row["seal"], row["verified"]) == (
        "national", "2026-10", "notable", "2020-01-02", "unsealed", True,
    )  # fmt: skip
    assert (row["region"], row["category_map"], row["counts"]["records"]) == ("Default", "project-vic", 3)
    assert row["digest"][:16] in done(triage("hashset", "list", *place)).out
    told = done(triage("hashset", "show", "national", *place, "--json")).json
    assert [*told] == [*ROW_KEYS, "age_days", "labels", "conflicts"]
    assert told["age_days"] > 2000
    assert {label["category"]: (label["name"], label["records"]) for label in told["labels"] if label["records"]} == {
        None: (None, 1),
        "1": ("child abuse material", 1),
        "2": ("child exploitive or age difficult", 1),
    }
    text = done(triage("hashset", "show", "national", *place)).out
    assert "category 1 (child abuse material), series one, victim-identified" in text
    assert "no table" not in text

    (verdict,) = done(triage("hashset", "verify", *place, "--json")).rows
    assert verdict == {**row, "verified": True}
    assert "national 2026-10: verified" in done(triage("hashset", "verify", "national", *place)).out

    hit, missed = done(triage("hashset", "lookup", md5(1), md5(4).upper(), *place, "--json")).rows
    assert [*hit] == MATCH_KEYS
    assert (hit["set"], hit["match"], hit["category"], hit["series"], hit["flags"]) == (
        "national", "md5", "1", "one", ["victim-identified"],
    )  # fmt: skip
    assert missed == {"query": md5(4).upper(), "set": None}
    lines = done(triage("hashset", "lookup", md5(1), md5(4), *place)).out.splitlines()
    assert lines == [
        f"{md5(1)}: in national (notable) by md5, category 1, series one",
        f"{md5(4)}: in no set",
    ]


@pytest.mark.usefixtures("national")
def test_a_set_is_updated_in_whole_and_by_a_delta(triage: Triage, library: Path, tmp_path: Path) -> None:
    place = ("--library", library)
    delta = vics(tmp_path / "delta.json", {"MD5": md5(1), "Category": 0}, {"MD5": md5(9), "Category": 3})
    words = ("hashset", "update", "national", delta)
    assert "--set-version" in one_line(triage(*words, "--set-version", "2026-10", "--delta", *place), 2)
    ran = done(triage(*words, "--set-version", "2026-11", "--delta", *place))
    assert ran.out == "national 2026-11 (notable): 3 records (3 md5)\n"
    assert "took the place of version 2026-10" in ran.err
    queries = [md5(number) for number in (1, 2, 3, 9)]
    assert [row["set"] for row in triage("hashset", "lookup", *queries, *place, "--json").rows] == [
        None, "national", "national", "national",
    ]  # fmt: skip
    ran = done(triage(*words, "--set-version", "2026-12", *place))
    assert ran.out == "national 2026-12 (notable): 1 records (1 md5)\n"
    assert "no such hash set" in one_line(triage("hashset", "update", "x", delta, "--set-version", "2", *place), 2)


def test_a_folder_is_built_into_a_set_of_pictures(triage: Triage, tmp_path: Path, library: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(pictures.jpeg(pictures.scene(11)))
    (folder / "empty").touch()
    place = ("--library", library)
    words = ("hashset", "build", folder, "--name", "station", "--phash-distance", "5", *place)
    ran = done(triage(*words))
    assert ran.out.startswith("station 1 (notable): 1 records (1 md5, 1 sha1, 1 sha256, ")
    assert "1 empty files dropped" in ran.err
    assert "hashes of cropped copies added" in ran.err
    (folder / "b.txt").write_text("words")
    assert "--replace" in one_line(triage(*words), 2)
    (row,) = triage("hashset", "list", *place, "--json").rows
    assert (row["phash_distance"], row["counts"]["records"]) == (5, 1)
    size = (folder / "a.jpg").stat().st_size
    assert row["blocks"] == {"held": size // 4096, "plain": 0, "common": 0, "partial": 1}
    told = f"{size // 4096} held; left out: 0 that say nothing of their file, 0 that are at too many places, 1 ends"
    assert f"blocks of 4 KiB: {told}" in ran.err
    assert f"blocks      {told}" in done(triage("hashset", "show", "station", *place)).out
    done(triage(*words, "--no-blocks", "--replace"))
    assert "no hashes of blocks" in done(triage("hashset", "show", "station", *place)).out
    (same,) = triage("hashset", "lookup", folder / "a.jpg", *place, "--json").rows
    assert (same["match"], same["distance"], same["category"]) == ("sha256", 0, None)


def test_a_set_is_removed(triage: Triage, library: Path, national: Path) -> None:
    place = ("--library", library)
    assert done(triage("hashset", "remove", "national", "--yes", *place)).out == "national removed\n"
    assert "no such hash set" in one_line(triage("hashset", "remove", "national", *place), 2)
    assert list(library.iterdir()) == []
    assert national.exists()


@pytest.mark.usefixtures("national")
def test_a_damaged_set_is_told_by_every_command(triage: Triage, library: Path) -> None:
    path = library / "national.hashset"
    content = bytearray(path.read_bytes())
    content[192] ^= 1
    path.write_bytes(content)
    place = ("--library", library)
    ran = triage("hashset", "verify", *place)
    assert ran.code == 4
    assert "REFUSED" in ran.out
    assert "1 hash set is refused" in ran.err
    assert "not what was sealed" in one_line(triage("hashset", "lookup", md5(1), *place), 4)


def test_meaning_that_no_table_gives_is_said(triage: Triage, tmp_path: Path, library: Path) -> None:
    path = vics(tmp_path / "uk.json", {"MD5": md5(1), "Category": "A"}, {"MD5": md5(2), "Category": "N"}, region="UK")
    place = ("--library", library)
    ran = done(triage("hashset", "import", path, "--name", "uk", *place))
    assert "categories of region UK are kept as their raw codes" in ran.err
    meaning = tmp_path / "uk.toml"
    meaning.write_text('title = "force"\nregions = ["UK"]\n[categories.N]\nname = "none"\nnotable = false\n')
    ran = done(triage("hashset", "import", path, "--name", "mapped", "--categories", meaning, *place))
    assert "1 records" in ran.out
    assert "raw codes" not in ran.err


@pytest.mark.usefixtures("national")
def test_a_conflict_is_told_by_import_and_examine(triage: Triage, tmp_path: Path, library: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "both.txt").write_bytes(b"invented 1")
    software = tmp_path / "software"
    software.write_text(f"{md5(1)}\n{md5(7)}\n")
    place = ("--library", library)
    ran = done(triage("hashset", "import", software, "--name", "nsrl", "--kind", "known", *place))
    told = "1 md5 both in national (notable) and in nsrl (known)"
    assert f"conflict: {told}, such as {md5(1)}: notable wins" in ran.err
    ran = done(triage("examine", source, "--case", tmp_path / "case", *place))
    assert "national 2026-10 is " in ran.err, "the set is old"
    (item,) = [row for row in triage("items", "--case", tmp_path / "case", "--jsonl").rows if row["kind"] == "file"]
    assert item["reason"] == "conflict: notable, yet known software in nsrl"
    (found,) = triage("findings", "--case", tmp_path / "case", "--jsonl").rows
    assert (found["set"], found["category"]) == ("national", "1")


def test_keys_trust_and_seals(triage: Triage, tmp_path: Path, library: Path, national: Path) -> None:
    place = ("--library", library)
    private, public = tmp_path / "force.key", tmp_path / "force.pem"
    secret = {"DIGIVAN_KEY_PASSPHRASE": "open sesame, please"}
    made = done(triage("hashset", "key", private, public, "--passphrase", environment=secret))
    fingerprint = made.out.split()[-1]
    assert f"trusted: force ({fingerprint})" in done(triage("hashset", "trust", public, *place)).out
    assert "carries no seal" in one_line(triage("hashset", "lookup", md5(1), *place), 4)
    again = ("hashset", "import", national, "--name", "more", *place)
    assert "DIGIVAN_KEY_PASSPHRASE" in one_line(triage(*again, "--key", private), 2)
    ran = done(triage("hashset", "seal", "national", "--key", private, *place, environment=secret))
    assert ran.out == f"national: sealed by force ({fingerprint})\n"
    done(triage(*again, environment={**secret, "DIGIVAN_SIGNING_KEY": str(private)}))
    rows = done(triage("hashset", "verify", *place, "--json")).rows
    assert [(row["name"], row["seal"]) for row in rows] == [
        ("more", f"sealed by force ({fingerprint})"),
        ("national", f"sealed by force ({fingerprint})"),
    ]


@pytest.mark.usefixtures("national")
def test_a_library_is_encrypted_unlocked_locked_and_given_other_secrets(
    triage: Triage, tmp_path: Path, library: Path
) -> None:
    place = ("--library", library)
    first = {"DIGIVAN_LIBRARY_PASSPHRASE": "correct horse battery", "XDG_RUNTIME_DIR": ""}
    locked = {"XDG_RUNTIME_DIR": ""}
    assert "DIGIVAN_LIBRARY_PASSPHRASE" in one_line(triage("hashset", "encrypt", *place, environment=locked), 2)
    assert done(triage("hashset", "encrypt", *place, environment=first)).out.startswith("1 hash set encrypted")
    assert "is locked" in one_line(triage("hashset", "list", *place, environment=locked), 4)
    key = tmp_path / "library.key"
    key.write_bytes(os.urandom(32))
    done(triage("hashset", "secret", "add", "--new-key-file", key, *place, environment=first))
    done(triage("hashset", "secret", "keep-only", "--key-file", key, *place, environment=locked))
    try:
        done(triage("hashset", "unlock", "--key-file", key, *place, environment=locked))
        (row,) = done(triage("hashset", "list", *place, "--json", environment=locked)).rows
        assert (row["name"], row["verified"]) == ("national", True)
    finally:
        ran = triage("hashset", "lock", *place, environment=locked)
    assert ran.out == "locked\n"
    assert [path.name for path in library.glob("*.hashset*")] == ["national.hashset.enc"]


def test_every_command_has_help_and_wants_its_words(triage: Triage) -> None:
    shown = triage("hashset", "--help").out
    commands = (
        "build", "import", "update", "list", "show", "verify", "lookup", "remove", "key", "trust", "seal", "encrypt",
        "unlock", "lock", "secret",
    )  # fmt: skip
    for command in commands:
        assert f"  {command} " in shown
    one_line(triage("hashset", "import", "x"), 2)


@pytest.fixture(scope="module")
def long_list(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a list that takes a second or so to import."""
    path = tmp_path_factory.mktemp("long") / "long.md5"
    path.write_text("".join(md5(number) + "\n" for number in range(120_000)) * 6)
    return path


@pytest.fixture
def importing(long_list: Path, library: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start an import in a library that holds a set, and give it when it is in the middle."""
    command = [
        sys.executable,
        "-m",
        "triage",
        "hashset",
        "import",
        str(long_list),
        "--name",
        "set",
        "--set-version",
        "2",
    ]
    command += ["--kind", "known", "--library", str(library)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with started:
        while not list(library.glob(".making-*")):
            assert started.poll() is None
            time.sleep(0.01)
        time.sleep(0.1)
        yield started
        started.kill()


@pytest.fixture
def old(tmp_path: Path, library: Path) -> bytes:
    """Put version 1 of the set into the library, and return its file."""
    meta = SetMeta(name="set", version="1", kind=SetKind.KNOWN, date="2026-01-02")
    made = compile_records([Record(md5=bytes(range(16)))], meta, Destination(library=Library(library)))
    (tmp_path / "short").write_text(md5(1))
    return made.path.read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_import_that_is_stopped_leaves_the_library_as_it_was(
    old: bytes, importing: "subprocess.Popen[str]", library: Path, number: signal.Signals
) -> None:
    importing.send_signal(number)
    out, err = importing.communicate()
    assert (importing.returncode, out) == (5, "")
    assert err == "triage: stopped; the library is as it was\n"
    assert [path.name for path in library.iterdir()] == ["set.hashset"]
    assert (library / "set.hashset").read_bytes() == old


def test_what_a_killed_import_left_goes_with_the_next(
    triage: Triage, old: bytes, importing: "subprocess.Popen[str]", library: Path, tmp_path: Path
) -> None:
    importing.kill()
    importing.wait()
    assert len(list(library.glob(".making-*"))) == 1
    (row,) = done(triage("hashset", "list", "--library", library, "--json")).rows
    assert (row["version"], row["verified"]) == ("1", True)
    assert (library / "set.hashset").read_bytes() == old
    words = ("--name", "other", "--kind", "known", "--library", library)
    done(triage("hashset", "import", tmp_path / "short", *words))
    assert {path.name for path in library.iterdir()} == {"set.hashset", "other.hashset"}
