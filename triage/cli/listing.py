"""`triage items`, `findings`, `coverage`: what a case holds, as a table, CSV or JSON lines."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click
from rich import box
from rich.table import Table

from triage.cli.output import console
from triage.cli.parameters import PLACE, TEXT
from triage.cli.report import coverage_table
from triage.cli.text import json_line, place, safe
from triage.model.errors import UsageError

if TYPE_CHECKING:  # heavy to load, and help must come at once
    from triage.store.case import CaseReader

_CASE = click.option(
    "--case",
    type=PLACE,
    default=Path("case"),
    show_default=True,
    help="folder of the case",
)
_EXHIBIT = click.option("--exhibit", type=TEXT, help="only this exhibit [default: all]")
_JSONL = click.option("--jsonl", is_flag=True, help="one JSON object a line")
_CSV = click.option("--csv", "as_csv", is_flag=True, help="comma-separated values with a header")

Row = Mapping[str, Any]


@click.command()
@_CASE
@_EXHIBIT
@_JSONL
@_CSV
def items(case: Path, exhibit: str | None, *, jsonl: bool, as_csv: bool) -> None:
    """List every item seen: one row each, with its outcome.

    \b
    Examples:
      triage items --case ./case --jsonl > items.jsonl
      triage items --case ./case --exhibit ABC/1 --csv > items.csv
    """  # noqa: D301 - \b is click's mark for text that must not be re-wrapped
    write = _writer(("outcome", "kind", "size", "md5", "path"), jsonl=jsonl, as_csv=as_csv)
    with _open(case) as reader, closing(reader.queries.items(exhibit)) as rows:
        write(rows, several=exhibit is None and len(reader.queries.exhibits()) > 1)


@click.command()
@_CASE
@_EXHIBIT
@_JSONL
@_CSV
def findings(case: Path, exhibit: str | None, *, jsonl: bool, as_csv: bool) -> None:
    """List every finding: which item, which set, by which hash, how near."""
    write = _writer(("match", "distance", "set", "category", "path"), jsonl=jsonl, as_csv=as_csv)
    with _open(case) as reader, closing(reader.queries.findings(exhibit)) as rows:
        write(rows, several=exhibit is None and len(reader.queries.exhibits()) > 1)


@click.command()
@_CASE
@click.option("--exhibit", type=TEXT, required=True, help="reference of the exhibit")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
def coverage(case: Path, exhibit: str, as_json: bool) -> None:
    """Show the coverage account: every byte of the exhibit in exactly one class, every item in one outcome."""
    from triage.session.conclusion import coverage_now  # noqa: PLC0415 - heavy to load, and help must come at once

    with _open(case) as reader:
        account: Row = coverage_now(reader, exhibit)
    if as_json:
        sys.stdout.write(json_line(account) + "\n")
        return
    out = console()
    if account["state"] != "finished":
        out.print(f"The examination of {safe(exhibit)} is not finished (state: {account['state']}).")
    out.print(coverage_table(account["bytes"], account["size"]))
    for outcome, count in account["items"].items():
        out.print(f"{count:>12,}  items {outcome}")


def _open(case: Path) -> CaseReader:
    from triage.session.examination import open_case  # noqa: PLC0415 - heavy to load, and help must come at once

    return open_case(case)


class _Writer(Protocol):
    def __call__(self, rows: Iterable[Row], *, several: bool) -> None:
        """Write rows, of several exhibits or of one."""


def _writer(columns: tuple[str, ...], *, jsonl: bool, as_csv: bool) -> _Writer:
    if jsonl and as_csv:
        raise UsageError("--jsonl and --csv exclude each other; give one of them")
    if jsonl:
        return _write_json
    return _write_csv if as_csv else partial(_write_table, columns)


def _write_json(rows: Iterable[Row], *, several: bool) -> None:  # noqa: ARG001 - every row names its exhibit
    for row in rows:
        sys.stdout.write(json_line(row) + "\n")


def _write_csv(rows: Iterable[Row], *, several: bool) -> None:  # noqa: ARG001 - every row names its exhibit
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for number, row in enumerate(rows):
        if number == 0:
            writer.writerow(row)
        writer.writerow(safe(value) if isinstance(value, str) else value for value in row.values())


def _write_table(columns: tuple[str, ...], rows: Iterable[Row], *, several: bool) -> None:
    shown = ("exhibit", *columns) if several else columns
    table = Table(box=box.SIMPLE)
    for column in shown:
        table.add_column(column, overflow="fold", justify="right" if column in {"size", "distance"} else "left")
    for row in rows:
        table.add_row(*(_cell(row, column) for column in shown))
    console().print(table)


def _cell(row: Row, column: str) -> str:
    if column == "path":
        return place(row["path"], allocated=row["allocated"])
    return "-" if row[column] is None else safe(str(row[column]))
