"""The statements of a script that changes NSRL's list of files: the rows they insert, and what else they do."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.sql.inserted_values import (
    NEVER,
    READ,
    TABLES,
    Columns,
    plain_row,
    plain_statement,
    row_of_cells,
    row_of_match,
)
from triage.hashsets.formats.sql.sql_script import SqlScript, Token

DELETES = (
    "the delta deletes rows; other rows may carry the same digest, so the members stay: "
    "import the full release to drop them"
)
UPDATES = "the delta changes rows without naming all of their digests: import the full release to have them"
NOT_WRITTEN_OUT = "the statement inserts rows that are not written out in it"
UNEVEN = "the row has more or fewer values than there are columns"
UNNAMED = "the statement does not name its columns, and their number is not that of NSRL's table"
NOT_COMMITTED = "the script begins a transaction and does not commit it: it may be cut off"

Inserted = tuple[int, tuple[object, ...]]
"""The number of a row, and its digests and size."""

_COLUMNS_LIMIT = 2000  # SQLite's own
_KEPT_CHARACTERS = 128  # no digest, size or name of a column is longer
_TABLES_COUNTED = 50
_TABLES_SHOWN = 6
_NAME_SHOWN = 30
_SEMICOLON, _COMMA, _OPEN, _CLOSE = (Token("mark", mark) for mark in ";,()")
_DOT = re.compile(r"\s*+\.")


class Statements:
    """The statements of one script: what they insert into FILE and METADATA, and a count of the rest."""

    def __init__(self, script: SqlScript, report: ReadReport) -> None:
        self._script = script
        self._report = report
        self._passed: Counter[str] = Counter()
        self._open = False
        self._columns: Columns = ()
        self._again = NEVER

    def inserted(self) -> Iterator[Inserted]:
        """Yield the rows that the script adds."""
        for token in self._script:
            word = token.value.upper()
            if word in ("INSERT", "REPLACE"):
                yield from self._insert()
                yield from self._alike()
            elif token != _SEMICOLON:
                self._other(word)
        self._tell()

    def _alike(self) -> Iterator[Inserted]:
        """Read the statements that follow with the same table and columns, each in one go."""
        while match := self._script.take(self._again):
            self._report.rows += 1
            self._report.place += 1
            yield self._report.place, row_of_match(self._columns, match)

    def _other(self, word: str) -> None:
        """Read a statement that adds no row."""
        match word:
            case "DELETE":
                self._skip_to("FROM")
                self._change(self._name(), DELETES)
            case "UPDATE":
                self._update()
            case "BEGIN":
                self._open = True
                self._finish()
            case "COMMIT" | "END":
                self._open = False
                self._finish()
            case "ROLLBACK":
                raise self._report.refuse("the script takes back what it does (ROLLBACK)", "get it again")
            case "CREATE":
                self._create()
            case _:
                self._count(word)
                self._finish()

    def _insert(self) -> Iterator[Inserted]:
        self._skip_to("INTO")
        name = self._name()
        known = TABLES.get(name)
        if known is None:
            self._count(name)
            self._finish()
            return
        token = self._next()
        columns: Columns | None = None
        if token == _OPEN:
            columns = tuple(cell.value.lower() if cell else "" for cell in self._cells())
            token = self._next()
            if columns != self._columns:
                self._columns, self._again = columns, plain_statement(name, columns)
        if token.value.upper() != "VALUES":
            self._row_skipped(NOT_WRITTEN_OUT)
            self._finish(token)
            return
        yield from self._rows(columns, known)

    def _rows(self, columns: Columns | None, known: Sequence[Columns]) -> Iterator[Inserted]:
        """Read `(...), (...);` row by row."""
        while (token := self._next()) == _OPEN:
            row = self._row(columns, known)
            if row is not None:
                yield self._report.place, row
            token = self._next()
            if token != _COMMA:
                break
        self._finish(token)

    def _row(self, columns: Columns | None, known: Sequence[Columns]) -> tuple[object, ...] | None:
        """Return the row behind the bracket: in one go where its values are plain, else token by token."""
        match = self._script.take(plain_row(len(columns))) if columns else None
        cells = [] if match else list(self._cells())
        self._report.rows += 1
        self._report.place += 1
        if columns is None:
            columns = next((names for names in known if len(names) == len(cells)), None)
            if columns is None:
                self._report.skip(UNNAMED)
                return None
        if match:
            return row_of_match(columns, match)
        if len(columns) != len(cells):
            self._report.skip(UNEVEN)
            return None
        return row_of_cells(columns, cells)

    def _update(self) -> None:
        name = self._name()
        if name == "or":  # UPDATE OR IGNORE name
            self._next()
            name = self._name()
        touched = False
        token = self._next()
        while token != _SEMICOLON:
            if token.value.upper() == "WHERE" and token.kind == "word":
                break
            touched |= token.kind != "text" and token.value.lower() in READ
            token = self._next()
        self._change(name if touched else f"{name} (other columns)", UPDATES, token)

    def _change(self, name: str, reason: str, token: Token | None = None) -> None:
        if name in TABLES:
            self._row_skipped(reason)
        else:
            self._count(name)
        self._finish(token)

    def _create(self) -> None:
        token = self._next()
        while token not in (_SEMICOLON, _OPEN):
            if token.kind == "word" and token.value.upper() == "TRIGGER":
                raise self._report.refuse("the script makes a trigger, so it is no delta of NSRL")
            token = self._next()
        self._count("CREATE")
        self._finish(token)

    def _row_skipped(self, reason: str) -> None:
        self._report.rows += 1
        self._report.place += 1
        self._report.skip(reason)

    def _next(self) -> Token:
        token = next(self._script, None)
        if token is None:
            raise self._report.refuse("the script ends in the middle of a statement: it is cut off", "get it again")
        return token

    def _finish(self, token: Token | None = None) -> None:
        """Pass over what is left of the statement."""
        while token != _SEMICOLON:
            token = self._next()

    def _skip_to(self, word: str) -> None:
        while (token := self._next()).kind != "word" or token.value.upper() != word:
            if token == _SEMICOLON:
                raise self._report.refuse(f"a statement without {word}, so this is no SQL of NSRL")

    def _name(self) -> str:
        """Return the name of a table in small letters, without that of its database."""
        name = self._next().value
        while self._script.take(_DOT):
            name = self._next().value
        return name.lower()

    def _cells(self) -> Iterator[Token | None]:
        """Yield what stands between the commas up to the closing bracket; None for what is not one literal."""
        for _ in range(_COLUMNS_LIMIT):
            cell, tokens, depth = None, 0, 0
            while (token := self._next()) not in (_COMMA, _CLOSE) or depth:
                depth += (token == _OPEN) - (token == _CLOSE)
                cell = Token(token.kind, token.value[:_KEPT_CHARACTERS])
                tokens += 1
            yield cell if tokens == 1 else None
            if token == _CLOSE:
                return
        raise self._report.refuse(f"a row of more than {_COLUMNS_LIMIT} values, no delta of NSRL")

    def _count(self, name: str) -> None:
        """Count a statement that is passed over, by its table or its first word."""
        if name not in self._passed and len(self._passed) >= _TABLES_COUNTED:
            name = "others"
        self._passed[name[:_NAME_SHOWN]] += 1

    def _tell(self) -> None:
        if self._open:
            self._report.note(NOT_COMMITTED)
        if self._passed:
            shown = [f"{name!a} {number}" for name, number in self._passed.most_common(_TABLES_SHOWN)]
            more = ", ..." if len(self._passed) > _TABLES_SHOWN else ""
            listed = ", ".join(shown) + more
            self._report.note(f"{self._passed.total()} statements that list no files were passed over: {listed}")
