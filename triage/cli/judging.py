"""`triage judge` and `judgements`: a person's word on candidates."""

import sys
from contextlib import closing
from pathlib import Path

import click

from triage.cli.output import console
from triage.cli.parameters import TEXT
from triage.cli.report import show_recommendation
from triage.cli.rows import CASE, CSV, EXHIBIT, JSON, JSONL, open_reader, writer
from triage.cli.text import json_line, safe

_MOST = (1 << 63) - 1  # the largest number of a row


@click.command()
@CASE
@click.option(
    "--finding",
    "findings",
    type=click.IntRange(1, _MOST),
    required=True,
    multiple=True,
    metavar="ID",
    help="number of the finding, as triage findings shows it; may be given several times",
)
@click.argument("verdict", type=click.Choice(["confirm", "reject"], case_sensitive=False))
@click.option("--examiner", type=TEXT, required=True, metavar="NAME", help="who judges")
@click.option("--note", type=TEXT, help="what was seen")
@JSON
def judge(
    *, case: Path, findings: tuple[int, ...], verdict: str, examiner: str, note: str | None, as_json: bool
) -> None:
    """Record that a person confirms or rejects candidates, and make the recommendation anew.

    Candidates are matches by appearance or by blocks of a file.

    No picture is shown here. A judgement is never edited: judge again, and the later one counts. A digest match cannot
    be judged.

    \b
    Examples:
      triage findings --exhibit ABC/1
      triage judge --finding 3 --finding 5 reject --examiner "A Examiner" --note "another place"
    """  # noqa: D301 - \b is click's mark for text that must not be re-wrapped
    from triage.session.judging import judge as record  # noqa: PLC0415 - heavy to load, and help must come at once

    judged, recommended = record(case, findings, confirmed=verdict.lower() == "confirm", examiner=examiner, note=note)
    if as_json:
        sys.stdout.write(json_line({"judgements": judged, "recommendations": recommended}) + "\n")
        return
    out = console()
    for row in judged:
        word = "confirmed" if row["confirmed"] else "rejected"
        near = f"{row['match']}, {row['distance']} bits away, in {safe(row['set'])}"
        out.print(f"Finding {row['finding']} {word} by {safe(row['examiner'])}: {safe(row['path'])} ({near})")
    for exhibit, recommendation in recommended.items():
        out.print(f"\nExhibit {safe(exhibit)}")
        show_recommendation(out, recommendation)


@click.command()
@CASE
@EXHIBIT
@JSONL
@CSV
def judgements(case: Path, exhibit: str | None, *, jsonl: bool, as_csv: bool) -> None:
    """List every judgement of a candidate: those that count and those that were superseded."""
    columns = ("judgement", "finding", "confirmed", "examiner", "when", "superseded_by", "path")
    write = writer(columns, jsonl=jsonl, as_csv=as_csv)
    with open_reader(case) as reader, closing(reader.judgements.rows(exhibit)) as rows:
        write(rows, several=exhibit is None and len(reader.queries.exhibits()) > 1)
