"""The inner loop of `md5_lanes`: sixteen contents side by side, compiled to machine code by numba.

The steps of MD5 (RFC 1321) and SHA-1 (FIPS 180-4) are written once, on vectors of sixteen 32-bit words, one for each
content; LLVM makes one AVX-512 instruction of most operations, two of AVX2. Numba's own integers do not serve: it
widens a sum of 32-bit words to 64 bits.

Importing this module imports numba, and loads the code, or compiles it: six seconds, once. Only `md5_lanes` does, when
it first needs it.
"""

import math
from collections.abc import Callable
from importlib import import_module
from pickle import UnpicklingError
from typing import Any, NamedTuple, Self, TypeVar, cast

import numba
import numpy as np
from numba.extending import intrinsic, register_jitable
from numpy.typing import NDArray

Addresses = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Words = NDArray[np.uint32]
Function = TypeVar("Function", bound=Callable[..., Any])

types: Any = numba.types  # numba annotates its functions in part
ir: Any = import_module("llvmlite.ir")  # which has no types

LANES = 16
_BLOCK = 64
_LENGTH_AT = 56  # of the last block: the 8 bytes after it are the length of the content in bits
_WORD = 32
_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_WORDS = ir.VectorType(_INT32, LANES)  # of one content, or one word of each
_AS_BYTES = ir.VectorType(ir.IntType(8), 4 * LANES)

_INITIAL = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)  # MD5 has the first four

_MD5_SINES = [int(abs(math.sin(step + 1)) * 2**_WORD) for step in range(64)]
_MD5_TURNS = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
_MD5_ORDER = ((1, 0), (5, 1), (3, 5), (7, 0))  # step s of a round takes word (first * s + second) % 16
_SHA1_ADDED = (0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6)
_SHA1_STEPS = 80


class _Vector(NamedTuple):
    """Sixteen 32-bit words while code is made: an operation on them emits an instruction."""

    builder: Any
    value: Any

    def __add__(self, other: Any) -> Self:  # of words, not of tuples
        return self._replace(value=self.builder.add(self.value, self._of(other)))

    def __xor__(self, other: Self) -> Self:
        return self._replace(value=self.builder.xor(self.value, other.value))

    def __and__(self, other: Self) -> Self:
        return self._replace(value=self.builder.and_(self.value, other.value))

    def __or__(self, other: Self) -> Self:
        return self._replace(value=self.builder.or_(self.value, other.value))

    def __invert__(self) -> Self:
        return self._replace(value=self.builder.not_(self.value))

    def turned(self, bits: int) -> Self:
        """Rotate each word to the left; LLVM knows this idiom and makes one instruction of it."""
        left = self.builder.shl(self.value, self._of(bits))
        return self._replace(value=self.builder.or_(left, self.builder.lshr(self.value, self._of(_WORD - bits))))

    def mixed(self, other: Self, places: list[int]) -> Self:
        """Return the words at these places of both: 0 to 15 is in the first, 16 to 31 in the other."""
        return self._replace(value=self.builder.shuffle_vector(self.value, other.value, _constant(_WORDS, places)))

    def swapped(self) -> Self:
        """Reverse the bytes of each word."""
        places = _constant(ir.VectorType(_INT32, 4 * LANES), [place ^ 3 for place in range(4 * LANES)])
        octets = self.builder.bitcast(self.value, _AS_BYTES)
        return self._replace(value=self.builder.bitcast(self.builder.shuffle_vector(octets, octets, places), _WORDS))

    def _of(self, other: Any) -> Any:
        return _constant(_WORDS, [other] * LANES) if isinstance(other, int) else other.value


def _constant(kind: Any, values: int | list[int]) -> Any:
    return ir.Constant(kind, values)


def _transposed(rows: list[_Vector]) -> list[_Vector]:
    """Return the columns: squares of 1, 2, 4 and 8 words beside the diagonal change places."""
    rows = list(rows)
    for side in (1, 2, 4, 8):
        upper = [LANES + place - side if place & side else place for place in range(LANES)]
        lower = [LANES + place if place & side else place + side for place in range(LANES)]
        for row in range(LANES):
            if not row & side:
                pair = rows[row], rows[row + side]
                rows[row], rows[row + side] = pair[0].mixed(pair[1], upper), pair[0].mixed(pair[1], lower)
    return rows


