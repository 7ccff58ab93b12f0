"""Shadow copies of volumes, read through libvshadow."""

from collections.abc import Callable

import pytest
from suite import Corpus

from triage.model.errors import EvidenceError
from triage.model.runs import ByteRun
from triage.volumes.shadow_copies import open_shadow_copy
from triage.volumes.volume import Volume

from .plain import Opened, Sparse

FIRST, SECOND = "de81cc22-aa8b-11eb-9339-8cdcd4557abc", "de81cc2b-aa8b-11eb-9339-8cdcd4557abc"
CATALOGUE_POINTER, SECOND_FILE = 0x1E00, 27_590_656 + 47 * 1024


def whole(opened: Callable[..., Opened], corpus: Corpus) -> Volume:
    source = opened(corpus.path("real/dfvfs/vss.raw"))
    return Volume(source, ByteRun(0, source.size))


def test_each_copy_is_the_volume_as_it_was(opened: Callable[..., Opened], corpus: Corpus) -> None:
    volume = whole(opened, corpus)
    first, second = open_shadow_copy(volume, FIRST), open_shadow_copy(volume, SECOND)
    assert (first.created, second.created) == ("2021-05-01T17:40:03Z", "2021-05-01T17:41:28Z")
    assert first.info.size == second.info.size == volume.size
    name = "vss2".encode("utf-16-le")
    assert name in volume.read_at(SECOND_FILE, 1024)
    assert name not in first.read_at(SECOND_FILE, 1024)
    assert first.unreadable_runs() == second.unreadable_runs() == ()
    first.close()
    first.close()
    second.close()


def test_reads_end_where_the_volume_ends(opened: Callable[..., Opened], corpus: Corpus) -> None:
    copy = open_shadow_copy(whole(opened, corpus), FIRST)
    size = copy.info.size
    assert len(copy.read_at(size - 100, 1000)) == 100
    assert copy.read_at(size, 1) == copy.read_at(size + 5, 10) == copy.read_at(0, 0) == b""
    copy.close()


def test_what_the_library_cannot_read_is_zeros_and_recorded(opened: Callable[..., Opened], corpus: Corpus) -> None:
    copy = open_shadow_copy(whole(opened, corpus), FIRST)
    copy.close()  # from now on the library refuses every read
    assert copy.read_at(16_000, 1000) == bytes(1000)
    assert [bad.run for bad in copy.unreadable_runs()] == [ByteRun(16_000, 1000)]


@pytest.mark.parametrize("identifier", ["", "00000000-0000-0000-0000-000000000000"])
def test_a_copy_that_is_not_in_the_catalogue_is_refused(
    opened: Callable[..., Opened], corpus: Corpus, identifier: str
) -> None:
    with pytest.raises(EvidenceError, match="knows no shadow copy"):
        open_shadow_copy(whole(opened, corpus), identifier)


def test_a_volume_without_a_catalogue_is_refused() -> None:
    with pytest.raises(EvidenceError, match="cannot be read"):
        open_shadow_copy(Volume(Sparse(1 << 20), ByteRun(0, 1 << 20)), FIRST)
