"""The header of a QCOW2 image. Facts: the QCOW2 image format specification, docs/interop/qcow2 of QEMU."""

import struct
from dataclasses import dataclass
from enum import IntFlag
from typing import Self

from triage.model.errors import EvidenceError
from triage.sources.container_file import PLAUSIBLE_SIZE

MAGIC = b"QFI\xfb"
_FIXED = struct.Struct(">4sIQIIQIIQQIIQ")
_FEATURES = struct.Struct(">QQQII")
_EXTENSION = struct.Struct(">II")
_END, _DATA_FILE_NAME = 0, 0x44415441
_EARLIEST, _LATEST = 2, 3
_NAME_LIMIT = 1023
_CLUSTER_BITS = range(9, 22)


class Feature(IntFlag):
    """Incompatible features: a reader that does not know one of them would return wrong bytes."""

    DIRTY = 1
    CORRUPT = 2
    DATA_FILE = 4
    COMPRESSION = 8
    EXTENDED_L2 = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the reader needs; offsets and sizes in bytes, `l1_entries` a number of 8-byte entries.

    `backing_file` is what the unallocated clusters are taken from; the empty name is a damaged one. `data_file` holds
    the clusters where the features say that they lie in another file. `zero_flags`: entries can mean zeros.
    """

    size: int
    cluster_bits: int
    crypt_method: int
    l1_offset: int
    l1_entries: int
    snapshots: int
    features: Feature
    compression: int
    zero_flags: bool
    backing_file: str | None
    data_file: str | None

    @classmethod
    def parse(cls, head: bytes) -> Self:
        """Return the header at the start of the first bytes of a file. Raises EvidenceError if it makes no sense."""
        if len(head) < _FIXED.size:
            raise EvidenceError("the file ends inside the header")
        fields = _FIXED.unpack_from(head)
        _, version, backing_at, backing_length, cluster_bits, size, crypt, l1_entries, l1_offset, _, _, snapshots, _ = (
            fields
        )
        if version not in (_EARLIEST, _LATEST):
            raise EvidenceError(f"QCOW version {version} is not supported; convert it to a raw image")
        if cluster_bits not in _CLUSTER_BITS:
            raise EvidenceError(f"damaged header: cluster size of 2^{cluster_bits} bytes")
        if size > PLAUSIBLE_SIZE:
            raise EvidenceError(f"damaged header: virtual size of {size} bytes")
        if crypt not in (0, 1, 2):
            raise EvidenceError(f"damaged header: encryption method {crypt}")
        features, compression, extensions = 0, 0, _FIXED.size
        if version == _LATEST:
            features, compression, extensions = _version_3(head)
        if unknown := features & ~sum(Feature):
            raise EvidenceError(f"incompatible features 0x{unknown:x} are not supported; convert it to a raw image")
        name_length = backing_length if backing_length <= _NAME_LIMIT else 0
        return cls(
            size=size,
            cluster_bits=cluster_bits,
            crypt_method=crypt,
            l1_offset=l1_offset,
            l1_entries=l1_entries,
            snapshots=snapshots,
            features=Feature(features),
            compression=compression,
            zero_flags=version == _LATEST,
            backing_file=_text(head[backing_at : backing_at + name_length]) if backing_at and backing_length else None,
            data_file=_data_file(head, extensions) if features & Feature.DATA_FILE else None,
        )


def _version_3(head: bytes) -> tuple[int, int, int]:
    """Return incompatible features, compression type and header length."""
    if len(head) < _FIXED.size + _FEATURES.size:
        raise EvidenceError("the file ends inside the header")
    features, _, _, _, length = _FEATURES.unpack_from(head, _FIXED.size)
    after = _FIXED.size + _FEATURES.size
    compression = head[after] if features & Feature.COMPRESSION and length > after and len(head) > after else 0
    return features, compression, length


def _data_file(head: bytes, position: int) -> str | None:
    while position + _EXTENSION.size <= len(head):
        kind, length = _EXTENSION.unpack_from(head, position)
        position += _EXTENSION.size
        if kind == _END:
            break
        if kind == _DATA_FILE_NAME:
            return _text(head[position : position + length])
        position += (length + 7) & ~7
    return None


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
