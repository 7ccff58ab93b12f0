"""`triage items`, `findings`, `coverage`: what a case holds, as a table, CSV or JSON lines."""

import csv
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from triage.cli.report import coverage_table
from triage.cli.text import json_line, safe
from triage.session.examination import open_case

_CASE = click.option(
    "--case",
    type=click.Path(path_type=Path),
    default=Path("case"),
    show_default=True,
    help="folder of the case",
)
_EXHIBIT = click.option("--exhibit", help="only this exhibit [default: all]")
_JSONL = click.option("--jsonl", "form", flag_value="jsonl", help="one JSON object a line")
_CSV = click.option("--csv", "form", flag_value="csv", help="comma-separated values with a header")

Row = Mapping[str, Any]


@click.command()
@_CASE
@_EXHIBIT
@_JSONL
@_CSV
def items(case: Path, exhibit: str | None, form: str | None) -> None:
    """List every item seen: one row each, with its outcome.

    \b
    Examples:
      triage items --case ./case --jsonl > items.jsonl
      triage items --case ./case --exhibit ABC/1 --csv > items.csv
    """  # noqa: D301 - \b is click's mark for text that must not be re-wrapped
    with open_case(case) as reader, closing(reader.queries.items(exhibit)) as rows:
        _write(rows, form, ("outcome", "kind", "size", "md5", "path"))


@click.command()
@_CASE
@_EXHIBIT
@_JSONL
@_CSV
def findings(case: Path, exhibit: str | None, form: str | None) -> None:
    """List every finding: which item, which set, by which hash, how near."""
    with open_case(case) as reader, closing(reader.queries.findings(exhibit)) as rows:
        _write(rows, form, ("match", "distance", "set", "category", "path"))


@click.command()
@_CASE
@click.option("--exhibit", required=True, help="reference of the exhibit")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
def coverage(case: Path, exhibit: str, as_json: bool) -> None:
    """Show the coverage account: every byte of the exhibit in exactly one class, every item in one outcome."""
    with open_case(case) as reader:
        account: Row = reader.queries.coverage(exhibit)
    if as_json:
        sys.stdout.write(json_line(account) + "\n")
        return
    console = Console(highlight=False, markup=False)
    console.print(coverage_table(account["bytes"], account["size"]))
    for outcome, count in account["items"].items():
        console.print(f"{count:>12,}  items {outcome}")


def _write(rows: Iterable[Row], form: str | None, columns: tuple[str, ...]) -> None:
    match form:
        case "jsonl":
            for row in rows:
                sys.stdout.write(json_line(row) + "\n")
        case "csv":
            _write_csv(rows)
        case _:
            _write_table(rows, columns)


def _write_csv(rows: Iterable[Row]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for number, row in enumerate(rows):
        if number == 0:
            writer.writerow(row)
        writer.writerow(safe(value) if isinstance(value, str) else value for value in row.values())


def _write_table(rows: Iterable[Row], columns: tuple[str, ...]) -> None:
    table = Table(box=box.SIMPLE)
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column in {"size", "distance"} else "left")
    for row in rows:
        table.add_row(*("-" if row[column] is None else safe(str(row[column])) for column in columns))
    Console(highlight=False, markup=False).print(table)
