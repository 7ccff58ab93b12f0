"""The arithmetic on arrays gives what the plain arithmetic of byte runs gives."""

from hypothesis import given
from hypothesis import strategies as st

from triage.model import runs as plain
from triage.model.runs import ByteRun, Runs
from triage.store.spans import Spans, intersect, merge, spans_of, subtract, total

SIZE = 120
RUNS = st.lists(st.builds(ByteRun, st.integers(0, 100), st.integers(0, 20)), max_size=12)


def as_runs(spans: Spans) -> Runs:
    return tuple(ByteRun(int(start), int(end - start)) for start, end in spans)


@given(RUNS, RUNS)
def test_arrays_give_what_plain_runs_give(left: list[ByteRun], right: list[ByteRun]) -> None:
    one, other = spans_of(left, SIZE), spans_of(right, SIZE)
    first, second = plain.merge(left), plain.merge(right)
    assert (as_runs(one), as_runs(other)) == (first, second)
    assert as_runs(intersect(one, other)) == plain.intersect(first, second)
    assert as_runs(subtract(one, other)) == plain.subtract(first, second)
    assert as_runs(merge([one, other])) == plain.merge(left + right)
    assert total(one) == plain.total(first)


def test_what_lies_past_the_source_is_cut() -> None:
    assert as_runs(spans_of([ByteRun(90, 1 << 70), ByteRun(1 << 65, 1)], 100)) == (ByteRun(90, 10),)
