r"""Rich Text documents: the pictures (`\pict`) and objects (`\objdata`) that are written into the text in hexadecimal.

Source: Microsoft's Rich Text Format specification 1.9.1, Pictures and Objects. An object's compound file stands behind
a header of OLE 1.0 ([MS-OLEDS] 2.2.5). Metafiles and bitmaps without a file's header are not looked into.
"""

import binascii
import re
from collections.abc import Iterator

from triage.content.content import Content
from triage.content.mediatype import quick_type
from triage.content.members.carving import carved
from triage.content.members.member import Container, Found, Member, Obstacle
from triage.model.trouble import TroubleCode

_START = re.compile(rb"\\(pict|objdata)(?![a-zA-Z])")
_STEP = re.compile(rb"[{}]|\\bin(\d{1,10}) ?|\\[a-zA-Z]+-?\d* ?|\\[^a-zA-Z]|[^\\{}]+", re.DOTALL)
_SPACES = b" \t\r\n\0"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png"}


def rtf_members(container: Container) -> Found:
    """Yield the pictures and embedded objects of a document."""
    data = container.whole(container.limits.whole)
    container.budget.spend(len(data))
    position, number = 0, 0
    while found := _START.search(data, position):
        number += 1
        position, coded, binary = _group(data, found.end())
        raw, sound = _decoded(coded)
        for ending, piece in _files(raw + binary, is_object=found[1] == b"objdata"):
            damage = None if sound else Obstacle(TroubleCode.DAMAGED, "its hexadecimal digits break off")
            yield Member(f"{found[1].decode()}-{number}.{ending}", len(piece), None, Content.of(piece), damage)


def _group(data: bytes, start: int) -> tuple[int, bytes, bytes]:
    """Return where a group ends, its text, and the bytes that it holds as they are; groups inside it are left out."""
    text, binary, depth, position = list[bytes](), b"", 0, start
    while step := _STEP.match(data, position):
        position = step.end()
        token = step[0]
        if token == b"{":
            depth += 1
        elif token == b"}":
            depth -= 1
            if depth < 0:
                break
        elif step[1] is not None:
            length = int(step[1])
            binary += data[position : position + length] if not depth else b""
            position += length
        elif not depth and token[:1] != b"\\":
            text.append(token)
    return position, b"".join(text), binary


def _decoded(coded: bytes) -> tuple[bytes, bool]:
    """Return what hexadecimal digits stand for, as far as they go, and whether they go to the end."""
    digits = coded.translate(None, _SPACES)
    wrong = re.search(rb"[^0-9a-fA-F]", digits)
    length = (wrong.start() if wrong else len(digits)) & ~1
    return binascii.unhexlify(digits[:length]), length == len(digits)


def _files(raw: bytes, *, is_object: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the files in what was written: an object's compound file, a picture as it is, or those inside it."""
    if is_object and (at := raw.find(_COMPOUND)) >= 0:
        yield "ole", raw[at:]
    elif (kind := quick_type(raw[:4096])) in _ENDINGS:
        yield _ENDINGS[kind], raw
    else:
        for picture in carved(raw):
            yield picture.ending, raw[picture.offset : picture.offset + picture.length]
