"""EWF sets of the public corpus against libewf's own reading of them."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyewf
import pytest
from suite import Corpus

from triage.model.runs import merge, total
from triage.sources.ewf import EwfSource, open_ewf

STEP = 1 << 20

UNVERIFIED = {"be_email_test.E01"}
"""The digest stored in this set is not that of its bytes, by libewf's account too."""


def opened(path: Path) -> EwfSource:
    source = open_ewf(path)
    assert isinstance(source, EwfSource)
    return source


def pieces(source: EwfSource) -> Iterator[bytes]:
    for offset in range(0, source.info.size, STEP):
        piece = bytearray(min(STEP, source.info.size - offset))
        source.read_into(offset, memoryview(piece))
        yield bytes(piece)


def sound_cases(corpus: Corpus) -> list[Any]:
    return [
        case
        for case in corpus.cases
        if case["files"][0].lower().endswith(".e01") and not case["files"][0].startswith("corrupt/")
    ]


def test_every_sound_set_reads_as_libewf_reads_it_and_as_its_digest_says(corpus: Corpus) -> None:
    cases = sound_cases(corpus)
    assert len(cases) >= 12
    for case in cases:
        path = corpus.first_file(case)
        source = opened(path)
        reference = pyewf.handle()
        reference.open([str(corpus.path(name)) for name in case["files"]])
        assert reference.get_media_size() == source.info.size
        md5 = hashlib.md5()
        for number, piece in enumerate(pieces(source)):
            assert piece == reference.read_buffer_at_offset(len(piece), number * STEP), case["id"]
            assert piece[32_000:35_000] == source.read_at(number * STEP + 32_000, 3000), case["id"]
            md5.update(piece)
        reference.close()
        assert (source.unreadable_runs(), source.info.troubles) == ((), ()), case["id"]
        if case["id"] not in UNVERIFIED:
            assert dict(source.info.stored_digests)["md5"] == md5.hexdigest(), case["id"]
        source.close()


@pytest.mark.parametrize(
    ("case", "like", "sound", "words"),
    [
        ("corrupt_made_e01_missing_segment.E01", "dfvfs_ext2.E01", 6080 * 512, "missing_segment.E02 is missing"),
        ("corrupt_made_set_gap.E01", "m1_gpt4_photos", 115 * 32768, "set_gap.E02 is missing"),
        ("corrupt_made_e01_truncated70.E01", "tsk_imageformat_mmls_1.E01", 869 * 32768, "is cut short"),
    ],
)
def test_a_damaged_set_gives_what_is_there(corpus: Corpus, case: str, like: str, sound: int, words: str) -> None:
    source = opened(corpus.first_file(corpus.case(case)))
    whole = opened(corpus.first_file(corpus.case(like)))
    assert source.info.size == whole.info.size
    assert source.read_at(0, sound) == whole.read_at(0, sound)
    rest = b"".join(source.read_at(offset, STEP) for offset in range(sound, source.info.size, STEP))
    assert rest.count(0) == len(rest) == source.info.size - sound
    assert total(merge(bad.run for bad in source.unreadable_runs())) == len(rest)
    assert any(words in trouble for trouble in source.info.troubles)
    source.close()
    whole.close()


def test_an_empty_file_called_e01_is_not_ewf(corpus: Corpus) -> None:
    assert open_ewf(corpus.path("corrupt/made_empty_file.E01")) is None
