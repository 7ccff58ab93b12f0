"""The sealed file: refused whenever a byte of it is not what was sealed, and whenever its header makes no sense."""

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triage.hashsets.columns import COLUMN_TYPES
from triage.hashsets.compile import Destination, compile_records
from triage.hashsets.exact import DigestColumn, ExactIndex, ExactLookup
from triage.hashsets.hashset import HashSet
from triage.hashsets.library import Library
from triage.hashsets.perceptual import PdqIndex
from triage.hashsets.protection.signing import Seal, SealState, Signer, TrustedKeys, check_seal, generate_key
from triage.hashsets.record import Record
from triage.hashsets.sealed import FORMAT_VERSION, SetMeta, open_sealed
from triage.hashsets.sealing import put_seal
from triage.model.errors import StoreError
from triage.model.finding import SetKind

Member = Callable[[int], Record]

META = SetMeta(name="made", version="2026-01", kind=SetKind.KNOWN, date="2026-01-02", origin="a test")
BODY_AT = 192
SEAL = range(64, 160)


@pytest.fixture
def path(library: Library, member: Member) -> Path:
    return compile_records([member(number) for number in range(50)], META, Destination(library=library)).path


def test_the_header_says_what_was_given(path: Path) -> None:
    header = open_sealed(path, verify=False).header
    assert header.meta == replace(META, category_map="none")
    assert (header.counts["records"], header.counts["variants"], header.counts["pdq"]) == (50, 0, 50)
    assert header.identity.kind is SetKind.KNOWN
    assert len(header.identity.digest) == len(header.content) == 64


def test_the_same_records_in_any_order_give_the_same_file(library: Library, member: Member) -> None:
    records = [member(number) for number in range(50)]
    beside, third = Library(library.folder / "beside"), Library(library.folder / "third")
    there = compile_records(records, META, Destination(library=library))
    back = compile_records([*reversed(records), *records], META, Destination(library=beside))
    other = compile_records(records, replace(META, kind=SetKind.NOTABLE), Destination(library=third)).header
    assert there.path.read_bytes() == back.path.read_bytes()
    assert other.digest != there.header.digest
    assert other.content == there.header.content


def test_the_digest_is_that_of_the_prefix_and_the_header(path: Path) -> None:
    """What the docstring promises, worked out without the product."""
    content = path.read_bytes()
    length, offset = struct.unpack_from("<IQ", content, 12)
    text = content[offset:]
    blocks = [content[BODY_AT:offset][at : at + (1 << 24)] for at in range(0, offset - BODY_AT, 1 << 24)]
    body = hashlib.sha256(b"".join(hashlib.sha256(block).digest() for block in blocks)).hexdigest()
    header = open_sealed(path).header
    assert length == len(text)
    assert content[32:64].hex() == hashlib.sha256(content[:32] + text).hexdigest() == header.digest
    assert json.loads(text)["body_digest"] == body == header.content


