"""Encrypted volumes opened with what the examiner gives; what is given is found nowhere afterwards."""

import subprocess
from pathlib import Path

import pytest
from suite import Tool, Triage

TOKEN = "invented-token-7391"
TEXT = b"a file inside an encrypted volume"


@pytest.fixture(scope="module")
def locked(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LUKS2 volume with a FAT of one file in it."""
    folder = tmp_path_factory.mktemp("unlock")
    image, inner, key = folder / "luks2.img", folder / "inside.txt", folder / "key"
    image.write_bytes(bytes(24 << 20))
    inner.write_bytes(TEXT)
    key.write_text(TOKEN)
    _run(tool("mkfs.vfat"), "-n", "INSIDE", image)
    _run(tool("mcopy"), "-i", image, inner, "::inside.txt")
    cheap = ("--pbkdf", "argon2id", "--pbkdf-force-iterations", "4", "--pbkdf-memory", "64", "--pbkdf-parallel", "2")
    way = ("reencrypt", "-q", "--encrypt", "--type", "luks2", "--reduce-device-size", "8M", "--force-offline-reencrypt")
    _run(tool("cryptsetup"), *way, *cheap, "--key-file", key, image)
    return image


def _run(*words: object) -> None:
    subprocess.run([*map(str, words)], check=True, capture_output=True)


def test_a_password_from_a_file_opens_the_volume_and_is_written_nowhere(
    triage: Triage, locked: Path, tmp_path: Path
) -> None:
    (tmp_path / "passwords").write_text(f"another\n{TOKEN}\n")
    case = tmp_path / "case"
    ran = triage("examine", locked, "--case", case, "--unlock-file", tmp_path / "passwords", "--json", "--jobs", "2")
    assert ran.code == 0, ran.err
    (volume,) = [volume for volume in ran.json["volumes"] if volume["file_system"]]
    assert volume["file_system"].startswith("fat")
    assert sum(ran.json["coverage"].values()) == ran.json["size"]
    items = triage("items", "--case", case, "--jsonl").rows
    (inside,) = [item for item in items if item["path"] == "inside.txt"]
    assert inside["outcome"] == "examined"
    assert inside["size"] == len(TEXT)
    written = b"".join(file.read_bytes() for file in case.rglob("*") if file.is_file())
    assert TOKEN.encode() not in written + ran.out.encode() + ran.err.encode()
    assert b"passphrase" in written


def test_a_key_file_opens_it_as_well(triage: Triage, locked: Path, tmp_path: Path) -> None:
    ran = triage("examine", locked, "--case", tmp_path / "case", "--unlock-key", locked.with_name("key"), "--json")
    assert ran.code == 0, ran.err
    assert any(volume["file_system"] for volume in ran.json["volumes"])


@pytest.mark.parametrize("given", [False, True])
def test_without_the_right_password_it_stays_encrypted(
    triage: Triage, locked: Path, tmp_path: Path, *, given: bool
) -> None:
    (tmp_path / "passwords").write_text("another token\n")
    words = ("--unlock-file", tmp_path / "passwords") if given else ()
    ran = triage("examine", locked, "--case", tmp_path / "case", "--json", *words)
    assert ran.code == 0, ran.err
    assert ran.json["recommendation"]["verdict"] == "not-determined"
    assert "encrypted" in {reason["code"] for reason in ran.json["recommendation"]["reasons"]}
    assert any("does not open" in volume["text"] for volume in ran.json["volumes"]) is given


def test_other_passwords_are_another_examination(triage: Triage, locked: Path, tmp_path: Path) -> None:
    case = tmp_path / "case"
    assert triage("examine", locked, "--case", case, "--json").code == 0
    again = triage("examine", locked, "--case", case, "--unlock-key", locked.with_name("key"))
    assert again.code == 2
    assert "other passwords" in again.err


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        (["--unlock"], (2, "--unlock-file")),
        (["--unlock-file", "no-such-file"], (3, "cannot be read")),
        (["--unlock-key", "/dev/null"], (2, "key file 1 is empty")),
    ],
)
def test_what_cannot_be_taken_is_refused_in_one_line(
    triage: Triage, tmp_path: Path, words: list[str], refused: tuple[int, str]
) -> None:
    ran = triage("examine", tmp_path, "--case", tmp_path / "case", *words)
    code, said = refused
    assert ran.code == code
    assert said in ran.err
    assert len(ran.err.strip().splitlines()) == 1
