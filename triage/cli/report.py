"""The result of an examination for a person: findings, coverage, recommendation with its reasons."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from triage.cli.account import share
from triage.cli.output import console
from triage.cli.rows import where
from triage.cli.text import duration, safe, size

_SHOWN = 40
_VERDICTS = {
    "seize-indicated": "! SEIZE INDICATED",
    "return-indicated": "= RETURN INDICATED",
    "not-determined": "? NOT DETERMINED",
}


def show_result(result: Mapping[str, Any], findings: Iterable[Mapping[str, Any]]) -> None:
    """Print the report to standard output."""
    out = console()
    out.print(
        f"\nExhibit {safe(result['exhibit'])}: {size(result['size'])} ({result['source_kind']}), "
        f"{result['items']:,} items, {result['examined']:,} examined in {duration(result['seconds'])}"
    )
    if result["findings"]:
        out.print(_findings(findings, result["findings"]))
    else:
        out.print("\nNo finding in the hash sets that were loaded. Hash sets find only known material.")
    out.print(coverage_table(result["coverage"], result["size"]))
    show_recommendation(out, result["recommendation"])
    if result["digest_ways"]:
        ways = ", ".join(f"{count:,} by {way}" for way, count in result["digest_ways"].items())
        out.print(f"How contents were read and digested: {ways}.")
    if result["decision"]:
        out.print(decision_line(result["decision"]), style="bold")
    out.print("The software recommends; a named examiner decides.")


def show_recommendation(out: Console, recommendation: Mapping[str, Any]) -> None:
    """Print a recommendation and its reasons."""
    out.print(f"Recommendation: {_VERDICTS[recommendation['verdict']]}", style="bold")
    for reason in recommendation["reasons"]:
        out.print(f"  - {safe(reason['text'])} [{reason['code']}]")


def decision_line(decision: Mapping[str, Any]) -> str:
    """Return a decision in one line, and how it stands."""
    by = f"{decision['verdict'].upper()} by {safe(decision['examiner'])} at {decision['when']}"
    return f"Decision {decision['decision']}: {by} ({standing(decision)})"


def standing(decision: Mapping[str, Any]) -> str:
    """Return whether a decision is in force, and what happened since it was made."""
    if decision["superseded_by"] is not None:
        return f"superseded by decision {decision['superseded_by']}"
    since = list(dict.fromkeys(decision["since"]))
    return f"in force, but made before: {', '.join(since)}" if since else "in force"


def _findings(findings: Iterable[Mapping[str, Any]], count: int) -> Table:
    more = f" (the first {_SHOWN})" if count > _SHOWN else ""
    table = Table(
        title=f"{count:,} {'finding' if count == 1 else 'findings'}{more}", title_justify="left", box=box.SIMPLE
    )
    for column in ("match", "bits", "set", "category", "where"):
        table.add_column(column, justify="right" if column == "bits" else "left", overflow="fold")
    for row in islice(findings, _SHOWN):
        kind = row["match"] if row["match"] not in {"pdq", "phash", "block"} else _candidate(row)
        table.add_row(kind, str(row["distance"]), safe(row["set"]), safe(str(row["category"] or "-")), where(row))
    return table


def _candidate(row: Mapping[str, Any]) -> str:
    judged = {None: "?", True: " confirmed", False: " rejected"}[row["confirmed"]]
    return f"{row['match']}{judged}"


def coverage_table(coverage: Mapping[str, int], whole: int) -> Table:
    """Return the coverage account as a table."""
    table = Table(title="Coverage", title_justify="left", box=box.SIMPLE)
    table.add_column("class")
    table.add_column("bytes", justify="right")
    table.add_column("share", justify="right")
    for kind, count in coverage.items():
        if count:
            table.add_row(kind, f"{count:,}", share(count, whole))
    table.add_row("sum", f"{sum(coverage.values()):,}", "", style="bold")
    return table
