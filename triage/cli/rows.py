"""Rows of a case on standard output, as a table, CSV or JSON lines, and the options of the commands that list them."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click
from rich import box
from rich.table import Table

from triage.cli.output import console
from triage.cli.parameters import EXHIBIT_REFERENCE, PLACE
from triage.cli.text import json_line, place, safe
from triage.model.errors import UsageError
from triage.session.remains import told

if TYPE_CHECKING:  # heavy to load, and help must come at once
    from triage.store.case import CaseReader

CASE = click.option(
    "--case",
    type=PLACE,
    default=Path("case"),
    show_default=True,
    help="folder of the case",
)
EXHIBIT = click.option("--exhibit", type=EXHIBIT_REFERENCE, help="only this exhibit [default: all]")
ONE_EXHIBIT = click.option("--exhibit", type=EXHIBIT_REFERENCE, required=True, help="reference of the exhibit")
JSON = click.option("--json", "as_json", is_flag=True, help="print one JSON object")
JSONL = click.option("--jsonl", is_flag=True, help="one JSON object a line")
CSV = click.option("--csv", "as_csv", is_flag=True, help="comma-separated values with a header")

Row = Mapping[str, Any]

_NUMBERS = frozenset({"size", "distance", "id", "finding", "decision", "judgement"})
_CONFIRMED = {None: "-", True: "confirmed", False: "rejected"}


def open_reader(case: Path) -> CaseReader:
    """Open a case for reading, also while an examination writes to it; its ledger is verified."""
    from triage.session.examination import open_case  # noqa: PLC0415 - heavy to load, and help must come at once

    return open_case(case)


class Writer(Protocol):
    """Writes rows to standard output; a table of several exhibits names the exhibit of each."""

    def __call__(self, rows: Iterable[Row], *, several: bool) -> None:
        """Write rows, of several exhibits or of one."""


def writer(columns: tuple[str, ...], *, jsonl: bool, as_csv: bool) -> Writer:
    """Return what writes rows in the form asked for; a table has these columns."""
    if jsonl and as_csv:
        raise UsageError("--jsonl and --csv exclude each other; give one of them")
    if jsonl:
        return _write_json
    return _write_csv if as_csv else partial(_write_table, columns)


def where(row: Row) -> str:
    """Return where an item is; of a deleted one also how much of its space others have by now, if the row tells."""
    if row.get("allocated", True) or row.get("reused_bytes") is None:
        return place(row["path"], allocated=row.get("allocated", True))
    return f"{safe(row['path'])} ({told(row)})"


def _write_json(rows: Iterable[Row], *, several: bool) -> None:  # noqa: ARG001 - every row names its exhibit
    for row in rows:
        sys.stdout.write(json_line(row) + "\n")


def _write_csv(rows: Iterable[Row], *, several: bool) -> None:  # noqa: ARG001 - every row names its exhibit
    out = csv.writer(sys.stdout, lineterminator="\n")
    for number, row in enumerate(rows):
        if number == 0:
            out.writerow(row)
        out.writerow(map(_field, row.values()))


def _field(value: object) -> object:
    """Return what stands in a field of CSV: lists and mappings as JSON."""
    if isinstance(value, str):
        return safe(value)
    return json_line(value) if isinstance(value, (list, dict)) else value


def _write_table(columns: tuple[str, ...], rows: Iterable[Row], *, several: bool) -> None:
    shown = ("exhibit", *columns) if several else columns
    table = Table(box=box.SIMPLE)
    for column in shown:
        table.add_column(column, overflow="fold", justify="right" if column in _NUMBERS else "left")
    for row in rows:
        table.add_row(*(_cell(row, column) for column in shown))
    console().print(table)


def _cell(row: Row, column: str) -> str:
    if column == "path":
        return where(row)
    if column == "confirmed":
        return _CONFIRMED[row[column]]
    return "-" if row[column] is None else safe(str(row[column]))
