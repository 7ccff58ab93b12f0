import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.hashsets.compile import Destination, compile_records
from triage.hashsets.hashset import HashSet
from triage.hashsets.library import Library
from triage.hashsets.perceptual import PDQ_RADIUS, PHASH_RADIUS
from triage.hashsets.record import EMPTY_DIGESTS, Record
from triage.hashsets.sealed import SetMeta
from triage.model.digest import Digests, PictureHashes
from triage.model.finding import MatchBy, SetKind

Member = Callable[[int], Record]
MakeSet = Callable[[list[Record]], HashSet]

NOTHING = Digests()


def opened(records: list[Record], **said: Any) -> HashSet:
    """Compile and open a set in a folder that is gone again: the memory map outlives it."""
    with tempfile.TemporaryDirectory() as folder:
        meta = SetMeta(name="made", version="7", kind=SetKind.NOTABLE, date="2026-01-02", **said)
        return HashSet.open(compile_records(records, meta, Destination(library=Library(Path(folder)))).path)


def flipped(value: bytes, bits: list[int]) -> str:
    number = int.from_bytes(value)
    for bit in bits:
        number ^= 1 << bit
    return number.to_bytes(len(value)).hex()


# Few distinct bytes and many zeros: shared prefixes, and the ends that fixed-width strings strip.
def digest(length: int) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from([0, 0, 1, 255]), min_size=length, max_size=length).map(bytes)


@st.composite
def records(draw: st.DrawFn) -> Record:
    record = Record(
        md5=draw(st.none() | digest(16)),
        sha1=draw(st.none() | digest(20)),
        sha256=draw(st.none() | digest(32)),
        category=draw(st.none() | st.sampled_from(["1", "2", "A"])),
    )
    return record if any(record[:3]) else record._replace(md5=bytes(16))


@settings(max_examples=12)
@given(st.lists(records(), min_size=1, max_size=12), st.lists(digest(20), max_size=10))
def test_a_digest_is_found_if_and_only_if_it_is_a_member(members: list[Record], others: list[bytes]) -> None:
    made = opened(members)
    known = {record.sha1 for record in members if record.sha1 is not None}
    for sha1 in known | set(others):
        assert bool(made.match(Digests(sha1=sha1.hex()))) == (sha1 in known)
    for record in members:
        exact = Digests(**{name: value.hex() for name in made.needs if (value := getattr(record, name)) is not None})
        assert record.category in {match.category for match in made.match(exact)}


@settings(max_examples=12)
@given(st.lists(records(), min_size=1, max_size=12))
def test_a_batch_finds_what_single_look_ups_find(members: list[Record]) -> None:
    made = opened(members)
    batch = [Digests(md5=record.md5.hex()) if record.md5 else NOTHING for record in members]
    hits = made.exact.lookup(batch).hits
    for number, digests in enumerate(batch):
        single = {(hit.record, hit.by) for hit in made.exact.lookup((digests,)).hits}
        assert single == {(hit.record, hit.by) for hit in hits if hit.query == number}


@settings(max_examples=12)
@given(
    st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=20),
    st.lists(st.integers(0, 255), unique=True, max_size=64),
    st.data(),
)
def test_pdq_is_found_within_the_radius_and_not_beyond(
    hashes: list[bytes], bits: list[int], data: st.DataObject
) -> None:
    made = opened([Record(pdq=value) for value in hashes])
    query = flipped(data.draw(st.sampled_from(hashes)), bits)
    distances = sorted((int(query, 16) ^ int.from_bytes(value)).bit_count() for value in set(hashes))
    expected = [distance for distance in distances if distance <= PDQ_RADIUS]
    found = made.pdq.near([bytes.fromhex(query)])
    assert [candidate.distance for candidate in found] == expected
    matches = made.match(NOTHING, PictureHashes(pdq=query, quality=100))
    assert [match.distance for match in matches] == sorted(set(expected))


@settings(max_examples=12)
@given(st.binary(min_size=8, max_size=8), st.lists(st.integers(0, 63), unique=True, max_size=20))
def test_phash_is_found_within_the_radius_and_not_beyond(value: bytes, bits: list[int]) -> None:
    made = opened([Record(phash=value)])
    matches = made.match(NOTHING, PictureHashes(phash=flipped(value, bits)))
    assert [(match.by, match.distance) for match in matches] == (
        [(MatchBy.PHASH, len(bits))] if len(bits) <= PHASH_RADIUS else []
    )


