"""The headers of LUKS volumes: key slots, the digest that tells the right key, and where and how the data lies.

Facts: LUKS1 On-Disk Format Specification 1.2.3; LUKS2 On-Disk Format Specification 1.1. Everything a header says is
checked before it is used: a volume may be hostile.
"""

import hashlib
import json
import struct
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from triage.model.errors import EvidenceError
from triage.model.runs import ByteRun
from triage.sources.source import EvidenceSource
from triage.volumes.key_derivation import Argon2, Derivation, Pbkdf2

LUKS = b"LUKS\xba\xbe"
LUKS_SECOND = b"SKUL\xba\xbe"
SECOND_PLACES = tuple(0x4000 << shift for shift in range(9))
OFFSET_FIELD = slice(256, 264)

_SECTOR = 512
_BINARY = 4096
_HEADER_SIZES = frozenset(SECOND_PLACES)
_CHECKSUM = slice(448, 512)
_ACTIVE = 0x00AC71F3
_SLOTS = 8
_MOST_SLOTS = 32
_LEAST_KEY, _MOST_KEY = 16, 128
_MOST_NUMBER = (1 << 63) - 1
_MOST_STRIPES = 8192
_SECTOR_SIZES = (512, 1024, 2048, 4096)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySlot:
    """One key slot: how a secret opens it, and the stretch of the volume that holds the key, split into stripes."""

    derivation: Derivation
    key_size: int
    stripes: int
    split_digest: str
    area: ByteRun
    area_cipher: str
    area_key_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LuksHeader:
    """What a header says; `payload` is the encrypted data in the volume, `first_number` that of its first sector.

    `unknown` are the reasons why some key slots cannot be tried.
    """

    version: int
    slots: tuple[KeySlot, ...]
    unknown: tuple[str, ...]
    proof: Pbkdf2
    digest: bytes
    payload: ByteRun
    cipher: str
    sector_size: int
    first_number: int


def read_luks(volume: EvidenceSource) -> LuksHeader | None:
    """Return the header of a LUKS volume, None where there is none. Raises EvidenceError for what cannot be used."""
    head = volume.read_at(0, _BINARY)
    if head.startswith(LUKS) and head[6:8] == b"\0\1":
        return _checked(_first, volume, head)
    return _checked(_second, volume)


def _checked(reader: Callable[..., LuksHeader | None], *arguments: Any) -> LuksHeader | None:
    """Return what a reader makes of a header; whatever a hostile one leads it to is an EvidenceError."""
    try:
        return reader(*arguments)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, struct.error) as error:
        raise EvidenceError("its header is damaged") from error


