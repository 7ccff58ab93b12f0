"""What the content of a few files tells an examiner besides hits: those in which systems keep accounts and devices.

They are asked where systems keep them, and for this alone, so that what cannot be read of one leaves no question open
that a recommendation rests on: it is told as `container-not-opened`.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice

from triage.content.content import Content
from triage.content.members.decoding import obstacle_of
from triage.items.indicators_registry import of_sam, of_system
from triage.items.indicators_unix import of_lastlog, of_macos_user, of_passwd
from triage.model.indication import Indication
from triage.model.item import Item, ItemKind
from triage.model.trouble import Trouble, TroubleCode

MOST = 2000
"""Accounts or devices that are told of one file."""

_WINDOWS = r"(?:windows\.old(?:\.\d{3})?/)?(?:windows|winnt)/system32/config"
_ASKED: tuple[tuple[str, Callable[[Content], Iterator[Indication]]], ...] = (
    (rf"(?i:{_WINDOWS}/sam)", of_sam),
    (rf"(?i:{_WINDOWS}/system)", of_system),
    (r"(?:@/)?etc/passwd", of_passwd),
    (r"(?:@/)?var/log/lastlog", of_lastlog),
    (r"private/var/db/dslocal/nodes/Default/users/[^/]+\.plist", of_macos_user),
)
_PLACE = re.compile("|".join(f"({place})" for place, _ in _ASKED))


def is_asked(item: Item) -> bool:
    """Tell whether a file lies where a system keeps accounts or devices; of Windows, the one before the last too."""
    return item.kind is ItemKind.FILE and item.allocated and _PLACE.fullmatch(item.path) is not None


def told_by(item: Item, content: Content) -> Iterator[Indication | Trouble]:
    """Yield what a file tells (see `is_asked`), the same each time, and one trouble for all that it does not."""
    match = _PLACE.fullmatch(item.path)
    assert match is not None
    assert match.lastindex is not None
    told = _ASKED[match.lastindex - 1][1](content)
    reason = ""
    try:
        yield from islice(told, MOST)
        if next(told, None) is not None:
            reason = f"it tells of more than {MOST}, of which the first are told"
    except Exception as error:  # noqa: BLE001 - whatever hostile bytes make a reader raise is a fact about them
        reason = obstacle_of(error).text
    if reason:
        text = f"asked for accounts or devices: {reason}"
        yield Trouble(address=item.address, code=TroubleCode.NOT_OPENED, text=text)
