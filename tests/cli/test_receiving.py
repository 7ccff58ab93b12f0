"""`triage receive`: an arrival in the record of the case, and its corrections."""

from pathlib import Path

from suite import Triage

KNOWN = ("--description", "black USB stick", "--examiner", "A Examiner")


def test_an_exhibit_is_received_and_corrected(triage: Triage, tmp_path: Path) -> None:
    case = tmp_path / "case"
    first = triage("receive", "--case", case, "--exhibit", "ABC/1", *KNOWN)
    assert first.code == 0, first.err
    assert "Exhibit ABC/1 received 20" in first.out
    assert "not stated: --operation and --authority" in first.err
    again = triage("receive", "--case", case, "--exhibit", "ABC/1", *KNOWN, "--seal", "B123", "--json")
    assert (again.json["seal"], again.json["superseded"], again.json["make"]) == ("B123", False, None)
    rows = triage("received", "--case", case, "--jsonl").rows
    assert [(row["exhibit"], row["seal"], row["superseded"]) for row in rows] == [
        ("ABC/1", None, True),
        ("ABC/1", "B123", False),
    ]
    wrong = triage("receive", "--case", case, "--exhibit", "stick", *KNOWN)
    assert wrong.code == 2
    assert (
        wrong.err == "triage: exhibit: stick is no reference: write initials in capitals and a number, such as ABC/1.\n"
    )
