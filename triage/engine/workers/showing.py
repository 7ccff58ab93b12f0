"""One content of a source, made into a small picture by a process of its own that can do nothing else."""

import os
import resource
import signal
import struct
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import NamedTuple

from triage.content.content import Content
from triage.content.preview import LARGEST, Preview, preview
from triage.engine.learning.learnt import one_line
from triage.engine.plan import Limits, identity
from triage.engine.workers.confinement import confine
from triage.engine.workers.server import context, start_server
from triage.items.evidence import Evidence
from triage.items.expansion import Expanded, Reach, expand
from triage.items.fingerprint import fingerprint
from triage.model.errors import DigiVanError, EvidenceError, SourceError
from triage.model.item import printable
from triage.model.runs import ByteRun
from triage.model.secret import NO_SECRETS, Secrets
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource
from triage.store.rows import Row, item_of

_PATIENCE = 60.0  # seconds: a member may be far down in a large archive
_HEAD = struct.Struct("<cHHB")  # what follows, width, height, channels
_PICTURE, _NOTHING_TO_SEE, _NO_SOURCE = b"p", b"n", b"s"
_LONGEST = 1000  # characters of a reason
_MOST = _HEAD.size + 3 * LARGEST * LARGEST
_EVERYTHING = Reach(thumbnails=True, images=True, shadows=True)


class NothingToSeeError(Exception):
    """There is no picture; the message is the reason, one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What is to be shown: an item of a volume of a source, and how (see `preview`).

    `identity` is that of the source (see `plan`). `container` are row and media type of the file that a member is in,
    however deep; the member is the one with the address of the item.
    """

    source: str
    identity: str
    volume: ByteRun
    item: Row
    media_type: str | None
    side: int
    colour: bool
    blur: float
    container: tuple[Row, str | None] | None = None
    secrets: Secrets = NO_SECRETS


class _Answer(NamedTuple):
    kind: bytes
    picture: Preview | None = None
    text: str = ""


def show(glance: Glance, patience: float = _PATIENCE) -> Preview:
    """Return the picture. Raises SourceError where the source is not there or another, NothingToSeeError."""
    start_server()
    ours, theirs = Pipe(duplex=False)
    process = context().Process(target=_serve, args=(theirs, glance), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(patience):
            raise NothingToSeeError(f"no picture within {patience:.0f} seconds")
        return _understood(ours.recv_bytes(_MOST))
    except (EOFError, OSError, ValueError) as error:
        raise NothingToSeeError("the reader of the picture ended, or said what no reader says") from error
    finally:
        process.kill()
        process.join()
        ours.close()


def _understood(said: bytes) -> Preview:
    """Return the picture that a reader told of, without trust: it may have been taken over by what it read."""
    kind, width, height, channels = _HEAD.unpack_from(said)
    rest = said[_HEAD.size :]
    if kind == _PICTURE:
        return Preview(width=width, height=height, channels=channels, pixels=rest)
    text = " ".join(printable(rest.decode("utf-8", "replace"))[:_LONGEST].split())
    if kind == _NO_SOURCE:
        raise SourceError(text)
    raise NothingToSeeError(text)


def _serve(connection: Connection, glance: Glance) -> None:
    """Answer in a process that gives up every right but to read the source."""
    _be_alone()
    answer = _answered(glance)
    picture = answer.picture
    head = (picture.width, picture.height, picture.channels) if picture else (0, 0, 0)
    body = picture.pixels if picture else answer.text.encode("utf-8", "backslashreplace")
    connection.send_bytes(_HEAD.pack(answer.kind, *head) + body)


def _be_alone() -> None:
    """Leave the terminal and its signals to whoever asked, and stay inside the memory allowed."""
    for theirs in (signal.SIGINT, signal.SIGHUP):
        signal.signal(theirs, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    memory = Limits().worker_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answered(glance: Glance) -> _Answer:
    source = Path(glance.source)
    try:
        confine([Path("/"), source])  # until it is open: an image may have more files
        with closing(WatchedSource(open_source(source))) as opened:
            confine([source, *map(Path, opened.info.files)])
            if identity(opened.info, fingerprint(opened.inner)) != glance.identity:
                text = f"{source} is not the source that was examined; plug in that one, or name where it is now"
                return _Answer(_NO_SOURCE, text=text)
            return _Answer(_PICTURE, _shown(glance, Evidence(opened, glance.secrets)))
    except DigiVanError as error:
        kind = _NO_SOURCE if isinstance(error, SourceError) else _NOTHING_TO_SEE
        return _Answer(kind, text=str(error))
    except Exception as error:  # noqa: BLE001 - hostile evidence: there is nothing to see then
        return _Answer(_NOTHING_TO_SEE, text=one_line(error))


def _shown(glance: Glance, evidence: Evidence) -> Preview:
    if glance.container is None:
        content = evidence.content(item_of(glance.item), glance.volume)
    else:
        content = _member(glance, evidence, *glance.container)
    media_type = glance.media_type or ""
    return preview(content, media_type, glance.side, colour=glance.colour, blur=glance.blur)


def _member(glance: Glance, evidence: Evidence, row: Row, media_type: str | None) -> Content:
    """Go through a container until the member comes."""
    container, wanted = item_of(row), item_of(glance.item).address
    content = evidence.content(container, glance.volume)
    for found in expand(evidence, container, content, media_type, glance.volume, _EVERYTHING):
        if isinstance(found, Expanded) and found.item.address == wanted and found.content is not None:
            return found.content
    raise EvidenceError("the member is not there any more")
