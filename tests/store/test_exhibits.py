from dataclasses import replace

import pytest

from triage.model.address import Address
from triage.model.errors import StoreError, UsageError
from triage.model.evidence import Region, SourceInfo, UnreadableRun, VolumeReport
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.store.case import Case, CaseReader
from triage.store.exhibits import ExhibitState


def test_an_exhibit_comes_back_with_its_plan(prepared: Case, info: SourceInfo, when: str) -> None:
    record = prepared.exhibits.get("ABC/1")
    assert record is not None
    assert record.info == info
    assert (record.plan_text, record.plan_digest) == ('{"profile":"scene"}', "e" * 64)
    assert (record.state, record.added, record.started, record.ended) == (ExhibitState.PLANNED, when, None, None)
    assert prepared.exhibits.get("ABC/2") is None


def test_a_reference_is_given_once(prepared: Case, info: SourceInfo, when: str) -> None:
    with pytest.raises(UsageError, match="already holds exhibit ABC/1"):
        prepared.exhibits.add("ABC/1", info, "x", plan_text="{}", plan_digest="x", when=when)
    assert prepared.exhibits.references() == ("ABC/1",)


def test_source_names_of_any_bytes_are_kept_printable(case: Case, info: SourceInfo, when: str) -> None:
    named = replace(info, files=("caf\udce9.raw",), troubles=("caf\udce9.raw is cut",))
    case.exhibits.add("ABC/1", named, "x", plan_text="{}", plan_digest="x", when=when)
    record = case.exhibits.get("ABC/1")
    assert record is not None
    assert record.info.files == ("caf\\xe9.raw",)
    assert record.info.troubles == ("caf\\xe9.raw is cut",)


def test_states_keep_the_first_start_and_the_last_end(prepared: Case) -> None:
    for state, when in [
        (ExhibitState.WALKING, "t1"),
        (ExhibitState.STOPPED, "t2"),
        (ExhibitState.EXAMINING, "t3"),
        (ExhibitState.FINISHED, "t4"),
    ]:
        prepared.exhibits.set_state("ABC/1", state, when)
        record = prepared.exhibits.get("ABC/1")
        assert record is not None
        assert record.state is state
        assert record.started == "t1"
        assert record.ended == (when if state in {ExhibitState.STOPPED, ExhibitState.FINISHED} else None)


def test_effort_adds_up_over_runs(prepared: Case) -> None:
    prepared.exhibits.add_bytes_read("ABC/1", 10)
    prepared.exhibits.add_bytes_read("ABC/1", 5)
    for seconds in (1.5, 3.5, 2.0):
        prepared.exhibits.set_seconds("ABC/1", seconds)
    record = prepared.exhibits.get("ABC/1")
    assert record is not None
    assert (record.seconds, record.bytes_read) == (3.5, 15)
    with pytest.raises(UsageError, match="no exhibit ABC/9"):
        prepared.exhibits.set_seconds("ABC/9", 1.0)


def test_regions_come_back_and_are_recorded_once(prepared: Case, region: Region) -> None:
    prepared.layout.record_regions("ABC/1", [region])
    assert [one.name for one in prepared.layout.regions("ABC/1")] == ["gap 1", "partition 1"]
    assert prepared.layout.regions("ABC/1")[1] == region


def test_a_volume_report_comes_back(prepared: Case, region: Region) -> None:
    report = VolumeReport(region=region, state="read", file_system="ext4", text="ext4, 2 blocks")
    prepared.layout.record_volume("ABC/1", report)
    assert prepared.layout.volumes("ABC/1") == (report,)


def test_a_report_on_an_unknown_region_is_refused(prepared: Case, region: Region) -> None:
    with pytest.raises(UsageError, match="no region partition 9"):
        prepared.layout.record_volume(
            "ABC/1", VolumeReport(region=replace(region, name="partition 9"), state="unsupported")
        )


def test_walked_volumes_are_remembered(prepared: Case) -> None:
    assert prepared.layout.walked("ABC/1") == frozenset()
    prepared.layout.mark_walked("ABC/1", 1 << 20, listed=True)
    assert prepared.layout.walked("ABC/1") == {1 << 20}


def test_trouble_met_twice_is_one_row(prepared: Case) -> None:
    troubles = [
        Trouble(address=Address("volume", "0"), code=TroubleCode.DAMAGED, text="bad\udcff name", run=ByteRun(5, 6)),
        Trouble(address=Address("volume", "0"), code=TroubleCode.LIMIT, text="too deep"),
    ]
    prepared.obstacles.record_troubles("ABC/1", troubles)
    prepared.obstacles.record_troubles("ABC/1", iter(troubles))
    assert prepared.obstacles.troubles("ABC/1") == (replace(troubles[0], text="bad\\xff name"), troubles[1])
    assert prepared.queries.troubles("ABC/1") == {TroubleCode.DAMAGED: 1, TroubleCode.LIMIT: 1}


def test_unreadable_runs_come_back_sorted_and_once(prepared: Case) -> None:
    late = UnreadableRun(run=ByteRun(4096, 512), reason="input/output error")
    early = UnreadableRun(run=ByteRun(512, 512), reason="bad chunk checksum")
    prepared.obstacles.record_unreadable("ABC/1", [late])
    prepared.obstacles.record_unreadable("ABC/1", [early, late])
    assert prepared.obstacles.unreadable("ABC/1") == (early, late)
    with CaseReader.open(prepared.folder) as reader:
        reader.obstacles.record_unreadable("ABC/1", ())  # nothing new writes nothing
        with pytest.raises(StoreError):
            reader.obstacles.record_unreadable("ABC/1", (late,))
