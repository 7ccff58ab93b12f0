"""Pages and counts of a case, cut with indexes: what a screen shows costs the same however large the case is."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from triage.model.errors import UsageError
from triage.model.runs import ByteRun
from triage.store.database import Database
from triage.store.exhibits import Exhibits
from triage.store.rows import ITEM_COLUMNS
from triage.store.rows import Row as Values

Row = dict[str, Any]  # SQLite gives no types


class Sort(StrEnum):
    """What a page of findings is sorted by; NUMBER is the order in which they were found."""

    NUMBER = "number"
    PATH = "path"
    CATEGORY = "category"
    GRADE = "grade"
    SET = "set"
    MATCH = "match"  # and then the distance
    STATE = "state"


class FindingState(StrEnum):
    """Where a finding stands: a digest match, or a perceptual candidate and a person's word on it."""

    MATCH = "match"
    CANDIDATE = "candidate"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which findings: None, and the empty `text`, let all through. `text` is looked for in paths, whatever its case.

    A `grade` or `category` that is the empty text wants those without one.
    """

    reference: str | None = None
    text: str = ""
    grade: str | None = None
    category: str | None = None
    state: FindingState | None = None


class Place(NamedTuple):
    """Where the content of a finding is: its exhibit and address, the volume, and the item as a row (see `item_of`).

    `container` are row and media type of the file that a member is in, however deep.
    """

    exhibit: str
    address: str
    volume: ByteRun
    item: Values
    media_type: str | None
    container: tuple[Values, str | None] | None


_ORDER = {
    Sort.NUMBER: ("id",),
    Sort.PATH: ("path", "id"),
    Sort.CATEGORY: ("category", "id"),
    Sort.GRADE: ("grade", "id"),
    Sort.SET: ("set_name", "id"),
    Sort.MATCH: ("match", "distance", "id"),
    Sort.STATE: ("state", "id"),
}
_COLUMNS = """
       finding.id, finding.path, region.offset AS volume, finding.set_name AS "set", finding.set_version,
       finding.set_digest, finding.category, finding.grade, finding.match, finding.distance, finding.confirmed,
       finding.found_at, finding.seconds, finding.series, finding.flags, finding.state, item.kind, item.size,
       item.media_type, item.allocated, item.recovered, item.address, exhibit.reference AS exhibit,
       item.space AS space_bytes, item.reused AS reused_bytes
