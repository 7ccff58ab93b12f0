"""Messages and mailboxes: the parts of a message (RFC 5322, MIME), those of messages inside it too.

A mailbox is cut where a line begins with "From ", as RFC 4155 has it, into messages for the next level to open.
"""

import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

from triage.content.content import Content
from triage.content.members.member import Container, Found, Member, Obstacle, ObstacleError
from triage.model.trouble import TroubleCode

MESSAGE, MAILBOX = "message/rfc822", "application/mbox"

_FIRST_FIELDS = (
    rb"(?:Return-Path|Received|Delivered-To|From|To|Subject|Date|Message-ID|MIME-Version|Sender|Reply-To|Content-Type"
    rb"|X-[A-Za-z0-9-]+|DKIM-Signature|ARC-[A-Za-z-]+|Authentication-Results)"
)
_MESSAGE = re.compile(_FIRST_FIELDS + rb":[^\r\n]", re.IGNORECASE)
_TELLING = re.compile(rb"^(?:From|Message-ID|MIME-Version|Received|Date):", re.IGNORECASE | re.MULTILINE)
_ENVELOPE = re.compile(rb"From [^\r\n]{1,200}\d{4}[^\r\n]{0,20}\r?\n[!-9;-~]{1,60}:")
# Not the standard library's table: it reads that of the machine as well, and the same mail must give the same names.
_EXTENSIONS = {
    MESSAGE: "eml",
    "text/plain": "txt",
    "text/html": "html",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/heic": "heic",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
}
_BEFORE = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*")  # a byte order mark and empty lines, which some programs put first
_BLANK = frozenset({b"\xef", b"\r", b"\n"})
_FIELD = re.compile(rb"[!-9;-~]{1,60}:")
_DIVIDED = re.compile(rb"^Content-Type:\s*multipart/[^\0]{0,400}?boundary\s*=", re.IGNORECASE | re.MULTILINE)
_NO_FIELD = re.compile(rb"\n(?![ \t]|[!-9;-~]{1,60}:)")
_UNDECODED = "InvalidBase64"
_UNDIVIDED = ("StartBoundaryNotFound", "CloseBoundaryNotFound", "MultipartInvariantViolation")
_TELLING_FIELDS = 2
_HEAD = 4096
_BOUNDARY = re.compile(rb"boundary\s*=", re.IGNORECASE)
_MOST_COMPARISONS = 30_000_000  # the parser compares each line with the boundaries of all parts it is in


def mail_type(head: bytes) -> str | None:
    """Return `message/rfc822` or `application/mbox` for first bytes that look so, else None.

    A message has two fields that tell it, or is divided by MIME, or begins with a field of messages and has so many
    that the first bytes end before they do.
    """
    start = _start(head)
    if _ENVELOPE.match(head, start):
        return MAILBOX
    if not _FIELD.match(head, start):
        return None
    is_first = _MESSAGE.match(head, start) is not None
    if is_first and len(_TELLING.findall(head, start)) >= _TELLING_FIELDS:
        return MESSAGE
    end = _NO_FIELD.search(head, start)
    if _DIVIDED.search(head, start, end.start() if end else len(head)):
        return MESSAGE
    return MESSAGE if is_first and end is None and len(head) >= _HEAD else None


def _start(head: bytes) -> int:
    """Return where the first line is that is not empty."""
    before = _BEFORE.match(head) if head[:1] in _BLANK else None
    return before.end() if before else 0


def mailbox_members(container: Container) -> Found:
    """Yield the messages of a mailbox."""
    start, number = _start(container.read(0, _HEAD)), 0
    while 0 <= start < container.size:
        number += 1
        end = container.find(b"\nFrom ", start)
        following = end + 1 if end >= 0 else container.size
        envelope = container.read(start, 1024).find(b"\n") + 1
        size = max(0, following - start - envelope)
        yield Member(f"message-{number}.eml", size, None, container.window(start + envelope, size))
        start = following


def message_members(container: Container) -> Found:
    """Yield the parts of a message that are not made of parts themselves."""
    data = container.whole(container.limits.held)
    container.budget.spend(len(data))
    if data.count(b"\n") * len(_BOUNDARY.findall(data)) > _MOST_COMPARISONS:
        raise ObstacleError(TroubleCode.LIMIT, "too many lines in parts inside parts")
    message = BytesParser(policy=compat32).parsebytes(data[_start(data) :])
    for number, part in enumerate(_leaves(message), 1):
        yield _member(part, number)
    if _has_defect(message, _UNDIVIDED):
        yield Obstacle(TroubleCode.DAMAGED, "parts of the message are not where it says")


def _leaves(message: Message) -> Iterator[Message]:
    """Yield the parts without parts, in order."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        payload = part.get_payload()
        inner = [piece for piece in payload if isinstance(piece, Message)] if isinstance(payload, list) else []
        if inner and not _is_encoded_message(part, inner):
            waiting += reversed(inner)
        elif inner:
            yield _unwrapped(part, inner[0])
        else:
            yield part


def _is_encoded_message(part: Message, inner: list[Message]) -> bool:
    """Return whether an attached message was encoded, so that what was taken for it is but its code."""
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    return encoding in {"base64", "quoted-printable"} and len(inner) == 1 and not inner[0].keys()


def _unwrapped(part: Message, inner: Message) -> Message:
    part.set_payload(inner.get_payload())
    return part


def _member(part: Message, number: int) -> Member:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    wrong = _has_defect(part, _UNDECODED)
    obstacle = Obstacle(TroubleCode.DAMAGED, "the part is not encoded as it says") if wrong else None
    return Member(_name(part, number), len(data), None, Content.of(data), obstacle)


def _has_defect(part: Message, names: str | tuple[str, ...]) -> bool:
    return any(type(defect).__name__.startswith(names) for defect in part.defects)


def _name(part: Message, number: int) -> str:
    """Return the file name that a part has, else one made of its number and type."""
    try:
        name = part.get_filename()
        if name:
            return str(make_header(decode_header(name)))
    except (LookupError, ValueError):  # a charset that nobody knows, a name that is not in the one it says
        pass
    kind = part.get_content_type()
    return f"part-{number}.{_EXTENSIONS.get(kind, 'bin')}"
