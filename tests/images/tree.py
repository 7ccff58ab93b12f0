"""What a synthetic file system is to hold."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

WHEN = datetime(2026, 3, 14, 9, 26, 52, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file: `path` with `/`, its content, and whether it is deleted; `streams` are NTFS's alternate ones."""

    path: str
    data: bytes
    deleted: bool = False
    streams: dict[str, bytes] = field(default_factory=dict)


def folders_of(files: list[File]) -> list[str]:
    """Return every folder that the files need, parents first."""
    found: dict[str, None] = {}
    for file in files:
        parts = file.path.split("/")[:-1]
        for depth in range(len(parts)):
            found["/".join(parts[: depth + 1])] = None
    return sorted(found, key=lambda path: (path.count("/"), path))
