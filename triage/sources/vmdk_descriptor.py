"""The descriptor of a VMDK image: which extents make the disk. Facts: VMware Virtual Disk Format 5.0."""

import re
from dataclasses import dataclass
from typing import Self

SIGNATURE = b"# disk descriptorfile"
NO_PARENT = "ffffffff"
_EXTENT = re.compile(
    r'(?:RW|RDONLY|NOACCESS)\s+(\d{1,19})\s+([A-Z]+)(?:\s+"([^"]*)"(?:\s+(\d{1,19}))?)?', re.IGNORECASE
)
_SETTING = re.compile(r'([A-Za-z][\w.]*)\s*=\s*"?([^"]*)"?\s*\Z')


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """One stretch of the disk: `sectors` long, from sector `start` of the file `name`."""

    sectors: int
    kind: str
    name: str
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """The identifiers of the disk and its parent, eight hexadecimal digits each, and the extents in disk order."""

    content_id: str
    parent_id: str
    parent_name: str
    extents: tuple[Extent, ...]

    @property
    def is_delta(self) -> bool:
        """Tell whether the disk is only the difference to a parent."""
        return self.parent_id != NO_PARENT

    @classmethod
    def parse(cls, raw: bytes) -> Self | None:
        """Return the descriptor, or None if the bytes are none; lines that make no sense are passed over."""
        if not is_descriptor(raw):
            return None
        settings: dict[str, str] = {}
        extents: list[Extent] = []
        for line in _decoded(raw.partition(b"\0")[0]).splitlines():
            if extent := _EXTENT.match(line.strip()):
                sectors, kind, name, start = extent.groups()
                extents.append(Extent(sectors=int(sectors), kind=kind.upper(), name=name or "", start=int(start or 0)))
            elif setting := _SETTING.match(line.strip()):
                settings.setdefault(setting[1].lower(), setting[2])
        return cls(
            content_id=settings.get("cid", "").lower().zfill(8),
            parent_id=settings.get("parentcid", NO_PARENT).lower().zfill(8),
            parent_name=settings.get("parentfilenamehint", ""),
            extents=tuple(extents),
        )


def is_descriptor(head: bytes) -> bool:
    """Tell whether a text starts as descriptors do."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[: len(SIGNATURE)].lower() == SIGNATURE


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")