def _md5_steps(state: list[_Vector], words: list[_Vector]) -> list[_Vector]:
    functions: tuple[Callable[[_Vector, _Vector, _Vector], _Vector], ...] = (
        lambda x, y, z: z ^ (x & (y ^ z)),
        lambda x, y, z: y ^ (z & (x ^ y)),
        lambda x, y, z: x ^ y ^ z,
        lambda x, y, z: y ^ (x | ~z),
    )
    a, b, c, d = state
    for step, sine in enumerate(_MD5_SINES):
        number = step // 16
        first, second = _MD5_ORDER[number]
        mixed = a + words[(first * step + second) % 16] + sine + functions[number](b, c, d)
        a, b, c, d = d, b + mixed.turned(_MD5_TURNS[number][step % 4]), b, c
    return [a, b, c, d]


def _sha1_steps(state: list[_Vector], words: list[_Vector]) -> list[_Vector]:
    functions: tuple[Callable[[_Vector, _Vector, _Vector], _Vector], ...] = (
        lambda x, y, z: z ^ (x & (y ^ z)),
        lambda x, y, z: x ^ y ^ z,
        lambda x, y, z: (x & y) | (z & (x | y)),
        lambda x, y, z: x ^ y ^ z,
    )
    words = [word.swapped() for word in words]
    a, b, c, d, e = state
    for step in range(_SHA1_STEPS):
        if step >= len(words):
            words.append((words[step - 3] ^ words[step - 8] ^ words[step - 14] ^ words[step - 16]).turned(1))
        number = step // 20
        mixed = e + words[step] + _SHA1_ADDED[number] + (functions[number](b, c, d) + a.turned(5))
        a, b, c, d, e = mixed, a, b.turned(30), c, d
    return [a, b, c, d, e]


