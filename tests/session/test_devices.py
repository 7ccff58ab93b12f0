"""The devices that can be picked, from tables as the kernel writes them; no device is opened."""

from pathlib import Path

from triage.session.devices import pickable_devices


def write(root: Path, **files: str | bytes) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def test_disks_are_told_with_what_a_person_knows_them_by(tmp_path: Path) -> None:
    block, usb = tmp_path / "block", tmp_path / "devices" / "usb1" / "1-2"
    write(usb, idVendor="0781\n", serial="4C5300012\n", host__block="", host__target__vendor="SanDisk \n")
    write(usb / "host" / "target", model="Cruzer\x1b[31m Blade\n")
    write(block / "sdb", size="60062500\n", ro="1\n", removable="1\n", dev="8:16\n", sdb1__dev="8:17\n")
    (block / "sdb" / "device").symlink_to(usb / "host" / "target")
    write(block / "nvme0n1", size="1000\n", ro="0\n", removable="0\n", dev="259:0\n", device__serial="S4EW\n")
    write(block / "sda", size="8\n", ro="0\n", dev="8:0\n", device__vpd_pg80=b"\0\x80\0\x04WD12")
    write(block / "sdc", size="0\n", ro="0\n", dev="8:32\n")
    write(block / "zram0", size="100\n", ro="0\n", dev="252:0\n")
    write(tmp_path, mounts="24 1 259:0 / / rw - ext4 x rw\n25 24 8:17 / /media/my\\040stick ro - vfat x ro\n")
    nvme, sda, sdb = pickable_devices(tmp_path, tmp_path / "mounts")
    assert (str(sdb.path), sdb.size, sdb.make, sdb.serial) == ("/dev/sdb", 60062500 * 512, "SanDisk", "4C5300012")
    assert sdb.model == "Cruzer?[31m Blade"
    assert (sdb.read_only, sdb.removable, sdb.mounted) == (True, True, ("/media/my stick",))
    assert (nvme.serial, nvme.mounted, nvme.read_only, nvme.removable) == ("S4EW", ("/",), False, False)
    assert (sda.serial, sda.make, sda.mounted) == ("WD12", "", ())


def test_a_machine_that_tells_nothing_has_no_devices(tmp_path: Path) -> None:
    assert pickable_devices(tmp_path, tmp_path / "mounts") == []


def test_what_this_machine_has_is_told_as_the_kernel_has_it() -> None:
    for device in pickable_devices():
        assert device.path.is_block_device()
        assert device.size == int(Path(f"/sys/class/block/{device.path.name}/size").read_text()) * 512 > 0
