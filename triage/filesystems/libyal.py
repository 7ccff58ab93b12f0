"""What the libyal readers (pyfsapfs, pyfsxfs) share: a file over a volume, and a walk that ends on any input.

Their entries have the same methods; the facts they do not tell the same way are asked of a `Dialect`.
"""

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from triage.model.address import Address
from triage.model.errors import EvidenceError
from triage.model.item import Item, ItemKind, Times, printable
from triage.model.runs import ByteRun, Runs, total
from triage.model.trouble import Trouble, TroubleCode
from triage.volumes.volume import Volume

MAX_DEPTH = 4096
MAX_ATTRIBUTES = 4096
METADATA = "its metadata cannot be read"

SPARSE = 1  # the flag of an extent without bytes on the disk, in both libraries

_KINDS = {stat.S_IFREG: ItemKind.FILE, stat.S_IFDIR: ItemKind.DIRECTORY, stat.S_IFLNK: ItemKind.LINK}


class Dialect(Protocol):
    """How one of the libraries tells what both know.

    `is_literal` is whether the library reads a content as its extents, one after the other, and nothing else.
    """

    is_literal: ClassVar[bool]

    def key(self, entry: Any) -> int:
        """Return the number of the file in its volume."""

    def to_volume(self, offset: int) -> int:
        """Return the offset in the volume of an extent's offset."""

    def plain(self, entry: Any) -> bool:
        """Say whether the extents hold the content as it is."""

    def streams(self, entry: Any) -> Iterator[tuple[str, Any]]:
        """Yield the named streams beside the content, each with what it is called after the `:`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One tree of names: where it hangs in the evidence and how to read it.

    `prefix` goes before every path and every reference, ending in `/`, or is empty.
    """

    volume: Volume
    address: Address
    dialect: Dialect
    path_prefix: str = ""
    reference_prefix: str = ""


@dataclass(slots=True)
class _Directory:
    entry: Any
    path: str
    address: Address
    count: int
    position: int = 0
    failed: int = 0
    reason: str = ""


def ask(question: Callable[..., Any], default: Any, *arguments: Any) -> Any:
    """Return the library's answer, or the default where it has none."""
    try:
        return question(*arguments)
    except Exception:  # noqa: BLE001 - libyal raises OSError, MemoryError, SystemError or UnicodeError on hostile bytes
        return default


def must(question: Callable[..., Any], what: str, *arguments: Any) -> Any:
    """Return the library's answer. Raises EvidenceError: what was asked, and the library's innermost reason."""
    try:
        return question(*arguments)
    except Exception as error:  # the library meets hostile bytes: any type of error is evidence trouble
        raise EvidenceError(f"{what}: {reason_of(error)}") from error


def plain_name(name: str) -> str:
    """Return a name of the library as the model has it: a lone surrogate is three surrogate-escaped bytes.

    The names are UTF-16 or UTF-8 on the disk, of which neither is checked: a lone surrogate may come through.
    """
    return name.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")


def _library_name(name: str) -> str:
    """Return what `plain_name` was given."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "surrogatepass")


def reason_of(error: Exception) -> str:
    """Return the innermost sentence of libyal's stack of messages, on one line."""
    text = " ".join(str(error).split())
    sentences = [part for part in text.split(". ") if part]
    inner = sentences[1] if len(sentences) > 1 else text
    return inner.partition(": ")[2].rstrip(".") or inner.rstrip(".") or type(error).__name__


