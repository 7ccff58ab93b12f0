import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from suite import placed, record

from triage.model.errors import StoreError
from triage.model.evidence import Region, SourceInfo
from triage.model.item import Item, Outcome
from triage.model.placing import Placed
from triage.model.result import ItemResult
from triage.store import opening
from triage.store.case import Case, CaseReader
from triage.store.database import Database
from triage.store.exhibits import Exhibits
from triage.store.layout import Layout
from triage.store.ledger import Ledger
from triage.store.migrations import APPLICATION_ID, MIGRATIONS, Migration, migrate, version
from triage.store.rows import INSERT_ITEM, ITEM_COLUMNS, member_row

WHEN = "2026-11-23T10:00:00.000000Z"


def test_a_stranger_reads_the_case_with_plain_sql(prepared: Case, item: Callable[[int], Item]) -> None:
    prepared.journal.add_items("ABC/1", 1 << 20, placed([item(1)]), first=0)
    raw = sqlite3.connect(prepared.folder / "case.sqlite")
    tables = {row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {
        "meta", "exhibit", "plan", "region", "item", "finding", "trouble", "unreadable", "coverage",
        "recommendation", "custody", "decision", "judgement", "searched", "indication", "block_sample",
    }  # fmt: skip
    assert raw.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone() == (str(len(MIGRATIONS)),)
    assert raw.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    row = raw.execute("SELECT path, size, modified, runs, outcome, typeof(modified) FROM item").fetchone()
    assert row == (
        "Pictures/IMG_0001.JPG", 4096, "2019-08-31T10:22:59.960217401Z", "1052672+4096", "not-reached", "text",
    )  # fmt: skip
    (table,) = raw.execute("SELECT sql FROM sqlite_master WHERE name = 'item'").fetchone()
    assert "-- cites the item from the source inwards" in table
    assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    raw.close()


def test_foreign_keys_are_enforced(case: Case) -> None:
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        case._database.execute("INSERT INTO plan VALUES (77, '', '')")


@pytest.fixture
def one_more_step(tmp_path: Path) -> tuple[Migration, ...]:
    """The steps of a later program: one more column."""
    later = tmp_path / "later.sql"
    later.write_text("ALTER TABLE exhibit ADD COLUMN bag TEXT;\nCREATE TABLE note (text TEXT);\n")
    return (*MIGRATIONS, Migration(brings="seal numbers", script=str(later)))


def test_an_older_case_is_brought_up_to_date(prepared: Case, one_more_step: tuple[Migration, ...]) -> None:
    prepared.close()
    database = Database(prepared.folder / "case.sqlite", "rw")
    migrate(database, version(database, one_more_step), one_more_step)
    assert version(database, one_more_step) == len(one_more_step)
    row = database.one("SELECT reference, bag FROM exhibit")
    assert row is not None
    assert tuple(row) == ("ABC/1", None)
    database.close()
    with pytest.raises(
        StoreError, match=f"schema version {len(MIGRATIONS) + 1}, this program knows {len(MIGRATIONS)};"
    ):
        Case.open(prepared.folder)


def test_a_case_with_an_index_of_addresses_keeps_its_items_and_what_refers_to_them(
    tmp_path: Path, info: SourceInfo, region: Region, item: Callable[[int], Item]
) -> None:
    older = MIGRATIONS[:3]
    database = Database(tmp_path / "case.sqlite", "rwc")
    migrate(database, 0, older)
    Ledger(database).append(when=WHEN, actor="examiner", action="case.created", subject="case", payload={})
    exhibits = Exhibits(database)
    exhibits.add("ABC/1", info, "f" * 64, plan_text="{}", plan_digest="e" * 64, when=WHEN)
    Layout(database, exhibits).record_regions("ABC/1", [region])
    rows = placed([item(number) for number in range(5)], rank=7)
    database.execute_many(INSERT_ITEM, [(1, sequence, *row) for sequence, row in enumerate(rows)])
    database.execute("INSERT INTO finding VALUES (1, 3, '', '', '', '', '', '', '', 0, 1, '', 0, '', '', '', '')")
    before = [tuple(row) for row in database.rows(f"SELECT id, sequence, rank, {ITEM_COLUMNS} FROM item ORDER BY id")]
    database.close()
    with Case.open(tmp_path) as case:
        after = case._database.rows(f"SELECT id, sequence, rank, {ITEM_COLUMNS} FROM item ORDER BY id")
        assert [tuple(row) for row in after] == before
        assert [row["item_id"] for row in case._database.rows("SELECT item_id FROM finding")] == [3]
        assert list(case._database.rows("PRAGMA foreign_key_check")) == []
        with pytest.raises(StoreError, match="FOREIGN KEY"):
            case._database.execute("UPDATE finding SET item_id = 77")
        assert case.journal.add_items("ABC/1", region.run.offset, placed([item(4), item(5)]), first=0) == 1
        assert len(case.queue.next("ABC/1", 10)) == 6


def test_a_case_from_before_decisions_is_decided_in(
    tmp_path: Path, info: SourceInfo, region: Region, item: Callable[[int], Item]
) -> None:
    database = Database(tmp_path / "case.sqlite", "rwc")
    migrate(database, 0, MIGRATIONS[:4])
    Ledger(database).append(when=WHEN, actor="examiner", action="case.created", subject="case", payload={})
    exhibits = Exhibits(database)
    exhibits.add("ABC/1", info, "f" * 64, plan_text="{}", plan_digest="e" * 64, when=WHEN)
    Layout(database, exhibits).record_regions("ABC/1", [region])
    database.execute_many(INSERT_ITEM, [(1, 0, *row) for row in placed([item(1)])])
    database.execute(
        "INSERT INTO finding VALUES (7, 1, 's', '', '', '', '', '', 'pdq', 9, NULL, '', 0, '', '', '', '')"
    )
    database.close()
    with pytest.raises(StoreError, match="older program; run triage examine"):
        CaseReader.open(tmp_path)
    with Case.open(tmp_path) as case:
        case.ledger.verify()
        assert list(case.decisions.rows()) == list(case.judgements.rows()) == []
        assert [(row["id"], row["confirmed"]) for row in case.queries.findings()] == [(7, None)]
        assert case.judgements.finding(7).exhibit == "ABC/1"


def test_a_case_from_before_members_keeps_its_items_and_takes_members(
    tmp_path: Path, info: SourceInfo, region: Region, item: Callable[[int], Item]
) -> None:
    database = Database(tmp_path / "case.sqlite", "rwc")
    migrate(database, 0, MIGRATIONS[:5])
    Ledger(database).append(when=WHEN, actor="examiner", action="case.created", subject="case", payload={})
    exhibits = Exhibits(database)
    exhibits.add("ABC/1", info, "f" * 64, plan_text="{}", plan_digest="e" * 64, when=WHEN)
    Layout(database, exhibits).record_regions("ABC/1", [region])
    database.execute_many(INSERT_ITEM, [(1, number, *row) for number, row in enumerate(placed([item(1), item(2)]))])
    database.execute("CREATE UNIQUE INDEX item_address ON item (region_id, address)")
    before = [tuple(row) for row in database.rows(f"SELECT id, sequence, {ITEM_COLUMNS} FROM item ORDER BY id")]
    database.close()
    with Case.open(tmp_path) as case:
        after = case._database.rows(f"SELECT id, sequence, {ITEM_COLUMNS} FROM item ORDER BY id")
        assert [tuple(row) for row in after] == before
        assert case._database.one("SELECT 1 FROM sqlite_master WHERE name = 'item_address'") is None
        assert case.queue.containers("ABC/1", 10) == []
        record(case.journal, [ItemResult(item=1, outcome=Outcome.EXAMINED, opens=True)])
        row = member_row(item(3), Placed(0, 0), ItemResult(item=0, outcome=Outcome.EXAMINED))
        assert case.journal.add_members(1, [row], [], first=0, found_at=WHEN, seconds=0) == 1
        again = placed([item(1), item(2), item(4)])
        assert case.journal.add_items("ABC/1", region.run.offset, again, first=0) == 1
        found = case.exhibits.get("ABC/1")
        assert found is not None
        assert (found.self_test, case.samples.of("ABC/1")) == (None, ())


def test_a_step_that_fails_leaves_the_case_as_it_was(prepared: Case, tmp_path: Path) -> None:
    prepared.close()
    broken = tmp_path / "broken.sql"
    broken.write_text("CREATE TABLE note (text TEXT);\nALTER TABLE absent ADD COLUMN x TEXT;\n")
    database = Database(prepared.folder / "case.sqlite", "rw")
    with pytest.raises(StoreError, match="absent"):
        migrate(database, len(MIGRATIONS), (*MIGRATIONS, Migration(brings="nothing", script=str(broken))))
    assert version(database) == len(MIGRATIONS)
    assert database.one("SELECT 1 FROM sqlite_master WHERE name = 'note'") is None
    database.close()
    Case.open(prepared.folder).close()


def test_a_reader_does_not_read_an_older_case(
    case: Case, one_more_step: tuple[Migration, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "MIGRATIONS", one_more_step)
    with pytest.raises(StoreError, match="older program"):
        opening.open_for_reading(case.folder)
