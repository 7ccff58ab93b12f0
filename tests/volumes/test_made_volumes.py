"""Volumes that real tools make: file systems are never taken for tables or for encrypted, LUKS always is."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from triage.volumes.containers import unsupported_container
from triage.volumes.locked import detect
from triage.volumes.partition_tables import survey

from .plain import Opened, noisiness, volumes

SIZE = 40 * 2**20


def blank(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(SIZE)
    return path


@pytest.mark.parametrize(
    "command",
    [
        ("mkfs.fat", "-F", "12"),
        ("mkfs.fat", "-F", "16"),
        ("mkfs.fat", "-F", "32"),
        ("mkfs.fat", "-F", "16", "--mbr=y"),
        ("mkfs.fat", "-S", "4096"),
        ("mkfs.ntfs", "-F", "-Q", "-q"),
        ("mkfs.exfat",),
        ("mkfs.ext2", "-q"),
        ("mkfs.ext4", "-q"),
    ],
    ids=" ".join,
)
def test_a_file_system_is_one_plain_volume(
    tool: Callable[[str], str], opened: Callable[..., Opened], tmp_path: Path, command: tuple[str, ...]
) -> None:
    path = blank(tmp_path / "volume")
    subprocess.run([tool(command[0]), *command[1:], str(path)], check=True, capture_output=True)
    source = opened(path)
    found = survey(source)
    assert volumes(found) == [(0, SIZE)]
    assert found.troubles == ()
    assert found.regions[0].description != "no partition table"
    assert detect(source) is None
    assert noisiness(source) is None


def test_swap_is_named(tool: Callable[[str], str], opened: Callable[..., Opened], tmp_path: Path) -> None:
    path = blank(tmp_path / "swap")
    path.chmod(0o600)
    subprocess.run([tool("mkswap"), str(path)], check=True, capture_output=True)
    assert (unsupported_container(opened(path)) or "").startswith("Linux swap space")


@pytest.mark.parametrize("kind", ["luks1", "luks2"])
def test_luks(tool: Callable[[str], str], opened: Callable[..., Opened], tmp_path: Path, kind: str) -> None:
    path = blank(tmp_path / "locked")
    subprocess.run(
        [tool("cryptsetup"), "luksFormat", "--batch-mode", "--type", kind, "--pbkdf", "pbkdf2",
         "--pbkdf-force-iterations", "1000", "--key-file", "-", str(path)],
        check=True, capture_output=True, input=b"invented-token",
    )  # fmt: skip
    locked = detect(opened(path))
    assert locked is not None
    assert locked.method == kind.upper()
    with path.open("r+b") as file:
        file.write(bytes(4096))
    second = detect(opened(path))
    assert (second is not None) == (kind == "luks2")
