from collections.abc import Sequence
from itertools import starmap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.hashsets.columns import Column
from triage.hashsets.exact import DigestColumn, ExactHit, ExactIndex, ExactLookup, prefix_table, table_length
from triage.hashsets.record import DIGEST_BYTES, HASH_BITS
from triage.model.digest import Digests
from triage.model.finding import MatchBy

Member = tuple[bytes | None, bytes | None, bytes | None]

NAMES = ("md5", "sha1", "sha256")
STRONGEST_FIRST = (MatchBy.SHA256, MatchBy.SHA1, MatchBy.MD5)


def columns_of(members: Sequence[Member]) -> dict[str, Column]:
    present = [sum(HASH_BITS[name] for name, raw in zip(NAMES, member, strict=True) if raw) for member in members]
    columns: dict[str, Column] = {"present": np.array(present, "u1")}
    for place, (name, width) in enumerate(DIGEST_BYTES.items()):
        pairs = sorted((raw, record) for record, member in enumerate(members) if (raw := member[place]) is not None)
        columns[f"{name}_key"] = np.array([int.from_bytes(raw[:8]) for raw, _ in pairs], "<u8")
        columns[f"{name}_rest"] = np.array([raw[8:] for raw, _ in pairs], f"S{width - 8}")
        columns[f"{name}_record"] = np.array([record for _, record in pairs], "<u4")
        table = prefix_table(columns[f"{name}_key"]) if pairs else [np.empty(0, "<u4")]
        columns[f"{name}_table"] = np.concatenate(list(table))
    return columns


def digests(member: Member) -> Digests:
    return Digests(**{name: raw.hex() for name, raw in zip(NAMES, member, strict=True) if raw is not None})


def expected(members: Sequence[Member], queries: Sequence[Member]) -> ExactLookup:
    """Compare every query with every member, strongest digest first."""
    hits, disputed = [], []
    for number, query in enumerate(queries):
        for record, member in enumerate(members):
            both = [by for by in STRONGEST_FIRST if query[NAMES.index(by)] and member[NAMES.index(by)]]
            equal = [by for by in both if query[NAMES.index(by)] == member[NAMES.index(by)]]
            if equal and equal[0] is both[0]:
                hits.append(ExactHit(number, record, equal[0]))
            if equal and equal[0] is not both[0]:
                disputed.append(number)
    return ExactLookup(hits=tuple(hits), disputed=tuple(disputed))


def digest(width: int) -> st.SearchStrategy[bytes]:
    """Make digests that are often equal, or equal in their first 8 bytes, or end with zero bytes."""
    ends = st.sampled_from([b"\0", b"\xff", b"\0\1", b"\1\0"])
    alike = st.tuples(ends, ends).map(lambda parts: (parts[0] * 8)[:8] + (parts[1] * width)[: width - 8])
    mixed = st.lists(st.sampled_from([0, 0, 1, 255]), min_size=width, max_size=width).map(bytes)
    return alike | mixed | st.binary(min_size=width, max_size=width)


members = st.tuples(*(st.none() | digest(width) for width in DIGEST_BYTES.values())).filter(any)


@given(st.lists(members, max_size=40), st.lists(members, max_size=20))
def test_a_look_up_finds_what_comparing_with_every_member_finds(held: list[Member], others: list[Member]) -> None:
    index = ExactIndex(columns_of(held))
    queries = [*others, *held]
    wanted = expected(held, queries)
    found = [index.lookup((digests(query),)) for query in queries]
    assert sum(len(lookup.disputed) for lookup in found) == len(wanted.disputed)
    assert [hit._replace(query=number) for number, lookup in enumerate(found) for hit in lookup.hits] == list(
        wanted.hits
    )


@settings(max_examples=50)
@given(st.lists(members, max_size=30), st.lists(members, max_size=20))
def test_a_long_batch_finds_what_single_look_ups_find(held: list[Member], others: list[Member]) -> None:
    index = ExactIndex(columns_of(held))
    # Each is asked for twice: two queries that are equal are two queries.
    queries = [*others, *held, (None, None, None)] * 2 + [(None, None, None)] * 40
    assert index.lookup([digests(query) for query in queries]) == expected(held, queries)


