import hashlib
import random
import shutil
from pathlib import Path

import pytest
from images.overlay import Overlay, written_sectors
from suite import Corpus

from triage.filesystems.apfs import ApfsFileSystem, _unique, open_apfs
from triage.model.errors import EvidenceError
from triage.model.item import Item, ItemKind
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.source import EvidenceSource
from triage.volumes.volume import Volume

ENCRYPTED_AT = 20480


def opened(source: EvidenceSource, offset: int = 0) -> ApfsFileSystem:
    filesystem = open_apfs(Volume(source, ByteRun(offset, source.info.size - offset)))
    assert filesystem is not None
    return filesystem


def content(filesystem: ApfsFileSystem, item: Item) -> bytes:
    return b"".join(filesystem.read_at(item, offset, 50) for offset in range(0, item.size, 50))


def test_agrees_with_the_truth(corpus: Corpus) -> None:
    case = corpus.case("dfvfs_apfs.raw")
    filesystem = opened(Overlay(corpus.first_file(case)))
    items = {item.path: item for item in filesystem.walk() if isinstance(item, Item)}
    expected = {
        file["path"]: (file["size"], file["md5"]) for file in case["filesystems"][0]["apfs_volumes"][0]["files"]
    }
    files = [item for item in items.values() if item.kind is ItemKind.FILE]
    read = {item.path: (item.size, hashlib.md5(content(filesystem, item)).hexdigest()) for item in files}
    assert read == expected
    fork = items["a_directory/a_resourcefork:rsrc"]
    assert hashlib.md5(content(filesystem, fork)).hexdigest() == "53bda94f4eadbce7b92fbec603de3103"
    attribute = items["a_directory/a_file:myxattr"]
    assert hashlib.md5(content(filesystem, attribute)).hexdigest() == "3fa4e88463acf850565eeb1444c5b12d"
    assert content(filesystem, items["a_link"]) == b"a_directory/another_file"
    assert items["passwords.txt"].times.modified == 1642144781213333494
    assert filesystem.open_volumes == ("apfs_test",)
    filesystem.close()
    filesystem.close()


def test_runs_hold_the_content_wherever_the_volume_lies(corpus: Corpus, tmp_path: Path) -> None:
    shifted = tmp_path / "shifted"
    with shifted.open("wb") as file:
        file.write(bytes(12800))
        with corpus.path("real/dfvfs/apfs.raw").open("rb") as image:
            shutil.copyfileobj(image, file)
    source = Overlay(shifted)
    filesystem = opened(source, 12800)
    items = [item for item in filesystem.walk() if isinstance(item, Item) and item.runs]
    assert len(items) == 7
    for item in items:
        assert b"".join(source.read_at(run.offset, run.length) for run in item.runs) == content(filesystem, item)
        assert item.address.find("volume") == "12800"
        assert item.address.find("apfs") == "0"


def test_a_locked_volume_is_named(corpus: Corpus) -> None:
    case = corpus.case("apfs_encrypted")
    filesystem = opened(Overlay(corpus.first_file(case)), ENCRYPTED_AT)
    (trouble,) = filesystem.walk()
    assert isinstance(trouble, Trouble)
    assert trouble.code is TroubleCode.ENCRYPTED
    assert "SingleVolume" in trouble.text
    assert filesystem.locked_volumes == ("SingleVolume",)
    assert filesystem.open_volumes == ()


def test_other_bytes_are_not_apfs(tmp_path: Path) -> None:
    (tmp_path / "zeros").write_bytes(bytes(1 << 16))
    (tmp_path / "short").write_bytes(b"x")
    for name in ("zeros", "short"):
        source = Overlay(tmp_path / name)
        assert open_apfs(Volume(source, ByteRun(0, source.info.size))) is None


def test_the_signature_alone_is_damage(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(bytes(32) + b"NXSB" + b"\xff" * 5000)
    with pytest.raises(EvidenceError, match="APFS container cannot be opened"):
        opened(Overlay(tmp_path / "image"))


@pytest.mark.parametrize("share", [0.01, 0.05, 0.09, 0.1, 0.3, 0.9])
def test_cut_images_end(corpus: Corpus, share: float) -> None:
    path = corpus.path("real/dfvfs/apfs.raw")
    source = Overlay(path, cut=int(path.stat().st_size * share))
    assert outcome(source) in {"refused", "walked"}


def test_flipped_bits_end(corpus: Corpus) -> None:
    path = corpus.path("real/dfvfs/apfs.raw")
    sectors = written_sectors(path)
    seen = set()
    for seed in range(150):
        random_ = random.Random(seed)
        flips = {
            random_.choice(sectors) + random_.randrange(512): 1 << random_.randrange(8) for _ in range(seed % 7 + 1)
        }
        seen.add(outcome(Overlay(path, flips)))
    assert seen == {"refused", "walked"}


def outcome(source: EvidenceSource) -> str:
    """Walk and read everything; whatever is not an EvidenceError fails the test."""
    try:
        filesystem = opened(source)
    except EvidenceError:
        return "refused"
    for item in filesystem.walk():
        if isinstance(item, Item):
            try:
                filesystem.read_at(item, 0, 1 << 20)
            except EvidenceError:
                continue
    filesystem.close()
    return "walked"


def test_volumes_of_one_name_are_told_apart() -> None:
    assert _unique(["Data", "Data", "Data 2", "Data"]) == ["Data", "Data 2", "Data 2 2", "Data 3"]
