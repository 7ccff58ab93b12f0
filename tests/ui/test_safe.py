import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from triage.ui.safe import LONGEST, cell, head, plain, safe, tail

HOSTILE = {
    "escape sequence": "a\x1b[2J\x1b]0;title\x07b.jpg",
    "right-to-left override": "invoice\u202egpj.exe",
    "newline": "one\ntwo\r\nthree",
    "very long": "x" * 4000 + ".jpg",
    "invalid UTF-8": b"caf\xe9.jpg".decode("utf-8", "surrogateescape"),
    "markup": "[bold red]x[/] [@click=app.exit]press[/]",
    "piled marks": "e" + "\u0301" * 50,
    "width games": "\ufe0f\u200b\u3164\U000e0041x",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_in_a_name_steers_a_terminal(name: str) -> None:
    said = safe(name)

    assert said.isprintable()
    assert not set(map(unicodedata.category, said)) & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(alphabet=st.characters(), max_size=60))
def test_what_is_safe_once_is_so_for_good(name: str) -> None:
    assert safe(safe(name)) == safe(name)


def test_bytes_that_are_no_text_are_told_as_bytes() -> None:
    assert safe(HOSTILE["invalid UTF-8"]) == "caf\\xe9.jpg"
    assert safe("a\u202eb") == "a\\u202eb"
    assert safe("\U000e0041") == "\\U000e0041"


def test_names_of_living_scripts_stay_as_they_are() -> None:
    for name in ("Ünïcödé.txt", "файл.jpg", "写真.png", "नमस्ते.txt", "ملف.jpg"):
        assert safe(name) == name


def test_a_long_name_is_cut_and_says_so() -> None:
    assert safe("y" * (LONGEST + 1)) == "y" * LONGEST + "\u2026 (4,001 characters)"


def test_markup_in_a_name_is_text() -> None:
    assert plain(HOSTILE["markup"]).plain == HOSTILE["markup"]
    assert not plain(HOSTILE["markup"]).spans
    assert cell(HOSTILE["markup"]).plain == HOSTILE["markup"]


@given(st.text(alphabet=st.characters(), max_size=40), st.integers(0, 12))
def test_what_is_cut_to_columns_fits_them(name: str, columns: int) -> None:
    assert cell_len(head(name, columns)) <= columns
    assert cell_len(tail(name, columns)) <= columns


def test_the_end_of_a_path_is_kept_where_its_name_is() -> None:
    assert tail("Users/sam/Pictures/holiday.jpg", 12) == "\u2026holiday.jpg"
