"""Hives: keys and values wherever a path leads, and an end with a reason on every other input."""

import struct
import subprocess
from pathlib import Path

import pytest
from content.registry.hives import BASE, Node, hive, under
from suite import Tool

from triage.content.content import Content
from triage.content.members.member import ObstacleError
from triage.content.registry.hive import Hive, Key

VALUES: dict[str, bytes | str | int] = {"": b"12345678", "Text": "woörd", "Number": 7, "empty": b""}
MANY = {f"Key {number:03}": Node(values={"n": number}) for number in range(200)}


def opened(data: bytes) -> Hive:
    return Hive(Content.of(data))


def at(data: bytes, *names: str) -> Key:
    key = opened(data).root.at(*names)
    assert key is not None
    return key


def test_values_are_found_by_a_path_and_a_name_in_any_case() -> None:
    key = at(hive(under("One\\Zwölf", Node(values=VALUES, written="2024-05-01T10:00:00Z"))), "oNE", "zwÖLF")
    assert key.name == "Zwölf"
    assert key.written == 133_590_312_000_000_000
    assert key.value("") == b"12345678"
    assert key.text("text") == "woörd"
    assert key.value("Number") == b"\7\0\0\0"
    assert key.value("empty") == b""
    assert key.value("other") is None
    assert key.text("other") == ""
    assert key.hive.lost == 0


@pytest.mark.parametrize("lists", [(b"lf",), (b"lh",), (b"li",), (b"ri", b"lh", b"li"), (b"ri", b"lf", b"lf")])
def test_all_keys_are_listed_whatever_the_kind_of_their_list(lists: tuple[bytes, ...]) -> None:
    found = opened(hive(Node(MANY, lists=lists))).root
    assert {key.name: key.value("n") for key in found.subkeys()} == {
        name: node.values["n"].to_bytes(4, "little") for name, node in MANY.items() if isinstance(node.values["n"], int)
    }


def test_a_name_in_any_script_is_read_and_a_key_that_is_not_there_is_none() -> None:
    found = opened(hive(Node({"ключ": Node(values={"имя": "значение"})}))).root
    key = found.at("КЛЮЧ")
    assert key is not None
    assert key.text("имя") == "значение"
    assert found.at("ключ", "other", "third") is None


def test_a_hive_that_was_not_written_to_its_end_says_so() -> None:
    assert opened(hive(Node(), is_dirty=True)).is_dirty
    assert not opened(hive(Node())).is_dirty


def test_what_another_program_writes_is_read_and_what_is_made_here_it_reads(tmp_path: Path, tool: Tool) -> None:
    place = tmp_path / "hive"
    place.write_bytes(hive(under("One", Node(MANY, VALUES, lists=(b"ri", b"lh", b"lf")))))
    edit = tool("hivexregedit")
    told = subprocess.run([edit, "--export", place, "\\One"], capture_output=True, check=True, text=True).stdout
    assert told.count("[\\One\\Key ") == len(MANY)
    assert '"Number"=dword:00000007' in told
    lines = ["Windows Registry Editor Version 5.00", "", "[\\One\\Two]", "", "[\\One\\Two\\Key 7]"]
    lines += ["@=hex(3):01,02,03,04,05", '"n"=dword:000000ff', ""]
    (tmp_path / "two.reg").write_text("\n".join(lines))
    subprocess.run([edit, "--merge", place, tmp_path / "two.reg"], check=True)
    key = at(place.read_bytes(), "One", "Two", "key 7")
    assert key.value("") == b"\1\2\3\4\5"
    assert key.value("n") == b"\xff\0\0\0"
    assert len(list(at(place.read_bytes(), "One").subkeys())) == len(MANY) + 1


@pytest.mark.parametrize("data", [b"", b"regf", b"PK\3\4" * 2000, bytes(8192), b"regf" + bytes(8192)])
def test_what_is_no_hive_is_refused(data: bytes) -> None:
    with pytest.raises(ObstacleError):
        opened(data)


def test_every_cut_ends_in_a_reason_or_a_count() -> None:
    data = hive(under("One", Node(dict(list(MANY.items())[:9]), VALUES)))
    whole = len(data.rstrip(b"\0"))
    for length in range(BASE, whole - 200, 40):
        try:
            root = opened(data[:length]).root
        except ObstacleError:
            continue
        key = root.at("One")
        names = [] if key is None else [one.value("n") for one in key.subkeys()]
        assert root.hive.lost > 0
        assert len(names) <= 9


def test_a_key_in_itself_is_gone_through_once_for_each_name_of_a_path() -> None:
    data = bytearray(hive(Node({"Loop": Node({"Loop": Node()})})))
    top = struct.unpack_from("<I", data, 36)[0]
    keys = struct.unpack_from("<I", data, BASE + top + 4 + 28)[0]
    struct.pack_into("<I", data, BASE + keys + 4 + 4, top)  # the only key in the root is the root
    root = opened(bytes(data)).root
    assert [key.name for key in root.subkeys()] == ["ROOT"]
    found = root.at(*["ROOT"] * 50)
    assert found is not None
    assert found.name == "ROOT"


def with_keys(kind: bytes, entries: int) -> Hive:
    """Return a hive whose list of keys at the root names a list, or the only key, so many times."""
    data = bytearray(hive(Node({"One": Node(values={"n": 1})}))) + bytes(1 << 20)
    (top,) = struct.unpack_from("<I", data, 36)
    (keys,) = struct.unpack_from("<I", data, BASE + top + 32)
    (key,) = struct.unpack_from("<I", data, BASE + keys + 8)
    place = 1 << 16
    struct.pack_into("<I", data, BASE + top + 32, place)
    struct.pack_into("<i2sH", data, BASE + place, -(8 + 4 * entries), kind, entries)
    struct.pack_into(f"<{entries}I", data, BASE + place + 8, *[place if kind == b"ri" else key] * entries)
    return opened(bytes(data))


def test_a_list_of_itself_ends() -> None:
    root = with_keys(b"ri", 65_535).root
    with pytest.raises(ObstacleError, match="were asked for"):
        list(root.subkeys())
    few = with_keys(b"ri", 30)
    assert list(few.root.subkeys()) == []
    assert few.lost == 30


def test_the_same_key_again_and_again_ends() -> None:
    few = with_keys(b"li", 30)
    assert [key.value("n") for key in few.root.subkeys()] == [b"\1\0\0\0"] * 30
    many = with_keys(b"li", 65_535).root.subkeys()
    with pytest.raises(ObstacleError, match="were asked for"):
        [key.value("n") for key in many]


def test_a_value_longer_than_any_that_is_looked_for_is_counted() -> None:
    key = at(hive(Node({"One": Node(values={"large": bytes(20_000), "n": 1})})), "One")
    assert key.value("large") is None
    assert key.hive.lost == 1
    assert key.value("n") == b"\1\0\0\0"
