"""From batches to a sealed file: the same bytes whatever the order, the batches and the runs; every member is found."""

import io
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.hashsets import builder as building
from triage.hashsets import external_sort, hashset
from triage.hashsets.batch import UNKNOWN_SIZE, Batch, in_batches
from triage.hashsets.builder import SetBuilder
from triage.hashsets.external_sort import ExternalSort
from triage.hashsets.hashset import HashSet
from triage.hashsets.record import HASH_BITS, HASH_BYTES, VARIANT, Label, Record
from triage.hashsets.sealed import SetHeader, SetMeta, open_sealed
from triage.model.digest import Digests
from triage.model.errors import SourceError
from triage.model.finding import SetKind

META = SetMeta(name="made", version="1", kind=SetKind.NOTABLE, date="2026-01-02")
ALL = 1 << 20


@contextmanager
def runs_of(rows: int) -> Iterator[None]:
    """Sort in runs of so few rows that many are merged, in many blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "ExternalSort", partial(ExternalSort, run_rows=rows))
        patch.setattr(external_sort, "_SAMPLE_STEP", 2)
        yield


def batched(records: Sequence[Record], size: int) -> Iterator[Batch]:
    for start in range(0, len(records), size):
        yield from in_batches(enumerate(records[start : start + size], start=start))


def sealed(path: Path, records: Sequence[Record], *, size: int = ALL, rows: int = ALL) -> SetHeader:
    with runs_of(rows), SetBuilder(path.parent) as builder, path.open("w+b") as file:
        for batch in batched(records, size):
            builder.add(batch)
        return builder.write(file, META, lambda _rows: None)


def bytes_of(records: Sequence[Record], *, size: int = ALL, rows: int = ALL) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "set"
        sealed(path, records, size=size, rows=rows)
        return path.read_bytes()


def opened(records: Sequence[Record], **sizes: int) -> HashSet:
    """Seal and open a set in a folder that is gone again: the memory map outlives it."""
    with tempfile.TemporaryDirectory() as folder:
        sealed(Path(folder) / "set", records, **sizes)
        return HashSet(open_sealed(Path(folder) / "set"))


def members(found: HashSet) -> list[Record]:
    """Return the records of a set in the order of their numbers."""
    return [record for batch in found.batches() for record in records_of(batch)]


def records_of(batch: Batch) -> Iterator[Record]:
    for row in range(len(batch)):
        present, size = int(batch.present[row]), int(batch.size[row])
        hashes = {name: batch.hashes[name][row].tobytes() if present & bit else None for name, bit in HASH_BITS.items()}
        yield Record(
            **hashes,  # type: ignore[arg-type] # by name
            size=None if size == UNKNOWN_SIZE else size,
            **batch.labels[batch.label[row]]._asdict(),
            altered=bool(present & VARIANT),
        )


def numbered(records: Sequence[Record]) -> list[Record]:
    """Return distinct records in the order in which a set must number them, by another way than the product's."""
    labels = sorted({record.label for record in records}, key=label_order)

    def order(record: Record) -> tuple[bytes, bytes]:
        first = next(value for value in record[:5] if value is not None)
        raw = b"".join(value or bytes(length) for value, length in zip(record[:5], HASH_BYTES.values(), strict=True))
        present = sum(bit for value, bit in zip(record[:5], HASH_BITS.values(), strict=True) if value is not None)
        size = UNKNOWN_SIZE if record.size is None else record.size
        rest = bytes([present | record.altered * VARIANT]) + size.to_bytes(8, signed=True)
        return first[:8], raw + rest + labels.index(record.label).to_bytes(4)

    return sorted(set(records), key=order)


def label_order(label: Label) -> tuple[object, ...]:
    texts = label[:3]
    return *(text or "" for text in texts), *(text is None for text in texts), label.flags