def _first(volume: EvidenceSource, head: bytes) -> LuksHeader:
    """Return a LUKS1 header."""
    cipher, mode, digest = (_word(head[place : place + 32]) for place in (8, 40, 72))
    payload, key_size = struct.unpack_from(">II", head, 104)
    name = f"{cipher}-{mode}"
    slots: list[KeySlot] = []
    unknown: list[str] = []
    for place in range(208, 208 + 48 * _SLOTS, 48):
        active, iterations, salt, material, stripes = struct.unpack_from(">II32sII", head, place)
        if active == _ACTIVE:
            area = ByteRun(material * _SECTOR, -(-stripes * key_size // _SECTOR) * _SECTOR)
            try:
                slot = KeySlot(
                    derivation=Pbkdf2(digest, salt, iterations),
                    key_size=key_size,
                    stripes=stripes,
                    split_digest=digest,
                    area=area,
                    area_cipher=name,
                    area_key_size=key_size,
                )
                slots.append(_sound(slot))
            except EvidenceError as error:
                unknown.append(str(error))
    start = payload * _SECTOR
    return LuksHeader(
        version=1,
        slots=tuple(slots),
        unknown=tuple(unknown),
        proof=Pbkdf2(digest, head[132:164], int.from_bytes(head[164:168], "big")),
        digest=head[112:132],
        payload=_payload(volume, start, None),
        cipher=name,
        sector_size=_SECTOR,
        first_number=0,
    )


def _second(volume: EvidenceSource) -> LuksHeader | None:
    """Return a LUKS2 header: of the two copies the newer one whose checksum is right."""
    found = False
    best: tuple[int, bytes] | None = None
    for place in (0, *SECOND_PLACES):
        binary = volume.read_at(place, _BINARY)
        if (
            not binary.startswith(LUKS_SECOND if place else LUKS)
            or int.from_bytes(binary[OFFSET_FIELD], "big") != place
        ):
            continue
        found = True
        area = _verified(volume, binary, place)
        age = int.from_bytes(binary[16:24], "big")
        if area is not None and (best is None or age > best[0]):
            best = (age, area)
    if best is None and found:
        raise EvidenceError("its header is damaged: no copy has the right checksum")
    return None if best is None else _from_json(volume, json.loads(best[1].partition(b"\0")[0]))


def _verified(volume: EvidenceSource, binary: bytes, place: int) -> bytes | None:
    """Return the JSON area of a copy, None where its checksum is wrong or of a kind not known."""
    size = int.from_bytes(binary[8:16], "big")
    name = binary[72:104].partition(b"\0")[0]
    if size not in _HEADER_SIZES or name not in {b"sha1", b"sha256", b"sha512"}:
        return None
    area = volume.read_at(place + _BINARY, size - _BINARY)
    digest = hashlib.new(name.decode())
    digest.update(binary[: _CHECKSUM.start] + bytes(64) + binary[_CHECKSUM.stop :] + area)
    return area if binary[_CHECKSUM].startswith(digest.digest()) else None


def _from_json(volume: EvidenceSource, said: dict[str, Any]) -> LuksHeader:
    """Return what the JSON area says, of a volume with one encrypted segment."""
    number, segment = _segment(said)
    digest = next((each for each in said["digests"].values() if number in each["segments"]), None)
    if digest is None or digest["type"] != "pbkdf2":
        raise EvidenceError("the digest of its key is of a kind not known here")
    slots: list[KeySlot] = []
    unknown: list[str] = []
    for name in digest["keyslots"][:_MOST_SLOTS]:
        try:
            slots.append(_slot_of(said["keyslots"][name]))
        except EvidenceError as error:
            unknown.append(str(error))
    size, first = int(segment["sector_size"]), int(segment["iv_tweak"])
    value = b64decode(digest["digest"])
    if size not in _SECTOR_SIZES or not 0 <= first <= _MOST_NUMBER or not value:
        raise ValueError(size)
    length = None if segment["size"] == "dynamic" else int(segment["size"])
    return LuksHeader(
        version=2,
        slots=tuple(slots),
        unknown=tuple(unknown),
        proof=Pbkdf2(str(digest["hash"]), b64decode(digest["salt"]), int(digest["iterations"])),
        digest=value,
        payload=_payload(volume, int(segment["offset"]), length),
        cipher=str(segment["encryption"]),
        sector_size=size,
        first_number=first,
    )


def _segment(said: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the one segment. Raises EvidenceError where there are others, or it is none that can be read."""
    needed = said["config"].get("requirements", {}).get("mandatory", [])
    if needed or len(said["segments"]) != 1:
        raise EvidenceError("it is being encrypted anew, or has other features that are not supported")
    number, segment = next(iter(said["segments"].items()))
    if segment["type"] != "crypt" or "integrity" in segment:
        raise EvidenceError("its data is encrypted by the disk, or has checksums of its own, which is not supported")
    return number, segment


def _slot_of(said: dict[str, Any]) -> KeySlot:
    area, split = said["area"], said["af"]
    if said["type"] != "luks2" or split["type"] != "luks1" or area["type"] != "raw":
        raise EvidenceError("one of its key slots is of a kind not known here")
    slot = KeySlot(
        derivation=_derivation(said["kdf"]),
        key_size=int(said["key_size"]),
        stripes=int(split["stripes"]),
        split_digest=str(split["hash"]),
        area=ByteRun(int(area["offset"]), int(area["size"])),
        area_cipher=str(area["encryption"]),
        area_key_size=int(area["key_size"]),
    )
    return _sound(slot)


def _derivation(said: dict[str, Any]) -> Derivation:
    salt = b64decode(said["salt"])
    if said["type"] == "pbkdf2":
        return Pbkdf2(str(said["hash"]), salt, int(said["iterations"]))
    return Argon2(str(said["type"]), salt, int(said["time"]), int(said["memory"]), int(said["cpus"]))


def _sound(slot: KeySlot) -> KeySlot:
    """Return a key slot. Raises ValueError for sizes that none has."""
    sizes = 0 < slot.key_size <= _MOST_KEY and _LEAST_KEY <= slot.area_key_size <= _MOST_KEY
    hashlib.new(slot.split_digest)
    if not sizes or not 0 < slot.stripes <= _MOST_STRIPES or slot.area.length < slot.key_size * slot.stripes:
        raise ValueError(slot.stripes)
    return slot


def _payload(volume: EvidenceSource, start: int, length: int | None) -> ByteRun:
    """Return where the data lies, as far as the volume has it."""
    there = volume.info.size - start
    if start <= 0 or there <= 0:
        raise EvidenceError("its data lies elsewhere: this is a header alone, or the volume is cut off")
    return ByteRun(start, there if length is None else min(there, length))


def _word(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("ascii")


def copies(volume: EvidenceSource) -> Iterator[int]:
    """Yield where second headers of LUKS2 lie, each of which names its own place."""
    for place in SECOND_PLACES:
        second = volume.read_at(place, _SECTOR)
        if second.startswith(LUKS_SECOND) and int.from_bytes(second[OFFSET_FIELD], "big") == place:
            yield place
