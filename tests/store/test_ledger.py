import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from triage.model.custody import FIRST, CustodyEvent
from triage.model.errors import StoreError
from triage.store.case import Case, CaseReader

TRIGGERS = ("custody_is_not_changed", "custody_is_not_shortened", "custody_is_appended")


@pytest.fixture
def ledger_of_five(case: Case) -> Case:
    for number in range(4):
        case.ledger.append(when="2026", actor="a", action=f"step.{number}", subject="ABC/1", payload={"n": number})
    return case


@contextmanager
def tampering(case: Case) -> Iterator[sqlite3.Connection]:
    case.close()
    raw = sqlite3.connect(case.folder / "case.sqlite")
    for trigger in TRIGGERS:
        raw.execute(f"DROP TRIGGER {trigger}")
    yield raw
    raw.commit()
    raw.close()


def assert_refused(case: Case, what: str) -> None:
    with pytest.raises(StoreError, match=what) as error:
        Case.open(case.folder)
    assert "\n" not in str(error.value)
    with CaseReader.open(case.folder) as reader, pytest.raises(StoreError, match="does not verify"):
        reader.ledger.verify()


def test_every_event_is_linked_to_the_one_before(ledger_of_five: Case) -> None:
    events = list(ledger_of_five.ledger.events())
    assert [event.sequence for event in events] == [1, 2, 3, 4, 5]
    assert [event.previous for event in events] == [FIRST, *(event.digest for event in events[:-1])]
    ledger_of_five.ledger.verify()


@pytest.mark.parametrize("column", ["when_utc", "actor", "action", "subject", "payload", "previous", "digest"])
def test_an_edited_event_is_detected(ledger_of_five: Case, column: str) -> None:
    with tampering(ledger_of_five) as raw:
        raw.execute(f"UPDATE custody SET {column} = {column} || 'x' WHERE sequence = 3")
    assert_refused(ledger_of_five, "event 3 is not the one that was recorded")


def test_a_case_that_does_not_verify_is_refused_before_anything_is_written(ledger_of_five: Case) -> None:
    """A killed writer left the file beside the case that another writer would bring into it."""
    with tampering(ledger_of_five) as raw:
        raw.execute("UPDATE custody SET actor = 'x' WHERE sequence = 3")
        raw.commit()
        left = ledger_of_five.folder.parent / "left"
        shutil.copytree(ledger_of_five.folder, left)
    before = {name: (left / name).read_bytes() for name in ("case.sqlite", "case.sqlite-wal")}
    assert before["case.sqlite-wal"]
    with pytest.raises(StoreError, match="event 3 is not"):
        Case.open(left)
    with pytest.raises(StoreError, match="event 3 is not"):
        Case.open_or_create(left, when="2026", actor="a")
    assert {name: (left / name).read_bytes() for name in before} == before


def test_an_event_appended_while_a_reader_verifies_is_no_alarm(
    ledger_of_five: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def events_then_one_more() -> Iterator[CustodyEvent]:
        yield from events()
        ledger_of_five.ledger.append(when="2026", actor="a", action="late", subject="ABC/1", payload={})

    with CaseReader.open(ledger_of_five.folder) as reader:
        events = reader.ledger.events
        monkeypatch.setattr(reader.ledger, "events", events_then_one_more)
        reader.ledger.verify()
        reader.ledger.verify()
    assert [event.action for event in ledger_of_five.ledger.events()][-2:] == ["late", "late"]


def test_a_removed_event_is_detected(ledger_of_five: Case) -> None:
    with tampering(ledger_of_five) as raw:
        raw.execute("DELETE FROM custody WHERE sequence = 2")
    assert_refused(ledger_of_five, "event 2 is not")


def test_a_cut_end_is_detected(ledger_of_five: Case) -> None:
    with tampering(ledger_of_five) as raw:
        raw.execute("DELETE FROM custody WHERE sequence >= 4")
    assert_refused(ledger_of_five, "the last events, after event 3, are missing")


def test_a_forged_event_in_place_of_a_real_one_is_detected(ledger_of_five: Case) -> None:
    second = list(ledger_of_five.ledger.events())[1]
    forged = CustodyEvent.after(second, when="2026", actor="b", action="x", subject="s", payload={})
    with tampering(ledger_of_five) as raw:
        raw.execute(
            "UPDATE custody SET when_utc = ?, actor = ?, action = ?, subject = ?, payload = ?, digest = ? "
            "WHERE sequence = 3",
            (forged.when, forged.actor, forged.action, forged.subject, forged.payload, forged.digest),
        )
    assert_refused(ledger_of_five, "event 4 is not")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE custody SET actor = 'b'",
        "DELETE FROM custody",
        "INSERT OR REPLACE INTO custody VALUES (2, '', '', '', '', '', '', '')",
        "INSERT INTO custody VALUES (9, '', '', '', '', '', '', '')",
    ],
)
def test_the_file_itself_forbids_changes(ledger_of_five: Case, statement: str) -> None:
    ledger_of_five.close()
    raw = sqlite3.connect(ledger_of_five.folder / "case.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="custody"):
        raw.execute(statement)
    raw.close()


def test_an_event_is_undone_with_what_it_tells_of(prepared: Case, when: str) -> None:
    before = list(prepared.ledger.events())

    def record_and_fail() -> None:
        with prepared.transaction():
            prepared.exhibits.add_bytes_read("ABC/1", 5)
            prepared.ledger.append(when=when, actor="a", action="x", subject="s", payload={})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        record_and_fail()
    record = prepared.exhibits.get("ABC/1")
    assert record is not None
    assert record.bytes_read == 0
    assert list(prepared.ledger.events()) == before


def test_names_of_any_bytes_are_carried(case: Case, when: str) -> None:
    event = case.ledger.append(
        when=when, actor="a", action="x", subject="disk\udcff.raw",
        payload={"files": ["b\udcfe"], "n": {"\udcfd": 1}, "none": None},
    )  # fmt: skip
    assert event.subject == "disk\\xff.raw"
    assert event.payload == '{"files":["b\\\\xfe"],"n":{"\\\\xfd":1},"none":null}'
    case.ledger.verify()