# Few distinct bytes and many zeros: shared keys, keys that differ behind them, the ends that strings strip.
def raw(length: int) -> st.SearchStrategy[bytes]:
    ends = st.lists(st.sampled_from([0, 0, 1, 255]), min_size=2, max_size=2).map(bytes)
    return st.builds(lambda first, last: (first + bytes(length))[: length - 2] + last, ends, ends)


@st.composite
def records(draw: st.DrawFn) -> Record:
    hashes = {name: draw(st.none() | raw(length)) for name, length in HASH_BYTES.items()}
    if not any(value is not None for value in hashes.values()):
        name = draw(st.sampled_from([*HASH_BYTES]))
        hashes[name] = bytes(HASH_BYTES[name])
    return Record(
        md5=hashes["md5"],
        sha1=hashes["sha1"],
        sha256=hashes["sha256"],
        pdq=hashes["pdq"],
        phash=hashes["phash"],
        size=draw(st.sampled_from([None, 0, 1, 1 << 40])),
        category=draw(st.sampled_from([None, "", "1", "é"])),
        grade=draw(st.sampled_from([None, "trusted"])),
        flags=draw(st.sampled_from([0, 0, 1, 63])),
        altered=draw(st.booleans()),
    )


@settings(max_examples=20)
@given(st.lists(records(), max_size=40), st.integers(1, 9), st.integers(1, 9), st.randoms(use_true_random=False))
def test_the_bytes_do_not_depend_on_order_batches_or_runs(
    made: list[Record], size: int, rows: int, chance: random.Random
) -> None:
    whole = bytes_of(made)
    again = list(made)
    chance.shuffle(again)
    assert bytes_of(again, size=size, rows=rows) == whole


@settings(max_examples=20)
@given(st.lists(records(), max_size=40), st.integers(1, 9))
def test_every_record_comes_back_once_under_its_number(made: list[Record], rows: int) -> None:
    found = opened(made + made[::2], rows=rows, size=7)
    wanted = numbered(made)
    with pytest.MonkeyPatch.context() as patch:
        for block in (ALL, 3):
            patch.setattr(hashset, "_BATCH", block)
            assert members(found) == wanted
    altered = sum(record.altered for record in wanted)
    by_hash = {name: sum(record[place] is not None for record in wanted) for place, name in enumerate(HASH_BYTES)}
    assert found.counts == {"records": len(wanted) - altered, "variants": altered, **by_hash}


@settings(max_examples=20)
@given(st.lists(records(), min_size=1, max_size=40), st.integers(1, 9), st.lists(raw(20), max_size=5))
def test_a_digest_is_found_in_the_very_records_that_carry_it(
    made: list[Record], rows: int, others: list[bytes]
) -> None:
    found = opened(made, rows=rows, size=5)
    wanted = numbered(made)
    for place, name in enumerate(("md5", "sha1", "sha256")):
        queries = sorted({value for record in wanted if isinstance(value := record[place], bytes)})
        queries += others if name == "sha1" else []
        for query in queries:
            numbers = [number for number, record in enumerate(wanted) if record[place] == query]
            hits = found.exact.lookup([Digests(**{name: query.hex()})]).hits
            assert [hit.record for hit in hits] == numbers
            many = found.exact.lookup([Digests(**{name: query.hex()})] * 40).hits
            assert {hit.record for hit in many} == set(numbers)
            assert len(many) == 40 * len(numbers)


@settings(max_examples=12)
@given(st.lists(records(), min_size=1, max_size=20), st.integers(1, 9))
def test_perceptual_hashes_lie_sorted_with_their_records(made: list[Record], rows: int) -> None:
    found = opened(made, rows=rows, size=5)
    wanted = numbered(made)
    for index, place in ((found.pdq, 3), (found.phash, 4)):
        held = [index.hash_at(position) for position in range(len(index))]
        carried = [(number, record[place]) for number, record in enumerate(wanted) if record[place] is not None]
        assert sorted(held) == sorted(carried)
        assert [value for _, value in held] == sorted(value for _, value in held)


