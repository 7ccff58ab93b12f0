"""The coverage account: whatever is claimed, every byte is in one class."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model.coverage import CoverageClass
from triage.model.evidence import Region, VolumeReport
from triage.model.item import Outcome
from triage.model.runs import ByteRun, merge
from triage.policy.account import account, class_of
from triage.store.spans import spans_of

SIZE = 200
RUNS = st.lists(st.builds(ByteRun, st.integers(0, SIZE + 20), st.integers(0, 40)), max_size=6)
STATES = st.sampled_from(["read", "encrypted", "unsupported", "ambiguous", "no-file-system", "empty"])


def report(state: str, run: ByteRun) -> VolumeReport:
    return VolumeReport(region=region(run), state=state)


def region(run: ByteRun) -> Region:
    return Region(run=run, name=str(run), scheme="mbr", is_volume=True)


@given(
    st.lists(st.tuples(STATES, st.builds(ByteRun, st.integers(0, SIZE), st.integers(0, SIZE)))), RUNS, RUNS, RUNS, RUNS
)
def test_the_classes_always_add_up(
    volumes: list[tuple[str, ByteRun]],
    examined: list[ByteRun],
    skipped: list[ByteRun],
    unreadable: list[ByteRun],
    unlisted: list[ByteRun],
) -> None:
    claims = {
        CoverageClass.EXAMINED: [spans_of(examined, SIZE)],
        CoverageClass.SKIPPED: [spans_of(skipped, SIZE)],
        CoverageClass.SKIPPED_KNOWN: [spans_of(skipped, SIZE)],
    }
    coverage = account(
        SIZE, [report(state, run) for state, run in volumes], claims, unreadable=unreadable, unlisted=unlisted, items={}
    )
    assert sum(coverage.bytes.values()) == SIZE
    assert all(count >= 0 for count in coverage.bytes.values())
    gone = merge([run for state, run in volumes if state not in {"read", "empty"}] + unreadable)
    assert coverage.bytes[CoverageClass.EXAMINED] == len(octets(examined) - octets(gone))
    assert coverage.bytes[CoverageClass.SKIPPED] == len(octets(skipped) - octets(gone) - octets(examined))
    assert coverage.bytes[CoverageClass.SKIPPED_KNOWN] == 0


def octets(runs: Iterable[ByteRun]) -> set[int]:
    """Return every single byte of the source that the runs cover."""
    return {position for run in runs for position in range(run.offset, min(run.end, SIZE))}


def test_each_byte_goes_to_the_class_that_says_most() -> None:
    volumes = [report("read", ByteRun(10, 100)), report("encrypted", ByteRun(120, 30))]
    claims = {
        CoverageClass.EXAMINED: [spans_of([run], SIZE) for run in (ByteRun(15, 10), ByteRun(10, 10))],
        CoverageClass.UNALLOCATED_EXAMINED: [spans_of([ByteRun(20, 10)], SIZE)],
        CoverageClass.SKIPPED: [spans_of([ByteRun(40, 5)], SIZE)],
        CoverageClass.SKIPPED_BY_SIZE: [spans_of([ByteRun(44, 6)], SIZE)],
        CoverageClass.SKIPPED_KNOWN: [spans_of([ByteRun(49, 4)], SIZE)],
    }
    coverage = account(
        SIZE, volumes, claims, unreadable=[ByteRun(12, 2)], unlisted=[ByteRun(160, 20)], items={"examined": 3}
    )
    assert coverage.bytes == {
        CoverageClass.EXAMINED: 13,
        CoverageClass.UNALLOCATED_EXAMINED: 5,
        CoverageClass.SKIPPED: 5,
        CoverageClass.SKIPPED_BY_SIZE: 5,
        CoverageClass.SKIPPED_KNOWN: 3,
        CoverageClass.ENCRYPTED: 30,
        CoverageClass.UNREADABLE: 2,
        CoverageClass.UNSUPPORTED: 0,
        CoverageClass.NOT_EXAMINED: 20,
        CoverageClass.UNALLOCATED_NOT_EXAMINED: 67,
        CoverageClass.OUTSIDE_PARTITIONS: 50,
    }


@given(st.lists(st.integers(1, SIZE - 1), max_size=4), RUNS, RUNS, st.lists(STATES, min_size=5, max_size=5))
def test_the_regions_add_up_to_their_lengths_and_to_every_class(
    cuts: list[int], examined: list[ByteRun], searched: list[ByteRun], states: list[str]
) -> None:
    edges = [0, *sorted(set(cuts)), SIZE]
    regions = [region(ByteRun(start, end - start)) for start, end in pairwise(edges)]
    reports = [VolumeReport(region=one, state=state) for one, state in zip(regions, states, strict=False)][1:]
    coverage = account(
        SIZE,
        reports,
        {CoverageClass.EXAMINED: [spans_of(examined, SIZE)]},
        unreadable=[],
        unlisted=[],
        items={},
        searched=searched,
        regions=regions,
    )
    assert [(one.offset, one.length) for one in coverage.regions] == [
        (one.run.offset, one.run.length) for one in regions
    ]
    assert [one.state for one in coverage.regions] == [None, *(report.state for report in reports)]
    for kind in CoverageClass:
        assert sum(one.bytes[kind] for one in coverage.regions) == coverage.bytes[kind]
    for one, report in zip(coverage.regions[1:], reports, strict=True):
        within = octets(examined) & octets([report.region.run])
        gone = report.state not in {"read", "empty"}
        assert one.bytes[CoverageClass.EXAMINED] == (0 if gone else len(within))
        found = (octets(searched) & octets([report.region.run])) - within
        assert one.bytes[CoverageClass.UNALLOCATED_EXAMINED] == (0 if gone else len(found))


def test_regions_that_do_not_tile_the_source_are_refused() -> None:
    half = region(ByteRun(0, SIZE // 2))
    with pytest.raises(ValueError, match=r"100 bytes outside-partitions in the regions, 200 in all"):
        account(SIZE, [], {}, unreadable=[], unlisted=[], items={}, regions=[half])


def test_a_search_says_nothing_of_what_could_not_be_examined_or_listed() -> None:
    claims = {
        kind: [spans_of([ByteRun(10 * place, 10)], SIZE)]
        for place, kind in enumerate([
            CoverageClass.EXAMINED, CoverageClass.ENCRYPTED, CoverageClass.UNREADABLE, CoverageClass.SKIPPED,
            CoverageClass.NOT_EXAMINED,
        ])
    }  # fmt: skip
    volumes = [report("read", ByteRun(0, 60)), report("no-file-system", ByteRun(60, 10))]
    coverage = account(
        SIZE,
        volumes,
        claims,
        unreadable=[ByteRun(190, 10)],
        unlisted=[ByteRun(70, 10)],
        items={},
        searched=[ByteRun(0, SIZE)],
    )
    assert coverage.bytes[CoverageClass.UNALLOCATED_EXAMINED] == 10 + 110
    assert coverage.bytes[CoverageClass.UNREADABLE] == 10 + 10
    assert coverage.bytes[CoverageClass.NOT_EXAMINED] == 10 + 10
    for kind in (CoverageClass.EXAMINED, CoverageClass.ENCRYPTED, CoverageClass.SKIPPED, CoverageClass.UNSUPPORTED):
        assert coverage.bytes[kind] == 10


def test_noise_is_encrypted_and_told_apart_from_what_surely_is() -> None:
    coverage = account(
        SIZE,
        [report("read", ByteRun(0, SIZE))],
        {CoverageClass.ENCRYPTED: [spans_of([ByteRun(0, 30)], SIZE)]},
        unreadable=[],
        unlisted=[],
        items={},
        noise=[spans_of([ByteRun(20, 30)], SIZE)],
    )
    assert coverage.bytes[CoverageClass.ENCRYPTED] == 50
    assert coverage.high_entropy == 20


def test_every_outcome_has_its_class() -> None:
    assert class_of(Outcome.EXAMINED, allocated=True) is CoverageClass.EXAMINED
    assert class_of(Outcome.EXAMINED, allocated=False) is CoverageClass.UNALLOCATED_EXAMINED
    for outcome in (Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.NOT_REACHED):
        assert class_of(outcome, allocated=True) is CoverageClass.NOT_EXAMINED
    for outcome in (Outcome.SKIPPED, Outcome.ENCRYPTED, Outcome.UNREADABLE):
        assert class_of(outcome, allocated=False).value == outcome.value


def test_a_rule_that_skips_has_a_class_of_its_own() -> None:
    assert class_of(Outcome.SKIPPED, allocated=True, code="size") is CoverageClass.SKIPPED_BY_SIZE
    assert class_of(Outcome.SKIPPED, allocated=False, code="known") is CoverageClass.SKIPPED_KNOWN
    for code in ("limit", "", "a rule of a later version"):
        assert class_of(Outcome.SKIPPED, allocated=True, code=code) is CoverageClass.SKIPPED
    for outcome in set(Outcome) - {Outcome.SKIPPED}:
        assert class_of(outcome, allocated=True, code="size") is class_of(outcome, allocated=True)


def test_a_source_without_a_byte_has_an_account() -> None:
    coverage = account(0, [], {}, unreadable=[], unlisted=[ByteRun(0, 0)], items={})
    assert set(coverage.bytes.values()) == {0}
