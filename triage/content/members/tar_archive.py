"""Tar archives: the old form, ustar, pax and GNU's long names; sparse members are named, not read.

A member lies in the archive as it is, so its content is a window on the archive. Where a header is damaged, the next
one that is whole is looked for.

Sources: POSIX.1-2017, pax interchange format; the GNU tar manual, "Basic Tar Format".
"""

from triage.content.content import Content
from triage.content.members.member import Container, Found, Member, Obstacle, ObstacleError, as_name, damaged
from triage.content.members.tar_headers import BLOCK, Header, behind_end, next_header, pax_records, read_header
from triage.model.trouble import TroubleCode

_LONGEST = 1 << 20  # bytes of a name or of pax records
_FILES = frozenset({b"\0", b"0", b"7"})  # old, new, and one whose blocks lie in a row
_WITHOUT_DATA = frozenset({b"2", b"3", b"4", b"5", b"6"})
_MAP_GOES_ON, _NEXT_GOES_ON = 482, 504  # in the header, and in a block of the map
_GNU_SPARSE, _HARD_LINK = b"S", b"1"
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL = b"L", b"K", b"x", b"g"


def tar_members(container: Container) -> Found:
    """Yield the files of a tar archive; folders, symbolic links and devices hold no bytes and are left out."""
    position, said = 0, _Said()
    files: dict[bytes, tuple[int, int]] = {}
    while position + BLOCK <= container.size:
        header = read_header(container.read(position, BLOCK))
        if header is None:
            is_end = not any(container.read(position, 2 * BLOCK))  # two empty blocks, or one at the very end
            found = behind_end(container, position) if is_end else next_header(container, position + BLOCK)
            if found is not None or not is_end:
                text = "more follows the end mark" if is_end else f"the header at {position} is damaged"
                yield Obstacle(TroubleCode.DAMAGED, text)
            if found is None:
                return
            position, said = found, _Said()
            continue
        data = position + BLOCK
        if header.kind in {_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL}:
            said.read(container, header, data)
            position = _following(data, header.size)
            continue
        member, size = _member(container, said.applied(header), data, files, sparse=said.sparse)
        if member is not None:
            yield member
        position, said = _following(data, size), said.next()
    if position > container.size:
        yield Obstacle(TroubleCode.DAMAGED, "the archive ends before its last member does")


def _following(data: int, size: int) -> int:
    return data + -(-size // BLOCK) * BLOCK


def _member(
    container: Container, header: Header, data: int, files: dict[bytes, tuple[int, int]], *, sparse: bool
) -> tuple[Member | None, int]:
    """Return the member of a header, if it is one, and how many bytes of the archive belong to it."""
    if header.kind == _HARD_LINK:
        return _linked(container, header, files), 0
    if sparse or header.kind == _GNU_SPARSE:
        size = header.size + (_map_length(container, data) if header.kind == _GNU_SPARSE else 0)
        text = "sparse members are not read"
        return Member(as_name(header.name), obstacle=Obstacle(TroubleCode.UNSUPPORTED, text)), size
    if header.kind not in _FILES or header.name.endswith(b"/"):
        return None, 0 if header.kind in _WITHOUT_DATA else header.size
    files[header.name.removeprefix(b"./")] = data, header.size
    complete = data + header.size <= container.size
    obstacle = None if complete else Obstacle(TroubleCode.DAMAGED, "the archive ends before the member does")
    content = container.window(data, header.size)
    return Member(as_name(header.name), header.size, header.modified, content, obstacle), header.size


def _map_length(container: Container, data: int) -> int:
    """Return how many bytes of a sparse member's map stand before its data: each block says whether another follows."""
    end, more = data, container.read(data - BLOCK + _MAP_GOES_ON, 1)
    while any(more):
        more = container.read(end + _NEXT_GOES_ON, 1)
        end += BLOCK
    return end - data


def _linked(container: Container, header: Header, files: dict[bytes, tuple[int, int]]) -> Member:
    """Return a further name of an earlier member."""
    place = files.get(header.target.removeprefix(b"./"))
    content: Content | None = container.window(*place) if place else None
    obstacle = None if place else Obstacle(TroubleCode.DAMAGED, "a hard link to a member that does not come before it")
    return Member(as_name(header.name), place[1] if place else None, header.modified, content, obstacle)


class _Said:
    """What extended headers say of the member that follows them."""

    def __init__(self, everywhere: dict[bytes, bytes] | None = None) -> None:
        self._everywhere = everywhere or {}
        self._here: dict[bytes, bytes] = {}

    @property
    def sparse(self) -> bool:
        return any(key.startswith(b"GNU.sparse.") for key in self._here)

    def next(self) -> "_Said":
        return _Said(self._everywhere)

    def read(self, container: Container, header: Header, data: int) -> None:
        if header.size > _LONGEST:
            raise ObstacleError(TroubleCode.LIMIT, f"an extended header of {header.size} bytes")
        text = container.exactly(data, header.size)
        if header.kind == _LONG_NAME:
            self._here[b"path"] = text.rstrip(b"\0")
        elif header.kind == _LONG_LINK:
            self._here[b"linkpath"] = text.rstrip(b"\0")
        else:
            (self._here if header.kind == _PAX else self._everywhere).update(pax_records(text))

    def applied(self, header: Header) -> Header:
        said = self._everywhere | self._here
        try:
            size = int(said.get(b"size", header.size))
            seconds = said.get(b"mtime")
            modified = round(float(seconds) * 1e6) * 1000 if seconds else header.modified
        except (ValueError, OverflowError) as error:
            raise damaged("an extended header says no number where one belongs") from error
        if size < 0:
            raise damaged("a member of less than no bytes")
        name, target = said.get(b"path", header.name), said.get(b"linkpath", header.target)
        return header._replace(size=size, modified=modified, name=name, target=target)
