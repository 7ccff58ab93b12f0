"""The steps of MD5 (RFC 1321) and SHA-1 (FIPS 180-4), on vectors: in each lane a word of another content.

An operation on a `Vector` emits an instruction of LLVM's intermediate representation, so what reads as arithmetic here
is machine code in the end.
"""

import math
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, NamedTuple, Self

from triage.content.lanes_schedule import LANES

ir: Any = import_module("llvmlite.ir")  # which has no types

_MD5_INITIAL = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_SHA1_INITIAL = (*_MD5_INITIAL, 0xC3D2E1F0)
INITIAL = _MD5_INITIAL + _SHA1_INITIAL

_WORD = 32
_MD5_STEPS, _MD5_TURNS = 64, ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
_MD5_ORDER = ((1, 0), (5, 1), (3, 5), (7, 0))  # step s of a round takes word (first * s + second) % 16
_SHA1_STEPS, _SHA1_ADDED = 80, (0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6)

CONSTANTS = (*(int(abs(math.sin(step + 1)) * 2**_WORD) for step in range(_MD5_STEPS)), *_SHA1_ADDED)
"""What the steps add: 64 words of MD5, then 4 of SHA-1."""

WORDS = ir.VectorType(ir.IntType(_WORD), LANES)
_OCTETS = ir.VectorType(ir.IntType(8), 4 * LANES)


class Vector(NamedTuple):
    """A 32-bit word of each lane while code is made: an operation on it emits an instruction."""

    builder: Any
    value: Any

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # of words, not of tuples
        return self._replace(value=self.builder.add(self.value, other.value))

    def __xor__(self, other: Self) -> Self:
        return self._replace(value=self.builder.xor(self.value, other.value))

    def __and__(self, other: Self) -> Self:
        return self._replace(value=self.builder.and_(self.value, other.value))

    def __or__(self, other: Self) -> Self:
        return self._replace(value=self.builder.or_(self.value, other.value))

    def __invert__(self) -> Self:
        return self._replace(value=self.builder.not_(self.value))

    def turned(self, bits: int) -> Self:
        """Rotate each word to the left; LLVM knows this idiom and makes one instruction of it where there is one."""
        left, right = (ir.Constant(WORDS, [count] * LANES) for count in (bits, _WORD - bits))
        turned = self.builder.or_(self.builder.shl(self.value, left), self.builder.lshr(self.value, right))
        return self._replace(value=turned)

    def mixed(self, other: Self, places: list[int]) -> Self:
        """Return the words at these places of both: from 0 on in the first, from `LANES` on in the other."""
        return self._replace(value=self.builder.shuffle_vector(self.value, other.value, ir.Constant(WORDS, places)))

    def swapped(self) -> Self:
        """Reverse the bytes of each word."""
        octets = self.builder.bitcast(self.value, _OCTETS)
        places = ir.Constant(ir.VectorType(ir.IntType(_WORD), 4 * LANES), [place ^ 3 for place in range(4 * LANES)])
        return self._replace(value=self.builder.bitcast(self.builder.shuffle_vector(octets, octets, places), WORDS))

    def where(self, mask: Any, other: Self) -> Self:
        """Return these words where the mask is set, those of the other elsewhere."""
        return self._replace(value=self.builder.select(mask, self.value, other.value))


_Function = Callable[[Vector, Vector, Vector], Vector]


def _choose(x: Vector, y: Vector, z: Vector) -> Vector:
    return z ^ (x & (y ^ z))


def _parity(x: Vector, y: Vector, z: Vector) -> Vector:
    return x ^ (y ^ z)  # x is the last to be known


def _majority(x: Vector, y: Vector, z: Vector) -> Vector:
    return (x & y) | (z & (x | y))


_MD5_FUNCTIONS: tuple[_Function, ...] = (
    _choose,
    lambda x, y, z: _choose(z, x, y),
    _parity,
    lambda x, y, z: y ^ (x | ~z),
)
_SHA1_FUNCTIONS: tuple[_Function, ...] = (_choose, _parity, _majority, _parity)


def both_steps(state: list[Vector], words: list[Vector], last: Any, constant: Callable[[int], Vector]) -> list[Vector]:
    """Emit all steps of a block, and return the state after them: 4 words of MD5, 5 of SHA-1.

    The steps come in turn, 4 to 5: a chain of steps waits for itself, two fill each other's pauses. `words` are the 16
    of the block, little-endian; `last` is set in the lanes where it is the last; `constant` emits one of `CONSTANTS`.
    """
    md5, sha1 = state[: len(_MD5_INITIAL)], state[len(_MD5_INITIAL) :]
    md5_steps, sha1_steps = _md5_steps(md5, words, constant), _sha1_steps(sha1, _big_endian(words, last), constant)
    for step in range(_SHA1_STEPS):
        sha1 = next(sha1_steps)
        if step % 5:
            md5 = next(md5_steps)
    return md5 + sha1


def _md5_steps(state: list[Vector], words: list[Vector], constant: Callable[[int], Vector]) -> Iterator[list[Vector]]:
    a, b, c, d = state
    for step in range(_MD5_STEPS):
        number = step // 16
        first, second = _MD5_ORDER[number]
        known = a + words[(first * step + second) % 16] + constant(step)
        mixed = known + _MD5_FUNCTIONS[number](b, c, d)
        a, b, c, d = d, b + mixed.turned(_MD5_TURNS[number][step % 4]), b, c
        yield [a, b, c, d]


def _sha1_steps(state: list[Vector], words: list[Vector], constant: Callable[[int], Vector]) -> Iterator[list[Vector]]:
    added = [constant(_MD5_STEPS + number) for number in range(len(_SHA1_ADDED))]
    a, b, c, d, e = state
    for step in range(_SHA1_STEPS):
        if step >= len(words):
            words.append((words[step - 3] ^ words[step - 8] ^ words[step - 14] ^ words[step - 16]).turned(1))
        number = step // 20
        mixed = e + (words[step] + added[number]) + _SHA1_FUNCTIONS[number](b, c, d) + a.turned(5)
        a, b, c, d, e = mixed, a, b.turned(30), c, d
        yield [a, b, c, d, e]


def _big_endian(words: list[Vector], last: Any) -> list[Vector]:
    """Return the words as SHA-1 has them: the size, in the last block of a content, is reversed as a whole."""
    *others, low, high = words
    return [*(word.swapped() for word in others), high.where(last, low.swapped()), low.where(last, high.swapped())]


def transposed(rows: list[Vector]) -> list[Vector]:
    """Return the columns: squares of 1, 2 and 4 words beside the diagonal change places."""
    rows = list(rows)
    for side in (1, 2, 4):
        upper = [LANES + place - side if place & side else place for place in range(LANES)]
        lower = [LANES + place if place & side else place + side for place in range(LANES)]
        for row in range(LANES):
            if not row & side:
                pair = rows[row], rows[row + side]
                rows[row], rows[row + side] = pair[0].mixed(pair[1], upper), pair[0].mixed(pair[1], lower)
    return rows
