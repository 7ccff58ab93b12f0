"""Members of containers are learnt of as files are: in their order, whatever one of them does."""

import hashlib
import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from content.members.makers import tarred
from engine.learning.grounds import Ground, found, looks, record
from images import pictures

from triage.content.content import Content
from triage.content.members.member import Obstacle
from triage.items.expansion import Expanded
from triage.model.address import Address
from triage.model.errors import EvidenceError, StoreError
from triage.model.finding import SetKind
from triage.model.item import Item, ItemKind, Outcome
from triage.model.result import ItemResult
from triage.model.trouble import Trouble, TroubleCode

CONTAINER = Address("volume", "0").child("file", "7")
LARGE = random.Random(20260314).randbytes((1 << 20) + 700)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


def member(
    ordinal: int, data: bytes | Content | None, obstacle: tuple[TroubleCode, str] | None = None, size: int = 0
) -> Expanded:
    content = Content.of(data) if isinstance(data, bytes) else data
    item = Item(
        address=CONTAINER.child("member", str(ordinal)),
        kind=ItemKind.MEMBER,
        path=f"a.zip/{ordinal}",
        size=size if content is None else content.size,
        allocated=True,
        reference=f"7!member:{ordinal}",
    )
    return Expanded(item, content, None if obstacle is None else Obstacle(*obstacle))


def examined(ground: Ground, expanded: Iterable[Expanded | Trouble], **depth: bool) -> list[ItemResult]:
    """Return the results, which have the positions of the members and are in their order."""
    told = [one for one in ground.examiner(**depth).examine_members(expanded) if not isinstance(one, Trouble)]
    assert [result.item for _, result in told] == list(range(len(told)))
    assert [item.path for item, _ in told] == [f"a.zip/{number}" for number in range(len(told))]
    return [result for _, result in told]


def raising(error: Exception, size: int) -> Content:
    def read(_offset: int, _length: int) -> bytes:
        raise error

    return Content(read, size)


def test_members_get_digests_findings_and_types_in_their_order(ground: Ground) -> None:
    picture, known = pictures.jpeg(pictures.scene(1)), b"a known text"
    contents = [b"", known, LARGE, picture, b"%PDF-1.7 and more", b"plain words"]
    ground.know(record(known), record(LARGE), looks(pictures.scene(1)))
    told = examined(ground, [member(number, data) for number, data in enumerate(contents)])
    assert [result.digests.md5 for result in told] == [hashlib.md5(data).hexdigest() for data in contents]
    assert [result.digests.sha1 for result in told] == [hashlib.sha1(data).hexdigest() for data in contents]
    assert [result.outcome for result in told] == [Outcome.EXAMINED] * 6
    kinds = ["inode/x-empty", "text/plain", None, "image/jpeg", "application/pdf", "text/plain"]
    assert [result.media_type for result in told] == kinds
    assert [found([result]) for result in told] == [
        [],
        [("notable", "md5")],
        [("notable", "md5")],
        [("notable", "pdq")],
        [],
        [],
    ]
    assert {told[number].digests.sha256 for number in (1, 2, 3)} == {
        hashlib.sha256(data).hexdigest() for data in (known, LARGE, picture)
    }
    assert {result.digest_way for result in told} <= {"container, lanes", "container, openssl"}
    assert told[3].findings[0].address == CONTAINER.child("member", "3")


def test_more_members_than_wait_together_all_come_in_their_order(ground: Ground) -> None:
    contents = [b"member %d" % number * (number % 50) for number in range(1300)]
    contents[700:700] = [LARGE[:-1] + bytes([number]) for number in range(20)]
    told = examined(ground, (member(number, data) for number, data in enumerate(contents)))
    assert [result.digests.md5 for result in told] == [hashlib.md5(data).hexdigest() for data in contents]


