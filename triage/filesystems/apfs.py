"""APFS through pyfsapfs: every volume of a container that is not locked, or that a secret given opens.

Paths are plain where the container has one volume; with several, the volume's name is the first component (a clash
gets ` 2`, ` 3`, ...). The names and their files are those of the newest checkpoint; snapshots are not read, and the
library does not tell whether there are any. Content compressed by the system (decmpfs) is listed and read as a person
sees it, and its runs are not told. Facts: Apple File System Reference, 2020-06-22; libfsapfs documentation.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

import pyfsapfs

from triage.filesystems.libyal import (
    METADATA,
    Tree,
    ask,
    attribute_of,
    attributes_of,
    link_target,
    must,
    plain_name,
    read_stream,
    walk_tree,
)
from triage.model.errors import EvidenceError
from triage.model.item import Item, ItemKind
from triage.model.secret import NO_SECRETS, Secrets
from triage.model.trouble import Trouble, TroubleCode
from triage.volumes.apple_secrets import apple_ways
from triage.volumes.decrypted import VolumeFile
from triage.volumes.unlock import in_vain
from triage.volumes.volume import Volume

MAX_VOLUMES = 100  # NX_MAX_FILE_SYSTEMS

_MAGIC = b"NXSB"
_MAGIC_OFFSET = 32
_FORK = "com.apple.ResourceFork"
_COMPRESSED = "com.apple.decmpfs"


def open_apfs(volume: Volume, secrets: Secrets = NO_SECRETS) -> "ApfsFileSystem | None":
    """Return the container's file system, or None without its signature. Raises EvidenceError when it is damaged.

    Encrypted volumes are opened with the first secret that does.
    """
    header = volume.read_at(0, 4096)
    if header[_MAGIC_OFFSET : _MAGIC_OFFSET + 4] != _MAGIC:
        return None
    container = pyfsapfs.container()
    must(container.open_file_object, "the APFS container cannot be opened", VolumeFile(volume))
    try:
        return ApfsFileSystem(volume, container, int.from_bytes(header[36:40], "little"), secrets)
    except EvidenceError:
        container.close()
        raise


class ApfsFileSystem:
    """One container. References are `volume index/file identifier` and, for a stream, `/attribute name`."""

    kind = "apfs"

    def __init__(self, volume: Volume, container: Any, block_size: int, secrets: Secrets = NO_SECRETS) -> None:
        self.block_size = block_size
        self._volume = volume
        self._container = container
        self._held: tuple[str, Any] | None = None
        count = must(container.get_number_of_volumes, "the APFS container cannot list its volumes")
        self._volumes = [ask(container.get_volume, None, index) for index in range(min(count, MAX_VOLUMES))]
        self._names = _unique([_name(inner, index) for index, inner in enumerate(self._volumes)])
        self._means: dict[str, str] = {}
        # A locked volume must never be asked for its root: the library ends the process (seen with 20260921).
        self._locked = [
            self._is_locked(inner, name, secrets) for name, inner in zip(self._names, self._volumes, strict=True)
        ]
        self._tried = len(secrets)

    @property
    def locked_volumes(self) -> tuple[str, ...]:
        """The names of the encrypted volumes that no key has been given for."""
        return tuple(name for name, locked in zip(self._names, self._locked, strict=True) if locked)

    @property
    def unlocked_volumes(self) -> tuple[str, ...]:
        """Each encrypted volume that was opened, with what: "Data (with a password)"."""
        return tuple(f"{name} (with {means})" for name, means in self._means.items())

    @property
    def open_volumes(self) -> tuple[str, ...]:
        """The names of the volumes that can be listed."""
        everything = zip(self._names, self._locked, self._volumes, strict=True)
        return tuple(name for name, locked, inner in everything if not locked and inner is not None)

    def walk(self) -> Iterator[Item | Trouble]:
        """List every open volume in turn; a locked or unreadable one is one Trouble that names it."""
        for index, name in enumerate(self._names):
            yield from self._walk_volume(index, name)

    def read_at(self, item: Item, offset: int, length: int) -> bytes:
        """Return content bytes, short only at the end; of a symbolic link, its target. Raises EvidenceError."""
        stream = self._stream(item)
        if item.kind is ItemKind.LINK:
            return link_target(stream)[offset : offset + length]
        return read_stream(stream, item, offset, length)

    def close(self) -> None:
        """Release the container; calling it twice is harmless."""
        self._held = None
        self._volumes = []
        ask(self._container.close, None)

    def _is_locked(self, inner: Any, name: str, secrets: Secrets) -> bool:
        """Tell whether a volume stays locked after every secret was tried on it, and remember what opened it."""
        if inner is None or ask(inner.is_locked, True) is False:
            return False
        for secret in secrets:
            for question, word, words in apple_ways(inner, secret):
                ask(question, None, word)  # its messages may repeat the secret: none is passed on
                ask(inner.unlock, False)
                if ask(inner.is_locked, True) is False:
                    self._means[name] = words
                    return False
        return True

    def _walk_volume(self, index: int, name: str) -> Iterator[Item | Trouble]:
        address = self._volume.address.child("apfs", str(index))
        if self._locked[index]:
            text = f"APFS volume {name} is encrypted and locked"
            text = f"{text}; {in_vain(self._tried)}" if self._tried else text
            yield Trouble(address=address, code=TroubleCode.ENCRYPTED, text=text)
            return
        try:
            root = self._root(index)
        except EvidenceError as error:
            yield Trouble(address=address, code=TroubleCode.DAMAGED, text=f"APFS volume {name}: {error}")
            return
        tree = Tree(
            volume=self._volume,
            address=address,
            dialect=_Dialect(),
            path_prefix=f"{name}/" if len(self._names) > 1 else "",
            reference_prefix=f"{index}/",
        )
        yield from walk_tree(tree, root)

    def _root(self, index: int) -> Any:
        inner = self._volumes[index]
        if inner is None:
            raise EvidenceError("cannot be opened")
        root = must(inner.get_root_directory, "its root directory cannot be read")
        if root is None:
            raise EvidenceError("it has no root directory")
        return root

    def _stream(self, item: Item) -> Any:
        """Return the library's file or attribute; the last one is kept, since content is read block by block."""
        if self._held is None or self._held[0] != item.reference:
            index, identifier, *attribute = item.reference.split("/", 2)
            if self._locked[int(index)]:
                raise EvidenceError("its volume is locked")
            inner = self._volumes[int(index)]
            stream = must(inner.get_file_entry_by_identifier, METADATA, int(identifier))
            if attribute:
                stream = attribute_of(stream, attribute[0])
            if stream is None:
                raise EvidenceError(f"no such file {item.reference}")
            self._held = (item.reference, stream)
        return self._held[1]