@settings(max_examples=50)
@given(st.sampled_from(NAMES), st.data())
def test_a_column_finds_a_digest_if_and_only_if_it_is_a_member(name: str, data: st.DataObject) -> None:
    raws = st.lists(digest(DIGEST_BYTES[name]), max_size=60)
    held, others = data.draw(raws), data.draw(raws)
    by_name = [tuple(raw if name == other else None for other in NAMES) for raw in held]
    column = DigestColumn(name, columns_of(by_name))  # type: ignore[arg-type] # of three, by its making
    queries = [*held, *others]
    wanted = [
        (number, record) for number, raw in enumerate(queries) for record in range(len(held)) if held[record] == raw
    ]
    assert (
        list(starmap(lambda number, record: (int(number), int(record)), zip(*column.find(queries), strict=True)))
        == wanted
    )
    assert [(number, record) for number, raw in enumerate(queries) for record in column.find_one(raw)] == wanted
    assert sorted(column.member(position) for position in range(len(column))) == list(enumerate(held))


def random_column(number: int) -> tuple[DigestColumn, list[bytes]]:
    raw = np.random.default_rng(7).bytes(20 * number)
    held = [raw[at : at + 20] for at in range(0, len(raw), 20)]
    return DigestColumn("sha1", columns_of([(None, sha1, None) for sha1 in held])), held


def test_queries_of_many_blocks_keep_their_numbers() -> None:
    column, held = random_column(50_000)
    queries = [held[number // 2] if number % 2 else bytes([number % 251]) * 20 for number in range(100_000)]
    numbers, records = column.find(np.array(queries, "S20"))
    assert (numbers == np.arange(1, 100_000, 2)).all()
    assert (records == np.arange(50_000)).all()
    assert [column.find_one(raw) for raw in held[:500]] == [[record] for record in range(500)]


def test_a_digest_that_differs_in_one_bit_is_not_found() -> None:
    column, held = random_column(200)
    altered = [(int.from_bytes(held[7]) ^ (1 << bit)).to_bytes(20) for bit in range(160)]
    assert len(column.find(altered)[0]) == 0
    assert [column.find_one(raw) for raw in altered] == [[]] * 160


def test_all_digests_come_in_their_order() -> None:
    column, held = random_column(70_000)
    blocks = list(column.blocks())
    assert len(blocks) == 2
    assert np.concatenate(blocks).tobytes() == b"".join(sorted(held))


def test_a_long_run_of_members_with_one_digest_is_found_whole() -> None:
    one, other = b"\xff" * 16, b"\xff" * 8 + b"\0" * 8
    held: list[Member] = [((one, other)[record % 2], None, None) for record in range(3000)]
    column = DigestColumn("md5", columns_of(held))
    numbers, records = column.find([other, b"\xff" * 15 + b"\0", one])
    assert numbers.tolist() == [0] * 1500 + [2] * 1500
    assert records.tolist() == [*range(1, 3000, 2), *range(0, 3000, 2)]
    assert column.find_one(one) == [*range(0, 3000, 2)]


@pytest.mark.parametrize("members", [0, 1, 15, 16, 17, 1000, 1 << 21])
def test_the_prefix_table_says_where_each_prefix_starts(members: int) -> None:
    keys = np.sort(np.random.default_rng(members).integers(0, 1 << 64, members, np.uint64))
    table = np.concatenate(list(prefix_table(keys)))
    assert table.dtype == np.dtype("<u4")
    assert len(table) == table_length(members)
    prefixes = (keys >> np.uint64(32)) * np.uint64(len(table) - 1) >> np.uint64(32)
    assert (np.diff(table) == np.bincount(prefixes.astype(np.int64), minlength=len(table) - 1)).all()
    assert table[0] == 0


def test_the_table_is_small_beside_the_digests() -> None:
    assert 4 * table_length(100_000_000) < 0.02 * 100_000_000 * 20


@pytest.mark.parametrize("wrong", [b"", bytes(15), bytes(17), bytes(20)])
def test_what_is_no_digest_of_its_kind_is_refused(wrong: bytes) -> None:
    column = DigestColumn("md5", columns_of([(bytes(16), None, None)]))
    with pytest.raises(ValueError, match="16 bytes"):
        column.find([bytes(16), wrong])
    with pytest.raises(ValueError, match="16 bytes"):
        column.find_one(wrong)


def test_an_array_of_another_width_is_refused() -> None:
    column = DigestColumn("sha1", columns_of([(None, bytes(20), None)]))
    with pytest.raises(ValueError, match="20 bytes"):
        column.find(np.array([bytes(16)], "S16"))
