"""The two lines of live progress: they fit the terminal, and tell a rate."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from triage.cli.progress import sentence
from triage.cli.status import Status, numbers
from triage.model.address import Address
from triage.model.event import Event, Found, Progress, Verifying, VolumeOpened, Walking
from triage.model.evidence import Region, VolumeReport
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind
from triage.model.item import Item, ItemKind
from triage.model.runs import ByteRun

MIB = 1 << 20


def examined(done: int, path: str = "a/b.jpg") -> Progress:
    return Progress(items_done=done, items_total=200, bytes_done=done * MIB, bytes_total=200 * MIB, in_hand=path)


def shown(*events: tuple[float, Event]) -> Status:
    status = Status(0.0)
    for now, event in events:
        status.take(event, now)
    return status


def test_numbers_at_80_columns_and_a_bar_at_100() -> None:
    status = shown((1.0, examined(0)), (11.0, examined(100)))
    text = "100/200 items  100.0 MiB/200.0 MiB  10.0 MiB/s  11.0 s  10.0 s left"
    assert status.lines(80, 11.0) == [text, "a/b.jpg"]
    assert status.lines(100, 11.0)[0] == f"[{'#' * 12}{'.' * 12}]  {text}"


def test_what_earlier_runs_did_is_no_speed() -> None:
    assert "2.0 MiB/s" in numbers(shown((0.0, examined(150)), (10.0, examined(170))).stand, 10.0)


def test_only_the_last_half_minute_counts() -> None:
    events = [(float(now), examined(min(now, 100))) for now in range(150)]
    assert "0.0 MiB/s" in numbers(shown(*events).stand, 150.0)


def test_listing_and_verifying_are_told() -> None:
    assert shown((1.0, Walking(volume="partition 1", items=1234))).lines(80, 2.0) == [
        "1,234 items  listed so far  2.0 s", "partition 1",
    ]  # fmt: skip
    checked = [(float(now), Verifying(bytes_done=now * MIB, bytes_total=20 * MIB)) for now in (0, 10)]
    assert shown(*checked).lines(80, 10.0) == ["verifying  10.0 MiB/20.0 MiB  1.0 MiB/s  10.0 s  10.0 s left"]


@given(st.text(st.characters(), max_size=300), st.integers(20, 200))
def test_no_line_is_wider_than_the_terminal(path: str, width: int) -> None:
    status = shown((0.0, examined(0)), (9.0, examined(7, path + "x")))
    assert all(cell_len(line) <= width for line in status.lines(width, 9.0))


def test_the_end_of_a_long_path_is_shown() -> None:
    assert shown((0.0, examined(1, "folder/" * 30 + "name.jpg"))).lines(20, 0.0)[1] == "\u2026der/folder/name.jpg"


def volume(text: str) -> str | None:
    region = Region(run=ByteRun(MIB, 24 * MIB), name="partition 1", scheme="mbr", is_volume=True)
    return sentence(VolumeOpened(report=VolumeReport(region=region, state="read", file_system="ntfs", text=text)))


def test_a_volume_is_named_once() -> None:
    assert volume("ntfs") == volume("NTFS") == "partition 1 at 1048576: ntfs, 24.0 MiB"
    assert volume("odd") == "partition 1 at 1048576: ntfs, 24.0 MiB; odd"


def test_a_finding_says_that_the_item_is_deleted() -> None:
    address = Address("volume", "0")
    item = Item(
        address=address, kind=ItemKind.FILE, path="caf\udce9 \x1b.jpg", size=1, allocated=False, reference="1"
    )  # fmt: skip
    held = SetIdentity(name="set", version="1", digest="0" * 64, kind=SetKind.NOTABLE)
    match = Match(set=held, by=MatchBy.MD5, distance=0)
    found = Found(item=item, finding=Finding(address=address, match=match, analyzer="a", analyzer_version="1"))
    assert sentence(found) == "FOUND caf\\xe9 \\x1b.jpg (deleted): md5 match in set"