def walk_tree(tree: Tree, root: Any) -> Iterator[Item | Trouble]:
    """List everything below a root directory in the order of the directories, each name once, without recursion."""
    entered = {ask(tree.dialect.key, -1, root)}
    stack = [_directory(root, tree.path_prefix, tree.address)]
    while stack:
        here = stack[-1]
        if here.position >= here.count:
            stack.pop()
            yield from _losses(here)
            continue
        entry = _next(here)
        if entry is None:
            continue
        items = list(_items(tree, entry, here))
        yield from items
        first = items[0]
        if isinstance(first, Item) and first.kind is ItemKind.DIRECTORY:
            below = _directory(entry, first.path + "/", first.address)
            trouble = _refusal(first, len(stack), below, tree.dialect.key(entry) in entered)
            if trouble is None:
                entered.add(tree.dialect.key(entry))
                stack.append(below)
            else:
                yield trouble


def read_stream(stream: Any, item: Item, offset: int, length: int) -> bytes:
    """Return exactly the bytes asked for, short only at the end of the item. Raises EvidenceError."""
    end = min(offset + length, item.size)
    pieces: list[bytes] = []
    while offset < end:
        piece = must(stream.read_buffer_at_offset, f"byte {offset} cannot be read", end - offset, offset)
        if not piece:
            raise EvidenceError(f"the content ends at byte {offset}, its metadata says {item.size}")
        pieces.append(piece)
        offset += len(piece)
    return b"".join(pieces)


def runs_of(volume: Volume, stream: Any, size: int, to_volume: Callable[[int], int]) -> Runs:
    """Return where a stream's bytes lie in the source, cut to its size and to the volume; empty where not told."""
    runs: list[ByteRun] = []
    position = 0
    for index in range(ask(stream.get_number_of_extents, 0)):
        extent = ask(stream.get_extent, None, index)
        if extent is None or position >= size:
            break
        offset, length, flags = extent
        start = to_volume(offset)
        used = min(length, size - position, volume.info.size - start)
        if not flags & SPARSE and start >= 0 and used > 0:
            runs.append(ByteRun(volume.run.offset + start, used))
        position += length
    return tuple(runs)


def _directory(entry: Any, path: str, address: Address) -> _Directory:
    """Return a directory about to be listed; one that cannot tell how many names it has counts as one lost."""
    try:
        return _Directory(entry, path, address, entry.get_number_of_sub_file_entries())
    except Exception as error:  # noqa: BLE001 - hostile bytes in the library
        return _Directory(entry, path, address, 0, failed=1, reason=reason_of(error))


def _next(here: _Directory) -> Any:
    """Return the next entry of a directory, or None, counted, where the library cannot read it."""
    here.position += 1
    try:
        return here.entry.get_sub_file_entry(here.position - 1)
    except Exception as error:  # noqa: BLE001 - hostile bytes in the library
        here.failed += 1
        here.reason = here.reason or reason_of(error)
        return None


def _losses(here: _Directory) -> Iterator[Trouble]:
    if here.failed:
        name = printable(here.path) or "/"
        text = f"{here.failed} entries of {name} could not be read: {here.reason}"
        yield Trouble(address=here.address, code=TroubleCode.DAMAGED, text=text)


def _refusal(item: Item, depth: int, below: _Directory, known: bool) -> Trouble | None:
    """Return why a directory is not entered, if it is not."""
    if known:
        text = f"{printable(item.path)}: a directory that is listed twice; not entered again"
        return Trouble(address=item.address, code=TroubleCode.DAMAGED, text=text)
    if depth >= MAX_DEPTH and (below.count or below.failed):
        text = f"{printable(item.path)}: not entered, deeper than {MAX_DEPTH} directories"
        return Trouble(address=item.address, code=TroubleCode.LIMIT, text=text)
    return None


