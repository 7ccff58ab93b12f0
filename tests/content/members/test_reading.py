import gzip
import io
import tarfile
import time
from collections.abc import Iterator

import pytest
from content.members.made import compound, contents, found, picture, told
from content.members.makers import image, message, packed, pdf, tarred, thumbnail_cache, thumbnail_record, zipped
from hypothesis import given, settings
from hypothesis import strategies as st
from suite import Corpus
from synthetic.photographs import photograph, with_thumbnail

from triage.content.content import Content
from triage.content.mediatype import HEAD, media_type
from triage.content.members.formats import FORMATS
from triage.content.members.member import DEEPEST, TOO_DEEP, Budget, Member, Obstacle
from triage.content.members.reading import holds_members, members
from triage.model.errors import EvidenceError
from triage.model.trouble import TroubleCode

JPEG = picture()
TYPES = sorted({kind for row in FORMATS for kind in row.types})
STARTS = sorted({bytes(offset) + signature for row in FORMATS for offset, signature in row.signatures})


def everything(data: bytes, budget: Budget, depth: int = 0) -> Iterator[Member | Obstacle]:
    """Yield what is inside at all depths, as an examination does."""
    if depth >= DEEPEST:
        yield TOO_DEEP
        return
    for item in members(Content.of(data), media_type(data[:HEAD]), budget=budget):
        yield item
        if isinstance(item, Member) and item.content and holds_members(None, item.content.head(HEAD)):
            yield from everything(bytes(item.content.whole()), budget, depth + 1)


def test_what_holds_no_members_gives_none() -> None:
    assert not holds_members("image/png")
    assert not holds_members(None)
    assert found(picture("PNG")) == []
    assert found(b"") == []


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/msword",
        "image/jpeg",
        *TYPES,
    ],
)
def test_types_that_hold_members_are_known(kind: str) -> None:
    assert holds_members(kind)


@pytest.mark.parametrize("head", STARTS)
def test_signatures_are_known_whatever_the_type(head: bytes) -> None:
    assert holds_members("application/octet-stream", head)


@pytest.mark.parametrize(
    "head",
    [
        b"Rar!\x1a\x07\x01\0",
        b"Rar!\x1a\x07\0",
        b"MSCF\0\0\0\0",
        b"!BDN",
        b"\x78\x9f\x3e\x22",
        b"MSWIM\0\0\0",
        bytes(7) + b"**ACE**",
        b"xar!",
        b"ISc(",
        b"ALZ\1",
        b"EGGA",
        b"zPQ\2\1",
    ],
)
def test_archives_not_read_are_told(head: bytes) -> None:
    assert holds_members(None, head)
    assert told(found(head + bytes(100), "application/octet-stream")) == [("", "unsupported", False)]


def test_the_thumbnail_of_a_jpeg_is_a_member() -> None:
    data = with_thumbnail(photograph(1, (640, 480)))
    (thumbnail,) = contents(data).values()
    assert thumbnail.startswith(b"\xff\xd8\xff")
    assert thumbnail in data
    assert found(JPEG) == []


def test_all_levels_are_reached() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("letter.doc")
        letter = compound({"Data": bytes(5000) + JPEG})
        info.size = len(letter)
        archive.addfile(info, io.BytesIO(letter))
    data = zipped({"a.tar.gz": gzip.compress(file.getvalue())})
    inside = [item.name for item in everything(data, Budget.of(len(data))) if isinstance(item, Member)]
    assert inside == ["a.tar.gz", "content", "letter.doc", "Data/1.jpg"]


def test_nested_bombs_end() -> None:
    data = zipped({f"{number}.bin": bytes(15 << 20) for number in range(4)})
    for _ in range(3):
        data = zipped({f"{number}.zip": data for number in range(16)})
    budget = Budget(members=5000, bytes=64 << 20)
    start = time.process_time()
    codes = {code for _, code, _ in told(everything(data, budget))}
    assert codes == {"", "limit"}
    assert time.process_time() - start < 3


def test_a_zip_that_holds_itself_ends_at_a_depth() -> None:
    data = JPEG
    for _ in range(DEEPEST + 3):
        data = zipped({"a.zip": data})
    inside = list(everything(data, Budget.of(len(data))))
    assert len(inside) == DEEPEST + 1
    assert inside[-1] is TOO_DEEP


@pytest.mark.parametrize("name", ["made_nested_zip_5levels.zip", "made_traversal.zip"])
def test_public_archives(corpus: Corpus, name: str) -> None:
    data = corpus.path(f"bombs/{name}").read_bytes()
    start = time.process_time()
    inside = list(everything(data, Budget.of(len(data))))
    assert inside
    if "traversal" in name:
        assert any(".." in item.name or item.name.startswith("/") for item in inside if isinstance(item, Member))
    assert time.process_time() - start < 5


def test_evidence_that_cannot_be_read_is_told() -> None:
    def read(_offset: int, _length: int) -> bytes:
        raise EvidenceError("sectors cannot be read")

    content = Content(read, 100 << 20)
    assert list(members(content, "application/zip", budget=Budget.of(0))) == [
        Obstacle(TroubleCode.UNREADABLE, "sectors cannot be read")
    ]


@settings(max_examples=150)
@given(
    start=st.sampled_from([b"", *STARTS]),
    rest=st.binary(max_size=600),
    kind=st.sampled_from([None, "text/plain", *TYPES]),
)
def test_any_bytes_of_any_type_end_in_members_or_obstacles(start: bytes, rest: bytes, kind: str | None) -> None:
    for item in found(start + rest, kind):
        assert isinstance(item, Obstacle) or item.content is not None or item.obstacle is not None


WHOLE = [
    zipped({"a.jpg": JPEG, "b": b"text" * 100}),
    tarred({"a" * 120: JPEG}),
    gzip.compress(JPEG),
    packed({"a.jpg": JPEG, "b": b"b"}),
    pdf(image(b"/Filter /DCTDecode", JPEG)),
    compound({"Workbook": b"\xeb\0\0\1" + JPEG, "Catalog": bytes(30), "1": JPEG}),
    message(files={"a.jpg": JPEG}).as_bytes(),
    thumbnail_cache(32, thumbnail_record(32, "a", JPEG)),
    with_thumbnail(photograph(1, (64, 48))),
]


@settings(max_examples=300)
@given(
    data=st.sampled_from(WHOLE),
    changes=st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=8)), max_size=6),
    cut=st.integers(0, 2000),
)
def test_whole_files_with_bytes_changed_end_in_members_or_obstacles(
    data: bytes, changes: list[tuple[int, bytes]], cut: int
) -> None:
    changed = bytearray(data)
    for place, new in changes:
        changed[place % len(data) : place % len(data) + len(new)] = new
    for item in found(bytes(changed[: len(data) - cut % 2 * cut]), media_type(data[:HEAD])):
        assert isinstance(item, Obstacle) or item.content is not None or item.obstacle is not None
