"""What was learnt of a source besides its items: hints in names, samples of blocks, the self-test."""

import pytest

from triage.model.blocks import BlockStratum
from triage.model.errors import UsageError
from triage.model.indication import Indication
from triage.store.case import Case

EXHIBIT = "ABC/1"
VAULT = Indication(group="encryption", label="container program", text="Makes encrypted containers.")
WIPER = Indication(group="deletion", label="wiper", text="Overwrites files.")


def test_an_indication_met_again_is_one_row_and_they_are_counted(prepared: Case) -> None:
    first = ("volume:1!path:a", "a", VAULT)
    prepared.indications.record(EXHIBIT, [first, ("volume:1!path:b", "b", VAULT), ("volume:1!path:a", "a", WIPER)])
    prepared.indications.record(EXHIBIT, [first])
    prepared.indications.record(EXHIBIT, [])
    assert list(prepared.indications.of(EXHIBIT)) == [
        ("volume:1!path:a", "a", WIPER),
        first,
        ("volume:1!path:b", "b", VAULT),
    ]
    told = {("deletion", "wiper"): 1, ("encryption", "container program"): 2}
    assert prepared.indications.counted(EXHIBIT) == told


def test_a_name_of_any_bytes_is_told_printable(prepared: Case) -> None:
    prepared.indications.record(EXHIBIT, [("volume:1!path:caf%E9", "caf\udce9", VAULT)])
    assert [path for _, path, _ in prepared.indications.of(EXHIBIT)] == ["caf\\xe9"]


def test_a_sample_comes_back_as_it_was_and_takes_the_place_of_an_earlier_one(prepared: Case) -> None:
    one = BlockStratum(
        label="unallocated space", blocks=100, grid=10, grid_read=9, drawn=50, leads=2, alone=1, left_bytes=77
    )
    two = BlockStratum(label="gaps", blocks=9, grid=0, grid_read=0, drawn=9, drawn_unreadable=1)
    assert prepared.samples.of(EXHIBIT) == ()
    prepared.samples.record(EXHIBIT, [two])
    prepared.samples.record(EXHIBIT, [one, two])
    assert prepared.samples.of(EXHIBIT) == (one, two)


def test_the_self_test_is_told_as_it_ended_last(prepared: Case) -> None:
    assert told(prepared) == (None, None)
    prepared.exhibits.record_self_test(EXHIBIT, passed=True, text="all 12 answers as known")
    assert told(prepared) == (True, "all 12 answers as known")
    prepared.exhibits.record_self_test(EXHIBIT, passed=False, text="1 of 12 answers is wrong")
    assert told(prepared) == (False, "1 of 12 answers is wrong")


def test_all_need_a_known_exhibit(prepared: Case) -> None:
    with pytest.raises(UsageError, match="no exhibit"):
        prepared.indications.record("ABC/9", [("a", "a", VAULT)])
    with pytest.raises(UsageError, match="no exhibit"):
        prepared.samples.record("ABC/9", [])
    with pytest.raises(UsageError, match="no exhibit"):
        prepared.exhibits.record_self_test("ABC/9", passed=True, text="")


def told(case: Case) -> tuple[bool | None, str | None]:
    record = case.exhibits.get(EXHIBIT)
    assert record is not None
    return record.self_test, record.self_test_text
