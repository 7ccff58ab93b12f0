"""Which zip archives are encrypted in part: each member is, or is not, by a flag of its own (APPNOTE 4.4.4)."""

from triage.content.content import Content
from triage.content.members.member import DEFAULT_LIMITS, Budget, Container, ObstacleError
from triage.content.members.zip_headers import Entry, central_entries, central_place

_ENCRYPTED = 1
_MOST = 10_000


def some_clear(content: Content) -> bool:
    """Tell whether an archive may hold members that are not encrypted, as its directory says.

    True also where the directory is damaged, or longer than is looked at: then nobody knows. Raises EvidenceError when
    the content cannot be read.
    """
    container = Container(content=content, name="", limits=DEFAULT_LIMITS, budget=Budget.of(content.size))
    try:
        for number, entry in enumerate(central_entries(container, central_place(container))):
            if number == _MOST or _is_clear(entry):
                return True
    except ObstacleError:
        return True
    return False


def _is_clear(entry: Entry) -> bool:
    """Tell a member that is not encrypted; a folder has no bytes that could be."""
    return not entry.flags & _ENCRYPTED and not entry.name.endswith(b"/")
