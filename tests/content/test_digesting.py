import hashlib

import pytest

from triage.content.content import Content
from triage.content.digesting import ALGORITHMS, digest
from triage.model.digest import Digests


def content_of(data: bytes) -> Content:
    return Content(lambda offset, length: data[offset : offset + length], len(data))


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (3 << 20) + 7])
def test_all_digests_come_from_one_pass(size: int) -> None:
    data = bytes(index % 251 for index in range(1000)) * (size // 1000 + 1)
    data = data[:size]
    digests = digest(content_of(data), ALGORITHMS)
    assert digests == Digests(
        md5=hashlib.md5(data).hexdigest(),
        sha1=hashlib.sha1(data).hexdigest(),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def test_only_the_wanted_digests_are_made() -> None:
    assert digest(content_of(b"abc"), frozenset({"md5"})) == Digests(md5="900150983cd24fb0d6963f7d28e17f72")


def test_nothing_wanted_reads_nothing() -> None:
    def read(offset: int, length: int) -> bytes:
        raise AssertionError(f"read {length} bytes at {offset}")

    assert digest(Content(read, 10), frozenset()) == Digests()


def test_an_unknown_digest_is_refused() -> None:
    with pytest.raises(ValueError, match="no such digest: crc32"):
        digest(content_of(b""), frozenset({"md5", "crc32"}))
