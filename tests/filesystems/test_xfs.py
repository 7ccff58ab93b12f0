import hashlib
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from images.overlay import Overlay, written_sectors
from suite import Corpus, Tool

from triage.filesystems.xfs import XfsFileSystem, open_xfs
from triage.model.errors import EvidenceError
from triage.model.item import Item, ItemKind
from triage.model.runs import ByteRun, intersect, merge, total
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.source import EvidenceSource
from triage.volumes.volume import Volume

SIZE = 320 << 20
NAMES = 400
LINK = "x" * 900


def opened(source: EvidenceSource) -> XfsFileSystem:
    filesystem = open_xfs(Volume(source, ByteRun(0, source.info.size)))
    assert filesystem is not None
    return filesystem


def content(filesystem: XfsFileSystem, item: Item) -> bytes:
    return b"".join(filesystem.read_at(item, offset, 1 << 20) for offset in range(0, item.size, 1 << 20))


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Return what is put into every image."""
    random_ = random.Random(11)
    contents = {
        "small.txt": b"hello token\n",
        "empty": b"",
        "block.bin": random_.randbytes(4096),
        "big.bin": random_.randbytes(2_000_001),
        "naïve ☃.txt": b"a name beyond ASCII",
    }
    contents |= {f"many/n{index:04d}.bin": index.to_bytes(2, "big") * (index % 50) for index in range(NAMES)}
    return contents


@pytest.fixture(scope="module")
def make(
    files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, tool: Tool
) -> Iterator[Callable[..., Path]]:
    """Return a function that makes an image with options of mkfs.xfs, without mounting it."""
    folder = tmp_path_factory.mktemp("xfs")
    lines = ["/nothing", "0 0", "d--755 0 0", f"link l--777 0 0 {LINK}", "fifo p--644 0 0", "many d--755 0 0"]
    for place in (True, False):
        for index, (path, data) in enumerate(files.items()):
            if path.startswith("many/") is place:
                (folder / f"{index}").write_bytes(data)
                # the protofile ends names at blanks, so such a name is put in without them
                lines.append(f"{path.split('/')[-1].replace(' ', '_')} ---644 0 0 {folder / str(index)}")
        lines += ["$"]
    (folder / "proto").write_text("\n".join(lines) + "\n")
    images: dict[tuple[str, ...], Path] = {}

    def make_image(*options: str) -> Path:
        if options not in images:
            image = images[options] = folder / f"image{len(images)}"
            with image.open("wb") as file:
                os.truncate(file.fileno(), SIZE)
            command = [tool("mkfs.xfs"), "-q", "-p", str(folder / "proto"), *options, str(image)]
            subprocess.run(command, check=True, capture_output=True)
        return images[options]

    yield make_image
    for image in images.values():
        image.unlink()


VARIANTS = [
    (),
    ("-m", "crc=0"),
    ("-m", "bigtime=0,rmapbt=1"),
    ("-i", "nrext64=1"),
    ("-b", "size=1024", "-i", "sparse=0"),
    ("-m", "reflink=0"),
]


@pytest.mark.parametrize("options", VARIANTS, ids=lambda options: " ".join(options) or "default")
def test_what_was_put_in_comes_out(
    make: Callable[..., Path], files: dict[str, bytes], options: tuple[str, ...]
) -> None:
    source = Overlay(make(*options))
    filesystem = opened(source)
    listed = list(filesystem.walk())
    items = {item.path: item for item in listed if isinstance(item, Item)}
    assert len(items) == len(listed) == len(files) + 3
    for path, expected in files.items():
        item = items[path.replace(" ", "_")]
        assert content(filesystem, item) == expected
        assert b"".join(source.read_at(run.offset, run.length) for run in item.runs) == expected
        assert item.direct is (expected != b"")
        assert item.times.modified is not None
    assert items["many"].kind is ItemKind.DIRECTORY
    assert items["fifo"].kind is ItemKind.OTHER
    assert filesystem.read_at(items["link"], 0, 2000) == LINK.encode()
    assert total(items["big.bin"].runs) == 2_000_001
    filesystem.close()
    filesystem.close()


def test_agrees_with_the_truth(corpus: Corpus) -> None:
    case = corpus.case("dfvfs_xfs.raw")
    filesystem = opened(Overlay(corpus.first_file(case)))
    items = [item for item in filesystem.walk() if isinstance(item, Item)]
    read = {
        item.path: (item.size, hashlib.md5(content(filesystem, item)).hexdigest())
        for item in items
        if item.kind is ItemKind.FILE
    }
    expected = case["filesystems"][0]["files_from_second_tool"]
    assert read == {file["path"]: (file["size"], file["md5"]) for file in expected}
    assert [item.path for item in items if item.kind is ItemKind.STREAM] == ["a_directory/a_file:user.myxattr"]


@pytest.mark.parametrize(
    ("offset", "mask", "reason"),
    [
        (216, 0x80, "incompatible features 0x80000000"),
        (219, 0x00, ""),
        (101, 0x02, "version"),
        (23, 0x01, "realtime"),
        (4, 0x01, "block size"),
        (124, 0x1F, "allocation groups"),
    ],
)
def test_what_is_not_read_is_refused(make: Callable[..., Path], offset: int, mask: int, reason: str) -> None:
    source = Overlay(make(), {offset: mask})
    if not reason:
        assert opened(source).kind == "xfs"
        return
    with pytest.raises(EvidenceError, match=reason):
        opened(source)


def test_other_bytes_are_not_xfs(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"XFSB")
    source = Overlay(tmp_path / "image")
    assert open_xfs(Volume(source, ByteRun(0, 4))) is None


@pytest.mark.parametrize("cut", [600, 5000, 66_000, 1 << 20, 81 << 20])
def test_a_cut_image_says_so(make: Callable[..., Path], cut: int) -> None:
    troubles = walked(Overlay(make(), cut=cut))
    assert troubles is None or any(
        trouble.code is TroubleCode.DAMAGED and "its end is missing" in trouble.text for trouble in troubles
    )


def test_flipped_bits_end(make: Callable[..., Path]) -> None:
    for options in VARIANTS[:2]:
        path = make(*options)
        runs = merge(run for item in opened(Overlay(path)).walk() if isinstance(item, Item) for run in item.runs)
        sectors = [sector for sector in written_sectors(path) if not intersect(runs, (ByteRun(sector, 512),))]
        found = 0
        for seed in range(12):
            random_ = random.Random(seed)
            flips = {random_.choice(sectors) + random_.randrange(512): 1 << random_.randrange(8) for _ in range(30)}
            troubles = walked(Overlay(path, flips))
            found += troubles is None or bool(troubles)
        assert found


def walked(source: EvidenceSource) -> list[Trouble] | None:
    """Walk and read; return the troubles, None when refused. Whatever is not an EvidenceError fails the test."""
    try:
        filesystem = opened(source)
    except EvidenceError:
        return None
    troubles: list[Trouble] = []
    for item in filesystem.walk():
        if isinstance(item, Trouble):
            troubles.append(item)
            continue
        try:
            filesystem.read_at(item, 0, 1 << 16)
        except EvidenceError:
            continue
    return troubles
