import random
import zlib
from collections.abc import Callable

import pytest
from suite import Corpus

from triage.model.runs import ByteRun
from triage.volumes.blankness import is_blank

from .plain import Opened, Sparse, noisiness

NOISE = random.Random(20260101).randbytes(4 * 2**20)


@pytest.mark.parametrize("size", [65536, 299008, 2**20 + 700, 4 * 2**20])
def test_noise_is_noise(size: int) -> None:
    bits = noisiness(Sparse(size).put(0, NOISE[:size]))
    assert bits is not None
    assert bits > 7.99


def test_a_fresh_container_with_little_but_its_headers_is_noise() -> None:
    size = 2**30
    source = Sparse(size)
    for index, place in enumerate((0, 65536, size - 131072, size - 65536)):
        source.put(place, NOISE[index * 512 :][:512])
    assert noisiness(source) is not None
    assert noisiness(Sparse(size).put(0, NOISE[:512])) is None


@pytest.mark.parametrize(
    "data",
    [
        bytes(2**20),
        b"\xff" * 2**20,
        bytes(512) + NOISE[: 2**20],
        NOISE[: 2**19] + b"plain words in a container that is no noise, " * 20000,
        zlib.compress(b"".join(b"%d," % number for number in range(500000)), 6),
        bytes(byte & 0x7F for byte in NOISE[: 2**20]),
        NOISE[:65535],
        b"",
    ],
    ids=["zeros", "ones", "zeros first", "half text", "deflate", "seven bits", "too small", "empty"],
)
def test_all_else_is_not(data: bytes) -> None:
    assert noisiness(Sparse(len(data)).put(0, data)) is None


def test_the_answer_is_always_the_same() -> None:
    source = Sparse(2**20).put(0, NOISE[: 2**20])
    assert noisiness(source) == noisiness(source)


@pytest.mark.parametrize(("data", "fill"), [(bytes(3 * 2**20 + 5), 0), (b"\xff" * 70000, 255), (b"\x55" * 70000, None)])
def test_small_volumes_are_read_to_the_end(data: bytes, fill: int | None) -> None:
    found = is_blank(Sparse(len(data)).put(0, data))
    assert (found.fill, found.blank) == (fill, fill is not None)
    if fill is not None:
        assert found.complete
        assert found.text == f"all {len(data)} bytes are 0x{fill:02x}"


@pytest.mark.parametrize("place", [0, 1234567, 3 * 2**20 + 4])
def test_one_byte_is_enough_to_be_no_blank(place: int) -> None:
    found = is_blank(Sparse(3 * 2**20 + 5).put(place, b"x"))
    assert (found.blank, found.text) == (False, "not blank")


def test_large_volumes_are_sampled_and_say_so() -> None:
    found = is_blank(Sparse(2**40))
    assert found.blank
    assert not found.complete
    assert found.text == f"{4096 * 4096} of {2**40} bytes sampled, all 0x00; the others were not looked at"
    assert not is_blank(Sparse(2**40).put(0, b"x")).blank
    assert not is_blank(Sparse(2**40).put(2**40 - 1, b"x")).blank


def test_what_cannot_be_read_is_never_blank() -> None:
    assert not is_blank(Sparse(2**20, bad=(ByteRun(4096, 512),))).blank


def test_real_veracrypt(corpus: Corpus, opened: Callable[..., Opened]) -> None:
    assert noisiness(opened(corpus.path("encrypted/veracrypt_vc_1-sha512-xts-aes"))) is not None