def test_pdq_members_in_every_block_are_found(make_set: MakeSet) -> None:
    hashes = np.random.default_rng(1).bytes(32 * 40_000)
    members = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
    made = make_set([Record(pdq=value) for value in members])
    for number, flips in zip(range(0, 40_000, 1250), range(32), strict=True):
        query = bytes.fromhex(flipped(members[number], list(range(0, 8 * flips, 8))))
        assert [candidate.distance for candidate in made.pdq.near([query])] == [flips]


def test_any_of_the_eight_variants_finds_the_record_at_its_nearest(make_set: MakeSet, member: Member) -> None:
    made = make_set([member(1), member(2)])
    pdq = member(1).pdq
    assert pdq is not None
    strange = [hashlib.sha256(b"turn %d" % turn).hexdigest() for turn in range(6)]
    variants = (*strange[:3], flipped(pdq, list(range(9))), flipped(pdq, list(range(5))), *strange[3:])
    matches = made.match(NOTHING, PictureHashes(pdq=variants[0], quality=80, pdq_variants=variants))
    assert [(match.by, match.distance, match.category) for match in matches] == [(MatchBy.PDQ, 5, "2")]


def test_a_picture_whose_hashes_were_declined_is_not_compared(make_set: MakeSet, member: Member) -> None:
    made = make_set([member(1)])
    pdq, phash = member(1).pdq, member(1).phash
    assert pdq is not None
    assert phash is not None
    both = PictureHashes(pdq=pdq.hex(), phash=phash.hex(), quality=49)
    assert len(made.match(NOTHING, both)) == 1, "a person may give any hash"
    assert made.match(NOTHING, replace(both, declined="of low quality")) == ()


@settings(max_examples=12)
@given(st.lists(st.integers(0, 63), unique=True, max_size=17), st.integers(0, 16))
def test_the_radius_of_a_set_is_its_own(bits: list[int], radius: int) -> None:
    value = bytes(range(8))
    made = opened([Record(phash=value)], phash_radius=radius)
    matches = made.match(NOTHING, PictureHashes(phash=flipped(value, bits)))
    assert [match.distance for match in matches] == ([len(bits)] if len(bits) <= radius else [])


def test_what_may_match_is_told_by_the_known_bits_of_any_variant(make_set: MakeSet, member: Member) -> None:
    made = make_set([member(number) for number in range(4)])
    near, other = flipped(member(1).pdq or b"", list(range(33))), "0f" * 32
    asked = PictureHashes(pdq=other, quality=90, pdq_variants=(other, near))
    assert not made.may_match(asked), "33 bits differ, all known"
    two, one = ((1 << bits) - 1 for bits in (2, 1))
    assert made.may_match(replace(asked, scale=4, pdq_unknown=("00" * 32, f"{two:064x}")))
    assert not made.may_match(replace(asked, scale=4, pdq_unknown=("00" * 32, f"{one:064x}")))
    assert not made.may_match(replace(asked, scale=4, pdq_unknown=(f"{two:064x}", "00" * 32)))


def test_what_may_match_by_phash_is_told_with_the_radius_of_the_set(member: Member) -> None:
    records = [member(number)._replace(pdq=None) for number in range(4)]
    near = flipped(records[2].phash or b"", [*range(5), 63])
    asked = PictureHashes(phash=near, phash_variants=(near,), scale=2)
    assert opened(records, phash_radius=6).may_match(asked)
    assert not opened(records, phash_radius=5).may_match(asked)
    assert opened(records, phash_radius=5).may_match(replace(asked, phash_unknown=("8" + "0" * 15,)))
    assert not opened(records, phash_radius=4).may_match(replace(asked, phash_unknown=("8" + "0" * 15,)))


def test_a_picture_of_which_all_is_known_may_match_if_it_matches(make_set: MakeSet, member: Member) -> None:
    made = make_set([member(number) for number in range(9)])
    for flips in (0, 20, 31, 32, 40):
        asked = PictureHashes(pdq=flipped(member(flips % 9).pdq or b"", list(range(flips))))
        assert made.may_match(asked) == bool(made.match_pictures(asked)) == (flips <= PDQ_RADIUS)


def test_nothing_may_match_that_is_declined_or_in_a_set_without_such_hashes(make_set: MakeSet, member: Member) -> None:
    made, digests_alone = make_set([member(1)]), opened([Record(md5=member(1).md5)])
    asked = PictureHashes(pdq=(member(1).pdq or b"").hex(), pdq_unknown=("ff" * 32,))
    assert made.may_match(asked)
    assert not made.may_match(replace(asked, declined="of low quality"))
    assert not made.may_match(PictureHashes())
    assert not digests_alone.may_match(asked)