class _Dialect:
    """APFS as pyfsapfs tells it: identifiers, nanoseconds, extents in bytes of the container."""

    is_literal: ClassVar = False  # where each extent belongs in a file, and which are holes, is not told

    def key(self, entry: Any) -> int:
        return int(entry.get_identifier())

    def to_volume(self, offset: int) -> int:
        return offset

    def plain(self, entry: Any) -> bool:
        return not ask(entry.has_extended_attribute_by_name, False, _COMPRESSED)

    def streams(self, entry: Any) -> Iterator[tuple[str, Any]]:
        """Yield the resource fork, and every attribute that is not one of the system's own small ones.

        The resource fork of a compressed file is its compressed content and not listed a second time.
        """
        plain = self.plain(entry)
        for name, attribute in attributes_of(entry):
            if name == _FORK:
                if plain:
                    yield "rsrc", attribute
            elif not _is_system(name) or (name != _COMPRESSED and ask(attribute.get_number_of_extents, 0)):
                yield name, attribute


def _is_system(name: str) -> bool:
    return name.startswith("com.apple.") or name == "purgeable-drecs-fixed"


def _name(inner: Any, index: int) -> str:
    name = ask(inner.get_name, None) if inner is not None else None
    return plain_name(name or "").replace("/", ":") or f"volume {index}"


def _unique(names: list[str]) -> list[str]:
    """Return the names, a repeated one with the first free number behind it."""
    taken: set[str] = set()
    for index, name in enumerate(names):
        number, fresh = 1, name
        while fresh in taken:
            number += 1
            fresh = f"{name} {number}"
        names[index] = fresh
        taken.add(fresh)
    return names