"""
_JOINS = """
JOIN item ON item.id = finding.item_id JOIN region ON region.id = item.region_id
JOIN exhibit ON exhibit.id = finding.exhibit_id
"""
_NOT_LOOKED_AT = """
SELECT item.id AS number, item.path, item.size, item.kind, item.outcome, item.reason, item.address, item.allocated
FROM (SELECT id FROM item WHERE {which} ORDER BY {order} LIMIT ? OFFSET ?) AS page
JOIN item ON item.id = page.id
"""
_ENDED = "outcome NOT IN ('examined', 'not-reached')"  # as the index has it, word for word
_WAITS = "outcome = 'not-reached'"
_NOT_REACHED = "not-reached"
_FAR = 1000  # findings: a page that begins further on is counted from the nearer end
_CODE = "substr(reason, 1, instr(reason || ':', ':') - 1)"  # likewise
_TROUBLES = """
SELECT code, address, text, offset, length FROM trouble WHERE exhibit_id = ? ORDER BY address, code, text
LIMIT ? OFFSET ?
"""
_ACTING = "WHERE action = ? AND subject = coalesce(?, subject)"
_EVENTS = """
SELECT sequence, when_utc, actor, action, subject, payload FROM custody {where}
ORDER BY sequence DESC LIMIT ? OFFSET ?
"""


class Pages:
    """Reads a case. An unknown reference raises UsageError."""

    def __init__(self, database: Database, exhibits: Exhibits) -> None:
        self._database = database
        self._exhibits = exhibits

    def findings(self, wanted: Wanted, sort: Sort, *, descending: bool, offset: int, limit: int) -> list[Row]:
        """Return a page of findings."""
        if offset > _FAR and not wanted.text and (behind := self.count(wanted) - offset - limit) < offset:
            last, rest = max(0, behind), max(0, limit + min(0, behind))
            return self.findings(wanted, sort, descending=not descending, offset=last, limit=rest)[::-1]
        where, values = self._where(wanted)
        order = ", ".join(f"finding.{name}{' DESC' if descending else ''}" for name in _ORDER[sort])
        query = f"""
        SELECT {_COLUMNS} FROM (
          SELECT id FROM finding INDEXED BY finding_by_{sort} {where} ORDER BY {order} LIMIT ? OFFSET ?
        ) AS page JOIN finding ON finding.id = page.id {_JOINS} ORDER BY {order}
        """  # noqa: S608 - words of ours alone
        return [_finding(row) for row in self._database.rows(query, (*values, limit, offset))]

    def count(self, wanted: Wanted) -> int:
        """Return how many findings there are."""
        index = "finding_by_path" if wanted.text else "finding_counted"
        where, values = self._where(wanted)
        return self._number(f"SELECT count(*) FROM finding INDEXED BY {index} {where}", *values)  # noqa: S608 - as above

    def findings_by(self, reference: str | None) -> list[Row]:
        """Return the number of findings of each grade, category and state."""
        where, values = self._where(Wanted(reference=reference))
        query = f"""
        SELECT grade, category, state, count(*) AS findings FROM finding INDEXED BY finding_counted {where}
        GROUP BY exhibit_id, state, grade, category
        """  # noqa: S608 - as above
        return _summed(map(dict, self._database.rows(query, values)), "findings")

    def finding(self, number: int) -> Row:
        """Return one finding. Raises UsageError for a number that the case does not hold."""
        query = f"SELECT {_COLUMNS}, item.id AS item FROM finding {_JOINS} WHERE finding.id = ?"  # noqa: S608 - as above
        row = self._database.one(query, (number,))
        if row is None:
            raise UsageError(f"the case holds no finding {number}; triage findings shows the number of each one")
        return _finding(row)

    def place(self, number: int) -> Place:
        """Return where the content of a finding is. Raises UsageError for a number that the case does not hold."""
        found = self.finding(number)
        query = f"SELECT container, media_type, region_id, {ITEM_COLUMNS} FROM item WHERE id = ?"  # noqa: S608 - as above
        container, media_type, region, *item = next(self._database.tuples(query, (found["item"],)))
        outer = None
        if container is not None:
            _, outer_type, _, *row = next(self._database.tuples(query, (container,)))
            outer = tuple(row), outer_type
        run = self._database.one("SELECT offset, length FROM region WHERE id = ?", (region,))
        assert run is not None
        volume = ByteRun(run["offset"], run["length"])
        return Place(found["exhibit"], found["address"], volume, tuple(item), media_type, outer)

    def siblings(self, number: int, *, offset: int, limit: int) -> list[Row]:
        """Return a page of the findings in the same folder of the same exhibit, in the order of their paths."""
        found = self.finding(number)
        folder = found["path"].rpartition("/")[0]
        query = f"""
        SELECT {_COLUMNS} FROM finding INDEXED BY finding_by_path {_JOINS}
        WHERE finding.path > ? AND finding.path < ? AND instr(substr(finding.path, ?), '/') = 0
        AND finding.exhibit_id = ? ORDER BY finding.path, finding.id LIMIT ? OFFSET ?
        """  # noqa: S608 - as above
        start, end = (f"{folder}/", f"{folder}0") if folder else ("", "\U0010ffff")  # 0 follows / in UTF-8
        key = self._exhibits.key(found["exhibit"])
        return [_finding(row) for row in self._database.rows(query, (start, end, len(start) + 1, key, limit, offset))]

    def not_looked_at(self, reference: str, outcome: str | None, *, offset: int, limit: int) -> list[Row]:
        """Return a page of the items that were not examined, volume by volume.

        Without an outcome: all that ended otherwise than examined, then those not reached, in the order of looking.
        """
        page: list[Row] = []
        for which, order, values in self._parts(reference, outcome):
            query = _NOT_LOOKED_AT.format(which=which, order=order)
            page += map(dict, self._database.rows(query, (*values, limit - len(page), offset)))
            if len(page) == limit:
                break
            if page:
                offset = 0
            else:  # it begins further on
                offset -= self._number(f"SELECT count(*) FROM item WHERE {which}", *values)  # noqa: S608 - as above
        return page

    def not_looked_at_by(self, reference: str) -> list[Row]:
        """Return the number of items that were not examined by outcome and code of the reason."""
        counted: list[Row] = []
        for region in self._regions(reference):
            query = f"""
            SELECT outcome, {_CODE} AS code, count(*) AS items FROM item WHERE region_id = ? AND {_ENDED}
            GROUP BY outcome, {_CODE}
            """  # noqa: S608 - as above
            counted += map(dict, self._database.rows(query, (region,)))
            waiting = self._number(f"SELECT count(*) FROM item WHERE region_id = ? AND {_WAITS}", region)  # noqa: S608 - as above
            counted += [{"outcome": _NOT_REACHED, "code": None, "items": waiting}] if waiting else []
        return _summed(counted, "items")

    def troubles(self, reference: str, *, offset: int, limit: int) -> list[Row]:
        """Return a page of the trouble, sorted by address."""
        rows = self._database.rows(_TROUBLES, (self._exhibits.key(reference), limit, offset))
        return [dict(row) for row in rows]

    def events(self, subject: str | None, *, offset: int, limit: int) -> list[Row]:
        """Return a page of custody events, the newest first; `payload` is JSON."""
        where = "" if subject is None else "WHERE subject = ?"
        named = () if subject is None else (subject,)
        return [dict(row) for row in self._database.rows(_EVENTS.format(where=where), (*named, limit, offset))]

    def events_count(self, subject: str | None) -> int:
        """Return how many custody events a subject has, or the case."""
        if subject is None:
            return self._number("SELECT count(*) FROM custody")
        return self._number("SELECT count(*) FROM custody WHERE subject = ?", subject)

    def events_of(self, action: str, subject: str | None = None) -> Iterator[Row]:
        """Stream the custody events with an action, of one subject or of all, the oldest first."""
        query = f"SELECT sequence, when_utc, actor, subject, payload FROM custody {_ACTING} ORDER BY sequence"  # noqa: S608 - as above
        return (dict(row) for row in self._database.rows(query, (action, subject)))

    def events_by(self, action: str, fact: str, subject: str | None = None) -> dict[str, int]:
        """Return how many custody events with an action there are by one of their facts, the most first."""
        query = f"""
        SELECT json_extract(payload, '$.' || ?) AS fact, count(*) AS events FROM custody {_ACTING}
        GROUP BY fact ORDER BY events DESC, fact
        """  # noqa: S608 - as above
        return {row["fact"]: row["events"] for row in self._database.rows(query, (fact, action, subject))}

    def _where(self, wanted: Wanted) -> tuple[str, list[object]]:
        """Return the condition and its values; each index of findings answers it."""
        terms: dict[str, object] = {}
        if wanted.reference is not None:
            terms["exhibit_id = ?"] = self._exhibits.key(wanted.reference)
        if wanted.grade is not None:
            terms["grade IS ?"] = wanted.grade or None
        if wanted.category is not None:
            terms["category IS ?"] = wanted.category or None
        if wanted.state is not None:
            terms["state = ?"] = wanted.state.value
        if wanted.text:
            terms[r"path LIKE ? ESCAPE '\'"] = f"%{_escaped(wanted.text)}%"
        return (f"WHERE {' AND '.join(terms)}" if terms else ""), list(terms.values())

    def _parts(self, reference: str, outcome: str | None) -> Iterator[tuple[str, str, tuple[object, ...]]]:
        """Return where to look for items not examined, part by part: condition, order, values of the condition."""
        regions = self._regions(reference)
        if outcome is None:
            yield from ((f"region_id = ? AND {_ENDED}", f"outcome, {_CODE}, id", (region,)) for region in regions)
        elif outcome != _NOT_REACHED:
            which = f"region_id = ? AND {_ENDED} AND outcome = ?"
            yield from ((which, f"{_CODE}, id", (region, outcome)) for region in regions)
        if outcome in {None, _NOT_REACHED}:
            yield from ((f"region_id = ? AND {_WAITS}", "rank, position, id", (region,)) for region in regions)

    def _regions(self, reference: str) -> list[int]:
        key = self._exhibits.key(reference)
        rows = self._database.rows("SELECT id FROM region WHERE exhibit_id = ? ORDER BY offset, id", (key,))
        return [row["id"] for row in rows]

    def _number(self, query: str, *values: object) -> int:
        row = self._database.one(query, values)
        assert row is not None
        return int(row[0])


def _finding(row: sqlite3.Row) -> Row:
    confirmed = row["confirmed"]
    return {
        **dict(row),
        "confirmed": None if confirmed is None else bool(confirmed),
        "allocated": bool(row["allocated"]),
        "recovered": bool(row["recovered"]),
    }


def _summed(rows: Iterable[Row], number: str) -> list[Row]:
    """Return rows that are alike but for a number as one, the largest number first."""
    sums: Counter[tuple[tuple[str, Any], ...]] = Counter()
    for row in rows:
        sums[tuple((key, value) for key, value in row.items() if key != number)] += row[number]
    return [{**dict(alike), number: count} for alike, count in sums.most_common()]


def _escaped(text: str) -> str:
    """Return a text that stands for itself in LIKE."""
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
