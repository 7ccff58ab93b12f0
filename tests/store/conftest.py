"""A case with one exhibit of one volume, and items to put into it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from triage.model.address import Address
from triage.model.evidence import Region, SourceInfo, VolumeReport
from triage.model.item import Item, ItemKind, Times
from triage.model.runs import ByteRun
from triage.store.case import Case

WHEN = "2026-11-23T10:00:00.000000Z"
SIZE = 1 << 30


@pytest.fixture
def when() -> str:
    return WHEN


@pytest.fixture
def info() -> SourceInfo:
    return SourceInfo(
        kind="ewf",
        files=("disk.E01", "disk.E02"),
        size=SIZE,
        stored_digests=(("md5", "0" * 32),),
        troubles=("segment 3 is missing",),
    )


@pytest.fixture
def region() -> Region:
    return Region(run=ByteRun(1 << 20, 1 << 29), name="partition 1", scheme="gpt", is_volume=True, description="data")


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with Case.open_or_create(tmp_path / "case", when=WHEN, actor="examiner") as opened:
        yield opened


@pytest.fixture
def prepared(case: Case, info: SourceInfo, region: Region) -> Case:
    """The case with exhibit ABC/1, its regions and its one volume."""
    gap = Region(run=ByteRun(0, 1 << 20), name="gap 1", scheme="gpt", is_volume=False)
    case.exhibits.add("ABC/1", info, "f" * 64, plan_text='{"profile":"scene"}', plan_digest="e" * 64, when=WHEN)
    case.layout.record_regions("ABC/1", [gap, region])
    case.layout.record_volume("ABC/1", VolumeReport(region=region, state="read", file_system="ntfs", text="NTFS"))
    return case


@pytest.fixture
def item(region: Region) -> Callable[[int], Item]:
    """Return a function that makes the nth item of the volume."""
    volume = Address("volume", str(region.run.offset))

    def make(number: int) -> Item:
        path = f"Pictures/IMG_{number:04}.JPG"
        return Item(
            address=volume.child("file", f"{number}-128-1").child("path", path),
            kind=ItemKind.FILE,
            path=path,
            size=4096 * number,
            allocated=number % 3 != 0,
            recovered=number % 3 == 0,
            reference=f"{number}-128-1",
            times=Times(modified=1_567_246_979_960_217_400 + number),
            runs=(ByteRun((1 << 20) + 4096 * number, 4096),),
        )

    return make
