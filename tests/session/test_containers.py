"""One disk in many containers: the items are the same, and nothing beside the case changes."""

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from suite import Demo, Tool, absent

from triage.cli.examine import default_exhibit
from triage.model.errors import UsageError
from triage.session.examination import Examination, Order, open_case

Make = Callable[[Path, Path, Tool], Path]


def split(image: Path, folder: Path, _: Tool) -> Path:
    data = image.read_bytes()
    step = 9_000_000
    for number, at in enumerate(range(0, len(data), step), 1):
        (folder / f"disk.{number:03d}").write_bytes(data[at : at + step])
    return folder / "disk.001"


def ewf(image: Path, folder: Path, tool: Tool) -> Path:
    command = [tool("ewfacquire"), "-u", "-q", "-S", "8MiB", "-c", "fast", "-t", str(folder / "disk"), str(image)]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "disk.E01"


def converted(form: str, *options: str) -> Make:
    def make(image: Path, folder: Path, tool: Tool) -> Path:
        target = folder / f"disk.{form}"
        command = [tool("qemu-img"), "convert", "-f", "raw", "-O", form, *options, str(image), str(target)]
        subprocess.run(command, check=True)
        return target

    return make


CONTAINERS: dict[str, Make] = {
    "split raw": split,
    "E01": ewf,
    "VMDK": converted("vmdk"),
    "VMDK stream": converted("vmdk", "-o", "subformat=streamOptimized"),
    "VHD": converted("vpc", "-o", "force_size=on"),
    "VHD fixed": converted("vpc", "-o", "subformat=fixed,force_size=on"),
    "VHDX": converted("vhdx"),
    "QCOW2": converted("qcow2"),
    "QCOW2 compressed": converted("qcow2", "-c"),
}


def examined(source: Path, case: Path, demo: Demo) -> list[dict[str, Any]]:
    with Examination(Order(source=source, case=case, exhibit="A/1", library=demo.library)) as examination:
        list(examination.events())
    with open_case(case) as reader:
        return list(reader.queries.items("A/1"))


def state(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Return what must not change: digest, modification time in ns and mode of everything below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = (digest, status.st_mtime_ns, status.st_mode)
    return found


@pytest.fixture(scope="module")
def raw_items(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return examined(demo.image, tmp_path_factory.mktemp("raw") / "case", demo)


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_gives_the_items_of_the_raw_disk(
    name: str, demo: Demo, raw_items: list[dict[str, Any]], tool: Tool, tmp_path: Path
) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    source = CONTAINERS[name](demo.image, folder, tool)
    before = state(folder)
    assert examined(source, tmp_path / "case", demo) == raw_items
    assert state(folder) == before


def test_a_folder_is_read_without_a_trace(demo: Demo, tmp_path: Path) -> None:
    before = state(demo.known)
    rows = examined(demo.known, tmp_path / "case", demo)
    assert state(demo.known) == before
    assert [row["path"] for row in rows if row["kind"] == "file"] == sorted(path.name for path in demo.known.iterdir())


def test_a_block_device_gives_the_items_of_its_image(
    demo: Demo, raw_items: list[dict[str, Any]], tool: Tool, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        absent("the right to set up a loop device")
    losetup = tool("losetup")
    made = subprocess.run(
        [losetup, "--find", "--show", "--read-only", str(demo.image)], check=True, capture_output=True, text=True
    )
    device = Path(made.stdout.strip())
    try:
        before = hashlib.sha256(demo.image.read_bytes()).hexdigest()
        rows = examined(device, tmp_path / "case", demo)
        with pytest.raises(UsageError, match="--exhibit"):
            default_exhibit(device)
    finally:
        subprocess.run([losetup, "--detach", str(device)], check=True)
    assert rows == raw_items
    assert hashlib.sha256(demo.image.read_bytes()).hexdigest() == before


def test_a_case_on_the_evidence_is_refused(demo: Demo, tool: Tool, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="inside the evidence"):
        examined(demo.known, demo.known / "case", demo)
    if os.geteuid() != 0:
        absent("the right to set up a loop device")
    image, mounted = tmp_path / "disk.img", tmp_path / "mounted"
    mounted.mkdir()
    subprocess.run([tool("mkfs.ext4"), "-q", str(image), "8M"], check=True)
    made = subprocess.run([tool("losetup"), "--find", "--show", str(image)], check=True, capture_output=True, text=True)
    device = made.stdout.strip()
    try:
        subprocess.run([tool("mount"), device, str(mounted)], check=True)
        with pytest.raises(UsageError, match="inside the evidence"):
            examined(Path(device), mounted / "case", demo)
        assert not (mounted / "case").exists()
    finally:
        subprocess.run([tool("umount"), str(mounted)], check=False)
        subprocess.run([tool("losetup"), "--detach", device], check=True)
