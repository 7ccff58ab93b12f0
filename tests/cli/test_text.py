"""Text for terminals and machines."""

import json

from hypothesis import given
from hypothesis import strategies as st

from triage.cli.text import duration, json_line, place, safe, size

STEERING = {
    *range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A),
}  # fmt: skip


@given(st.text())
def test_nothing_that_steers_a_terminal_comes_through(text: str) -> None:
    assert not {ord(char) for char in safe(text)} & STEERING
    assert not {ord(char) for char in json_line(text)} & STEERING


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_json_lines_carry_every_text_unchanged(text: str) -> None:
    assert json.loads(json_line({"name": text})) == {"name": text}


def test_escapes_are_readable() -> None:
    assert safe("esc\x1b[31m\u202egpj") == "esc\\x1b[31m\\u202egpj"
    assert json_line("\x1b\u202e") == '"\\u001b\\u202e"'


def test_bytes_that_are_not_utf_8_are_written_as_such() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert safe(name) == "caf\\xe9"
    assert json.loads(json_line(name)) == "caf\\xe9"
    assert place(name, allocated=False) == "caf\\xe9 (deleted)"


def test_sizes_and_durations_are_for_people() -> None:
    assert [size(count) for count in (0, 10_000, 10_240, 5 << 30, 3 << 50)] == [
        "0 bytes", "10,000 bytes", "10.0 KiB", "5.0 GiB", "3.0 PiB",
    ]  # fmt: skip
    assert [duration(seconds) for seconds in (1.26, 61, 3723)] == ["1.3 s", "0:01:01", "1:02:03"]