def test_every_altered_byte_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    step = max(1, len(content) // 300)
    whole = [at for at in [*range(BODY_AT), *range(BODY_AT, len(content), step), len(content) - 1] if at not in SEAL]
    unnoticed = []
    for at in whole:
        altered = bytearray(content)
        altered[at] ^= 0x40
        path.write_bytes(altered)
        try:
            HashSet.open(path)
            unnoticed.append(at)
        except StoreError as error:
            assert "hash set is refused" in str(error)  # noqa: PT017 - what is not raised is collected
            assert "\n" not in str(error)  # noqa: PT017 - as above
    assert unnoticed == []
    path.write_bytes(content)
    assert HashSet.open(path).counts["records"] == 50


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    generate_key(tmp_path / "private.pem", tmp_path / "public.pem")
    return Signer.load(tmp_path / "private.pem")


def test_every_altered_byte_of_a_seal_is_noticed(path: Path, signer: Signer, library: Library) -> None:
    before = open_sealed(path).header
    digest = bytes.fromhex(before.digest)
    put_seal(path, signer.seal(digest).to_bytes())
    content = path.read_bytes()
    assert open_sealed(path).header == before, "the seal is no part of what the digest names"
    for at in SEAL:
        altered = bytearray(content)
        altered[at] ^= 1
        path.write_bytes(altered)
        with pytest.raises(StoreError, match="seal"):
            check_seal(path, Seal.from_bytes(open_sealed(path).seal), digest, TrustedKeys({}))
        with pytest.raises(StoreError, match="seal"):
            library.open_all()
    path.write_bytes(content)
    (listing,) = library.sets(verify=True)
    assert isinstance(listing.seal, SealState)
    assert listing.seal.fingerprint is not None


@pytest.mark.parametrize("keep", [0, 1, 31, 32, 64, 191, 192, 300, 1000, -64, -1])
def test_a_truncated_file_is_refused_even_without_reading_it(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(StoreError, match="hash set"):
        open_sealed(path, verify=False)


def test_a_file_with_more_behind_it_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0" * 64)
    with pytest.raises(StoreError, match="were sealed"):
        open_sealed(path, verify=False)


@pytest.mark.parametrize("version", [FORMAT_VERSION - 1, 99])
def test_another_format_is_named(path: Path, version: int) -> None:
    content = bytearray(path.read_bytes())
    content[8] = version
    path.write_bytes(content)
    with pytest.raises(StoreError, match=f"version {version}, this software reads versions {FORMAT_VERSION} "):
        open_sealed(path)


def test_an_absent_file_a_folder_and_an_empty_one_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for path in (tmp_path / "absent.hashset", tmp_path, tmp_path / "empty"):
        with pytest.raises(StoreError, match="hash set") as caught:
            HashSet.open(path)
        assert "\n" not in str(caught.value)


def test_columns_cannot_be_written(path: Path) -> None:
    sealed = open_sealed(path)
    assert not any(column.flags.writeable for name, column in sealed.columns.items() if column.size)


def test_every_column_is_written_and_lies_on_a_line_of_memory(path: Path) -> None:
    places = header_of(path)["columns"]
    assert places.keys() == COLUMN_TYPES.keys()
    assert all(offset % 64 == 0 and offset >= BODY_AT for offset, *_ in places.values())


def header_of(path: Path) -> Any:
    content = path.read_bytes()
    return json.loads(content[struct.unpack_from("<Q", content, 16)[0] :])


def forge(path: Path, change: Callable[[Any], object], *, text: bytes | None = None) -> None:
    """Rewrite the header with digests that fit, as anybody could."""
    content = path.read_bytes()
    offset = struct.unpack_from("<Q", content, 16)[0]
    fields = header_of(path)
    change(fields)
    text = json.dumps(fields).encode() if text is None else text
    prefix = struct.pack("<8sIIQQ", b"TRIAGSET", FORMAT_VERSION, len(text), offset, 0)
    digest = hashlib.sha256(prefix + text).digest()
    path.write_bytes(prefix + digest + content[64:offset] + text)


def moved(name: str, *numbers: object) -> Callable[[Any], object]:
    """Return what gives a column another place."""

    def change(fields: Any) -> None:
        fields["columns"][name] = list(numbers)

    return change


def said(name: str, value: object) -> Callable[[Any], object]:
    """Return what says something else of the set."""

    def change(fields: Any) -> None:
        fields["meta"][name] = value

    return change


def without(part: str, name: str) -> Callable[[Any], object]:
    return lambda fields: fields[part].pop(name)


def overlapping(fields: Any) -> None:
    fields["columns"]["md5_rest"][0] = fields["columns"]["md5_key"][0]


HOSTILE: dict[str, Callable[[Any], object]] = {
    "outside the file": moved("present", 1 << 40, 50),
    "reaching into the header text": moved("text", 192, 1 << 20),
    "before the body": moved("text", 0, 64),
    "negative offset": moved("present", -64, 50),
    "negative length": moved("present", 192, -50),
    "overlapping": overlapping,
    "another length than its neighbour": moved("label", 192, 49),
    "huge": moved("present", 192, 1 << 62),
    "huge beyond a machine's numbers": moved("present", 192, 1 << 70),
    "huge but empty": moved("text", 192, 0, 1 << 70),
    "many dimensions": moved("text", 192, *[1] * 100),
    "no shape": moved("text", 192),
    "a table where a list belongs": moved("present", 192, 50, 1),
    "infinite": moved("text", 192, float("inf")),
    "text for a place": moved("text", "a", "b"),
    "prefix table too short": moved("md5_table", 192, 2),
    "prefix table absent": moved("md5_table", 192, 0),
    "index of a part": moved("pdq_ids", 192, 1, 7),
    "offsets without ids": moved("pdq_offsets", 192, 3, 5),
    "words of another length": moved("pdq", 192, 50, 3),
    "no column": without("columns", "md5_key"),
    "no name": without("meta", "name"),
    "no counts": without("counts", "records"),
    "name is a number": said("name", 5),
    "name is nothing": said("name", None),
    "version is a list": said("version", ["1"]),
    "kind unknown": said("kind", "harmless"),
    "published is a number": said("published", 5),
    "radius is text": said("phash_radius", "8"),
    "radius is everything": said("phash_radius", 64),
    "radius is negative": said("phash_radius", -1),
    "more is said": said("surprise", "x"),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_header_that_makes_no_sense_is_one_line(
    path: Path, library: Library, change: Callable[[Any], object]
) -> None:
    forge(path, change)
    with pytest.raises(StoreError, match="refused") as caught:
        HashSet.open(path, verify=False)
    assert "\n" not in str(caught.value)
    (listing,) = library.sets()
    assert listing.problem is not None


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"meta": 1, "counts": []}'])
def test_a_header_that_is_no_header_is_one_line(path: Path, text: bytes) -> None:
    forge(path, lambda _fields: None, text=text)
    with pytest.raises(StoreError, match="makes no sense"):
        open_sealed(path, verify=False)


def test_a_forger_is_not_hampered_by_what_is_left_as_it_was(path: Path) -> None:
    """The forgeries above are refused for what they say, and not for the way they were written."""
    forge(path, lambda _fields: None)
    assert HashSet.open(path).counts["records"] == 50


def test_a_set_is_opened_without_being_read(path: Path) -> None:
    """Only the header is looked at: a body that is not what was sealed is told by `verify` alone."""
    with path.open("r+b") as file:
        file.seek(BODY_AT)
        file.write(b"\xff" * 64)
    sealed = open_sealed(path, verify=False)
    assert sealed.header.counts["records"] == 50
    with pytest.raises(StoreError, match="its content is not what was sealed"):
        sealed.verify()
    with pytest.raises(StoreError, match="its content is not what was sealed"):
        open_sealed(path)


def test_a_set_that_misses_a_digest_is_not_kept(
    library: Library, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = ExactLookup(hits=(), disputed=())
    monkeypatch.setattr(ExactIndex, "lookup", lambda _self, _batch: nothing)
    with pytest.raises(StoreError, match="misses a member by sha256"):
        compile_records([member(1)], META, Destination(library=library))
    assert not library.folder.exists()


def test_a_set_that_misses_a_picture_is_not_kept(
    library: Library, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = PdqIndex.near
    monkeypatch.setattr(PdqIndex, "near", lambda self, hashes, _radius=None: near(self, hashes, 30))
    with pytest.raises(StoreError, match="misses a member by pdq"):
        compile_records([member(number) for number in range(9)], META, Destination(library=library))
    assert not library.folder.exists()


def test_members_of_a_column_are_whole(path: Path, member: Member) -> None:
    column = DigestColumn("sha256", open_sealed(path).columns)
    assert {column.member(position)[1] for position in range(50)} == {member(number).sha256 for number in range(50)}


def test_a_member_with_equal_words_is_told_from_its_neighbour(library: Library) -> None:
    words = np.array([[1, 2, 3, 4], [1, 2, 3, 2**64 - 1]], ">u8")
    made = compile_records([Record(pdq=row.tobytes()) for row in words], META, Destination(library=library))
    opened = HashSet.open(made.path)
    assert [opened.pdq.hash_at(number)[1] for number in range(2)] == [row.tobytes() for row in words]
