"""`triage decide` and `decisions`: what a named examiner decides, and what was decided."""

import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from triage.cli.asking import acknowledged_on_a_terminal, stated_on_a_terminal
from triage.cli.output import console
from triage.cli.parameters import TEXT
from triage.cli.report import decision_line, standing
from triage.cli.rows import CASE, CSV, EXHIBIT, JSON, JSONL, ONE_EXHIBIT, open_reader, writer
from triage.cli.text import json_line, safe
from triage.model.decision import Decided, Statement
from triage.model.recommendation import Recommendation
from triage.policy.deciding import check_statement, codes_of, limitations

Row = Mapping[str, Any]

_TOLD = ("reason", "power", "necessity", "practicability")


@click.command()
@CASE
@ONE_EXHIBIT
@click.argument("verdict", type=click.Choice([verdict.value for verdict in Decided], case_sensitive=False))
@click.option("--reason", type=TEXT, required=True, help="why")
@click.option("--examiner", type=TEXT, required=True, metavar="NAME", help="who decides")
@click.option("--power", type=TEXT, help='legal power relied on, such as "PACE 1984 s.19" or "CJPA 2001 s.50"')
@click.option("--necessity", type=TEXT, help="why it is necessary and proportionate")
@click.option("--practicability", type=TEXT, help="why it was or was not practicable to determine the matter on scene")
@click.option(
    "--acknowledge",
    type=TEXT,
    multiple=True,
    metavar="CODE|all",
    help="limitations of the result that you take note of; a return needs every one",
)
@click.option("--second", type=TEXT, metavar="NAME", help="who else stands for a decision against the recommendation")
@click.option("--second-reason", type=TEXT, metavar="TEXT", help="why that person does")
@JSON
def decide(*, case: Path, exhibit: str, verdict: str, acknowledge: tuple[str, ...], as_json: bool, **said: Any) -> None:
    """Record what a named examiner decides on an exhibit: return it, seize it, or refer it to the laboratory.

    A decision is bound to the recommendation, coverage, plan and policy as they stand. It is never edited: decide
    again, and the later decision supersedes the earlier one. To return what is not "return indicated", or to seize what
    is, needs a second person.

    \b
    Examples:
      triage decide --exhibit ABC/1 return --examiner "A Examiner" --reason "nothing found" --acknowledge all
      triage decide --exhibit ABC/2 seize --examiner "A Examiner" --reason "digest matches" \\
        --power "PACE 1984 s.19" --necessity "evidence; no lesser measure would secure it"
    """  # noqa: D301 - \b is click's mark for text that must not be re-wrapped
    from triage.session.deciding import Deciding  # noqa: PLC0415 - heavy to load, and help must come at once

    with Deciding(case, exhibit) as deciding:
        codes = _codes(acknowledge, deciding.recommendation)
        statement = Statement(verdict=Decided(verdict.lower()), acknowledged=codes, **said)
        if sys.stdin is not None and sys.stdin.isatty():
            statement = _asked(statement, deciding.recommendation)
        row = _standing(deciding.record(statement))
    if row["not_stated"]:
        click.echo(
            f"not stated: {', '.join(row['not_stated'])}; decide again with --{' and --'.join(row['not_stated'])}",
            err=True,
        )
    if as_json:
        sys.stdout.write(json_line(row) + "\n")
    else:
        _show(row)


@click.command()
@CASE
@EXHIBIT
@JSONL
@CSV
def decisions(case: Path, exhibit: str | None, *, jsonl: bool, as_csv: bool) -> None:
    """List every decision: the one in force on each exhibit and those that it superseded."""
    from triage.session.deciding import decisions as recorded  # noqa: PLC0415 - heavy to load, and help must come at once

    write = writer(("exhibit", "decision", "verdict", "examiner", "when", "standing"), jsonl=jsonl, as_csv=as_csv)
    with open_reader(case) as reader, closing(recorded(reader, exhibit)) as rows:
        write(map(_standing, rows), several=False)


def _standing(row: Row) -> Row:
    return {**row, "standing": standing(row)}


def _codes(given: tuple[str, ...], recommendation: Recommendation) -> tuple[str, ...]:
    """Return the codes that are acknowledged; they may be given one by one, with commas, or as `all`."""
    codes = [code.strip() for words in given for code in words.split(",") if code.strip()]
    standing_codes = codes_of(limitations(recommendation))
    return tuple(dict.fromkeys(one for code in codes for one in (standing_codes if code == "all" else [code])))


def _asked(statement: Statement, recommendation: Recommendation) -> Statement:
    """Return the statement with what a person on a terminal adds; what would be refused is refused before."""
    check_statement(replace(statement, acknowledged=tuple(codes_of(limitations(recommendation)))), recommendation)
    statement = stated_on_a_terminal(statement)
    return acknowledged_on_a_terminal(statement, recommendation)


def _show(row: Row) -> None:
    out = console()
    out.print(f"Exhibit {safe(row['exhibit'])}")
    out.print(decision_line(row), style="bold")
    for name in _TOLD:
        out.print(f"  {name:<15} {safe(row[name]) if row[name] else 'not stated'}")
    against = "; decided AGAINST the recommendation" if row["against"] else ""
    out.print(f"  {'recommended':<15} {row['recommended']}{against}")
    if row["second"]:
        out.print(f"  {'second person':<15} {safe(row['second'])}: {safe(row['second_reason'])}")
    if row["examination"] != "finished":
        out.print(f"  {'examination':<15} stopped before its end ({row['ended_by'] or 'on request'})")
    for reason in limitations(Recommendation.from_fields(row["recommendation"])):
        mark = "acknowledged" if reason.code in row["acknowledged"] else "stands"
        out.print(f"  {mark:<15} {safe(reason.text)} [{reason.code}]")
    for what in ("recommendation", "coverage", "plan", "policy"):
        out.print(f"  {what:<15} sha256 {row[f'{what}_digest']}")
    out.print(f"  {'ledger head':<15} {row['ledger_head']}")
