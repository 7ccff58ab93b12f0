"""LUKS volumes opened with a passphrase or a key file.

The reader is our own: libluksde knows no LUKS2, and does not open every LUKS1 volume that others write. Facts: LUKS1
On-Disk Format Specification 1.2.3 (anti-forensic splitting, the digest of the key), LUKS2 the same by reference.
"""

import hashlib
import hmac
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import product

import numpy as np

from triage.model.errors import EvidenceError
from triage.model.runs import ByteRun
from triage.model.secret import Secret, SecretKind, Secrets
from triage.volumes.decrypted import DecryptedVolume, decrypted
from triage.volumes.key_derivation import MOST_SECONDS as MOST_SECONDS_OF_ONE
from triage.volumes.luks import KeySlot, LuksHeader, read_luks
from triage.volumes.sector_ciphers import NUMBERED, sector_cipher
from triage.volumes.unlocking import Opened, Refused
from triage.volumes.volume import Volume

_PULSE_SECONDS = 1.0

MOST_SECONDS = 240.0
"""The most work for one volume, all secrets on all its key slots together."""


def unlock_luks(volume: Volume, secrets: Secrets) -> Opened | Refused:
    """Open a LUKS volume with the first secret that does. Raises EvidenceError for what no secret can open."""
    header = read_luks(volume)
    if header is None:
        raise EvidenceError("its header cannot be read")
    reasons = dict.fromkeys(header.unknown)
    work = 0.0
    for secret, slot in product(secrets, header.slots):
        work += _work(header, slot)
        if work > MOST_SECONDS:
            reasons["its key slots ask for too much work, not all were tried"] = None
            break
        try:
            key = _key(volume, header, slot, secret)
        except EvidenceError as error:
            reasons[str(error)] = None
            continue
        if key is not None:
            return Opened(_plain(volume, header, key), _words(secret))
    return Refused(tuple(reasons))


def _work(header: LuksHeader, slot: KeySlot) -> float:
    """Return about how many seconds one secret on one slot takes: none where it asks for more than is begun."""
    each = slot.derivation.seconds(slot.area_key_size), header.proof.seconds(len(header.digest))
    return sum(seconds for seconds in each if seconds <= MOST_SECONDS_OF_ONE)


def _words(secret: Secret) -> str:
    return "a key file" if secret.kind is SecretKind.KEY_FILE else "a passphrase"


def _key(volume: Volume, header: LuksHeader, slot: KeySlot, secret: Secret) -> bytes | None:
    """Return the key of the volume if the secret opens the slot."""
    size = slot.key_size * slot.stripes
    material = volume.read_at(slot.area.offset, -(-size // NUMBERED) * NUMBERED)
    if len(material) < size or len(material) % NUMBERED:
        raise EvidenceError("a key slot lies past the end of the volume")
    split = sector_cipher(slot.area_cipher, _derived(volume, slot, secret)).decrypt(material, 0)
    key = _joined(split[:size], slot)
    proof = header.proof.derive(key, len(header.digest))
    return key if hmac.compare_digest(proof, header.digest) else None


def _derived(volume: Volume, slot: KeySlot, secret: Secret) -> bytes:
    """Return the key that opens a slot; a sector is read now and then, a sign of life to whoever watches the source."""
    with ThreadPoolExecutor(1) as thread:
        deriving = thread.submit(slot.derivation.derive, secret.value, slot.area_key_size)
        while not wait((deriving,), _PULSE_SECONDS).done:
            volume.read_at(0, NUMBERED)
        return deriving.result()


def _joined(split: bytes, slot: KeySlot) -> bytes:
    """Return the key of which the stripes are the anti-forensic split."""
    stripes = np.frombuffer(split, np.uint8).reshape(slot.stripes, slot.key_size)
    joined = np.zeros(slot.key_size, np.uint8)
    for stripe in stripes[:-1]:
        joined = np.frombuffer(b"".join(_diffused((joined ^ stripe).tobytes(), slot.split_digest)), np.uint8)
    return bytes((joined ^ stripes[-1]).tobytes())


def _diffused(data: bytes, digest: str) -> Iterator[bytes]:
    size = hashlib.new(digest).digest_size
    for number, start in enumerate(range(0, len(data), size)):
        piece = data[start : start + size]
        yield hashlib.new(digest, number.to_bytes(4, "big") + piece).digest()[: len(piece)]


def _plain(volume: Volume, header: LuksHeader, key: bytes) -> DecryptedVolume:
    cipher = sector_cipher(header.cipher, key, header.sector_size)
    length = header.payload.length // header.sector_size * header.sector_size
    start, first = header.payload.offset, header.first_number

    def decrypt(offset: int, length: int) -> bytes:
        return cipher.decrypt(volume.read_at(start + offset, length), first + offset // NUMBERED)

    return decrypted(volume, ByteRun(start, length), decrypt, header.sector_size, f"luks{header.version}")
