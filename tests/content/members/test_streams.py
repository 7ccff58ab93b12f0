import bz2
import gzip
import io
import lzma
import random
import sys
import time
from collections.abc import Callable

import pytest
from content.members.made import contents, found, picture, told
from suite import Corpus

from triage.content.members.member import Budget, Limits, Member

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

JPEG = picture()
COMPRESSORS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gz", gzip.compress),
    ("bz2", bz2.compress),
    ("xz", lambda data: lzma.compress(data, preset=0)),
    ("lzma", lambda data: lzma.compress(data, lzma.FORMAT_ALONE, preset=0)),
    ("zst", zstd.compress),
]
both = pytest.mark.parametrize(("ending", "compress"), COMPRESSORS)


def only(inside: list[object]) -> Member:
    (member,) = inside
    assert isinstance(member, Member)
    return member


@both
def test_a_compressed_file_is_named_by_its_own_name(ending: str, compress: Callable[[bytes], bytes]) -> None:
    assert contents(compress(JPEG), name=f"photo.jpg.{ending}") == {"photo.jpg": JPEG}
    assert contents(compress(JPEG), name="photo") == {"content": JPEG}


@both
def test_streams_one_after_the_other_are_one_file(ending: str, compress: Callable[[bytes], bytes]) -> None:
    if ending != "lzma":
        data = compress(JPEG) + compress(b"more") + bytes(512)
        assert contents(data) == {"content": JPEG + b"more"}


@both
def test_a_stream_that_is_cut_is_given_as_far_as_it_goes(ending: str, compress: Callable[[bytes], bytes]) -> None:
    data = random.Random(1).randbytes(2 << 20)
    member = only(found(compress(data)[: 3 << 19], name=f"a.{ending}"))  # type: ignore[arg-type]
    assert member.obstacle
    assert member.obstacle.code == "damaged"
    assert member.content
    given = bytes(member.content.whole())
    assert len(given) > 1 << 19
    assert data.startswith(given)


@both
def test_zeros_without_end_are_cut_off(ending: str, compress: Callable[[bytes], bytes]) -> None:
    data = compress(bytes(30 << 20))
    budget = Budget.of(len(data))
    before, start = budget.bytes, time.process_time()
    assert told(found(data, budget=budget, name=f"a.{ending}")) == [("a", "limit", False)]
    assert before - budget.bytes <= 17 << 20
    assert time.process_time() - start < 1


def test_what_follows_a_stream_is_told() -> None:
    member = only(found(gzip.compress(JPEG) + b"something else"))  # type: ignore[arg-type]
    assert member.obstacle
    assert member.obstacle.code == "damaged"
    assert member.content
    assert member.content.whole() == JPEG


def test_the_name_and_time_of_a_gzip_header_are_given() -> None:
    file = io.BytesIO()
    with gzip.GzipFile("photo.jpg", "wb", fileobj=file, mtime=1_600_000_000) as stream:
        stream.write(JPEG)
    member = only(found(file.getvalue(), name="other.gz"))  # type: ignore[arg-type]
    assert (member.name, member.modified) == ("photo.jpg", 1_600_000_000_000_000_000)


def test_a_decoder_that_would_hold_too_much_is_refused() -> None:
    data = lzma.compress(JPEG, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 64 << 20}])
    assert told(found(data, limits=Limits(dictionary=16 << 20))) == [("content", "damaged", False)]


@both
def test_a_large_stream_is_decoded_as_it_is_read(ending: str, compress: Callable[[bytes], bytes]) -> None:
    data = random.Random(1).randbytes(3 << 20)
    member = only(found(compress(data), limits=Limits(held=1 << 20), name=f"a.{ending}"))  # type: ignore[arg-type]
    assert member.obstacle is None
    assert member.content
    assert member.content.size == len(data)
    assert member.content.head() == data[:4096]
    assert b"".join(member.content.blocks()) == data
    file = member.content.open()
    for place in (100, (3 << 20) - 70):
        file.seek(place)
        assert file.read(1000) == data[place : place + 1000]


@pytest.mark.parametrize("name", ["made_1GiB.gz", "made_4GiB.bz2"])
def test_public_bombs(corpus: Corpus, name: str) -> None:
    data = corpus.path(f"bombs/{name}").read_bytes()
    start = time.process_time()
    assert [code for _, code, _ in told(found(data))] == ["limit"]
    assert time.process_time() - start < 1
