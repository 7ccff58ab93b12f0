"""The coverage account: whatever is claimed, every byte is in one class."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from triage.model.coverage import CoverageClass
from triage.model.evidence import Region, VolumeReport
from triage.model.item import Outcome
from triage.model.runs import ByteRun, merge
from triage.policy.account import account, class_of
from triage.policy.spans import spans_of

SIZE = 200
RUNS = st.lists(st.builds(ByteRun, st.integers(0, SIZE + 20), st.integers(0, 40)), max_size=6)
STATES = st.sampled_from(["read", "encrypted", "unsupported", "ambiguous", "no-file-system", "empty"])


def report(state: str, run: ByteRun) -> VolumeReport:
    return VolumeReport(region=Region(run=run, name=str(run), scheme="mbr", is_volume=True), state=state)


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
