"""The real command on a disk with known contents in every place: it finds what the table says, and nothing else."""

import os
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from suite import Tool, Triage, absent
from synthetic.ground_truth import GroundTruth, make
from synthetic.planted import By, State
from synthetic.truth_contents import original
from synthetic.truth_judging import PROFILES, Judged, is_expected, judge, reason_codes, ways
from synthetic.truth_table import PLANTED, UNKNOWN
from synthetic.truth_volumes import TOOLS

from triage.content.content import Content
from triage.content.mediatype import HEAD, media_type
from triage.content.picture import hash_picture

APART = 60  # bits of PDQ, more than any radius and its crops
LEAST_QUALITY = 50


@dataclass(frozen=True)
class Examined:
    """One examination: its profile, the object that it printed, and its findings laid to the rows."""

    profile: str
    result: dict[str, Any]
    judged: Judged

    @property
    def codes(self) -> set[str]:
        return {reason["code"] for reason in self.result["recommendation"]["reasons"]}


@pytest.fixture(scope="session")
def truth(tmp_path_factory: pytest.TempPathFactory, tool: Tool) -> GroundTruth:
    for name in TOOLS:
        tool(name)
    if os.geteuid() != 0 or not all(map(os.path.exists, ("/dev/fuse", "/dev/loop-control"))):
        absent("the right to mount")
    return make(tmp_path_factory.mktemp("truth") / "made")


@pytest.fixture(scope="session")
def library(truth: GroundTruth, triage: Triage) -> Path:
    place = truth.image.with_name("library")
    built = triage("hashset", "build", truth.known, "--name", "known", "--library", place)
    assert built.code == 0, built.err
    return place


@pytest.fixture(scope="session", params=PROFILES)
def examined(request: pytest.FixtureRequest, truth: GroundTruth, library: Path, triage: Triage) -> Examined:
    profile: str = request.param
    case = truth.image.with_name(f"case-{profile}")
    place = ("--case", case, "--exhibit", "TRUTH/1")
    ran = triage("examine", truth.image, *place, "--library", library, "--profile", profile, "--json")
    assert ran.code == 0, ran.err
    findings = triage("findings", *place, "--jsonl").rows
    return Examined(profile, ran.json, judge(truth, findings))


def test_the_contents_are_unlike_each_other() -> None:
    names = [row.name for row in (*PLANTED, *UNKNOWN) if not row.name.endswith(("mp4", "bin"))]
    hashes = [hash_picture(Content.of(data), media_type(data[:HEAD])) for data in map(original, names)]
    assert [each.quality for each in hashes if (each.quality or 0) < LEAST_QUALITY] == []
    numbers = [int(each.pdq or "", 16) for each in hashes]
    assert min((one ^ other).bit_count() for one, other in combinations(numbers, 2)) > APART


def test_what_is_planted_is_found(examined: Examined) -> None:
    expected = {row.name for row in PLANTED if is_expected(row, examined.profile)}
    assert expected - set(examined.judged.found) == set()


def test_each_is_found_by_the_match_that_the_table_names(examined: Examined) -> None:
    found = examined.judged.found
    wrong = {
        row.name: found[row.name]
        for row in PLANTED
        if row.name in found and is_expected(row, examined.profile) and row.by not in found[row.name]
    }
    assert wrong == {}


def test_nothing_else_is_found(examined: Examined) -> None:
    assert examined.judged.false == []
    rows = {row.name: row for row in PLANTED}
    more = {name: by - ways(rows[name], examined.profile) for name, by in examined.judged.found.items()}
    assert {name: by for name, by in more.items() if by} == {}


def test_whatever_is_missed_has_a_reason(examined: Examined) -> None:
    missed = [
        row for row in PLANTED if row.name not in examined.judged.found and not is_expected(row, examined.profile)
    ]
    assert missed
    assert [row.name for row in missed if not row.beyond and not reason_codes(row, examined.profile)] == []
    untold = {row.name: reason_codes(row, examined.profile) - examined.codes for row in missed}
    assert {name: codes for name, codes in untold.items() if codes} == {}


def test_what_is_written_past_the_file_system_is_no_reuse(
    examined: Examined, truth: GroundTruth, triage: Triage
) -> None:
    rows = triage("items", "--case", truth.image.with_name(f"case-{examined.profile}"), "--jsonl").rows
    overwritten = {row.path: len(row.content) for row in PLANTED if row.state is State.OVERWRITTEN}
    told = {row["path"]: (row["space_bytes"], row["reused_bytes"]) for row in rows if row["path"] in overwritten}
    assert told == {path: (size, 0) for path, size in overwritten.items()}


def test_what_is_found_indicates_seizure(examined: Examined) -> None:
    assert any(By.DIGEST in by for by in examined.judged.found.values())
    assert examined.result["recommendation"]["verdict"] == "seize-indicated"
