"""The whole room on the public corpus, and what is true of every source."""

from typing import Any

from suite import Corpus

from triage.model.runs import ByteRun
from triage.model.trouble import TroubleCode
from triage.sources.opening import open_source
from triage.volumes.containers import unsupported_container
from triage.volumes.locked import detect
from triage.volumes.partition_tables import survey
from triage.volumes.volume import Volume

from .plain import Sparse, check_tiling, noisiness, volumes

NOT_COMPARABLE = ("must-not-crash-or-hang", "unsupported-container")
ALL_OF_IT = {"dfvfs_ufs1.raw": "002"}


def test_an_empty_source_has_no_regions() -> None:
    found = survey(Sparse(0))
    assert (found.regions, found.troubles) == ((), ())


def test_an_unreadable_start_is_told() -> None:
    found = survey(Sparse(2**20, bad=(ByteRun(0, 512), ByteRun(2**19, 512))))
    assert volumes(found) == [(0, 2**20)]
    assert [(each.code, each.run) for each in found.troubles] == [(TroubleCode.UNREADABLE, ByteRun(0, 512))]


def expected(case: dict[str, Any], size: int) -> list[tuple[int, int]]:
    """The (offset, length) of the allocated partitions that The Sleuth Kit lists, without BSD's "all of it"."""
    system = case.get("volume_system")
    if system is None:
        return [(0, size)]
    unit = system["sector"]
    whole = ALL_OF_IT.get(case["id"])
    return sorted(
        (each["start"] * unit, each["length"] * unit) for each in system["partitions"] if each["slot"] != whole
    )


def test_partitions_are_those_of_the_corpus(corpus: Corpus) -> None:
    wrong = []
    for case in corpus.cases:
        source = open_source(corpus.first_file(case))
        size = source.info.size
        found = survey(source)
        check_tiling(found, size)
        comparable = not case["expect"].startswith(NOT_COMPARABLE)
        if comparable and volumes(found) != expected(case, size):
            wrong.append((case["id"], volumes(found), found.troubles))
        source.close()
    assert wrong == []


def test_overlap_and_past_the_end_in_the_corpus(corpus: Corpus) -> None:
    source = open_source(corpus.path("corrupt/made_mbr_overlap_and_beyond_end.raw"))
    found = survey(source)
    assert volumes(found) == [(512, 130 * 512), (131 * 512, 129 * 512)]
    assert [each.code for each in found.troubles] == [TroubleCode.DAMAGED, TroubleCode.AMBIGUOUS]
    source.close()


def test_a_table_of_garbage_is_none_in_the_corpus(corpus: Corpus) -> None:
    source = open_source(corpus.path("corrupt/real_tsk_clusterfuzz_ntfs.bin"))
    assert volumes(survey(source)) == [(0, source.info.size)]
    source.close()


def test_no_readable_volume_of_the_corpus_is_told_encrypted(corpus: Corpus) -> None:
    told = []
    for case in corpus.cases:
        if case["expect"] != "files":
            continue
        source = open_source(corpus.first_file(case))
        for region in survey(source).regions:
            volume = Volume(source, region.run)
            if region.is_volume and (detect(volume) or noisiness(volume)):
                told.append((case["id"], region.name))
        source.close()
    assert told == []


def test_encrypted_partitions_beside_a_plain_one(corpus: Corpus) -> None:
    source = open_source(corpus.first_file(corpus.case("m4_mbr_plain_bitlocker_luks")))
    found = [detect(Volume(source, region.run)) for region in survey(source).regions if region.is_volume]
    assert [None if each is None else each.method for each in found] == [None, "BitLocker", "LUKS1"]
    source.close()


def test_lvm_of_the_corpus_is_named(corpus: Corpus) -> None:
    source = open_source(corpus.path("real/dfvfs/lvm.raw"))
    assert detect(source) is None
    assert "LVM2" in (unsupported_container(source) or "")
    source.close()
