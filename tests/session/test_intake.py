"""What is stated of an exhibit on arrival: helpful where it is wrong, kept in the ledger, corrected, never edited."""

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from triage.model.errors import UsageError
from triage.session.examination import open_case
from triage.session.intake import Received, arrivals, check, not_stated, proposed_reference, receive
from triage.session.view import CaseView

TODAY = "2026-11-23T15:00:00+00:00"
STICK = Received(exhibit="ABC/1", description="black USB stick", examiner="A Examiner")


def test_a_record_that_says_what_is_needed_is_in_order() -> None:
    assert check(STICK, ["ABC/2"], today=TODAY) == {}
    full = replace(STICK, exhibit="ABC/1/2", found_when="2026-11-23 14:05", write_block="hardware", seal="B1234567")
    assert check(full, today=TODAY) == {}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("exhibit", "", "Give the exhibit's reference"),
        ("exhibit", "abc1", "abc1 is no reference"),
        ("exhibit", "ABC/0", "is no reference"),
        ("exhibit", "ABC/7", "is taken already"),
        ("description", "  ", "Say in a few words what it is"),
        ("examiner", "", "Give the name"),
        ("seal", "a\nb", "cannot be printed"),
        ("premises", "\u202eright to left", "cannot be printed"),
        ("description", "x" * 501, "501 characters long: 500 at most"),
        ("found_when", "yesterday", "Write date and time as"),
        ("found_when", "2026-02-30 10:00", "Write date and time as"),
        ("found_when", "2026-11-23 15:01", "still to come"),
        ("write_block", "yes", "Choose one of: hardware, system, image, none."),
    ],
)
def test_what_is_wrong_is_told_at_its_field(field: str, value: str, said: str) -> None:
    problems = check(replace(STICK, **{field: value}), {"ABC/7"}, today=TODAY)
    assert list(problems) == [field]
    assert said in problems[field]


def test_the_next_reference_follows_the_highest_of_that_person() -> None:
    assert proposed_reference("abc", []) == "ABC/1"
    assert proposed_reference("ABC", ["ABC/1", "ABC/10", "ABC/2/7", "XY/12", "disk.raw"]) == "ABC/11"
    assert proposed_reference("", []) == ""
    assert proposed_reference("A1", []) == ""


def test_what_a_continuity_record_lacks_is_named() -> None:
    assert set(not_stated(STICK)) == {
        "operation", "authority", "premises", "seal", "found_where", "found_when", "found_by", "state_on_arrival",
        "write_block",
    }  # fmt: skip
    full = Received(**{field.name: "x" for field in fields(Received)})
    assert not_stated(full) == ()


def test_an_arrival_and_its_correction_are_in_the_ledger(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    first = receive(folder, STICK)
    assert (first["exhibit"], first["superseded"], first["seal"]) == ("ABC/1", False, None)
    receive(folder, replace(STICK, exhibit="ABC/2", description=" a phone "))
    receive(folder, replace(STICK, seal="B1234567"))
    with open_case(folder) as case:
        _, *events = case.ledger.events()
        rows = arrivals(case)
        assert arrivals(case, "ABC/2") == [rows[1]]
    assert {event.action for event in events} == {"exhibit.received"}
    assert json.loads(events[1].payload) == {"description": "a phone", "examiner": "A Examiner"}
    assert [(row["exhibit"], row["seal"], row["superseded"]) for row in rows] == [
        ("ABC/1", None, True),
        ("ABC/2", None, False),
        ("ABC/1", "B1234567", False),
    ]
    exhibits = CaseView(folder).exhibits()
    assert [(row["reference"], row["state"], row["received"].get("seal")) for row in exhibits] == [
        ("ABC/1", None, "B1234567"),
        ("ABC/2", None, None),
    ]


def test_nothing_is_recorded_of_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"found-when: Write date and time"):
        receive(tmp_path / "case", replace(STICK, found_when="noon"))
    assert not (tmp_path / "case").exists()
