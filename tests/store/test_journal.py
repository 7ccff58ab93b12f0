import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suite import placed, record

from triage.model.address import Address
from triage.model.digest import Digests, PictureHashes
from triage.model.errors import StoreError, UsageError
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind
from triage.model.item import Item, ItemKind, Outcome, Times
from triage.model.placing import Placed
from triage.model.result import ItemResult
from triage.model.runs import ByteRun, Runs
from triage.store import journal
from triage.store.case import Case
from triage.store.database import Database
from triage.store.migrations import migrate
from triage.store.rows import INSERT_ITEM, ITEM_COLUMNS, LARGEST, item_of, listed_row, runs_text, spans_of

VOLUME = 1 << 20
ROOT = Path(__file__).parents[2]

FIRST = Placed(tier=0, rank=0)

names = st.binary(max_size=40).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
moments = st.none() | st.integers(min_value=-(1 << 70), max_value=1 << 70)
items = st.builds(
    Item,
    address=st.builds(lambda a, b: Address("file", a).child("path", b), names, names),
    kind=st.sampled_from(ItemKind),
    path=names,
    size=st.integers(min_value=0, max_value=LARGEST),
    allocated=st.booleans(),
    recovered=st.booleans(),
    encrypted=st.none() | st.just("efs"),
    unlocated=st.none() | st.just("its metadata cannot be read"),
    reference=names,
    times=st.builds(Times, modified=moments, created=moments, accessed=moments, changed=moments),
    runs=st.lists(
        st.builds(ByteRun, st.integers(min_value=0, max_value=1 << 70), st.integers(min_value=0, max_value=1 << 70))
    ).map(tuple),
    direct=st.booleans(),
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    opened = Database(tmp_path_factory.mktemp("rows") / "case.sqlite", "rwc")
    opened.execute("PRAGMA journal_mode = MEMORY")
    migrate(opened, 0)
    opened.execute("PRAGMA synchronous = OFF")
    return opened


@settings(deadline=None)  # a shared machine may stall
@given(item=items)
def test_an_item_comes_back_as_it_was(database: Database, item: Item) -> None:
    database.execute("DELETE FROM item")
    database.execute(INSERT_ITEM, (1, 0, *listed_row(item, FIRST)))
    row = database.one(f"SELECT {ITEM_COLUMNS} FROM item")
    assert row is not None
    assert item_of(row) == item


def test_a_size_beyond_any_disk_is_cut_to_the_largest_number(database: Database) -> None:
    hostile = Item(
        address=Address("file", "9"), kind=ItemKind.FILE, path="x", size=(1 << 64) - 1, allocated=True, reference="9"
    )
    database.execute("DELETE FROM item")
    database.execute(INSERT_ITEM, (1, 0, *listed_row(hostile, FIRST)))
    row = database.one("SELECT size FROM item")
    assert row is not None
    assert row["size"] == LARGEST


def pending(case: Case) -> list[Item]:
    return [item_of(pending.row) for pending in case.queue.next("ABC/1", 2000)]


def numbers(case: Case) -> list[int]:
    return [pending.number for pending in case.queue.next("ABC/1", 2000)]


def test_what_is_listed_waits(prepared: Case, item: Callable[[int], Item]) -> None:
    found = [item(n) for n in (5, 3, 9, 1, 7)]
    assert prepared.journal.add_items("ABC/1", VOLUME, placed(found[:3]), first=0) == 3
    assert prepared.journal.add_items("ABC/1", VOLUME, placed(found[3:]), first=3) == 2
    assert pending(prepared) == sorted(found, key=lambda one: one.runs[0].offset)
    assert sum(tier.items for tier in prepared.queue.tiers("ABC/1")) == 5


def test_a_walk_begun_again_ends_with_the_same_rows(prepared: Case, item: Callable[[int], Item]) -> None:
    found = [item(n) for n in range(20)]
    prepared.journal.add_items("ABC/1", VOLUME, placed(found[:7]), first=0)
    before = numbers(prepared)
    assert prepared.journal.add_items("ABC/1", VOLUME, placed(found[:10]), first=0) == 3
    assert prepared.journal.add_items("ABC/1", VOLUME, placed(found[10:]), first=10) == 10
    assert pending(prepared) == found
    assert numbers(prepared)[:7] == before


def test_what_a_second_walk_sees_anew_is_not_lost(prepared: Case, item: Callable[[int], Item]) -> None:
    """A failing disk may list other names the second time."""
    prepared.journal.add_items("ABC/1", VOLUME, placed([item(0), item(2)]), first=0)
    assert prepared.journal.add_items("ABC/1", VOLUME, placed([item(0), item(1), item(2)]), first=0) == 1
    assert {found.path for found in pending(prepared)} == {item(n).path for n in range(3)}


def test_items_need_a_recorded_region(prepared: Case, item: Callable[[int], Item]) -> None:
    with pytest.raises(UsageError, match="no region at byte 12"):
        prepared.journal.add_items("ABC/1", 12, placed([item(0)]), first=0)


def finding(item: Item, by: MatchBy = MatchBy.MD5, distance: int = 0) -> Finding:
    known = SetIdentity(name="demo", version="3", digest="d" * 64, kind=SetKind.NOTABLE)
    match = Match(
        set=known,
        by=by,
        distance=distance,
        category="A",
        grade="indicative",
        series="S",
        flags=("distributed", "suspected"),
    )
    return Finding(address=item.address, match=match, analyzer="exact-match", analyzer_version="1")


def test_a_result_and_its_findings_are_stored_whole(prepared: Case, item: Callable[[int], Item]) -> None:
    prepared.journal.add_items("ABC/1", VOLUME, placed([item(1)]), first=0)
    result = ItemResult(
        item=numbers(prepared)[0],
        outcome=Outcome.EXAMINED,
        digests=Digests(md5="a" * 32, sha1="b" * 40, sha256="c" * 64),
        media_type="image/jpeg",
        pictures=PictureHashes(pdq="0" * 64, quality=77, phash="1" * 16, damaged=True),
        findings=(finding(item(1)), finding(item(1), MatchBy.PDQ, 12)),
    )
    record(prepared.journal, [result], found_at="2026-11-23T10:00:00Z", seconds=2.5)
    (row,) = prepared.queries.items("ABC/1")
    assert (row["md5"], row["sha1"], row["sha256"]) == ("a" * 32, "b" * 40, "c" * 64)
    assert (row["media_type"], row["pdq"], row["pdq_quality"], row["phash"]) == ("image/jpeg", "0" * 64, 77, "1" * 16)
    assert (row["outcome"], row["reason"]) == ("examined", None)
    found = list(prepared.queries.findings("ABC/1"))
    assert [(one["match"], one["distance"], one["seconds"]) for one in found] == [("md5", 0, 2.5), ("pdq", 12, 2.5)]
    assert [(one["series"], one["flags"]) for one in found] == [("S", "distributed suspected")] * 2


def test_why_a_picture_has_no_hash_is_the_reason(prepared: Case, item: Callable[[int], Item]) -> None:
    prepared.journal.add_items("ABC/1", VOLUME, placed([item(1)]), first=0)
    result = ItemResult(item=numbers(prepared)[0], outcome=Outcome.EXAMINED, reason="tiny: smaller than 50 pixels")
    record(prepared.journal, [result], found_at="2026", seconds=0.0)
    assert [row["reason"] for row in prepared.queries.items()] == ["tiny: smaller than 50 pixels"]


def test_an_item_ends_in_exactly_one_outcome(prepared: Case, item: Callable[[int], Item]) -> None:
    prepared.journal.add_items("ABC/1", VOLUME, placed([item(0), item(1)]), first=0)
    first, second = numbers(prepared)
    done = ItemResult(item=first, outcome=Outcome.EXAMINED, findings=(finding(item(0)),))
    record(prepared.journal, [done], found_at="2026", seconds=1.0)
    again = [ItemResult(item=second, outcome=Outcome.EXAMINED), done._replace(outcome=Outcome.CRASHED)]
    with pytest.raises(StoreError, match="a second outcome for one item"):
        record(prepared.journal, again, found_at="2026", seconds=2.0)
    assert [row["outcome"] for row in prepared.queries.items()] == ["examined", "not-reached"]
    assert len(list(prepared.queries.findings())) == 1


def test_the_account_streams_every_item(prepared: Case, item: Callable[[int], Item]) -> None:
    prepared.journal.add_items("ABC/1", VOLUME, placed([item(0), item(1)]), first=0)
    first, _ = numbers(prepared)
    record(
        prepared.journal,
        [ItemResult(item=first, outcome=Outcome.UNREADABLE, reason="sector 9")],
        found_at="2026",
        seconds=0.0,
    )
    accounted = list(prepared.journal.accounted("ABC/1"))
    assert [(one.outcome, one.code, one.allocated, one.damaged, one.items) for one in accounted] == [
        (Outcome.UNREADABLE, "sector 9", False, None, 1),
        (Outcome.NOT_REACHED, "", True, None, 1),
    ]
    assert [one.spans.tolist() for one in accounted] == [[[VOLUME, VOLUME + 4096]], [[VOLUME + 4096, VOLUME + 8192]]]


def test_the_account_takes_alike_items_together(
    prepared: Case, item: Callable[[int], Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [replace(item(n), runs=() if n % 2 else item(n).runs, allocated=True) for n in range(100)]
    prepared.journal.add_items("ABC/1", VOLUME, placed(found), first=0)
    (alike,) = prepared.journal.accounted("ABC/1")
    assert (alike.items, len(alike.spans)) == (100, 50)
    monkeypatch.setattr(journal, "_GATHERED", 1000)
    parts = list(prepared.journal.accounted("ABC/1"))
    assert len(parts) > 3
    assert sum(some.items for some in parts) == 100
    assert [span for some in parts for span in some.spans.tolist()] == alike.spans.tolist()


@given(st.lists(items.map(lambda one: one.runs)))
def test_runs_are_read_as_spans_inside_the_source(many: list[Runs]) -> None:
    size = 1 << 40
    spans = spans_of([runs_text(runs) for runs in many], size)
    assert spans.tolist() == [[min(run.offset, size), min(run.end, size)] for runs in many for run in runs]


KILLED_WHILE_LISTING = """
import os, signal, sys
from pathlib import Path
from triage.model.address import Address
from triage.model.item import Item, ItemKind
from triage.model.placing import Placed
from triage.store.case import Case
from triage.store.rows import listed_row

def listing():
    for number in range(1000):
        item = Item(address=Address("file", str(number)), kind=ItemKind.FILE, path=str(number), size=1,
                    allocated=True, reference=str(number))
        yield listed_row(item, Placed(tier=0, rank=0))

case = Case.open(Path(sys.argv[1]))
stop = int(sys.argv[2])
items = list(listing())

class Dying(list):
    def __iter__(self):
        for number, item in enumerate(items[200:]):
            if number == stop:
                os.kill(os.getpid(), signal.SIGKILL)
            yield item

case.journal.add_items("ABC/1", 1 << 20, items[:200], first=0)
if stop >= 0:
    case.journal.add_items("ABC/1", 1 << 20, Dying(), first=200)
for start in range(200, 1000, 100):
    case.journal.add_items("ABC/1", 1 << 20, items[start:start + 100], first=start)
"""


def test_killed_in_the_middle_of_a_transaction_then_resumed(prepared: Case) -> None:
    prepared.close()
    for stop in (1, 650, -1):
        command = [sys.executable, "-c", KILLED_WHILE_LISTING, str(prepared.folder), str(stop)]
        ended = subprocess.run(command, cwd=ROOT, check=False, timeout=30, capture_output=True)
        assert ended.returncode == (0 if stop < 0 else -signal.SIGKILL), ended.stderr
        with Case.open(prepared.folder) as case:
            assert len(case.queue.next("ABC/1", 2000)) == (1000 if stop < 0 else 200)
    with Case.open(prepared.folder) as case:
        assert [int(one.path) for one in pending(case)] == list(range(1000))
        assert numbers(case) == list(range(1, 1001))
