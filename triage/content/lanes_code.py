"""The code of `lanes`, made for this processor by LLVM: its loops, and what a lane takes in and hands over.

Importing this module imports llvmlite and its LLVM, 0.05 s; to compile takes 0.15 s. Only `lanes` does, when it first
needs it.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.content.lanes_schedule import LANES, PIECE, Numbers
from triage.content.lanes_steps import CONSTANTS, INITIAL, WORDS, Vector, both_steps, transposed

binding: Any = import_module("llvmlite.binding")  # neither has types
ir: Any = import_module("llvmlite.ir")

_INT32, _INT64, _POINTER = ir.IntType(32), ir.IntType(64), ir.PointerType()
_PLACES = ir.VectorType(_INT64, LANES)
_STATE = ir.ArrayType(WORDS, len(INITIAL))


class Kernel(NamedTuple):
    """The compiled code, and the constants: read from memory, for what LLVM knows it adds where a step waits for it."""

    engine: Any  # which owns the machine code
    function: Callable[[int, int, int, int], None]
    constants: NDArray[np.uint32]

    @staticmethod
    def begin(count: int) -> NDArray[np.uint32]:
        """Return the states of MD5 and SHA-1 of contents of which nothing is digested yet, of shape (count, 9)."""
        return np.full((count, len(INITIAL)), INITIAL, np.uint32)

    def advance(self, pieces: Numbers, states: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Return the states of the contents after all pieces of `lanes_schedule.pieces`.

        What is at the addresses is not checked.
        """
        held = np.concatenate((self.begin(1), states))  # the first is what idle lanes hold
        self.function(pieces.ctypes.data, len(pieces), self.constants.ctypes.data, held.ctypes.data)
        return held[1:]


class _Code(NamedTuple):
    """The function while it is made, with what every lane holds: its state, address, step and content."""

    builder: Any
    constants: Any
    state: Any
    address: Any
    step: Any
    content: Any

    def place(self, origin: Any, index: Any, kind: Any = _INT64) -> Any:
        """Return the address of an element of a table that begins at `origin`."""
        index = ir.Constant(_INT64, index) if isinstance(index, int) else index
        return self.builder.gep(origin, [index], source_etype=kind)

    def loaded(self, origin: Any, index: Any, kind: Any = _INT64) -> Any:
        """Return an element of a table, which may begin anywhere."""
        value = self.builder.load(self.place(origin, index, kind), typ=kind)
        value.align = 1
        return value

    def constant(self, number: int) -> Vector:
        """Return one of the constants in every lane."""
        nowhere = ir.Constant(WORDS, ir.Undefined)
        one = self.builder.insert_element(nowhere, self.loaded(self.constants, number, _INT32), ir.Constant(_INT32, 0))
        return Vector(self.builder, self.builder.shuffle_vector(one, nowhere, ir.Constant(WORDS, [0] * LANES)))

    def block(self) -> None:
        """Take the block at the address of every lane into its state, and go on by its step."""
        before = [Vector(self.builder, self.loaded(self.state, row, WORDS)) for row in range(len(INITIAL))]
        addresses, steps = (self.builder.load(where, typ=_PLACES) for where in (self.address, self.step))
        words = self._words()
        last = self.builder.icmp_signed("==", steps, ir.Constant(_PLACES, [0] * LANES))
        after = both_steps(before, words, last, self.constant)
        for row, (old, new) in enumerate(zip(before, after, strict=True)):
            self.builder.store((old + new).value, self.place(self.state, row, WORDS))
        self.builder.store(self.builder.add(addresses, steps), self.address)

    def enter(self, piece: Any) -> None:
        """Write the state of the content that leaves a lane, and read that of the one that enters."""
        states = self.builder.function.args[3]
        lane, address, step, content = (self.loaded(piece, column) for column in range(1, PIECE))
        width = ir.Constant(_INT64, len(INITIAL))
        left, entered = (
            self.place(states, self.builder.mul(number, width), _INT32)
            for number in (self.loaded(self.content, lane), content)
        )
        for row in range(len(INITIAL)):
            word = self.place(self.place(self.state, row, WORDS), lane, _INT32)
            self.builder.store(self.builder.load(word, typ=_INT32), self.place(left, row, _INT32))
            self.builder.store(self.loaded(entered, row, _INT32), word)
        for where, value in ((self.address, address), (self.step, step), (self.content, content)):
            self.builder.store(value, self.place(where, lane))

    def _words(self) -> list[Vector]:
        """Return the 16 words of the blocks, each of all lanes."""
        origins = [self.builder.inttoptr(self.loaded(self.address, lane), _POINTER) for lane in range(LANES)]
        halves = [[Vector(self.builder, self.loaded(origin, half, WORDS)) for origin in origins] for half in (0, 1)]
        return [word for half in halves for word in transposed(half)]


@contextmanager
def _repeated(builder: Any, count: Any) -> Iterator[Any]:
    """Emit what is emitted within as a loop, and give its number: 0 to `count` - 1."""
    before, start, body, after = builder.block, *(builder.append_basic_block() for _ in range(3))
    builder.branch(start)
    builder.position_at_end(start)
    number = builder.phi(_INT64)
    number.add_incoming(ir.Constant(_INT64, 0), before)
    builder.cbranch(builder.icmp_signed("<", number, count), body, after)
    builder.position_at_end(body)
    yield number
    number.add_incoming(builder.add(number, ir.Constant(_INT64, 1)), builder.block)
    builder.branch(start)
    builder.position_at_end(after)


def _zeros(builder: Any, kind: Any) -> Any:
    """Return the address of memory on the stack."""
    place = builder.alloca(kind)
    builder.store(ir.Constant(kind, None), place)
    place.type = _POINTER  # of LLVM itself; llvmlite would not let the elements be stored
    return place


def _module() -> Any:
    """Return the function `run`: before each piece so many blocks in all lanes, then the piece enters its lane."""
    module = ir.Module()
    signature = ir.FunctionType(ir.VoidType(), [_POINTER, _INT64, _POINTER, _POINTER])
    function = ir.Function(module, signature, "run")
    builder = ir.IRBuilder(function.append_basic_block())
    pieces, count, table, _ = function.args
    code = _Code(builder, table, *(_zeros(builder, kind) for kind in (_STATE, _PLACES, _PLACES, _PLACES)))
    with _repeated(builder, count) as number:
        piece = code.place(pieces, number, ir.ArrayType(_INT64, PIECE))
        with _repeated(builder, code.loaded(piece, 0)):
            code.block()
        code.enter(piece)
    builder.ret_void()
    return module


def compiled() -> Kernel | None:
    """Return the code, compiled for this processor; None where it has no AVX2: there `hashlib` is faster."""
    features = binding.get_host_cpu_features()
    if not features.get("avx2"):
        return None
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple()
    machine = target.create_target_machine(cpu=binding.get_host_cpu_name(), features=features.flatten(), opt=2)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(str(_module())), machine)
    engine.finalize_object()
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    function = ctypes.CFUNCTYPE(None, pointer, number, pointer, pointer)(engine.get_function_address("run"))
    return Kernel(engine, function, np.array(CONSTANTS, np.uint32))
