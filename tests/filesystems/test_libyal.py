import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.filesystems.libyal import Tree, attribute_of, attributes_of, link_target, plain_name, read_stream, walk_tree
from triage.model.address import Address
from triage.model.errors import EvidenceError
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.item import Item, printable
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.volumes.volume import Volume

SURROGATE = "lone \ud800\udc80\udfff and \U0001f600"


class Nothing:
    """A source without bytes."""

    info = SourceInfo(kind="raw", files=("memory",), size=0)

    def read_at(self, offset: int, length: int) -> bytes:
        return bytes(0 * offset * length)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        return ()

    def close(self) -> None:
        pass


@dataclass
class Entry:
    """What a libyal library gives for a name, as far as the walk asks; a size of -1 is one that cannot be told."""

    number: int
    name: str
    mode: int = stat.S_IFREG
    size: int = 0
    target: str = ""
    inner: "list[Entry]" = field(default_factory=list)

    def get_name(self) -> str:
        return self.name

    def get_file_mode(self) -> int:
        return self.mode

    def get_modification_time_as_integer(self) -> int:
        return 0

    get_creation_time_as_integer = get_access_time_as_integer = get_modification_time_as_integer
    get_inode_change_time_as_integer = get_number_of_extents = get_modification_time_as_integer

    def get_size(self) -> int:
        if self.size < 0:
            raise OSError("pyfsapfs: no size. libfsapfs_size: the inode is damaged.")
        return self.size

    def get_symbolic_link_target(self) -> str:
        return self.target

    def get_number_of_sub_file_entries(self) -> int:
        return len(self.inner)

    def get_sub_file_entry(self, index: int) -> "Entry":
        return self.inner[index]

    def get_number_of_extended_attributes(self) -> int:
        return len(self.inner)

    def get_extended_attribute(self, index: int) -> "Entry":
        return self.inner[index]

    def get_extended_attribute_by_name(self, name: str) -> "Entry":
        return next(entry for entry in self.inner if entry.name == name)

    def read_buffer_at_offset(self, size: int, offset: int) -> bytes:
        raise OSError(f"pyfsapfs: no bytes. libfsapfs_read: {size} bytes at {offset} are damaged.")


class Dialect:
    is_literal: ClassVar = False

    def key(self, entry: Any) -> int:
        return int(entry.number)

    def to_volume(self, offset: int) -> int:
        return offset

    def plain(self, entry: Any) -> bool:
        return not isinstance(entry, Entry)

    def streams(self, entry: Any) -> Iterator[tuple[str, Any]]:
        return attributes_of(entry) if stat.S_ISREG(entry.mode) else iter(())


def walked(*entries: Entry) -> list[Item | Trouble]:
    volume = Volume(Nothing(), ByteRun(0, 0))
    tree = Tree(volume=volume, address=volume.address, dialect=Dialect())
    return list(walk_tree(tree, Entry(2, "", stat.S_IFDIR, inner=list(entries))))


def test_lone_surrogates_of_names_travel() -> None:
    attribute = Entry(0, SURROGATE, size=3)
    (item, stream) = walked(Entry(12, SURROGATE, size=9, inner=[attribute]))
    assert isinstance(item, Item)
    assert isinstance(stream, Item)
    for found in (item, stream):
        assert Address.parse(str(found.address)) == found.address
        assert printable(found.path).encode()
    assert item.path.encode("utf-8", "surrogateescape") == SURROGATE.encode("utf-8", "surrogatepass")
    owner = Entry(12, "", inner=[attribute])
    assert attribute_of(owner, stream.reference.removeprefix("12/")) is attribute
    assert link_target(Entry(3, "", target=SURROGATE)) == SURROGATE.encode("utf-8", "surrogatepass")


@given(st.text(st.characters()))
def test_every_name_is_found_again_by_what_is_kept_of_it(name: str) -> None:
    attribute = Entry(0, name)
    assert attribute_of(Entry(1, "", inner=[attribute]), plain_name(name)) is attribute


def test_a_file_whose_size_cannot_be_told_is_not_an_empty_file() -> None:
    item, trouble, other = walked(Entry(12, "picture.jpg", size=-1), Entry(13, "nothing"))
    assert isinstance(item, Item)
    assert isinstance(other, Item)
    assert (item.size, item.unlocated) == (0, "its metadata cannot be read: the inode is damaged")
    assert other.unlocated is None
    assert isinstance(trouble, Trouble)
    assert (trouble.address, trouble.code) == (item.address, TroubleCode.DAMAGED)
    assert trouble.text.startswith("picture.jpg: its metadata cannot be read")


def test_an_error_of_reading_names_no_path() -> None:
    (item,) = walked(Entry(12, "picture.jpg", size=9))
    assert isinstance(item, Item)
    with pytest.raises(EvidenceError, match=r"^byte 4 cannot be read: 5 bytes at 4 are damaged$"):
        read_stream(Entry(12, ""), item, 4, 9)