def _items(tree: Tree, entry: Any, here: _Directory) -> Iterator[Item | Trouble]:
    """Yield the row of one name and of its streams; a name that cannot be told is replaced by the file's number."""
    dialect = tree.dialect
    try:
        key, mode = dialect.key(entry), entry.get_file_mode()
    except Exception as error:  # noqa: BLE001 - hostile bytes in the library
        text = f"an entry of {printable(here.path) or '/'} could not be read: {reason_of(error)}"
        yield Trouble(address=here.address, code=TroubleCode.DAMAGED, text=text)
        return
    name = plain_name(ask(entry.get_name, None) or "")
    path = here.path + (name or f"file {key}")
    address = tree.address.child("file", str(key)).child("path", "/" + path)
    kind = _KINDS.get(stat.S_IFMT(mode), ItemKind.OTHER)
    size, unlocated = _size(entry, kind)
    runs = (
        runs_of(tree.volume, entry, size, dialect.to_volume) if kind is ItemKind.FILE and dialect.plain(entry) else ()
    )
    item = Item(
        address=address,
        kind=kind,
        path=path,
        size=size,
        allocated=True,
        reference=f"{tree.reference_prefix}{key}",
        times=times_of(entry),
        runs=runs,
        unlocated=unlocated,
        direct=dialect.is_literal and _is_whole(tree.volume, runs, size),
    )
    yield item
    if unlocated:
        text = f"{printable(path)}: {unlocated}; its content is not known"
        yield Trouble(address=address, code=TroubleCode.DAMAGED, text=text)
    if not name:
        text = f"{printable(path)}: its name is not UTF-8; listed by its number"
        yield Trouble(address=address, code=TroubleCode.DAMAGED, text=text)
    for called, stream in dialect.streams(entry):
        yield _stream_item(tree, key, item, called, stream)


def _stream_item(tree: Tree, key: int, owner: Item, called: str, stream: Any) -> Item:
    size = ask(stream.get_size, 0)
    path = f"{owner.path}:{called}"
    return Item(
        address=tree.address.child("file", str(key)).child("path", "/" + path),
        kind=ItemKind.STREAM,
        path=path,
        size=size,
        allocated=True,
        reference=f"{owner.reference}/{plain_name(stream.get_name())}",
        times=owner.times,
        runs=runs_of(tree.volume, stream, size, tree.dialect.to_volume),
    )


def times_of(entry: Any) -> Times:
    """Return the times of an entry; both libraries give nanoseconds since 1970."""
    return Times(
        modified=ask(entry.get_modification_time_as_integer, None),
        created=ask(entry.get_creation_time_as_integer, None),
        accessed=ask(entry.get_access_time_as_integer, None),
        changed=ask(entry.get_inode_change_time_as_integer, None),
    )


def attributes_of(entry: Any) -> Iterator[tuple[str, Any]]:
    """Yield the extended attributes that have a name and a value, at most `MAX_ATTRIBUTES` of them."""
    for index in range(min(ask(entry.get_number_of_extended_attributes, 0), MAX_ATTRIBUTES)):
        attribute = ask(entry.get_extended_attribute, None, index)
        name = ask(attribute.get_name, None) if attribute is not None else None
        if name and ask(attribute.get_size, 0):
            yield plain_name(name), attribute


def attribute_of(entry: Any, name: str) -> Any:
    """Return one extended attribute, None where there is none. Raises EvidenceError."""
    return None if entry is None else must(entry.get_extended_attribute_by_name, METADATA, _library_name(name))


def link_target(entry: Any) -> bytes:
    """Return the target of a symbolic link, or nothing where the library cannot tell."""
    return (ask(entry.get_symbolic_link_target, None) or "").encode("utf-8", "surrogatepass")


def _size(entry: Any, kind: ItemKind) -> tuple[int, str | None]:
    """Return the size of the content, and why it is not known where the library cannot tell that of a file."""
    if kind is not ItemKind.FILE:
        return (len(link_target(entry)) if kind is ItemKind.LINK else 0), None
    try:
        return must(entry.get_size, METADATA), None
    except EvidenceError as error:
        return 0, str(error)


def _is_whole(volume: Volume, runs: Runs, size: int) -> bool:
    """Tell whether runs are a content of that size. The first block is the file system's own: no content is there."""
    return size > 0 and total(runs) == size and all(run.offset > volume.run.offset for run in runs)
