"""A force's words: read strictly, found in names all at once. The words here are invented."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.items.keywords import Keywords
from triage.items.names import folded
from triage.model.errors import UsageError


def loaded(folder: Path, raw: bytes) -> Keywords:
    place = folder / "words.txt"
    place.write_bytes(raw)
    return Keywords.load(place)


def test_a_list_is_read_with_comments_blank_lines_and_either_end_of_line(tmp_path: Path) -> None:
    raw = "\ufeff# ours\r\n\r\n  Zork Blip \r\nqu#ux\nzork blip\n  # more\nŻółw".encode()
    assert loaded(tmp_path, raw).words == ("qu#ux", "zork blip", "żółw")


def test_words_are_found_inside_of_others_and_over_each_other_once_in_a_name() -> None:
    words = Keywords(["zork", "ork", "orkblip", "none"])
    assert list(words.find(["", "xzorkblipzork", "plain", "ork"])) == [
        (1, "ork"), (1, "orkblip"), (1, "zork"), (3, "ork")
    ]  # fmt: skip


def test_no_word_is_found_across_two_names() -> None:
    assert list(Keywords(["zork"]).find(["zo", "rk"])) == []


def test_without_words_nothing_is_found() -> None:
    assert list(Keywords([]).find(["zork"])) == []


texts = st.text(alphabet="abß\u0307\udcff\0", max_size=5)


@given(st.lists(texts.filter(lambda word: "\0" not in word and len(word) > 1), max_size=5), st.lists(texts, max_size=6))
def test_what_is_found_is_what_each_name_holds(words: list[str], names: list[str]) -> None:
    some, folds = Keywords(words), [folded(name) for name in names]
    expected = [(position, word) for position, name in enumerate(folds) for word in some.words if word in name]
    assert list(some.find(folds)) == expected


REFUSED = [
    (b"", "no word in it; give a list with one word a line"),
    (b"# nothing\n\n", "no word in it"),
    (b"zork\nbl\xffip\n", "line 2 is not UTF-8; save the list as UTF-8"),
    ("zork\n".encode("utf-16"), "line 1 is not UTF-8"),
    ("zork\n".encode("utf-16-le"), "the word in line 1 holds characters that cannot be printed"),
    (b"zork\nx\n", "the word in line 2 has 1 characters; allowed: 2 to 255 printable characters without '/'"),
    (b"z" * 256, "the word in line 1 has 256 characters"),
    (b"\n\nzork/blip\n", "the word in line 3 has a '/', which no name has"),
    (b"#" * ((16 << 20) + 1), "larger than 16,777,216 bytes"),
]


@pytest.mark.parametrize(("raw", "message"), REFUSED)
def test_a_list_that_cannot_be_used_is_refused_with_the_line(tmp_path: Path, raw: bytes, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        loaded(tmp_path, raw)
    assert message in str(refused.value)
    assert str(refused.value).startswith(f"keywords '{tmp_path / 'words.txt'}': ")


def test_a_list_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file; check the path"):
        Keywords.load(tmp_path)