def test_no_records_make_an_empty_set() -> None:
    found = opened([])
    assert found.counts == dict.fromkeys(("records", "variants", *HASH_BYTES), 0)
    assert members(found) == []
    assert found.exact.lookup([Digests(md5="0" * 32)]).hits == ()


@pytest.mark.parametrize("rows", [64, 65, 1000])
def test_every_record_with_one_key_is_kept(rows: int) -> None:
    made = [Record(md5=bytes(12) + number.to_bytes(4), size=number % 2) for number in range(1000)]
    found = opened(made[::-1], rows=rows, size=64)
    assert members(found) == numbered(made)
    assert all(found.exact.lookup([Digests(md5=str(record.md5 and record.md5.hex()))]).hits for record in made[::50])


def test_a_set_of_one_hash_in_the_last_of_many_records_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [Record(md5=number.to_bytes(16)) for number in range(20)]
    made[-1] = made[-1]._replace(pdq=bytes(range(32)))
    monkeypatch.setattr(hashset, "_BATCH", 8)
    assert members(opened(made)) == made


def test_duplicates_are_those_that_say_the_same_in_every_way(tmp_path: Path) -> None:
    record = Record(md5=bytes(range(16)), size=5, category="1")
    different = [
        record, record._replace(category=None),
        record._replace(category="2"), record._replace(grade="trusted"), record._replace(flags=1),
        record._replace(sha1=bytes(20)), record._replace(altered=True), record._replace(phash=bytes(8)),
    ]  # fmt: skip
    header = sealed(tmp_path / "set", different * 3, rows=4, size=3)
    assert header.counts["records"] + header.counts["variants"] == len(different)


@pytest.mark.parametrize("sizes", [(5, 6), (5, None), (None, 7, 7)])
def test_records_that_differ_in_size_alone_are_one_of_unknown_size(
    tmp_path: Path, sizes: tuple[int | None, ...]
) -> None:
    same = [Record(md5=bytes(range(16)), size=size) for size in sizes]
    header = sealed(tmp_path / "set", [*same, Record(md5=bytes(16), size=3)] * 9, rows=4, size=3)
    assert header.counts["records"] == 2
    assert open_sealed(tmp_path / "set").columns["size"].tolist() == [3, -1]


def test_more_records_than_a_number_can_tell_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "MAX_RECORDS", 5)
    sealed(tmp_path / "five", [Record(md5=bytes([number] * 16)) for number in range(5)])
    with pytest.raises(SourceError, match="more than 5 records"):
        sealed(tmp_path / "six", [Record(md5=bytes([number] * 16)) for number in range(6)], rows=2)


def test_progress_ends_at_the_work_that_was_said(tmp_path: Path) -> None:
    made = [Record(md5=bytes([number] * 16), sha1=bytes([number] * 20)) for number in range(50)]
    told: list[int] = []
    with runs_of(8), SetBuilder(tmp_path) as builder, (tmp_path / "set").open("w+b") as file:
        for batch in batched(made, 7):
            builder.add(batch)
        work = builder.work
        builder.write(file, META, told.append)
    assert sum(told) == work == 150
    assert len(told) > 6


def test_batches_keep_places_and_drop_rows_as_told() -> None:
    made = [Record(md5=bytes([number] * 16), category=str(number % 2)) for number in range(6)]
    (batch,) = in_batches((number + 10, record) for number, record in enumerate(made))
    odd = batch.kept(np.array([number % 2 == 1 for number in range(6)]))
    assert odd.place.tolist() == [11, 13, 15]
    assert list(records_of(odd)) == made[1::2]
    assert batch.kept(np.ones(6, np.bool_)) is batch
    assert len(batch.kept(np.zeros(6, np.bool_))) == 0
    assert list(in_batches([])) == []


def test_a_full_disc_is_an_oserror_of_the_file(tmp_path: Path) -> None:
    class Full(io.BytesIO):
        def write(self, _data: object) -> int:
            raise OSError(28, "No space left on device")

    with SetBuilder(tmp_path) as builder, pytest.raises(OSError, match="No space left"):
        builder.write(Full(), META, lambda _rows: None)
