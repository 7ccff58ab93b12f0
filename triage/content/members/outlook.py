"""Outlook messages (.msg): their attachments, those of messages attached to them included.

Source: [MS-OXMSG] 2.2; [MS-OXPROPS] for the properties' numbers.
"""

from collections import defaultdict

from triage.content.content import Content
from triage.content.members.compound import Compound, StreamEntry
from triage.content.members.member import Found, Member, ObstacleError

_ATTACHMENT = "__attach_version1.0_"
_PROPERTIES = "__properties_version1.0"
_DATA = "__substg1.0_37010102"
_NAMES = ("__substg1.0_3707001F", "__substg1.0_3704001F", "__substg1.0_3707001E", "__substg1.0_3704001E")
_MOST_OF_A_NAME = 4096


def is_message(streams: list[StreamEntry]) -> bool:
    """Return whether the streams are those of a message."""
    return any(stream.path == (_PROPERTIES,) for stream in streams)


def message_members(compound: Compound, streams: list[StreamEntry]) -> Found:
    """Yield the attachments of a message; what an attached message holds has its path before its name."""
    folders: dict[tuple[str, ...], dict[str, StreamEntry]] = defaultdict(dict)
    for stream in streams:
        folders[stream.path[:-1]][stream.path[-1]] = stream
    for path, inside in folders.items():
        if path and path[-1].startswith(_ATTACHMENT) and _DATA in inside:
            yield _attachment(compound, path, inside)


def _attachment(compound: Compound, path: tuple[str, ...], inside: dict[str, StreamEntry]) -> Member:
    data = inside[_DATA]
    name = "/".join(path)
    try:
        name = _name(compound, inside) or name
        return Member(name, data.size, data.modified, Content.of(compound.read(data)))
    except ObstacleError as error:
        return Member(name, data.size, data.modified, None, error.obstacle)


def _name(compound: Compound, inside: dict[str, StreamEntry]) -> str | None:
    for key in _NAMES:
        if key in inside:
            stored = compound.read(inside[key], _MOST_OF_A_NAME)
            if key.endswith("F"):
                return stored.decode("utf-16-le", "replace").rstrip("\0")
            return stored.decode("utf-8", "surrogateescape").rstrip("\0")
    return None
