"""The encrypted file of one set: a header, then chunks, each with a tag of its own.

Layout, every integer little-endian::

    0   8   magic "TRIAGENC"
    8   4   format version
    12  4   chunk size: bytes of plain text in every chunk but the last
    16  32  salt of this file
    48  -   chunks: AES-256-GCM, each with its tag of 16 bytes behind it

The key of a file comes from the key of the library and the salt by HKDF-SHA256. The chunks follow the STREAM
construction: the nonce is the chunk's number in 11 bytes, big-endian, and one byte that is 1 for the last chunk; the
associated data are the header and the file's name. So no chunk can be changed, moved, left out or added, no file cut,
and none put in the place of another. Only an empty file has an empty chunk.

Sources: Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance"
(STREAM); NIST SP 800-38D (GCM); RFC 5869 (HKDF).
"""

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from triage.model.errors import StoreError
from triage.model.item import printable

CHUNK = 1 << 20
KEY_SIZE = 32
SUFFIX = ".hashset"
ENCRYPTED_SUFFIX = f"{SUFFIX}.enc"

Progress = Callable[[int, int], None]
Step = Callable[[int], None]

_MAGIC = b"TRIAGENC"
_VERSION = 1
_HEADER = struct.Struct("<8sII32s")
_SALT_SIZE = 32
_TAG_SIZE = 16
_SEALED_CHUNK = CHUNK + _TAG_SIZE
_KEY_INFO = b"digivan hash set file key v1"
_TEMPORARY = ".encrypt.partial"


def encrypt(plain: BinaryIO, key: bytes, name: str) -> Iterator[bytes]:
    """Yield the encrypted file of what `plain` holds, in pieces; `name` is what the file must be called."""
    header = _HEADER.pack(_MAGIC, _VERSION, CHUNK, os.urandom(_SALT_SIZE))
    cipher = _Cipher(key, header, name)
    yield header
    number, chunk = 0, plain.read(CHUNK)
    while following := plain.read(CHUNK):
        yield cipher.encrypt(number, chunk, last=False)
        number, chunk = number + 1, following
    yield cipher.encrypt(number, chunk, last=True)


def decrypt(path: Path, key: bytes, name: str) -> Iterator[bytes]:
    """Yield the plain content in chunks, each checked; it is whole only when the last one has come.

    Raises StoreError, naming the file, for whatever is not what was encrypted with this key under this name.
    """
    try:
        with path.open("rb", buffering=0) as file:
            count, last_size = _chunks(path, os.fstat(file.fileno()).st_size)
            header = file.read(_HEADER.size)
            _check_header(path, header)
            cipher = _Cipher(key, header, name)
            for number in range(count):
                last = number == count - 1
                yield cipher.decrypt(number, file.read(last_size if last else _SEALED_CHUNK), last=last)
    except InvalidTag as error:
        raise _damaged(path, "it is damaged, or another file was put in its place") from error
    except OSError as error:
        raise StoreError(
            f"{printable(str(path))}: cannot read the encrypted hash set: {error.strerror}: check the library"
        ) from error


def plain_size(path: Path, size: int) -> int:
    """Return how long the content of an encrypted file of `size` bytes is; raises StoreError if there is no such."""
    count, _ = _chunks(path, size)
    return size - _HEADER.size - count * _TAG_SIZE


def encrypt_file(plain: Path, target: Path, key: bytes, step: Step) -> Path:
    """Encrypt one file as `target`, in the place of what is there, and return `target`. Raises StoreError.

    The encrypted copy is flushed to the disc, decrypted and compared before it gets its name. `step` is told of every
    chunk that was encrypted or compared. One process at a time may do this in a folder.
    """
    partial = target.with_name(_TEMPORARY)
    name = target.name.removesuffix(ENCRYPTED_SUFFIX) + SUFFIX
    try:
        partial.unlink(missing_ok=True)
        with plain.open("rb", buffering=0) as file, new_private(partial) as encrypted:
            for piece in encrypt(file, key, name):
                encrypted.write(piece)
                step(len(piece))
            encrypted.flush()
            os.fsync(encrypted.fileno())
            _compare(partial, file, key, name, step)
        partial.replace(target)
        flush_folder(target.parent)
    except OSError as error:
        raise StoreError(
            f"{printable(str(target))}: cannot encrypt the hash set: {error.strerror}: check the library's folder"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()
    return target


def new_private(path: Path) -> BinaryIO:
    """Open a new file for writing, for its owner only; raises OSError if there is one of that name."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")


def flush_folder(folder: Path) -> None:
    """Make the names in a folder last through a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def stepping(progress: Progress | None, whole: int) -> Step:
    """Return a function that adds up bytes and tells `progress` how many of `whole` are done."""
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done = min(done + count, whole)
        if progress is not None:
            progress(done, whole)

    return step


def _compare(encrypted: Path, plain: BinaryIO, key: bytes, name: str, step: Step) -> None:
    plain.seek(0)
    for chunk in decrypt(encrypted, key, name):
        if plain.read(len(chunk)) != chunk:
            break
        step(len(chunk))
    else:
        if not plain.read(1):
            return
    raise StoreError(f"{printable(name)}: the encrypted copy is not what was encrypted: check the disk, try again")


class _Cipher:
    """The chunks of one file, by their number from 0."""

    def __init__(self, key: bytes, header: bytes, name: str) -> None:
        *_, salt = _HEADER.unpack(header)
        self._cipher = AESGCM(HKDF(SHA256(), KEY_SIZE, salt, _KEY_INFO).derive(key))
        self._bound = header + os.fsencode(name)

    def encrypt(self, number: int, chunk: bytes, *, last: bool) -> bytes:
        return self._cipher.encrypt(_nonce(number, last=last), chunk, self._bound)

    def decrypt(self, number: int, sealed: bytes, *, last: bool) -> bytes:
        return self._cipher.decrypt(_nonce(number, last=last), sealed, self._bound)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _chunks(path: Path, size: int) -> tuple[int, int]:
    """Return how many chunks a file of that size has, and the length of the last with its tag."""
    body = size - _HEADER.size
    count = -(-body // _SEALED_CHUNK)
    last = body - (count - 1) * _SEALED_CHUNK
    if count < 1 or last < _TAG_SIZE or (last == _TAG_SIZE and count > 1):
        raise _damaged(path, f"a file of {size} bytes is not whole")
    return count, last


def _check_header(path: Path, header: bytes) -> None:
    if not header.startswith(_MAGIC):
        raise _damaged(path, "it is not an encrypted hash set")
    _, version, chunk, _ = _HEADER.unpack(header)
    if (version, chunk) != (_VERSION, CHUNK):
        raise _damaged(
            path,
            f"its format is version {version} in chunks of {chunk} bytes, this software reads "
            f"version {_VERSION} in chunks of {CHUNK}",
        )


def _damaged(path: Path, cause: str) -> StoreError:
    return StoreError(f"{printable(str(path))}: the encrypted hash set is refused: {cause}: bring back a copy of it")
