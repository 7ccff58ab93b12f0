"""`triage receive` and `received`: what is known of an exhibit when it arrives, and what was corrected later."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from triage.cli.output import console
from triage.cli.parameters import TEXT
from triage.cli.rows import CASE, CSV, EXHIBIT, JSON, JSONL, open_reader, writer
from triage.cli.text import json_line, safe

Row = Mapping[str, Any]

_WRITE_BLOCKS = ("hardware", "system", "image", "none")
_FIELDS = (
    *("description", "make", "model", "serial", "seal", "state_on_arrival", "write_block"),
    *("found_where", "found_when", "found_by", "operation", "authority", "premises", "examiner"),
)


@click.command()
@CASE
@click.option("--exhibit", type=TEXT, required=True, metavar="REF", help="reference such as ABC/1")
@click.option("--description", type=TEXT, required=True, help="what it is, in a few words")
@click.option("--examiner", type=TEXT, required=True, metavar="NAME", help="who takes it in")
@click.option("--seal", type=TEXT, metavar="NUMBER", help="number of the seal or bag that it came in")
@click.option("--make", type=TEXT, help="as it is written on the device")
@click.option("--model", type=TEXT, help="likewise")
@click.option("--serial", type=TEXT, help="likewise")
@click.option("--found-where", type=TEXT, help="room and place")
@click.option("--found-when", type=TEXT, metavar="TIME", help="local time, as 2026-11-23 14:05")
@click.option("--found-by", type=TEXT, metavar="NAME", help="who found it")
@click.option("--state-on-arrival", type=TEXT, help="on, off, damaged, sealed, ...")
@click.option(
    "--write-block",
    type=click.Choice(_WRITE_BLOCKS),
    help="hardware: a write blocker; system: read-only by this machine; image: an image of it is examined",
)
@click.option("--operation", type=TEXT, help="name of the operation")
@click.option("--authority", type=TEXT, help='warrant or power, such as "PACE 1984 s.8 warrant"')
@click.option("--premises", type=TEXT, help="address of the premises")
@JSON
def receive(*, case: Path, as_json: bool, **said: str | None) -> None:
    """Record what is known of an exhibit on arrival, before it is examined; the case is made when it is new.

    The record is a custody event and is never edited: receive the exhibit again with the whole record put right, and
    the later one stands.

    \b
    Example:
      triage receive --exhibit ABC/1 --description "black USB stick" --examiner "A Examiner" --seal B1234567 \\
        --found-where "bedroom 2, desk" --found-when "2026-11-23 14:05" --found-by "B Officer" --write-block hardware
    """  # noqa: D301 - \b is click's mark for text that must not be re-wrapped
    from triage.session.intake import Received  # noqa: PLC0415 - heavy to load, and help must come at once
    from triage.session.intake import receive as record  # noqa: PLC0415 - as above

    row = record(case, Received(**{name: value or "" for name, value in said.items()}))
    if row["not_stated"]:
        options = " and ".join(f"--{name.replace('_', '-')}" for name in row["not_stated"])
        click.echo(f"not stated: {options}; receive the exhibit again to add them", err=True)
    if as_json:
        sys.stdout.write(json_line(row) + "\n")
    else:
        _show(row)


@click.command()
@CASE
@EXHIBIT
@JSONL
@CSV
def received(case: Path, exhibit: str | None, *, jsonl: bool, as_csv: bool) -> None:
    """List what was recorded of exhibits on arrival: the record that stands and those that it corrected."""
    from triage.session.intake import arrivals  # noqa: PLC0415 - heavy to load, and help must come at once

    write = writer(("exhibit", "description", "seal", "examiner", "when", "superseded"), jsonl=jsonl, as_csv=as_csv)
    with open_reader(case) as reader:
        write(arrivals(reader, exhibit), several=False)


def _show(row: Row) -> None:
    out = console()
    out.print(f"Exhibit {safe(row['exhibit'])} received {row['when']}", style="bold")
    for name in _FIELDS:
        out.print(f"  {name.replace('_', ' '):<17} {safe(row[name]) if row[name] else 'not stated'}")
