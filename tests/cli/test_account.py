"""The coverage account on a terminal: everything that is there is seen, and nothing is told by a colour alone."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from triage.cli.account import bar, legend, share, show_account
from triage.model.coverage import CoverageClass

TAKEN = st.dictionaries(st.sampled_from([kind.value for kind in CoverageClass]), st.integers(0, 1 << 44))


def account(**changes: Any) -> dict[str, Any]:
    volume = dict.fromkeys([kind.value for kind in CoverageClass], 0)
    gap = {**volume, "outside-partitions": 1 << 20}
    read = {**volume, "examined": 999_999_999_999, "encrypted": 1, "unallocated-not-examined": 1_204}
    return {
        "exhibit": "A/1",
        "state": "finished",
        "size": sum(gap.values()) + sum(read.values()),
        "bytes": {kind: gap[kind] + read[kind] for kind in volume},
        "items": {"examined": 1_204, "skipped": 3, "encrypted": 0},
        "regions": [
            {"name": "gap 1", "offset": 0, "length": 1 << 20, "state": None, "file_system": None, "bytes": gap},
            {
                "name": "partition 1 \x1b[31m", "offset": 1 << 20, "length": sum(read.values()), "state": "read",
                "file_system": "ntfs", "bytes": read,
            },
        ],
        "rules": [
            {"outcome": "examined", "code": None, "items": 1_204},
            {"outcome": "skipped", "code": "size", "items": 3},
        ],
        **changes,
    }  # fmt: skip


def shown(given: dict[str, Any], width: int, *, terminal: bool = True) -> list[str]:
    written = io.StringIO()
    out = Console(file=written, width=width, force_terminal=terminal, color_system=None, highlight=False, markup=False)
    show_account(out, given)
    return written.getvalue().splitlines()


@given(TAKEN, st.integers(11, 200))
def test_every_class_that_has_a_byte_has_a_mark_of_its_own_in_the_bar(taken: dict[str, int], width: int) -> None:
    drawn = bar(taken, width)
    held = [kind for kind, count in taken.items() if count]
    assert len(drawn) == (width if held else 0)
    assert len(dict.fromkeys(drawn)) == len(held)
    lines = legend(taken, max(60, width))
    entries = [entry for line in lines for entry in line.split("   ")]
    assert [entry.split(" ")[:2] for entry in entries] == [
        [mark, kind] for mark, kind in zip(dict.fromkeys(drawn), held, strict=True)
    ]
    assert all(cell_len(line) <= max(60, width) for line in lines)


@given(st.lists(st.integers(1, 1 << 44), min_size=2, max_size=11), st.integers(60, 200))
def test_the_bar_is_in_proportion_but_for_the_one_mark_that_each_has(counts: list[int], width: int) -> None:
    drawn = bar({kind.value: count for kind, count in zip(CoverageClass, counts, strict=False)}, width)
    for mark, count in zip(dict.fromkeys(drawn), counts, strict=True):
        assert abs(drawn.count(mark) - width * count / sum(counts)) <= len(counts) + 1


def test_the_parts_of_a_bar_are_what_they_are() -> None:
    assert bar({"examined": 75, "encrypted": 25, "unreadable": 0}, 8) == "██████##"
    assert bar({"examined": 10**12, "unreadable": 1}, 8) == "███████X"
    assert bar({"a-class-of-a-later-version": 1}, 3) == "***"
    assert legend({"examined": 3, "skipped": 1}, 60) == ["█ examined 75.00 %   ▒ skipped 25.00 %"]


@pytest.mark.parametrize(
    ("count", "whole", "told"),
    [
        (0, 0, "0.00 %"),
        (0, 9, "0.00 %"),
        (1, 10**12, "<0.01 %"),
        (10**12 - 1, 10**12, ">99.99 %"),
        (1, 3, "33.33 %"),
        (5, 5, "100.00 %"),
    ],
)
def test_a_little_is_not_nothing_and_nearly_all_is_not_all(count: int, whole: int, told: str) -> None:
    assert share(count, whole) == told


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_account_fits_the_terminal(width: int) -> None:
    lines = shown(account(), width)
    assert max(map(cell_len, lines)) <= width
    text = "\n".join(lines)
    assert "\x1b" not in text
    assert "partition 1 \\x1b[31m" in text
    assert "gap 1 at 0" in text
    for line in ("█ examined", "# encrypted", "░ unallocated-not-examined", "· outside-partitions"):
        assert any(line in told and "%" in told for told in lines)
    assert any("# encrypted" in told and "<0.01 %" in told for told in lines)
    assert "       1,204  items examined" in lines
    assert "           3  items skipped by rule size" in lines


def test_every_sum_is_told_to_the_byte() -> None:
    told = shown(account(), 100)
    sums = [line.split() for line in told if line.strip().startswith(("sum", "all", "gap 1", "partition 1"))]
    assert [words[-1] for words in sums] == ["1,048,576", "1,000,000,001,204", "1,000,001,049,780", "1,000,001,049,780"]


def test_in_a_pipe_it_is_plain_text() -> None:
    lines = shown(account(), 1 << 16, terminal=False)
    assert max(map(len, lines)) <= 120
    assert len(lines[0]) == 100


def test_an_account_of_nothing_and_one_that_is_not_finished() -> None:
    empty = account(size=0, bytes=dict.fromkeys(account()["bytes"], 0), regions=[], rules=[], state="examining")
    lines = shown(empty, 80)
    assert lines[0] == "The examination of A/1 is not finished (state: examining)."
    assert any(line.split() == ["sum", "0"] for line in lines)
