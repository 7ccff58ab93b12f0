"""The self-test passes here, and each of its checks fails where what it tries is broken."""

import hashlib
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import imagehash
import make_known_answers as making
import pytest
from PIL import Image

from triage.content import lanes, mediatype
from triage.engine.selftest import contents
from triage.engine.selftest import known_answers as known
from triage.engine.selftest.checks import CHECKS, self_test
from triage.hashsets import hashset
from triage.hashsets.hashset import Held
from triage.items.evidence import Evidence
from triage.model.digest import Digests
from triage.model.selftest import Check, SelfTest

Break = Callable[[pytest.MonkeyPatch, Path], None]


@pytest.fixture(autouse=True)
def trusted_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken kernel costs the process its lanes: not beyond a test of this file."""
    monkeypatch.setattr(lanes, "_distrusted", Event())


def failed(result: SelfTest) -> dict[str, str]:
    return {check.name: check.text for check in result.checks if not check.passed}


def spoilt(name: str, at: int, *, unpacked: bool = False) -> Break:
    """Flip a bit of a file of the self-test."""

    def spoil(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        for file in known.FOLDER.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        content = bytearray((folder / name).read_bytes())
        if unpacked:
            content = bytearray(zlib.decompress(content))
        content[at] ^= 0x10
        (folder / name).write_bytes(zlib.compress(content) if unpacked else content)
        monkeypatch.setattr(known, "FOLDER", folder)

    return spoil


def missing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(known, "FOLDER", folder / "nowhere")


def replaced(place: object, name: str, made: object) -> Break:
    return lambda monkeypatch, _folder: monkeypatch.setattr(place, name, made)


def blind(_content: object, _wanted: object = None) -> Digests:
    """Digest everything to the same."""
    return known.MESSAGES[1].digests


def wrong_kernel(monkeypatch: pytest.MonkeyPatch, _folder: Path) -> None:
    monkeypatch.setattr(lanes, "_texts", lambda words, _stored: ["0" * 8 * words.shape[1]] * len(words))


def raising(*_words: object, **_more: object) -> Any:
    raise RuntimeError("broken\nhere")


BROKEN: list[tuple[str, Break, str]] = [
    ("digests", replaced(contents, "digest", blind), "0 bytes: Digests(md5='900150"),
    ("digests", replaced(contents, "digest", raising), "RuntimeError: broken here"),
    ("digests in lanes", wrong_kernel, "the lanes of this machine make wrong digests"),
    ("digests in lanes", replaced(contents, "digest_many", raising), "RuntimeError: broken here"),
    ("media types", replaced(mediatype, "_asked", lambda _head: mediatype.UNKNOWN), "application/octet-stream, not"),
    ("media types", replaced(contents, "media_type", lambda _head: "image/jpeg"), "image/jpeg, not image/png"),
    ("picture hashes", spoilt("picture.jpg", 4000), "PDQ: "),
    ("picture hashes", replaced(contents, "estimate_picture", lambda *_: None), "not decoded at a reduced scale"),
    ("archive members", spoilt("archive.zip", 60), "an obstacle: "),
    ("archive members", replaced(contents, "members", lambda *_, **__: iter(())), "members: {}, not"),
    ("file system", spoilt("disk.zlib", 7680, unpacked=True), "files by their runs: "),
    ("file system", spoilt("disk.zlib", 4096 + 17, unpacked=True), ""),
    ("file system", spoilt("disk.zlib", 510, unpacked=True), "regions: "),
    ("file system", replaced(Evidence, "walk", lambda *_: iter(())), "files by their runs: {}, not"),
    ("exact comparison", spoilt("known.set", 200), "StoreError: "),
    (
        "exact comparison",
        replaced(hashset.HashSet, "match_digests", lambda _, asked: [Held((), None)] * len(asked)),
        "a member by its md5: [], not",
    ),
    ("comparison by appearance", replaced(hashset, "PDQ_RADIUS", 30), "pdq 31 bits away: [], not [31]"),
    ("comparison by appearance", replaced(hashset, "PDQ_RADIUS", 32), "pdq 32 bits away: [32], not []"),
]


def test_everything_is_as_known() -> None:
    result = self_test()
    assert result.passed, result.text
    assert [check.name for check in result.checks] == list(CHECKS)
    assert result.text == f"self-test passed: {', '.join(CHECKS)}"
    assert {check.text for check in result.checks} == {"as known"}


@pytest.mark.parametrize(("name", "break_it", "said"), BROKEN)
def test_a_check_fails_where_its_ability_is_broken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, break_it: Break, said: str
) -> None:
    break_it(monkeypatch, tmp_path)
    result = self_test()
    assert not result.passed
    assert said in failed(result)[name]
    assert f"{name}: {failed(result)[name]}" in result.text
    assert "\n" not in result.text


def test_every_check_is_broken_once() -> None:
    assert {name for name, _, _ in BROKEN} == set(CHECKS)


def test_a_confined_process_can_carry_it_out_and_leaves_nothing_behind(tmp_path: Path) -> None:
    script = (
        "from triage.engine.workers import preloaded_pictures, preloaded; from triage.engine.selftest import checks\n"
        "from triage.engine.workers.confinement import confine\n"
        "confine([])\n"
        "print(checks.self_test().text)\n"
    )
    command = [sys.executable, "-c", script]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == f"self-test passed: {', '.join(CHECKS)}\n"
    assert not list(tmp_path.iterdir())


def test_nothing_checked_is_not_passed() -> None:
    nothing = SelfTest(checks=())
    assert not nothing.passed
    assert nothing.text == "self-test failed: nothing was checked"


def test_the_text_of_a_failure_names_what_failed_alone() -> None:
    checks = (Check(name="one", passed=True, text="as known"), Check(name="two", passed=False, text="no lanes"))
    assert SelfTest(checks=checks).text == "self-test failed in 1 of 2 checks: two: no lanes"


def test_the_packaged_files_are_those_that_the_script_makes(tmp_path: Path) -> None:
    picture = known.read("picture.jpg")
    assert zlib.decompress(known.read("disk.zlib")) == making.disk()
    assert known.read("archive.zip") == making.archive()
    making.write_set(tmp_path / "known.set", picture)
    assert known.read("known.set") == (tmp_path / "known.set").read_bytes()
    assert sum(file.stat().st_size for file in known.FOLDER.iterdir()) < 16 << 10


def test_the_known_answers_are_those_of_other_software() -> None:
    picture = known.path("picture.jpg")
    with Image.open(picture) as image:
        assert str(imagehash.phash(image)) == known.PHASH
    for name, value in (("md5", known.PICTURE.md5), ("sha1", known.PICTURE.sha1), ("sha256", known.PICTURE.sha256)):
        assert hashlib.new(name, picture.read_bytes()).hexdigest() == value
    texts = {"BREAD.TXT": ("bread", 70), "GARDEN/APPLES.TXT": ("apples", 10), "_LDTEA.TXT": ("tea", 45)}
    for path, (word, count) in texts.items():
        assert known.FILES[path].sha256 == hashlib.sha256(making.lines(word, count)).hexdigest()
    for name, value in known.MEMBERS.items():
        assert value == hashlib.sha256(making.lines(name, 20)).hexdigest()
