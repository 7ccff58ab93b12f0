"""BitLocker volumes of the corpus; the digest of their plain bytes is that which cryptsetup's own tests state."""

import hashlib
import struct
from pathlib import Path

import pybde
import pytest
from images.overlay import Overlay
from suite import Corpus

from triage.model.runs import ByteRun
from triage.model.secret import NO_SECRETS, Secrets
from triage.volumes.locked import detect
from triage.volumes.unlock import unlock
from triage.volumes.unlock_bitlocker import _read_startup_key, unlock_bitlocker
from triage.volumes.unlocking import Opened, Refused
from triage.volumes.volume import Volume

FIXED, TO_GO, SUSPENDED = (
    f"encrypted/bitlk-{name}.img" for name in ("aes-xts-128", "togo-aes-xts-128", "aes-xts-128-clearkey-only")
)
RECOVERY = "235818-357951-253979-013365-241120-245575-342914-591910"
PLAIN = "674e3a976927fd62f3fc26df2c695cac75b8d364e3b45393717efa971f16db0f"


def volume_at(path: Path) -> Volume:
    source = Overlay(path)
    return Volume(source, ByteRun(0, source.info.size))


def test_a_recovery_password_gives_the_plain_bytes(corpus: Corpus) -> None:
    opened = unlock_bitlocker(volume_at(corpus.path(FIXED)), Secrets.given([RECOVERY.replace("-", " ")]))
    assert isinstance(opened, Opened)
    assert (opened.means, str(opened.volume.address)) == ("a recovery password", "volume:0!decrypted:bitlocker")
    digest = hashlib.sha256()
    for offset in range(0, opened.volume.size, 16 << 20):
        digest.update(opened.volume.read_at(offset, 16 << 20))
    assert digest.hexdigest() == PLAIN
    assert opened.volume.read_at(1, 15) == opened.volume.read_at(0, 16)[1:]
    assert opened.volume.unreadable_runs() == ()


def test_a_password_opens_bitlocker_to_go(corpus: Corpus) -> None:
    opened = unlock_bitlocker(volume_at(corpus.path(TO_GO)), Secrets.given(["anaconda"]))
    assert isinstance(opened, Opened)
    assert opened.means == "a password"
    assert opened.volume.read_at(3, 8) == b"MSDOS5.0"


def test_a_suspended_volume_needs_no_secret(corpus: Corpus) -> None:
    volume = volume_at(corpus.path(SUSPENDED))
    locked = detect(volume)
    assert locked is not None
    opened = unlock(volume, locked, NO_SECRETS)
    assert isinstance(opened, Opened)
    assert opened.means == "the clear key stored on it"
    assert opened.volume.read_at(3, 8) == b"NTFS    "


def test_what_cannot_be_its_secret_is_not_tried_and_nothing_is_shown(corpus: Corpus) -> None:
    volume = volume_at(corpus.path(FIXED))
    assert unlock_bitlocker(volume, NO_SECRETS) == Refused()
    assert unlock_bitlocker(volume, Secrets.given(["caf\udce9"], [b"no startup key"])) == Refused()


def test_a_wrong_password_is_said(corpus: Corpus) -> None:
    volume = volume_at(corpus.path(TO_GO))
    locked = detect(volume)
    assert locked is not None
    said = unlock(volume, locked, Secrets.given(["token"]))
    assert said == f"{locked.text}; the one secret given does not open it"


def test_damaged_metadata_is_said(corpus: Corpus) -> None:
    volume = volume_at(corpus.path(SUSPENDED))
    places = struct.unpack("<3Q", volume.read_at(176, 24))
    source = Overlay(corpus.path(SUSPENDED), {place + 64 + at: 0xFF for place in places for at in (0, 4, 8)})
    damaged = Volume(source, volume.run)
    locked = detect(volume)
    assert locked is not None
    said = unlock(damaged, locked, NO_SECRETS)
    assert (
        said
        == f"{locked.text}; it does not open (libbde cannot read its metadata: damaged, or being encrypted just then)"
    )


def startup_key() -> bytes:
    """A startup key file with an invented key."""
    key = struct.pack("<HHHHI", 44, 0, 1, 1, 0x2002) + hashlib.sha256(b"key").digest()
    name = struct.pack("<HHHH", 32, 0, 2, 1) + "ExternalKey\0".encode("utf-16-le")
    entry = struct.pack("<HHHH", 108, 6, 9, 1) + bytes(24) + name + key
    return struct.pack("<IIII", 156, 1, 48, 156) + bytes(32) + entry


def test_a_startup_key_reaches_the_library_without_a_file() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    _read_startup_key(pybde.volume(), startup_key())
    with pytest.raises(OSError, match="pybde"):
        _read_startup_key(pybde.volume(), b"no startup key")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
