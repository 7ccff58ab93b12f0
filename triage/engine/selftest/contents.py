"""Self-test of what is made of a content: digests, media types, hashes of pictures, members of archives."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from triage.content import lanes
from triage.content.content import Content
from triage.content.digesting import digest, digest_many
from triage.content.estimate import estimate_picture
from triage.content.mediatype import media_type
from triage.content.members.member import Budget, Member
from triage.content.members.reading import members
from triage.content.picture import hash_picture
from triage.engine.selftest import known_answers as known
from triage.engine.selftest.differences import Differences, flipped, unlike, unnoticed

_JPEG = "image/jpeg"
_TIMES = 4  # each of two long messages, which fills eight lanes


def differences_of_digests() -> Differences:
    """Digest every message, and with one bit flipped."""
    for text, answer in known.MESSAGES:
        what = f"{len(text)} bytes"
        yield from unlike(what, digest(Content.of(text)), answer)
        if text:
            yield from unnoticed(what, digest(Content.of(_altered(text))), answer)


def differences_of_lanes() -> Differences:
    """Digest every message at once, the longest in all lanes, in half of them with one bit flipped."""
    longest, answer = known.MESSAGES[-1]
    texts = [*(text for text, _ in known.MESSAGES), _altered(longest)]
    ends = np.cumsum([len(text) for text in texts]).tolist()
    *spans, altered = zip([0, *ends], ends, strict=False)
    spans += [spans[-1]] * (_TIMES - 1)
    arena = np.frombuffer(b"".join(texts), np.uint8)
    expected = lanes.available()
    made = digest_many(arena, [*spans, *[altered] * _TIMES], frozenset(lanes.NAMES))
    answers = [replace(one.digests, sha256=None) for one in known.MESSAGES]
    for number, one in enumerate(made[: len(spans)]):
        yield from unlike(f"message {number}", one.digests, answers[min(number, len(answers) - 1)])
    for one in made[len(spans) :]:
        yield from unnoticed("the longest message", one.digests, answer)
    if expected and not all(one.in_lanes for one in made):
        yield "the lanes of this machine make wrong digests; from now on this process makes none in them"


def differences_of_types() -> Differences:
    """Tell media types by signature and with libmagic, and that of a picture whose first byte is spoilt."""
    for head, answer in known.MEDIA_TYPES:
        yield from unlike(f"a content of {len(head)} bytes", media_type(head), answer)
    picture = known.read("picture.jpg")
    yield from unlike("the picture", media_type(picture), _JPEG)
    if media_type(flipped(picture, 3)) == _JPEG:
        yield f"the picture: {_JPEG} without its first byte"


def differences_of_pictures() -> Differences:
    """Hash the picture from a full decode, and from a reduced one, which must be right wherever it claims to know."""
    content = Content.of(known.read("picture.jpg"))
    full, reduced = hash_picture(content, _JPEG), estimate_picture(content, _JPEG)
    yield from unlike("PDQ", full.pdq, known.PDQ)
    yield from unlike("pHash", full.phash, known.PHASH)
    if reduced is None:
        yield "the picture is not decoded at a reduced scale"
        return
    yield from unlike("scale", reduced.scale, known.SCALE)
    yield from _wrong_bits("PDQ", reduced.pdq_variants, reduced.pdq_unknown, full.pdq_variants)
    yield from _wrong_bits("pHash", reduced.phash_variants, reduced.phash_unknown, full.phash_variants)


def differences_of_members() -> Differences:
    """Go through the archive, and digest what lies in it."""
    content = Content.of(known.read("archive.zip"))
    made: dict[str, object] = {}
    for found in members(content, None, budget=Budget.of(content.size)):
        if isinstance(found, Member) and found.content is not None:
            made[found.name] = digest(found.content).sha256
        else:
            yield f"an obstacle: {found}"
    yield from unlike("members", made, dict(known.MEMBERS))


def _altered(text: bytes) -> bytes:
    return flipped(text, 4 * len(text))


def _wrong_bits(name: str, reduced: Sequence[str], unknown: Sequence[str], full: Sequence[str]) -> Differences:
    for made, mask, answer in zip(reduced, unknown, full, strict=True):
        wrong = (int(made, 16) ^ int(answer, 16)) & ~int(mask, 16)
        yield from unlike(f"wrong bits of a reduced {name} outside its mask", wrong.bit_count(), 0)
