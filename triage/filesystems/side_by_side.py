"""Several file systems that are valid in one volume at once: each is listed, told apart by its kind."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from triage.filesystems.filesystem import FileSystem
from triage.model.address import Address
from triage.model.errors import EvidenceError
from triage.model.item import Item
from triage.model.trouble import Trouble
from triage.volumes.volume import Volume


@dataclass(frozen=True, slots=True)
class SideBySide:
    """File systems over the same bytes. Addresses get a step `fs:KIND`, references a prefix `KIND:`."""

    volume: Volume
    parts: tuple[FileSystem, ...]

    @property
    def kind(self) -> str:
        """The kinds, joined by `+`."""
        return "+".join(part.kind for part in self.parts)

    @property
    def block_size(self) -> int:
        """The smallest allocation unit in bytes."""
        return min(part.block_size for part in self.parts)

    def walk(self) -> Iterator[Item | Trouble]:
        """List one file system after the other."""
        for part in self.parts:
            for found in part.walk():
                address = self._marked(found.address, part.kind)
                if isinstance(found, Trouble):
                    yield replace(found, address=address)
                else:
                    yield replace(found, address=address, reference=f"{part.kind}:{found.reference}")

    def read_at(self, item: Item, offset: int, length: int) -> bytes:
        """Return content bytes through the reader that listed the item. Raises EvidenceError."""
        kind, _, reference = item.reference.partition(":")
        for part in self.parts:
            if part.kind == kind:
                return part.read_at(replace(item, reference=reference), offset, length)
        raise EvidenceError(f"a {kind} file system is not in its volume any more: {self.kind}")

    def close(self) -> None:
        """Close every one."""
        for part in self.parts:
            part.close()

    def _marked(self, address: Address, kind: str) -> Address:
        """Return the address with the step that tells the file systems apart, right after the volume's own."""
        steps: list[Address] = []
        step: Address | None = address
        while step is not None and step != self.volume.address:
            steps.append(step)
            step = step.parent
        marked = self.volume.address.child("fs", kind)
        for inner in reversed(steps):
            marked = marked.child(inner.scheme, inner.value)
        return marked
