"""The values of the rows that a script inserts into NSRL's list of files: which are read, and where they stand."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType

from triage.hashsets.formats.nsrl_rows import SIZE_COLUMNS
from triage.hashsets.formats.sql.sql_script import Token
from triage.hashsets.record import DIGEST_BYTES

DIGESTS = tuple(DIGEST_BYTES)
READ = frozenset({*DIGESTS, *SIZE_COLUMNS})
"""The columns that are read."""

Columns = tuple[str, ...]

_FILE = ("sha256", "sha1", "md5", "crc32", "file_name", "file_size", "package_id")
_METADATA = (
    "metadata_id", "object_id", "key_hash", "image_hash", "path", "path_b64", "path_coding", "file_name",
    "file_name_b64", "file_name_coding", "extension", "extension_b64", "extension_coding", "bytes", "mtime",
    "used_in_rds", "update_date", "recursion_level", "extractee_id", "crc32", "md5", "sha1", "sha256",
)  # fmt: skip
TABLES: Mapping[str, Sequence[Columns]] = MappingProxyType(
    {"file": (_FILE, tuple(name for name in _FILE if name != "crc32")), "metadata": (_METADATA,)}
)
"""The tables that list files, with the columns that each may have where a statement does not name them."""

_VALUE = r"\s*+(?:'((?:[^']++|'')*+)'|(\d++|NULL))\s*+"
_PLAIN_COLUMNS = 64
_SIZE_DIGITS = 20
_NOT_A_VALUE = object()  # an expression: no digest and no size
NEVER = re.compile(r"(?!)")


@lru_cache(maxsize=64)
def _where(columns: Columns) -> tuple[int | None, ...]:
    """Return where among the columns the digests are, in the order of `DIGESTS`, and then the size."""
    places = {name: place for place, name in enumerate(columns)}
    size = next((places[name] for name in SIZE_COLUMNS if name in places), None)
    return *(places.get(name) for name in DIGESTS), size


def row_of_cells(columns: Columns, cells: Sequence[Token | None]) -> tuple[object, ...]:
    """Return digests and size out of the literals of a row, None for what is no single literal."""
    return tuple(None if place is None else _value(cells[place]) for place in _where(columns))


def row_of_match(columns: Columns, match: re.Match[str]) -> tuple[object, ...]:
    """Return digests and size out of a match of `plain_row` or `plain_statement`."""
    return tuple(_plain_values(match.groups(), _where(columns)))


def _plain_values(groups: Sequence[str | None], where: Sequence[int | None]) -> Iterator[object]:
    for place in where:
        if place is None:
            yield None
        else:
            text, number = groups[2 * place : 2 * place + 2]
            yield _number(number or "") if text is None else text


def _value(cell: Token | None) -> object:
    """Return the text, number or NULL of a literal."""
    if cell is None or cell.kind not in ("text", "word"):
        return _NOT_A_VALUE
    return cell.value if cell.kind == "text" else _number(cell.value)


def _number(text: str) -> object:
    if text.isdecimal() and len(text) <= _SIZE_DIGITS:
        return int(text)
    return None if text.upper() == "NULL" else _NOT_A_VALUE


@cache
def plain_row(columns: int) -> re.Pattern[str]:
    """Return the pattern of a row of plain values behind its opening bracket, two groups a value."""
    return re.compile(",".join([_VALUE] * columns) + r"\)") if columns <= _PLAIN_COLUMNS else NEVER


def plain_statement(table: str, columns: Columns) -> re.Pattern[str]:
    """Return the pattern of a whole statement that inserts one row of plain values."""
    if len(columns) > _PLAIN_COLUMNS:
        return NEVER
    names = r"\s*+,\s*+".join(map(re.escape, columns))
    head = rf"\s*+INSERT\s++INTO\s++{re.escape(table)}\s*+\(\s*+{names}\s*+\)\s*+VALUES\s*+\("
    return re.compile(rf"(?i:{head}){plain_row(len(columns)).pattern}\s*+;")
