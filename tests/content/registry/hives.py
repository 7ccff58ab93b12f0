"""Hives made for tests, after M. Suhanov's "Windows registry file format specification": small, of invented facts."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

BASE = 4096
TIMES = "{83da6326-97a6-4088-9453-a1923f573b29}"
PORTABLE = "{eec5ad98-8080-425f-922a-dabf3de3f69a}"
_BEGIN = datetime(1601, 1, 1, tzinfo=UTC)
_NONE = 0xFFFFFFFF
_BINARY, _TEXT, _NUMBER = 3, 1, 4


def ticks(when: str | None) -> int:
    """Return a time as FILETIME, 0 for None."""
    return 0 if when is None else int((datetime.fromisoformat(when) - _BEGIN).total_seconds()) * 10_000_000


@dataclass
class Node:
    """A key: its keys and values by name, when it was written; `lists` are the kinds of the list of its keys."""

    keys: dict[str, "Node"] = field(default_factory=dict)
    values: dict[str, bytes | str | int] = field(default_factory=dict)
    written: str | None = "2024-01-01T00:00:00Z"
    lists: Sequence[bytes] = (b"lf",)


def under(path: str, node: Node) -> Node:
    """Return the key at whose path a key is."""
    for name in reversed(path.split("\\")):
        node = Node({name: node})
    return node


def hive(root: Node, *, is_dirty: bool = False) -> bytes:
    """Return a hive."""
    made = _Made()
    top = made.key("ROOT", root)
    cells = bytes(made.cells)
    size = -(-len(cells) // 4096) * 4096
    rest = size - len(cells)
    if rest:
        cells += struct.pack("<i", rest) + bytes(rest - 4)
    cells = struct.pack("<4sII8xQ4x", b"hbin", 0, size, 0) + cells[32:]
    base = struct.pack("<4sIIQIIIIIII", b"regf", 2, 1 if is_dirty else 2, 0, 1, 5, 0, 1, top, size, 1)
    base = base.ljust(508, b"\0")
    checksum = 0
    for (word,) in struct.iter_unpack("<I", base):
        checksum ^= word
    return (base + checksum.to_bytes(4, "little")).ljust(BASE, b"\0") + cells


class _Made:
    """Cells in one bin, whose head takes the first 32 bytes; all keys have one security descriptor."""

    def __init__(self) -> None:
        self.cells = bytearray(32)
        self.security = self.cell(struct.pack("<2s2xIIII", b"sk", 32, 32, 1, 20) + bytes(20))

    def cell(self, data: bytes) -> int:
        at = len(self.cells)
        size = -(-(len(data) + 4) // 8) * 8
        self.cells += struct.pack("<i", -size) + data.ljust(size - 4, b"\0")
        return at

    def key(self, name: str, node: Node, parent: int = _NONE) -> int:
        stored, is_ascii = _name(name)
        at = self.cell(bytes(76 + len(stored)))
        keys = self._list([(one, self.key(one, each, at)) for one, each in sorted(node.keys.items())], node.lists)
        values = [self._value(one, data) for one, data in node.values.items()]
        value_list = self.cell(struct.pack(f"<{len(values)}I", *values)) if values else _NONE
        flags = 0x20 * is_ascii | (0x0C if parent == _NONE else 0)
        head = struct.pack("<2sHQII", b"nk", flags, ticks(node.written), 0, parent)
        head += struct.pack("<IIIIIIII", len(node.keys), 0, keys, _NONE, len(values), value_list, self.security, _NONE)
        head += bytes(20) + struct.pack("<HH", len(stored), 0)
        self.cells[at + 4 : at + 4 + 76 + len(stored)] = head + stored
        return at

    def _list(self, keys: list[tuple[str, int]], kinds: Sequence[bytes]) -> int:
        if not keys:
            return _NONE
        if kinds[0] != b"ri":
            return self._leaf(keys, kinds[0])
        halves = [keys[::2], keys[1::2]]
        leaves = [self._leaf(half, kind) for half, kind in zip(halves, kinds[1:], strict=True)]
        return self.cell(struct.pack("<2sHII", b"ri", 2, *leaves))

    def _leaf(self, keys: Iterable[tuple[str, int]], kind: bytes) -> int:
        entries = [struct.pack("<I", at) + _hint(name, kind) for name, at in keys]
        return self.cell(struct.pack("<2sH", kind, len(entries)) + b"".join(entries))

    def _value(self, name: str, given: bytes | str | int) -> int:
        stored, is_ascii = _name(name)
        if isinstance(given, int):
            kind, size, place = _NUMBER, 4 | 1 << 31, given
        else:
            kind = _BINARY if isinstance(given, bytes) else _TEXT
            data = given if isinstance(given, bytes) else f"{given}\0".encode("utf-16-le")
            size, place = len(data), self.cell(data)
        return self.cell(struct.pack("<2sHIIIHH", b"vk", len(stored), size, place, kind, is_ascii, 0) + stored)


def _name(name: str) -> tuple[bytes, bool]:
    try:
        return name.encode("latin-1"), True
    except UnicodeEncodeError:
        return name.encode("utf-16-le"), False


def _hint(name: str, kind: bytes) -> bytes:
    if kind == b"li":
        return b""
    if kind == b"lf":
        return name.encode("latin-1", "replace")[:4].ljust(4, b"\0")
    value = 0
    for letter in name.upper():
        value = (value * 37 + ord(letter)) & _NONE
    return value.to_bytes(4, "little")


def fixed(last_logon: str | None = None, logons: int = 0, *, is_disabled: bool = False) -> bytes:
    """Return the value F of an account."""
    return struct.pack("<8xQ40xH8xH12x", ticks(last_logon), 0x10 | is_disabled, logons)


def variable(name: str) -> bytes:
    """Return the value V of an account."""
    stored = name.encode("utf-16-le")
    table = [(0, 0), (0, len(stored)), *[(len(stored), 0)] * 15]
    return b"".join(struct.pack("<III", start, length, 0) for start, length in table) + stored


def sam(accounts: dict[int, Node], **changes: bool) -> bytes:
    """Return a hive SAM of accounts by their numbers."""
    users = Node({f"{rid:08X}": account for rid, account in accounts.items()} | {"Names": Node()})
    return hive(under("SAM\\Domains\\Account\\Users", users), **changes)


def account(name: str, last_logon: str | None = None, logons: int = 0, *, is_disabled: bool = False) -> Node:
    """Return an account."""
    return Node(values={"F": fixed(last_logon, logons, is_disabled=is_disabled), "V": variable(name)})


def device(name: str, times: dict[str, str], *, values: dict[str, bytes | str | int] | None = None) -> Node:
    """Return a device with times by the numbers of their properties, as Windows 8 and later keep them."""
    stored = {number: Node(values={"": ticks(when).to_bytes(8, "little")}) for number, when in times.items()}
    return Node({"Properties": Node({TIMES: Node(stored)})}, {"FriendlyName": name, **(values or {})})


def system(storage: Node, usb: Node | None = None, current: int = 1, **changes: bool) -> bytes:
    """Return a hive SYSTEM of what `Enum\\USBSTOR` and `Enum\\USB` hold; another control set tells of none."""
    known = {"USBSTOR": storage} | ({"USB": usb} if usb else {})
    sets = {
        f"ControlSet{current:03}": Node({"Enum": Node(known)}),
        f"ControlSet{current + 1:03}": Node({"Enum": Node()}),
    }
    return hive(Node({"Select": Node(values={"Current": current}), **sets}), **changes)
