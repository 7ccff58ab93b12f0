"""Addresses: text and value are inverse, for every name evidence can hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model.address import Address

NAMES = st.binary(max_size=40).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
SCHEMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)


@given(st.lists(st.tuples(SCHEMES, NAMES), min_size=1, max_size=5))
def test_text_and_address_are_inverse(steps: list[tuple[str, str]]) -> None:
    address: Address | None = None
    for scheme, value in steps:
        address = Address(scheme, value, address)
    assert address is not None
    assert Address.parse(str(address)) == address


@given(NAMES)
def test_the_text_is_printable_ascii_safe_and_one_line(name: str) -> None:
    text = str(Address("path", name))
    assert text.encode("utf-8")
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in text)


def test_every_character_comes_back_and_only_two_that_are_encoded_are_printable() -> None:
    """What is printable but for those two is not looked at one by one."""
    for char in (chr(code) for code in range(0x3000) if not 0xD800 <= code < 0xE000):
        address = Address("volume", "0").child("path", f"a{char}b")
        assert address.value == f"a{char}b"
        assert Address.parse(str(address)) == address
        encoded = f"a{char}b" not in str(address)
        assert encoded is (char in "!%" or ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 or char in "\u2028\u2029")


def test_a_nested_address_reads_from_the_source_inwards() -> None:
    address = Address("volume", "1048576").child("file", "66-128-2").child("path", "/DCIM/a!b.jpg")
    assert str(address) == "volume:1048576!file:66-128-2!path:/DCIM/a%21b.jpg"
    assert address.find("file") == "66-128-2"
    assert address.find("nothing") is None
    assert address.parent is not None
    assert address.parent < address


@pytest.mark.parametrize("text", ["", "no colon", "UPPER:1", "a:1!", ":x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        Address.parse(text)
