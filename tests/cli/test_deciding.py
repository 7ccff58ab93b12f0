"""`triage decide`, `decisions`, `judge` and `judgements` as a user meets them."""

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageEnhance
from suite import Demo, Ran, Triage
from synthetic.concluded import concluded

from triage.model.event import EndedBy
from triage.model.finding import MatchBy
from triage.session.deciding import decisions
from triage.session.examination import open_case
from triage.store.case import Case

WHO = ("--examiner", "A Examiner", "--reason", "as seen")


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return tmp_path / "case"


def done(ran: Ran) -> Ran:
    assert ran.code == 0, ran.err
    return ran


def one_line(ran: Ran, code: int) -> str:
    assert ran.code == code, ran.err
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("triage: ")
    assert ran.out == ""
    return ran.err


def recorded(case: Path) -> list[dict[str, Any]]:
    with open_case(case) as reader:
        return list(decisions(reader))


def on_a_terminal(case: Path, answers: bytes, *words: str) -> Ran:
    """Run `decide` on a terminal that answers each question in its turn."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "triage", "decide", "--case", str(case), "--exhibit", "A/1", *words]
    os.write(ours, answers)
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        out, err = process.communicate(timeout=60)
    os.close(ours)
    return Ran(process.returncode, out.decode(), err.decode())


def test_the_words_of_the_contract_record_a_decision(triage: Triage, case: Path) -> None:
    concluded(case, MatchBy.SHA256)
    ran = done(triage("decide", "--case", case, "--exhibit", "A/1", "seize", *WHO))
    assert "Decision 1: SEIZE by A Examiner" in ran.out
    assert ran.err == "not stated: power, necessity; decide again with --power and --necessity\n"
    words = ("--power", "PACE 1984 s.19", "--necessity", "evidence", "--json")
    ran = done(triage("decide", "--case", case, "--exhibit", "A/1", "seize", *WHO, *words))
    row = ran.json
    assert (row["decision"], row["verdict"], row["power"], row["not_stated"]) == (2, "seize", "PACE 1984 s.19", [])
    assert (row["standing"], ran.err) == ("in force", "")
    rows = done(triage("decisions", "--case", case, "--jsonl")).rows
    assert [one["standing"] for one in rows] == ["superseded by decision 2", "in force"]
    assert rows[1] == row
    table = done(triage("decisions", "--case", case)).out
    assert "superseded by decision 2" in table
    listed = list(csv.DictReader(io.StringIO(done(triage("decisions", "--case", case, "--csv")).out)))
    assert [json.loads(one["limitations"]) for one in listed] == [one["limitations"] for one in rows]
    with open_case(case) as reader:
        reader.ledger.verify()


def test_a_return_says_what_was_not_looked_at(triage: Triage, case: Path) -> None:
    concluded(case)
    words = ("decide", "--case", case, "--exhibit", "A/1", "return", *WHO)
    assert "--acknowledge all" in one_line(triage(*words, "--acknowledge", "known-material-only"), 2)
    assert "stands          Hash sets find only material that is already known" in done(triage(*words)).out
    assert "encryptd is no limitation" in one_line(triage(*words, "--acknowledge", "encryptd"), 2)
    ran = done(triage(*words, "--acknowledge", "all"))
    assert "Decision 2: RETURN by A Examiner" in ran.out
    assert "acknowledged    Hash sets find only material that is already known" in ran.out
    assert ran.err == ""
    bare, row = recorded(case)
    assert bare["acknowledged"] == []
    assert row["acknowledged"] == row["limitations"]
    given = ",".join(row["limitations"])
    assert done(triage(*words, "--acknowledge", given, "--json")).json["acknowledged"] == row["acknowledged"]


def test_against_the_recommendation_a_second_person_stands_for_it(triage: Triage, case: Path) -> None:
    concluded(case, MatchBy.PDQ, ended_by=EndedBy.TIME_LIMIT)
    words = ("decide", "--case", case, "--exhibit", "A/1", "return", *WHO, "--acknowledge", "all")
    assert "against the recommendation (not-determined)" in one_line(triage(*words), 2)
    assert "at once" in one_line(triage(*words, "--second", "a examiner", "--second-reason", "x"), 2)
    ran = done(triage(*words, "--second", "B \x1b[31mSecond", "--second-reason", "seen by me"))
    assert "decided AGAINST the recommendation" in ran.out
    assert "B \\x1b[31mSecond: seen by me" in ran.out
    assert "stopped before its end (time-limit)" in ran.out


def test_what_cannot_be_decided_is_one_line(triage: Triage, case: Path) -> None:
    concluded(case)
    words = ("decide", "--case", case, "--exhibit")
    assert "holds no exhibit A/9" in one_line(triage(*words, "A/9", "refer", *WHO), 2)
    one_line(triage(*words, "A/1", "keep", *WHO), 2)
    assert "--examiner" in one_line(triage(*words, "A/1", "refer", "--reason", "x"), 2)
    assert "no letter" in one_line(triage(*words, "A/1", "refer", "--reason", "x", "--examiner", "-"), 2)
    with Case.open(case) as held:
        held.claim("A/1")
        assert "is in use" in one_line(triage(*words, "A/1", "refer", *WHO), 4)
    assert recorded(case) == []


def test_on_a_terminal_what_is_not_given_is_asked(case: Path) -> None:
    concluded(case)
    ran = done(on_a_terminal(case, b"y\n", "return", *WHO, "--json"))
    assert "Do you acknowledge all of these: " in ran.err
    assert ran.json["acknowledged"] == ran.json["limitations"]
    each = b"n\n" + b"y\n" * len(ran.json["limitations"])
    assert done(on_a_terminal(case, each, "return", *WHO, "--json")).json["decision"] == 2
    ran = done(on_a_terminal(case, b"\nCJPA 2001 s.50\nonly way\nno time\n", "refer", *WHO, "--json"))
    assert [ran.json[name] for name in ("power", "necessity", "practicability")] == [
        "CJPA 2001 s.50", "only way", "no time",
    ]  # fmt: skip


def test_who_does_not_acknowledge_decides_nothing(case: Path) -> None:
    concluded(case)
    assert on_a_terminal(case, b"n\nn\n", "return", *WHO).code == 5
    refused = on_a_terminal(case, b"", "seize", *WHO)
    assert (refused.code, refused.err.count("\n")) == (2, 1)  # before anything is asked
    assert recorded(case) == []


def test_exhibits_are_completed(triage: Triage, case: Path) -> None:
    concluded(case)
    concluded(case, exhibit="B/1")
    typed = {"_TRIAGE_COMPLETE": "bash_complete", "COMP_CWORD": "5"}
    words = f"triage decide --case {case} --exhibit "
    assert triage(environment={**typed, "COMP_WORDS": words}).out.split() == ["plain,A/1", "plain,B/1"]
    assert triage(environment={**typed, "COMP_WORDS": words + "B"}).out.split() == ["plain,B/1"]


def test_candidates_are_judged_one_by_one_or_together(triage: Triage, case: Path) -> None:
    concluded(case, MatchBy.PDQ, MatchBy.PDQ, MatchBy.SHA256)
    who = ("--examiner", "A Examiner")
    ran = done(triage("judge", "--case", case, "--finding", 1, "confirm", *who, "--note", "same", "--json")).json
    assert [row["finding"] for row in ran["judgements"]] == [1]
    assert ran["recommendations"]["A/1"]["reasons"][1]["code"] == "candidate-confirmed"
    ran = done(triage("judge", "--case", case, "--finding", 1, "--finding", 2, "reject", *who))
    assert "Finding 2 rejected by A Examiner: 1.jpg (pdq, 12 bits away, in demo)" in ran.out
    assert "candidate-" not in ran.out
    assert "digest match" in one_line(triage("judge", "--case", case, "--finding", 3, "reject", *who), 2)
    for number in (9, 1 << 63):
        one_line(triage("judge", "--case", case, "--finding", number, "reject", *who), 2)
    rows = done(triage("judgements", "--case", case, "--jsonl")).rows
    assert [(row["finding"], row["confirmed"], row["superseded_by"]) for row in rows] == [
        (1, True, 2), (1, False, None), (2, False, None),
    ]  # fmt: skip
    table = done(triage("findings", "--case", case)).out
    assert table.count("rejected") == 2


def test_a_decision_made_before_a_judgement_says_so(triage: Triage, demo: Demo, case: Path) -> None:
    """From evidence to decision, as in the van."""
    (case.parent / "stick").mkdir()
    with Image.open(min(demo.known.iterdir())) as known:
        ImageEnhance.Brightness(known).enhance(1.1).save(case.parent / "stick" / "bright.png")
    examine = ("examine", case.parent / "stick", "--case", case, "--exhibit", "A/1", "--library", demo.library)
    done(triage(*examine))
    done(triage("decide", "--case", case, "--exhibit", "A/1", "refer", *WHO))
    ran = done(triage("judge", "--case", case, "--finding", 1, "reject", "--examiner", "A Examiner"))
    assert "bright.png (pdq, " in ran.out
    assert "candidate-unconfirmed" not in ran.out
    report = done(triage(*examine)).out
    assert "Decision 1: REFER by A Examiner at " in report
    assert "(in force, but made before: candidate.rejected, recommendation.renewed)" in report
    assert "pdq rejected" in report
