"""The log of a case: lines that any tool reads, of what is worth keeping, added and never rewritten."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from triage.model.address import Address
from triage.model.errors import StoreError
from triage.model.event import EndedBy, Finished, Found, Met, Noted, Progress, Verifying, VolumeOpened, Walking
from triage.model.evidence import Region, VolumeReport
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind
from triage.model.item import Item
from triage.model.trouble import Trouble, TroubleCode
from triage.store.log import NAME, CaseLog

VOLUME = Address("volume", "1048576")


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / NAME).read_text(encoding="utf-8").splitlines()]


def test_what_a_run_notes_is_one_line_each(tmp_path: Path) -> None:
    log = CaseLog(tmp_path, "ABC/1")
    log.event(Noted(name="run-began", facts={"workers": 2, "confined": "Landlock"}), 0.12345)
    log.event(Noted(name="tier-ended", facts={"tier": "recycle bins", "seconds": 1.5}), 7)
    assert lines(tmp_path) == [
        {"exhibit": "ABC/1", "at": 0.123, "event": "run-began", "workers": 2, "confined": "Landlock"},
        {"exhibit": "ABC/1", "at": 7, "event": "tier-ended", "tier": "recycle bins", "seconds": 1.5},
    ]


def test_volumes_findings_troubles_and_the_end_are_kept(
    tmp_path: Path, region: Region, item: Callable[[int], Item]
) -> None:
    log, one = CaseLog(tmp_path, "ABC/1"), item(7)
    identity = SetIdentity(name="a set", version="1", digest="0" * 64, kind=SetKind.NOTABLE)
    match = Match(set=identity, by=MatchBy.PDQ, distance=3)
    finding = Finding(address=one.address, match=match, analyzer="perceptual", analyzer_version="1")
    trouble = Trouble(address=VOLUME, code=TroubleCode.DAMAGED, text="a record is damaged")
    log.event(VolumeOpened(report=VolumeReport(region=region, state="read", file_system="ntfs", text="NTFS")), 1)
    log.event(VolumeOpened(report=VolumeReport(region=region, state="encrypted", text="BitLocker")), 2)
    log.event(Found(item=one, finding=finding), 3)
    log.event(Met(trouble=trouble), 4)
    log.event(Finished(items=9, findings=1, seconds=4.5, by=EndedBy.TIME_LIMIT), 5)
    at = {"exhibit": "ABC/1", "at": 0}
    volume = {"event": "volume-opened", "volume": 1 << 20}
    assert lines(tmp_path) == [
        {**at, "at": 1, **volume, "held": "ntfs", "text": "NTFS"},
        {**at, "at": 2, **volume, "held": "encrypted", "text": "BitLocker"},
        {**at, "at": 3, "event": "found", "address": str(one.address), "by": "pdq", "set": "a set"},
        {**at, "at": 4, "event": "trouble", "code": "damaged", "address": str(VOLUME), "text": "a record is damaged"},
        {**at, "at": 5, "event": "run-ended", "by": "time-limit", "items": 9, "findings": 1},
    ]


def test_how_far_a_run_is_leaves_no_line(tmp_path: Path) -> None:
    log = CaseLog(tmp_path, "ABC/1")
    log.event(Progress(items_done=1, items_total=2), 1)
    log.event(Walking(volume="partition 1", items=10), 2)
    log.event(Verifying(bytes_done=1, bytes_total=2), 3)
    assert not (tmp_path / NAME).exists()


def test_runs_and_exhibits_follow_each_other_in_one_log(tmp_path: Path) -> None:
    for exhibit in ("ABC/1", "ABC/2", "ABC/1"):
        CaseLog(tmp_path, exhibit).event(Noted(name="run-began", facts={}), 1)
    assert [line["exhibit"] for line in lines(tmp_path)] == ["ABC/1", "ABC/2", "ABC/1"]


def test_names_of_any_bytes_are_written_on_one_line_of_utf_8(tmp_path: Path) -> None:
    hostile = "a\nb \ud800\udcff \u2028 ä.jpg"
    trouble = Trouble(address=VOLUME.child("path", hostile.replace("\ud800", "")), code=TroubleCode.CRASHED, text="x")
    log = CaseLog(tmp_path, "ABC/1")
    log.event(Met(trouble=trouble), 1)
    log.event(Noted(name="worker-lost", facts={"text": "b\udcff\nä"}), 2)
    raw = (tmp_path / NAME).read_bytes()
    assert raw.count(b"\n") == 2
    assert json.loads(raw.decode().split("\n")[1])["text"] == "b\\xff\nä"
    assert "ä.jpg" in json.loads(raw.decode().split("\n")[0])["address"]


def test_a_log_that_cannot_be_written_is_trouble_of_the_store(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(StoreError, match=r"the log .* cannot be written: .*; check the disk") as caught:
        CaseLog(tmp_path, "ABC/1").event(Noted(name="run-began", facts={}), 1)
    assert caught.value.exit_code == 4
