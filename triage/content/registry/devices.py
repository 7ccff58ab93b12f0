r"""USB storage, telephones and cameras that were connected to a Windows machine, from its hive SYSTEM.

`Select` names the control set in use. In its `Enum\USBSTOR` are keys `Disk&Ven_VENDOR&Prod_PRODUCT&Rev_REVISION`, in
each of them one for each device, named by its serial number and a counter. Where a device has none, Windows makes a
name whose second character is `&`. `Enum\USB` has all devices of USB; those of the class of portable devices are
telephones and cameras.

The times of a device are in `Properties\{83da6326-97a6-4088-9453-a1923f573b29}`: 0065 first installed (0064: last
installed), 0066 last connected, 0067 last removed, as FILETIME; Windows 7 has `00000065\00000000` instead, and the
time in its value `Data`. Earlier ones have none.

Source: J. Metz's "Windows Registry knowledge base" (winreg-kb) on USB storage, and Microsoft's `devpkey.h`.
"""

from collections.abc import Iterator
from typing import NamedTuple

from triage.content.members.member import damaged
from triage.content.registry.filetime import stored, utc
from triage.content.registry.hive import Hive, Key

_TIMES = "{83da6326-97a6-4088-9453-a1923f573b29}"
_PORTABLE = "{eec5ad98-8080-425f-922a-dabf3de3f69a}"


class Device(NamedTuple):
    """A device: what it calls itself, its serial number, and times as ISO 8601 UTC, each None where none is recorded.

    `written` is when its entry in the registry was last written, which is not always a connection.
    """

    name: str
    serial: str
    installed: str | None
    connected: str | None
    removed: str | None
    written: str | None


def devices(hive: Hive) -> Iterator[Device]:
    """Yield the devices; what cannot be read of one is counted in the hive. Raises EvidenceError as a hive does."""
    known = hive.root.at(_control_set(hive), "Enum")
    if known is None:
        raise damaged("there are no devices where the registry hive keeps them")
    for kind, one in _instances(known.at("USBSTOR")):
        yield _device(one.text("FriendlyName") or _of_kind(kind.name), one)
    for kind, one in _instances(known.at("USB")):
        if one.text("ClassGUID").casefold() == _PORTABLE:
            yield _device(one.text("FriendlyName") or kind.name, one)


def _control_set(hive: Hive) -> str:
    select = hive.root.at("Select")
    current = select.value("Current") if select else None
    if current is None:
        raise damaged("the registry hive does not say which control set is in use")
    return f"ControlSet{int.from_bytes(current, 'little'):03}"


def _instances(enumerator: Key | None) -> Iterator[tuple[Key, Key]]:
    for kind in enumerator.subkeys() if enumerator else ():
        for one in kind.subkeys():
            yield kind, one


def _of_kind(name: str) -> str:
    """Return vendor and product."""
    named = dict(part.partition("_")[::2] for part in name.split("&"))
    return " ".join(filter(None, (named.get("Ven"), named.get("Prod")))) or name


def _device(name: str, key: Key) -> Device:
    times = key.at("Properties", _TIMES)
    first, installed, connected, removed = (_time(times, number) for number in ("0065", "0064", "0066", "0067"))
    return Device(name, key.name, first or installed, connected, removed, utc(key.written))


def _time(times: Key | None, number: str) -> str | None:
    if times is None:
        return None
    if here := times.at(number):
        return stored(here.value(""))
    before = times.at(f"0000{number}", "00000000")
    return stored(before.value("Data")) if before else None
