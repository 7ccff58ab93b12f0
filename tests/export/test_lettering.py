import pytest

from triage.export.lettering import LONGEST, PLAIN, fonts_of, safe


@pytest.mark.parametrize(
    "text",
    [
        "ABC/1, 32 GB (scratched)",
        "na\u00efve \u0416\u0443\u043a \u03a9",
        "\u05e9\u05d7\u05d5\u05e8",
        "\u0627\u0644\u0639",
        "\u0939\u093f\u0928\u094d\u0926\u0940",
    ],
)
def test_what_has_a_glyph_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", r"a\u{1b}[31mb"),
        ("a\u202eb\u2066", r"a\u{202e}b\u{2066}"),
        ("one\ntwo\u2028three\t", r"one\u{a}two\u{2028}three\u{9}"),
        ("no\u00a0break", r"no\u{a0}break"),
        ("\udce9t\udc80", r"\xe9t\x80"),
        ("\ud800", r"\u{d800}"),
        ("\ue000", r"\u{e000}"),
        ("\u4e2d\u6587", r"\u{4e2d}\u{6587}"),
        ("a\ufe0f", r"a\u{fe0f}"),
        ("e" + "\u0301" * 5, "e" + "\u0301" * 3 + r"\u{301}\u{301}"),
    ],
)
def test_what_steers_or_has_no_glyph_is_written_out(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_a_long_text_is_cut_and_says_so() -> None:
    assert safe("x" * 5000) == "x" * LONGEST + "... (5,000 characters)"


def test_only_the_fonts_that_a_text_needs_are_taken() -> None:
    assert list(fonts_of("plain, and plain")) == [PLAIN]
    assert list(fonts_of("a \u05e9\u05d7 \u0627")) == [PLAIN, "NotoSansHebrew", "NotoSansArabic"]
