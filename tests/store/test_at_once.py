"""Several examinations into one case at the same time, each in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from images.fat import fat16
from images.pictures import brighter, png
from images.tree import File
from PIL import Image
from suite import Demo, Triage

from triage.model.coverage import Coverage
from triage.model.recommendation import Recommendation
from triage.session import examination
from triage.session.conclusion import conclude
from triage.session.examination import Examination, Order
from triage.session.judging import judge
from triage.store.case import Case, CaseReader, OpenCase
from triage.store.exhibits import ExhibitRecord

SIZE = 9 << 20
VOLATILE = {"found_at", "seconds", "id", "exhibit"}

Running = subprocess.Popen[str]


@pytest.fixture(scope="module")
def devices(tmp_path_factory: pytest.TempPathFactory, demo: Demo) -> list[Path]:
    """Four small devices; each holds known pictures, an altered one, and files of its own."""
    folder = tmp_path_factory.mktemp("devices")
    known = sorted(demo.known.iterdir())
    made = []
    for number in range(4):
        files = [File(path=f"d{n % 5}/{number}-{n}.txt", data=f"{number} {n}".encode() * 50) for n in range(120)]
        pictures = [File(path=f"p/{place}.jpg", data=path.read_bytes()) for place, path in enumerate(known[number:])]
        bright = brighter(Image.open(known[number]), 1.2)
        pictures.append(File(path="p/bright.png", data=png(bright)))
        device = folder / f"{number}.img"
        device.write_bytes(fat16(files + pictures, SIZE))
        made.append(device)
    return made


def words(device: Path, case: Path, demo: Demo, visit: str = "A") -> list[str]:
    options = ["--case", case, "--exhibit", f"{visit}/{device.stem}", "--library", demo.library, "--jobs", "1"]
    return [*map(str, ["examine", device, *options, "--json"])]


def start(arguments: Sequence[str]) -> Running:
    command = [sys.executable, "-m", "triage", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(running: Sequence[Running]) -> None:
    told = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0] * len(running), told


def content(case: Path, reference: str) -> dict[str, Any]:
    """Return all that a case says of an exhibit, but for its name, times and the numbers of rows."""
    with CaseReader.open(case) as reader:
        summary = reader.queries.summary(reference)
        rows = {"items": reader.queries.items(reference), "findings": reader.queries.findings(reference)}
        return {
            **{name: [{key: row[key] for key in row.keys() - VOLATILE} for row in some] for name, some in rows.items()},
            "coverage": summary["coverage"],
            "recommendation": summary["recommendation"],
            "troubles": reader.obstacles.troubles(reference),
        }


def actions(case: Path, reference: str) -> list[str]:
    with CaseReader.open(case) as reader:
        reader.ledger.verify()
        return [event.action for event in reader.ledger.events() if event.subject == reference]


def wait_for_results(case: Path, reference: str) -> None:
    """Return when items of an exhibit are stored."""
    with CaseReader.open(case) as reader:
        for _ in range(3000):
            if reference in reader.queries.exhibits() and next(reader.queries.items(reference), None):
                return
            time.sleep(0.01)
    pytest.fail("no item was listed within 30 seconds")


@pytest.fixture(scope="module")
def in_turn(devices: list[Path], demo: Demo, triage: Triage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the case of examinations one after the other."""
    case = tmp_path_factory.mktemp("in turn") / "case"
    for device in devices:
        ran = triage(*words(device, case, demo))
        assert ran.code == 0, ran.err
    return case


def test_two_into_a_new_case_give_what_they_give_one_after_the_other(
    devices: list[Path], demo: Demo, in_turn: Path, tmp_path: Path
) -> None:
    case = tmp_path / "case"
    end([start(words(device, case, demo)) for device in devices[:2]])
    for reference in ("A/0", "A/1"):
        alone = content(in_turn, reference)
        assert alone["findings"]
        assert content(case, reference) == alone
        assert actions(case, reference) == ["examination.planned", "examination.finished"]
    with CaseReader.open(case) as reader:
        assert len(list(reader.ledger.events())) == 1 + 2 * 2
    log = [json.loads(line) for line in (case / "log.jsonl").read_text().splitlines()]
    assert sorted(line["exhibit"] for line in log if line["event"] == "run-ended") == ["A/0", "A/1"]


def test_four_at_once_though_one_is_killed_and_candidates_are_judged_meanwhile(
    devices: list[Path], demo: Demo, in_turn: Path, tmp_path: Path
) -> None:
    before = {device: content(in_turn, f"A/{device.stem}") for device in devices}
    case = tmp_path / "case"
    shutil.copytree(in_turn, case)
    running = [start(words(device, case, demo, "B")) for device in devices]
    with CaseReader.open(case) as reader:
        candidates = [row["id"] for row in reader.queries.findings("A/0") if row["match"] == "pdq"]
    assert candidates
    judge(case, candidates, confirmed=False, examiner="A Examiner")
    wait_for_results(case, "B/0")
    running[0].kill()
    running[0].communicate()
    assert actions(case, "B/0") == ["examination.planned"]
    end([*running[1:], start(words(devices[0], case, demo, "B"))])
    assert {device: content(case, f"B/{device.stem}") for device in devices} == before
    assert actions(case, "B/0") == ["examination.planned", "examination.resumed", "examination.finished"]
    with CaseReader.open(case) as reader:
        assert [row["finding"] for row in reader.judgements.rows("A/0")] == candidates


def test_a_candidate_judged_while_an_examination_concludes_counts_in_what_it_concludes(
    devices: list[Path], demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = tmp_path / "case"
    concluded: list[Recommendation] = []

    def conclude_and_judge(opened: OpenCase, record: ExhibitRecord, **known: Any) -> tuple[Coverage, Recommendation]:
        made = conclude(opened, record, **known)
        if not concluded:
            (number,) = (row["id"] for row in opened.queries.findings("A/3") if row["match"] == "pdq")
            judge(case, [number], confirmed=True, examiner="A Examiner")
        concluded.append(made[1])
        return made

    monkeypatch.setattr(examination, "conclude", conclude_and_judge)
    order = Order(source=devices[3], case=case, exhibit="A/3", library=demo.library)
    with Examination(order) as begun:
        for _ in begun.events():
            pass
    codes = [[reason.code for reason in made.reasons] for made in concluded]
    assert ["candidate-confirmed" in some for some in codes] == [False, True]
    with CaseReader.open(case) as reader:
        recommended = reader.queries.recommendation("A/3")
        assert recommended is not None
        assert [reason["code"] for reason in recommended["reasons"]] == codes[1]


def test_an_exhibit_is_examined_by_one_process_at_a_time(
    devices: list[Path], demo: Demo, triage: Triage, tmp_path: Path
) -> None:
    case = tmp_path / "case"
    with Case.open_or_create(case, when="2026", actor="a") as held:
        held.claim("A/0")
        ran = triage(*words(devices[0], case, demo))
    assert ran.code == 4
    assert ran.err.count("\n") == 1, ran.err
    assert f"exhibit A/0 of the case {case} is in use by process {os.getpid()}; wait until it ends" in ran.err
    assert actions(case, "A/0") == []
