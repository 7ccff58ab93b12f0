"""Volume shadow copies: what differs from the volume of today is given out once, all else is left out."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from items.expanding import ALL, MEMBERS, Told, expanded, inside, listed, told
from suite import Corpus

from triage.items.evidence import Evidence
from triage.items.expansion import opens
from triage.items.shadow_copies import Same
from triage.model.address import Address
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.item import Item, ItemKind, Times
from triage.model.runs import ByteRun
from triage.model.trouble import TroubleCode
from triage.sources.opening import open_source
from triage.sources.source import EvidenceSource
from triage.sources.watched import WatchedSource

FIRST, SECOND = "{de81cc22-aa8b-11eb-9339-8cdcd4557abc}", "{de81cc2b-aa8b-11eb-9339-8cdcd4557abc}"
STORE = "System Volume Information/%s{3808876b-c176-4e48-b7ae-04046e6cc752}"
MFT, RECORD, PASSWORDS = 27_590_656, 1024, 40
MODIFIED, CHANGED = 8, 16  # of the four times in it
STANDARD = 56  # where the first attribute of a record begins, and its content after 24 bytes


@dataclass
class Changed:
    """A source of which some bytes are others today."""

    inner: EvidenceSource
    changes: dict[int, bytes] = field(default_factory=dict)

    @property
    def info(self) -> SourceInfo:
        return self.inner.info

    def read_at(self, offset: int, length: int) -> bytes:
        data = bytearray(self.inner.read_at(offset, length))
        for start, change in self.changes.items():
            for at, byte in enumerate(change, start - offset):
                if 0 <= at < len(data):
                    data[at] = byte
        return bytes(data)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        return self.inner.unreadable_runs()

    def close(self) -> None:
        self.inner.close()


@pytest.fixture
def changed(corpus: Corpus) -> Iterator[Changed]:
    with closing(Changed(open_source(corpus.path("real/dfvfs/vss.raw")))) as source:
        yield source


def shadows(source: EvidenceSource, identifier: str) -> Told:
    evidence = Evidence(WatchedSource(source))
    store, volume = next(pair for pair in listed(evidence) if pair[0].path == STORE % identifier)
    return told(expanded(evidence, store, volume))


def users(found: Told) -> dict[str, bytes]:
    """Return what is no file of the file system itself, by its path in the copy."""
    paths = {path: path.partition("Z/")[2] for path in found.contents}
    return {short: found.contents[path] for path, short in paths.items() if not short.startswith("$")}


def test_what_is_the_same_today_is_left_out_and_no_trouble(changed: Changed) -> None:
    found = shadows(changed, FIRST)
    assert users(found) == {}
    assert found.troubles == []


@pytest.mark.parametrize(("identifier", "made"), [(FIRST, "2021-05-01T17:40:03Z"), (SECOND, "2021-05-01T17:41:28Z")])
def test_a_file_that_was_changed_since_is_given_out_as_it_was(changed: Changed, identifier: str, made: str) -> None:
    record = MFT + PASSWORDS * RECORD
    raw = changed.inner.read_at(record, RECORD)
    text = raw.index(b"place,user,password")
    changed.changes = {record + STANDARD + 24 + 8: bytes(8), record + text: b"nothing of that"}
    found = shadows(changed, identifier)
    old = users(found)
    assert list(old) == ["passwords.txt"]
    assert old["passwords.txt"].startswith(b"place,user,password")
    (item,) = (item for item in found.items if item.path.endswith("/passwords.txt"))
    assert item.path == f"{STORE % identifier}/{made}/passwords.txt"
    assert (item.kind, item.runs, item.allocated) == (ItemKind.MEMBER, (), True)
    assert Address.parse(str(item.address)) == item.address


@pytest.mark.parametrize("field", [MODIFIED, CHANGED])
def test_a_file_of_which_one_time_alone_is_another_is_given_out(changed: Changed, field: int) -> None:
    record = MFT + PASSWORDS * RECORD
    changed.changes = {record + STANDARD + 24 + field: bytes(8)}
    assert list(users(shadows(changed, FIRST))) == ["passwords.txt"]


def test_the_same_times_at_another_place_are_another_file() -> None:
    item = Item(
        address=Address("file", "1"),
        kind=ItemKind.FILE,
        path="a",
        size=4096,
        allocated=True,
        reference="1",
        times=Times(modified=1, changed=2),
        runs=(ByteRun(1 << 20, 4096),),
    )
    today = Same([item], start=1 << 19)
    assert not today.differs(replace(item, runs=(ByteRun(1 << 19, 4096),)))
    assert today.differs(item)
    assert today.differs(replace(item, runs=(ByteRun(1 << 19, 4096),), times=Times(modified=1, changed=3)))


def test_a_store_that_the_catalogue_does_not_know_is_said_to_be_unread(changed: Changed) -> None:
    evidence = Evidence(WatchedSource(changed))
    store, volume = next(pair for pair in listed(evidence) if pair[0].path == STORE % FIRST)
    other = replace(store, path=STORE % "{00000000-0000-0000-0000-000000000000}")
    found = told(expanded(evidence, other, volume))
    assert [(trouble.code, trouble.address) for trouble in found.troubles] == [(TroubleCode.UNREADABLE, store.address)]
    assert found.items == []


def test_a_store_without_a_volume_of_its_own_is_said_to_be_unread(tmp_path: Path) -> None:
    (tmp_path / "System Volume Information").mkdir()
    found = inside(tmp_path, STORE % FIRST, b"store" * 1000)
    assert [trouble.code for trouble in found.troubles] == [TroubleCode.UNREADABLE]
    assert "cannot be read" in found.troubles[0].text


def test_stores_inside_a_disk_image_are_not_gone_through_and_said_so(corpus: Corpus) -> None:
    path = corpus.path("real/dfvfs/vss.raw")
    evidence = Evidence(WatchedSource(open_source(path.parent)))
    image, volume = next(pair for pair in listed(evidence) if pair[0].path == "vss.raw")
    found = told(expanded(evidence, image, volume))
    evidence.source.close()
    assert [trouble.text for trouble in found.troubles] == [
        "the volume shadow copy is not gone through: it lies inside another file"
    ] * 2


@pytest.mark.parametrize(
    ("path", "is_opened"),
    [
        (STORE % FIRST, True),
        (f"whole source/{STORE % FIRST}".upper(), True),
        ("System Volume Information/{3808876b-c176-4e48-b7ae-04046e6cc752}", False),
        ("{3808876b-c176-4e48-b7ae-04046e6cc752}.txt", False),
    ],
)
def test_a_store_is_told_by_its_path(path: str, is_opened: bool) -> None:
    item = Item(
        address=Address("volume", "0").child("file", "1"),
        kind=ItemKind.FILE,
        path=path,
        size=0,
        allocated=True,
        reference="1",
    )
    assert opens(item, None, b"", ALL) is is_opened
    assert not opens(item, None, b"", MEMBERS)


def test_a_scratched_volume_costs_no_more_than_the_copy(changed: Changed) -> None:
    changed.changes = {0x1E00: bytes(512)}
    found = shadows(changed, FIRST)
    assert [trouble.code for trouble in found.troubles] == [TroubleCode.UNREADABLE]
