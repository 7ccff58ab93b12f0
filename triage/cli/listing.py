"""`triage items`, `findings`, `indications`, `coverage`: what a case holds, as a table, CSV or JSON lines."""

import sys
from contextlib import closing
from pathlib import Path

import click

from triage.cli.account import show_account
from triage.cli.output import console
from triage.cli.rows import CASE, CSV, EXHIBIT, JSON, JSONL, ONE_EXHIBIT, Row, open_reader, writer
from triage.cli.text import json_line


@click.command()
@CASE
@EXHIBIT
@JSONL
@CSV
def items(case: Path, exhibit: str | None, *, jsonl: bool, as_csv: bool) -> None:
    """List every item seen: one row each, with its outcome.

    \b
    Examples:
      triage items --case ./case --jsonl > items.jsonl
      triage items --case ./case --exhibit ABC/1 --csv > items.csv
    """  # noqa: D301 - \b is click's mark for text that must not be re-wrapped
    write = writer(("outcome", "kind", "size", "md5", "path"), jsonl=jsonl, as_csv=as_csv)
    with open_reader(case) as reader, closing(reader.queries.items(exhibit)) as rows:
        write(rows, several=exhibit is None and len(reader.queries.exhibits()) > 1)


@click.command()
@CASE
@EXHIBIT
@JSONL
@CSV
def findings(case: Path, exhibit: str | None, *, jsonl: bool, as_csv: bool) -> None:
    """List every finding: which item, which set, by which hash, how near, and what a person judged.

    `id` is the number that triage judge takes.
    """
    write = writer(("id", "match", "distance", "set", "category", "confirmed", "path"), jsonl=jsonl, as_csv=as_csv)
    with open_reader(case) as reader, closing(reader.queries.findings(exhibit)) as rows:
        write(rows, several=exhibit is None and len(reader.queries.exhibits()) > 1)


@click.command()
@CASE
@EXHIBIT
@JSONL
@CSV
def indications(case: Path, exhibit: str | None, *, jsonl: bool, as_csv: bool) -> None:
    """List hints: encryption, wiping, file sharing, backups, accounts, connected devices, words of the force's list.

    Most rest on names, which prove nothing of a content; accounts and devices on what the system recorded. No
    recommendation rests on any of them.
    """
    write = writer(("group", "label", "path"), jsonl=jsonl, as_csv=as_csv)
    with open_reader(case) as reader, closing(reader.indications.rows(exhibit)) as rows:
        write(rows, several=exhibit is None and len(reader.queries.exhibits()) > 1)


@click.command()
@CASE
@ONE_EXHIBIT
@JSON
def coverage(case: Path, exhibit: str, as_json: bool) -> None:
    """Show the coverage account: every byte of the exhibit in exactly one class, every item in one outcome.

    The account is given for the whole exhibit and for each of its volumes and gaps.
    """
    from triage.session.conclusion import coverage_now  # noqa: PLC0415 - heavy to load, and help must come at once

    with open_reader(case) as reader:
        account: Row = coverage_now(reader, exhibit)
    if as_json:
        sys.stdout.write(json_line(account) + "\n")
        return
    show_account(console(), account)
