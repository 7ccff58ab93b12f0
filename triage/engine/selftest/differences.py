"""What a self-test compares by: differences from known answers, and bits flipped to see that they are noticed."""

from collections.abc import Iterator
from dataclasses import asdict

from triage.model.digest import Digests

Differences = Iterator[str]
"""One line for each difference."""


def unlike(what: str, made: object, answer: object) -> Differences:
    """Yield the difference of what was made from the known answer, if there is one."""
    if made != answer:
        yield f"{what}: {made}, not {answer}"


def unnoticed(what: str, made: Digests, other: Digests) -> Differences:
    """Yield the digests that two different contents share."""
    pairs = zip(asdict(made).items(), asdict(other).values(), strict=True)
    if same := [name for (name, value), against in pairs if value is not None and value == against]:
        yield f"{what}: the same {' and '.join(same)} with a bit flipped"


def flipped(content: bytes, bit: int) -> bytes:
    """Return a content with one bit flipped."""
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def away(text: str, count: int) -> str:
    """Return a hash, hexadecimal, with so many of its bits flipped, here and there."""
    bits = 4 * len(text)
    mask = sum(1 << number * 37 % bits for number in range(count))  # no hash has a multiple of 37 bits
    return f"{int(text, 16) ^ mask:0{len(text)}x}"