def _block(steps: Callable[[list[_Vector], list[_Vector]], list[_Vector]], height: int) -> Any:
    """Return what takes the block at each of the 16 addresses into the first `height` rows of the state."""

    def emitted(_context: Any, state: Any, addresses: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            rows, places = (
                context.make_array(kind)(context, builder, array).data
                for kind, array in zip(signature.args, arguments, strict=True)
            )
            vectors = builder.bitcast(rows, _WORDS.as_pointer())
            held = [builder.gep(vectors, [_constant(_INT64, row)]) for row in range(height)]
            before = [_loaded(builder, place) for place in held]
            words = _transposed([_loaded(builder, _pointer(builder, places, lane)) for lane in range(LANES)])
            for place, old, new in zip(held, before, steps(before, words), strict=True):
                builder.store((old + new).value, place).align = 1
            return context.get_dummy_value()

        return types.void(state, addresses), emit

    return intrinsic(emitted)


def _loaded(builder: Any, place: Any) -> _Vector:
    value = builder.load(place)
    value.align = 1
    return _Vector(builder, value)


def _pointer(builder: Any, addresses: Any, lane: int) -> Any:
    address = builder.load(builder.gep(addresses, [_constant(_INT64, lane)]))
    return builder.inttoptr(address, _WORDS.as_pointer())


_ARENA = types.Array(types.uint8, 1, "C", readonly=True)  # as a memory map is
_md5_block = _block(_md5_steps, 4)
_sha1_block = _block(_sha1_steps, 5)


class _Lanes(NamedTuple):
    """Where each lane is: content, address of its next block, blocks left there, blocks of padding to come after."""

    content: Addresses
    address: Addresses
    left: Addresses
    after: Addresses
    padding: Bytes
    state: Words


def _compiled(signature: Any) -> Callable[[Function], Function]:
    """Return a decorator that compiles, and keeps the machine code where numba finds a folder that can be written."""

    def compiled(function: Function) -> Function:
        try:
            return cast(Function, numba.njit(signature, nogil=True, cache=True)(function))
        except (RuntimeError, OSError, EOFError, UnpicklingError, ImportError):
            # Nowhere to keep it, or what was kept is damaged, as after a power cut.
            return cast(Function, numba.njit(signature, nogil=True)(function))

    return compiled


def _part(function: Function) -> Function:
    """Return the function, to be compiled into those that call it."""
    return register_jitable(function)


@_part
def _pad(padding: Bytes, tail: Bytes, size: int, big_endian: bool) -> int:
    """Write the last bytes of a content, bit 1, zeros and the size in bits; return how many blocks this makes."""
    blocks = 1 if len(tail) < _LENGTH_AT else 2
    padding[:] = 0
    padding[: len(tail)] = tail
    padding[len(tail)] = 0x80
    bits = np.uint64(size) << np.uint64(3)
    for byte in range(8):
        shift = np.uint64(8 * (7 - byte if big_endian else byte))
        padding[(blocks - 1) * _BLOCK + _LENGTH_AT + byte] = np.uint8((bits >> shift) & np.uint64(0xFF))
    return blocks


@_part
def _proceed(lanes: _Lanes, lane: int) -> None:
    """Go on to the padding."""
    lanes.address[lane] = lanes.padding.ctypes.data + lane * lanes.padding.shape[1]
    lanes.left[lane] = lanes.after[lane]
    lanes.after[lane] = 0


@_part
def _enter(lanes: _Lanes, lane: int, content: Bytes, big_endian: bool) -> None:
    """Start a content in a lane."""
    for row in range(len(_INITIAL)):
        lanes.state[row, lane] = _INITIAL[row]
    whole = len(content) // _BLOCK
    lanes.address[lane] = content.ctypes.data
    lanes.left[lane] = whole
    lanes.after[lane] = _pad(lanes.padding[lane], content[whole * _BLOCK :], len(content), big_endian)
    if whole == 0:
        _proceed(lanes, lane)


@_part
def _turn(lanes: _Lanes, lane: int, states: Words) -> bool:
    """Go on to the padding where it is still to come, else write the state; tell whether the lane is now free."""
    if lanes.after[lane] > 0:
        _proceed(lanes, lane)
        return False
    if lanes.content[lane] >= 0:
        states[lanes.content[lane]] = lanes.state[:, lane]
        lanes.content[lane] = -1
    return True


@_part
def _stretch(lanes: _Lanes) -> int:
    """Return how many blocks all lanes can go, 0 where all are idle. An idle lane follows a busy one, to no effect."""
    least, busy = 0, -1
    for lane in range(LANES):
        if lanes.left[lane] > 0 and (busy < 0 or lanes.left[lane] < least):
            least, busy = lanes.left[lane], lane
    for lane in range(LANES):
        if lanes.left[lane] == 0:
            lanes.address[lane] = lanes.address[busy]
    return least


@_part
def _advance(lanes: _Lanes, blocks: int, sha1: bool) -> None:
    address = lanes.address
    for _ in range(blocks):
        if sha1:
            _sha1_block(lanes.state, address)
        else:
            _md5_block(lanes.state, address)
        address += _BLOCK
    for lane in range(LANES):
        lanes.left[lane] = max(lanes.left[lane] - blocks, 0)


@_compiled(types.void(_ARENA, types.int64[::1], types.int64[::1], types.boolean, types.uint32[:, ::1]))
def digest_all(arena: Bytes, starts: Addresses, ends: Addresses, sha1: bool, states: Words) -> None:
    """Write to `states`, of shape (n, 5), the words of the digest of each `arena[start:end]`: SHA-1, or MD5 in 4.

    A lane takes the next content when its own ends, so the largest should come first. The caller has seen to it that
    0 <= start <= end <= len(arena): what is read here is not checked.
    """
    idle = np.zeros((3, LANES), np.int64)
    padding = np.empty((LANES, 2 * _BLOCK), np.uint8)
    lanes = _Lanes(np.full(LANES, -1), idle[0], idle[1], idle[2], padding, np.zeros((5, LANES), np.uint32))
    entered, blocks = 0, 1
    while blocks > 0:
        for lane in range(LANES):
            if lanes.left[lane] == 0 and _turn(lanes, lane, states) and entered < len(starts):
                lanes.content[lane] = entered
                _enter(lanes, lane, arena[starts[entered] : ends[entered]], sha1)
                entered += 1
        blocks = _stretch(lanes)
        _advance(lanes, blocks, sha1)
