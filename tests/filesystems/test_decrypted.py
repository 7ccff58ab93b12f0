"""Files in encrypted volumes, listed and read with the secret."""

import hashlib
from pathlib import Path

import pytest
from suite import Corpus

from triage.filesystems.decrypted import DecryptedFileSystem
from triage.filesystems.filesystem import FileSystem
from triage.filesystems.recognition import Recognition, recognise
from triage.model.item import Item, ItemKind
from triage.model.runs import ByteRun
from triage.model.secret import NO_SECRETS, Secrets
from triage.model.trouble import TroubleCode
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource
from triage.volumes.volume import Volume

PASSWORDS = "39cb097008d17660abd0539891a672af"
APFS_AT = 20480


def recognised(path: Path, secrets: Secrets, offset: int = 0) -> Recognition:
    source = WatchedSource(open_source(path))
    return recognise(Volume(source, ByteRun(offset, source.info.size - offset)), secrets)


def files(filesystem: FileSystem | None) -> dict[str, Item]:
    assert filesystem is not None
    return {item.path: item for item in filesystem.walk() if isinstance(item, Item)}


@pytest.fixture(scope="module")
def luks(corpus: Corpus) -> Recognition:
    return recognised(corpus.path("encrypted/dfvfs_luks1.raw"), Secrets.given(["luksde-TEST"]))


def test_a_file_in_a_luks_volume_is_read(luks: Recognition) -> None:
    assert (luks.state, luks.troubles) == ("read", ())
    assert luks.text == "LUKS1 volume, unlocked with a passphrase: ext2"
    assert isinstance(luks.filesystem, DecryptedFileSystem)
    item = files(luks.filesystem)["passwords.txt"]
    assert str(item.address).startswith("volume:0!decrypted:luks1!file:")
    data = luks.filesystem.read_at(item, 0, item.size)
    assert hashlib.md5(data).hexdigest() == PASSWORDS


def test_runs_are_places_in_the_source_that_are_never_read_as_they_are(corpus: Corpus, luks: Recognition) -> None:
    items = files(luks.filesystem)
    assert not [item.path for item in items.values() if item.direct]
    (run,) = items["passwords.txt"].runs
    assert 2 << 20 <= run.offset < run.end <= 10 << 20
    source = open_source(corpus.path("encrypted/dfvfs_luks1.raw"))
    assert hashlib.md5(source.read_at(run.offset, run.length)).hexdigest() != PASSWORDS
    source.close()


def test_files_without_a_known_place_keep_no_runs(luks: Recognition) -> None:
    assert luks.filesystem is not None
    unmapped = DecryptedFileSystem(luks.filesystem, is_mapped=False)
    assert not [item.path for item in files(unmapped).values() if item.runs]
    assert (unmapped.kind, unmapped.block_size) == (luks.filesystem.kind, luks.filesystem.block_size)


def test_an_encrypted_apfs_volume_is_read(corpus: Corpus) -> None:
    path = corpus.path("encrypted/dfvfs_apfs_encrypted.dmg")
    found = recognised(path, Secrets.given(["token", "apfs-TEST"]), APFS_AT)
    assert (found.state, found.troubles) == ("read", ())
    assert found.text == "apfs, unlocked: SingleVolume (with a password)"
    items = files(found.filesystem)
    assert found.filesystem is not None
    read = {
        path: hashlib.md5(found.filesystem.read_at(item, 0, item.size)).hexdigest()
        for path, item in items.items()
        if item.kind is ItemKind.FILE
    }
    assert read["passwords.txt"] == PASSWORDS
    assert not [item for item in items.values() if item.direct]
    found.filesystem.close()


def test_a_wrong_password_is_said_once_for_an_apfs_volume(corpus: Corpus) -> None:
    found = recognised(corpus.path("encrypted/dfvfs_apfs_encrypted.dmg"), Secrets.given(["one", "two"]), APFS_AT)
    assert found.state == "encrypted"
    assert found.filesystem is not None
    (trouble,) = found.filesystem.walk()
    assert not isinstance(trouble, Item)
    assert trouble.code is TroubleCode.ENCRYPTED
    assert trouble.text == "APFS volume SingleVolume is encrypted and locked; none of the 2 secrets given opens it"


def test_an_opened_volume_of_which_nothing_can_be_read_is_still_encrypted(corpus: Corpus) -> None:
    found = recognised(corpus.path("encrypted/bitlk-aes-xts-128-clearkey-only.img"), NO_SECRETS)
    assert (found.state, found.filesystem) == ("encrypted", None)
    assert found.text.startswith("BitLocker volume, unlocked with the clear key stored on it: NTFS file system that")
    assert [trouble.code for trouble in found.troubles] == [TroubleCode.ENCRYPTED, TroubleCode.DAMAGED]


def test_a_volume_encrypted_many_times_over_ends(corpus: Corpus) -> None:
    source = open_source(corpus.path("encrypted/dfvfs_luks1.raw"))
    found = recognise(Volume(source, ByteRun(0, source.info.size)), Secrets.given(["luksde-TEST"]), 0)
    assert (found.state, "times over" in found.text) == ("encrypted", True)
    source.close()
