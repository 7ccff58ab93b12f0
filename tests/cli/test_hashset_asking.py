"""`triage hashset` where people hesitate, files have odd names, and days cannot be."""

import fcntl
import json
import os
import pty
import subprocess
import sys
import termios
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from images import pictures
from PIL import Image
from suite import Ran, Triage

from triage.hashsets.library import Library

V2 = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/Default/$metadata#Media"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "library"


def vics(path: Path, *codes: int) -> Path:
    media = [{"MD5": f"{number:032x}", "Category": code} for number, code in enumerate(codes, start=1)]
    path.write_text(json.dumps({"@odata.context": V2, "value": media}))
    return path


def done(ran: Ran) -> Ran:
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    return ran


def on_a_terminal(answer: bytes, *words: object) -> Ran:
    """Run a command that asks on a terminal of its own, and answer once it has asked."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", *map(str, words)],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - Ctrl-C needs a controlling terminal
    )
    os.close(theirs)
    with process:
        assert process.stderr
        asked = b""
        while not asked.rstrip().endswith(b":"):
            more = process.stderr.read1(64)  # type: ignore[attr-defined] # it is buffered
            assert more, asked
            asked += more
        os.write(ours, answer)
        out, err = process.communicate(timeout=30)
    os.close(ours)
    return Ran(process.returncode, out.decode(), err.decode())


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"\x03"], ids=["no", "nothing", "Ctrl-C"])
def test_who_does_not_agree_removes_nothing(triage: Triage, library: Path, tmp_path: Path, answer: bytes) -> None:
    done(triage("hashset", "import", vics(tmp_path / "a.json", 1), "--name", "set", "--library", library))
    ran = on_a_terminal(answer, "hashset", "remove", "set", "--library", library)
    assert ran.code == 5, ran.err
    assert [line for line in ran.err.splitlines() if line.strip()] == [ran.err.strip()]
    assert ran.err.strip().startswith("triage: stopped")
    assert ran.out.strip() == ""
    assert (library / "set.hashset").exists()


def test_who_agrees_removes_the_set(triage: Triage, library: Path, tmp_path: Path) -> None:
    done(triage("hashset", "import", vics(tmp_path / "a.json", 1), "--name", "set", "--library", library))
    ran = on_a_terminal(b"y\n", "hashset", "remove", "set", "--library", library)
    assert (ran.code, ran.out.strip()) == (0, "set removed")
    assert not (library / "set.hashset").exists()


def test_files_whose_names_are_not_utf8_are_compiled(triage: Triage, library: Path, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    path = vics(folder / os.fsdecode(b"\xff.json"), 1, 0)
    ran = done(triage("hashset", "import", path, "--name", "imported", "--library", library))
    assert "2 rows read, 1 used" in ran.err
    done(triage("hashset", "update", "imported", path, "--set-version", "2", "--library", library))
    ran = done(triage("hashset", "build", folder, "--name", "built", "--library", library))
    assert ran.out.startswith("built 1 (notable): 1 records")
    for row in done(triage("hashset", "list", "--library", library, "--json")).rows:
        assert row["problem"] is None
        assert row["origin"].isprintable()


def test_a_set_cannot_be_of_a_day_to_come(triage: Triage, library: Path, tmp_path: Path) -> None:
    path = vics(tmp_path / "a.json", 1)
    late = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    for day, why in ((late, "is not yet"), ("2026-13-01", "is no date"), ("yesterday", "is no date")):
        ran = triage("hashset", "import", path, "--name", "set", "--published", day, "--library", library)
        assert (ran.code, ran.err.count("\n")) == (2, 1), ran.err
        assert why in ran.err
    assert not library.exists()


def test_what_is_not_compared_by_appearance_is_said(triage: Triage, library: Path, tmp_path: Path) -> None:
    done(triage("hashset", "import", vics(tmp_path / "a.json", 1), "--name", "set", "--library", library))
    flat, scene = tmp_path / "flat.png", tmp_path / "scene.png"
    flat.write_bytes(pictures.png(Image.new("RGB", (320, 240), (10, 20, 30))))
    scene.write_bytes(pictures.png(pictures.scene(3)))
    ran = done(triage("hashset", "lookup", flat, scene, "--library", library))
    (line,) = ran.err.splitlines()
    assert "not compared by appearance: flat" in line
    assert str(flat) in line
    assert ran.out.splitlines() == [f"{path}: in no set" for path in (flat, scene)]


def test_an_update_says_how_many_there_were_and_are(triage: Triage, library: Path, tmp_path: Path) -> None:
    done(triage("hashset", "import", vics(tmp_path / "a.json", 1, 2, 1), "--name", "set", "--library", library))
    delta = vics(tmp_path / "b.json", 2, 0)
    ran = done(triage("hashset", "update", "set", delta, "--delta", "--set-version", "2", "--library", library))
    assert ran.out == "set 2 (notable): 2 records (2 md5)\n"
    assert "took the place of version 1, which had 3 records" in ran.err
    assert "1 changed and 1 removed; 0 removals met no member" in ran.err


def test_an_old_set_is_warned_of_before_an_examination(triage: Triage, library: Path, tmp_path: Path) -> None:
    words = ("--name", "set", "--published", "2020-01-02", "--library", library)
    done(triage("hashset", "import", vics(tmp_path / "a.json", 1), *words))
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "file").write_text("words")
    ran = done(triage(
        "examine", tmp_path / "source", "--case", tmp_path / "case", "--exhibit", "A/1", "--library", library
    ))  # fmt: skip
    assert "hash set set 1 is" in ran.err
    assert "days old: what became known since is not found; update it" in ran.err
    assert Library(library).open("set").header.meta.published == "2020-01-02"
