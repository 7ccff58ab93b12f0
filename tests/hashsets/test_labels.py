"""Labels: what publishers say of members, kept as it is, each distinct thing once, in memory that is bounded."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.hashsets import labels as labelling
from triage.hashsets.batch import in_batches
from triage.hashsets.builder import SetBuilder
from triage.hashsets.columns import Columns
from triage.hashsets.hashset import HashSet
from triage.hashsets.labels import Labels, LabelTable
from triage.hashsets.record import Flag, Label, Record, flag_names
from triage.hashsets.sealed import SetMeta
from triage.model.digest import Digests
from triage.model.errors import SourceError
from triage.model.finding import SetKind

MakeSet = Callable[[Iterable[Record]], HashSet]

# Not the lone surrogates, which no encoding of text can hold.
TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
LABELS = st.builds(Label, TEXTS, TEXTS, TEXTS, st.integers(0, 63))


def columns_of(labels: Labels) -> Columns:
    return {**labels.columns(np.ones(len(labels.final_numbers()), np.bool_)), "label": np.empty(0, "<u4")}


@given(st.lists(st.lists(LABELS, max_size=6), max_size=5))
def test_every_label_comes_back_as_it_was(batches: list[list[Label]]) -> None:
    labels = Labels()
    provisional = [labels.numbers(tuple(batch)) for batch in batches]
    final, table = labels.final_numbers(), LabelTable(columns_of(labels))
    for batch, numbers in zip(batches, provisional, strict=True):
        assert [table[int(final[number])] for number in numbers] == batch
    assert len(table) == len({label for batch in batches for label in batch})


@given(st.lists(LABELS, max_size=12), st.randoms(use_true_random=False))
def test_the_order_in_which_labels_come_makes_no_difference(some: list[Label], chance: object) -> None:
    one, other = Labels(), Labels()
    one.numbers(tuple(some))
    shuffled = list(some)
    chance.shuffle(shuffled)  # type: ignore[attr-defined] # a Random
    other.numbers(tuple(shuffled))
    for name, column in columns_of(one).items():
        assert column.tobytes() == columns_of(other)[name].tobytes()


def test_an_empty_text_is_not_none(make_set: MakeSet) -> None:
    labels = [Label(category, grade) for category in (None, "") for grade in (None, "")]
    made = make_set(
        Record(md5=bytes([number + 1] * 16), category=label.category, grade=label.grade)
        for number, label in enumerate(labels)
    )
    matches = [made.match(Digests(md5=bytes([number + 1] * 16).hex())) for number in range(4)]
    assert [(match.category, match.grade) for (match,) in matches] == [label[:2] for label in labels]


def test_a_text_that_no_encoding_can_hold_is_still_shown(make_set: MakeSet) -> None:
    made = make_set([Record(md5=bytes(range(16)), series="a\ud800b")])
    (match,) = made.match(Digests(md5=bytes(range(16)).hex()))
    assert match.series == "a?b"


def test_what_a_publisher_says_reaches_the_match(make_set: MakeSet) -> None:
    made = make_set(
        [
            Record(md5=bytes([1] * 16), category="2", grade="trusted", series="Série 7", flags=Flag.VICTIM_IDENTIFIED),
            Record(md5=bytes([2] * 16), flags=sum(Flag)),
        ]
    )
    (first,), (second,) = (made.match(Digests(md5=bytes([number] * 16).hex())) for number in (1, 2))
    assert (first.category, first.grade, first.series, first.flags) == (
        "2",
        "trusted",
        "Série 7",
        ("victim-identified",),
    )
    assert second.flags == flag_names(sum(Flag))
    assert len(set(second.flags)) == len(Flag)


def test_labels_are_counted_by_record(make_set: MakeSet) -> None:
    records = [Record(md5=bytes([number] * 16), category="12"[number % 3 == 0]) for number in range(9)]
    counts = make_set([*records, *records]).labels.counts()
    assert counts == [(Label("1"), 6), (Label("2"), 3)]


@pytest.mark.parametrize("size", [1, 3, 20])
def test_too_many_series_are_dropped_and_told_whatever_the_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(labelling, "MAX_LABELS", 3)
    records = [Record(md5=bytes([n]) * 16, category="1", series=f"s{n % 10}") for n in range(20)]
    with SetBuilder(tmp_path) as builder, (tmp_path / "set").open("w+b") as file:
        for start in range(0, len(records), size):
            (batch,) = in_batches(enumerate(records[start : start + size]))
            builder.add(batch)
        builder.write(file, SetMeta(name="a", version="1", kind=SetKind.NOTABLE, date=""), lambda _rows: None)
    opened = HashSet.open(tmp_path / "set")
    counts = {label.series: count for label, count in opened.labels.counts()}
    assert counts == {None: 20}, "none rather than those that came first: the order of rows decides nothing"
    assert {label.category for label, _ in opened.labels.counts()} == {"1"}
    assert builder.series_dropped


@pytest.mark.parametrize("field", ["category", "grade", "series"])
def test_no_field_makes_the_table_grow_without_bound(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no series must not be dropped in silence: the file is refused where there is too much of it."""
    monkeypatch.setattr(labelling, "MAX_LABELS", 8)
    labels = Labels()
    with nullcontext() if field == "series" else pytest.raises(SourceError):
        for number in range(100):
            labels.numbers((Label(**{field: f"text {number}"}),))  # type: ignore[arg-type] # by name
    assert len(labels.final_numbers()) <= 16
