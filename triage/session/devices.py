"""The devices that can be picked, as the kernel shows them: read from its tables, never from the devices."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SECTOR = 512  # the unit of /sys/block/*/size, whatever the device has
_NO_DISK = re.compile(r"(ram|zram|fd|sr\d+$)|^$")
_ESCAPE = re.compile(r"\\([0-7]{3})")
_SERIAL_PAGE_HEAD = 4  # bytes before the serial number in the SCSI page 0x80
_UP = 8  # folders between a disk and the USB device that it is part of, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class PickableDevice:
    """A block device: `size` in bytes; `mounted` are the places where this system uses it, or a partition of it."""

    path: Path
    size: int
    make: str
    model: str
    serial: str
    read_only: bool
    removable: bool
    mounted: tuple[str, ...]


def pickable_devices(system: Path = Path("/sys"), mounts: Path = Path("/proc/self/mountinfo")) -> list[PickableDevice]:
    """Return the disks, sticks and cards that hold something, in the order of their names.

    Memory disks are left out, and what has no medium in it. What the kernel does not tell is empty.
    """
    used = _mounted(mounts)
    with suppress(OSError):
        return [_device(place, used) for place in sorted((system / "block").iterdir()) if _holds(place)]
    return []


def _holds(place: Path) -> bool:
    return not _NO_DISK.match(place.name) and _text(place / "size") not in {"", "0"}


def _device(place: Path, used: dict[str, list[str]]) -> PickableDevice:
    numbers = [_text(part / "dev") for part in (place, *place.glob(f"{place.name}*"))]
    about = place / "device"
    return PickableDevice(
        path=Path("/dev") / place.name.replace("!", "/"),
        size=int(_text(place / "size")) * _SECTOR,
        make=_text(about / "vendor").removeprefix("0x1af4"),
        model=_text(about / "model") or _text(about / "name"),
        serial=_serial(place),
        read_only=_text(place / "ro") == "1",
        removable=_text(place / "removable") == "1",
        mounted=tuple(where for number in numbers for where in used.get(number, [])),
    )


def _serial(place: Path) -> str:
    """Return the serial number by which a person knows a device: that of a USB stick is not its disk's own."""
    with suppress(OSError):
        folder = (place / "device").resolve()
        for above in (folder, *list(folder.parents)[:_UP]):
            if (above / "idVendor").exists():
                return _text(above / "serial")
    return next((text for text in _serials(place) if text), "")


def _serials(place: Path) -> Iterator[str]:
    yield _text(place / "device" / "serial")
    yield _text(place / "serial")
    with suppress(OSError):
        page = (place / "device" / "vpd_pg80").read_bytes()
        yield page[_SERIAL_PAGE_HEAD:].decode("ascii", "replace").strip("\0 ")


def _mounted(mounts: Path) -> dict[str, list[str]]:
    """Return where each device number is mounted; the format is that of proc(5), /proc/pid/mountinfo."""
    places: dict[str, list[str]] = {}
    with suppress(OSError):
        for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
            _, _, number, _, place, *_ = line.split(" ")
            places.setdefault(number, []).append(_ESCAPE.sub(lambda code: chr(int(code[1], 8)), place))
    return places


def _text(path: Path) -> str:
    """Return what a file of the kernel says, empty where there is none; a device may call itself anything."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