def test_a_content_is_not_asked_for_after_the_next_member(ground: Ground) -> None:
    """Archives that are read in passing give each content once, in its turn."""
    asked: list[int] = []
    turn = 0

    def content(number: int, data: bytes) -> Content:
        def read(offset: int, length: int) -> bytes:
            asked.append(number)
            assert turn == number
            return data[offset : offset + length]

        return Content(read, len(data))

    def passing() -> Iterable[Expanded]:
        nonlocal turn
        for turn in range(6):
            yield member(turn, content(turn, LARGE if turn % 3 else b"small %d" % turn))

    told = examined(ground, passing())
    assert {result.outcome for result in told} == {Outcome.EXAMINED}
    assert set(asked) == set(range(6))


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (TroubleCode.ENCRYPTED, Outcome.ENCRYPTED),
        (TroubleCode.DAMAGED, Outcome.UNREADABLE),
        (TroubleCode.UNREADABLE, Outcome.UNREADABLE),
        (TroubleCode.UNSUPPORTED, Outcome.SKIPPED),
        (TroubleCode.LIMIT, Outcome.SKIPPED),
    ],
)
def test_an_obstacle_is_the_outcome_of_its_member_alone(ground: Ground, code: TroubleCode, outcome: Outcome) -> None:
    before, hit, after = examined(
        ground, [member(0, b"before"), member(1, None, (code, "so it is"), size=99), member(2, b"after")]
    )
    assert (hit.outcome, hit.reason, hit.digests.md5) == (outcome, f"{code.value}: so it is", None)
    assert (before.outcome, after.outcome) == (Outcome.EXAMINED, Outcome.EXAMINED)


def test_what_there_is_of_a_damaged_picture_is_compared(ground: Ground) -> None:
    picture = pictures.jpeg(pictures.scene(1))
    ground.know(looks(pictures.scene(1)))
    (told,) = examined(ground, [member(0, picture, (TroubleCode.DAMAGED, "the checksum does not match"))])
    assert (told.outcome, told.reason) == (Outcome.UNREADABLE, "damaged: the checksum does not match")
    assert found([told]) == [("notable", "pdq")]
    assert (told.digests.md5, told.digests.sha256) == (None, hashlib.sha256(picture).hexdigest())


def test_of_a_damaged_member_there_is_no_digest(ground: Ground) -> None:
    (told,) = examined(ground, [member(0, b"half of a text", (TroubleCode.DAMAGED, "it ends early"))])
    assert (told.outcome, told.media_type, told.digests.md5) == (Outcome.UNREADABLE, "text/plain", None)


@pytest.mark.parametrize("size", [500, 2 << 20])
@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (EvidenceError("this byte is refused"), Outcome.UNREADABLE, "this byte is refused"),
        (RuntimeError("a library fails"), Outcome.CRASHED, "RuntimeError: a library fails"),
    ],
)
def test_what_a_reader_raises_is_the_outcome_of_its_member_alone(
    ground: Ground, error: Exception, outcome: Outcome, reason: str, size: int
) -> None:
    before, hit, after = examined(ground, [member(0, b"before"), member(1, raising(error, size)), member(2, b"after")])
    assert (hit.outcome, hit.reason) == (outcome, reason)
    assert (before.outcome, after.outcome) == (Outcome.EXAMINED, Outcome.EXAMINED)


def test_what_a_store_raises_ends_the_work(ground: Ground) -> None:
    with pytest.raises(StoreError):
        examined(ground, [member(0, raising(StoreError("the set is gone"), 5))])


def test_trouble_passes_through(ground: Ground) -> None:
    trouble = Trouble(address=CONTAINER, code=TroubleCode.DAMAGED, text="no directory")
    told = list(ground.examiner().examine_members([member(0, b"before"), trouble, member(1, b"after")]))
    assert [one for one in told if isinstance(one, Trouble)] == [trouble]
    assert len(told) == 3


def test_members_that_are_encrypted_as_files_or_known_software_are_told(ground: Ground) -> None:
    icon = pictures.jpeg(pictures.scene(2))
    ground.know(record(icon), name="software", kind=SetKind.KNOWN)
    noise = random.Random(5).randbytes(512 << 10)
    told = examined(ground, [member(0, b"Salted__" + bytes(99)), member(1, noise), member(2, icon)], skip_known=True)
    assert [(result.outcome, result.reason) for result in told] == [
        (Outcome.ENCRYPTED, "encrypted: OpenSSL enc"),
        (Outcome.ENCRYPTED, "high-entropy: noise throughout, possibly an encrypted container"),
        (Outcome.SKIPPED, "known: not decoded; known software: software"),
    ]


def test_a_container_among_members_is_left_to_whoever_descends(ground: Ground) -> None:
    (told,) = examined(ground, [member(0, tarred({"a.txt": b"words"}))], members=True)
    assert (told.outcome, told.opens) == (Outcome.EXAMINED, False)