def test_a_record_is_reported_once_by_its_strongest_hash(make_set: MakeSet, member: Member) -> None:
    made = make_set([member(number) for number in range(10)])
    record = member(4)
    assert record.md5
    assert record.sha1
    assert record.sha256
    assert record.pdq
    pictures = PictureHashes(pdq=record.pdq.hex(), quality=90, phash=record.phash.hex() if record.phash else None)
    full = Digests(md5=record.md5.hex(), sha1=record.sha1.hex(), sha256=record.sha256.hex())
    assert [match.by for match in made.match(full, pictures)] == [MatchBy.SHA256]
    assert [match.by for match in made.match(Digests(md5=full.md5, sha1=full.sha1), pictures)] == [MatchBy.SHA1]
    assert [match.by for match in made.match(Digests(md5=full.md5), pictures)] == [MatchBy.MD5]
    assert [match.by for match in made.match(NOTHING, pictures)] == [MatchBy.PDQ]
    (match,) = made.match(full)
    assert (match.set, match.distance, match.category, match.grade) == (made.identity, 0, "2", None)


def test_a_weak_digest_that_a_stronger_one_contradicts_is_no_match(make_set: MakeSet, member: Member) -> None:
    record, other = member(1), member(2)
    assert record.md5
    assert other.sha1
    made = make_set([record, Record(md5=other.md5)])
    disputed = Digests(md5=record.md5.hex(), sha1=other.sha1.hex())
    assert made.match(disputed) == ()
    assert made.match_digests([disputed, Digests()]) == [((), made.identity), ((), None)]
    assert other.md5
    assert len(made.match(Digests(md5=other.md5.hex(), sha1=other.sha1.hex()))) == 1, "the set knows no SHA-1 of it"


def test_records_with_the_same_digest_are_all_reported(make_set: MakeSet, member: Member) -> None:
    record = member(1)
    assert record.md5
    made = make_set([record._replace(category=code, grade=grade) for code in "12" for grade in (None, "trusted")] * 2)
    matches = made.match(Digests(md5=record.md5.hex()))
    assert [(match.category, match.grade) for match in matches] == [
        ("1", None), ("1", "trusted"), ("2", None), ("2", "trusted"),
    ]  # fmt: skip
    assert made.counts["records"] == 4


def test_an_altered_copy_is_found_like_a_member_and_counted_apart(make_set: MakeSet, member: Member) -> None:
    crop = member(2).pdq
    assert crop
    made = make_set([member(1), Record(pdq=crop, altered=True)])
    assert (made.counts["records"], made.counts["variants"], made.counts["pdq"]) == (1, 1, 2)
    (match,) = made.match(NOTHING, PictureHashes(pdq=flipped(crop, [0, 9, 77])))
    assert (match.by, match.distance) == (MatchBy.PDQ, 3)


def test_every_match_cites_set_version_and_digest(make_set: MakeSet, member: Member) -> None:
    record = member(1)
    assert record.sha256
    made = make_set([record])
    (match,) = made.match(Digests(sha256=record.sha256.hex()))
    assert match.set == made.header.identity
    assert (match.set.name, match.set.version, match.set.digest) == ("made", "1", made.header.digest)


def test_texts_of_any_script_come_back(make_set: MakeSet, member: Member) -> None:
    made = make_set([member(number)._replace(category=text) for number, text in enumerate(["ß", "日本", "", "z" * 99])])
    sha1 = [member(number).sha1 or b"" for number in range(4)]
    found = [made.match(Digests(sha1=value.hex()))[0].category for value in sha1]
    assert found == ["ß", "日本", "", "z" * 99]


def test_what_a_set_needs_is_what_it_carries(make_set: MakeSet, member: Member) -> None:
    made = make_set([Record(md5=member(1).md5), Record(sha256=member(2).sha256)])
    assert made.needs == {"md5", "sha256"}
    assert not made.has_pdq
    assert not made.has_phash
    assert made.counts == {"records": 2, "variants": 0, "md5": 1, "sha1": 0, "sha256": 1, "pdq": 0, "phash": 0}


def test_what_a_set_of_pictures_carries(make_set: MakeSet, member: Member) -> None:
    made = make_set([member(1)])
    assert made.has_pdq
    assert made.has_phash


def test_the_empty_file_is_never_a_member(make_set: MakeSet, member: Member) -> None:
    empty = [Record(**{name: hashlib.new(name).digest()}) for name in ("md5", "sha1", "sha256")]  # type: ignore[arg-type] # by name
    made = make_set([*empty, member(1)])
    assert made.counts["records"] == 1
    assert made.match(Digests(md5=hashlib.md5(b"").hexdigest(), sha1=hashlib.sha1(b"").hexdigest())) == ()
    assert len(EMPTY_DIGESTS) == 3
