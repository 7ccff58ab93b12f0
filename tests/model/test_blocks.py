"""What a sample of blocks can be."""

from dataclasses import replace

import pytest

from triage.model.blocks import BlockStratum

SOME = BlockStratum(label="X", blocks=100, grid=10, grid_read=10, drawn=50, grid_unreadable=1, drawn_unreadable=2)


def test_what_was_read_and_whether_that_is_all() -> None:
    assert (SOME.read, SOME.complete) == (57, False)
    assert replace(SOME, drawn=90).complete
    assert not replace(SOME, drawn=90, grid_read=9).complete


@pytest.mark.parametrize(
    "change",
    [
        {"grid": 101},
        {"grid_read": 11},
        {"drawn": 91},
        {"drawn": -1},
        {"leads": 58},
        {"leads": 1, "alone": 2},
        {"alone": -1},
        {"grid_unreadable": 11},
        {"drawn_unreadable": 51},
        {"left_bytes": -1},
    ],
)
def test_numbers_that_cannot_be_true_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not a sample of blocks"):
        replace(SOME, **change)  # type: ignore[arg-type] # the label is text, the numbers are what changes
