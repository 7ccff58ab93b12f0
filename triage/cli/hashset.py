"""`triage hashset`: build, import, list and ask hash sets."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich import box
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from triage.cli.output import console
from triage.cli.parameters import PLACE, TEXT
from triage.cli.stopping import stoppable
from triage.cli.text import json_line, safe, size
from triage.hashsets.formats import FORMATS
from triage.model.finding import EXACT, Match, SetKind

if TYPE_CHECKING:  # heavy to load, and help must come at once
    from triage.hashsets.compile import ImportSummary
    from triage.hashsets.library import Listing

Progress = Callable[[int, int], None]

_LINE_SECONDS = 5.0
_UNTOUCHED = "nothing was written"
_LIBRARY = click.option(
    "--library",
    type=PLACE,
    help="folder of the hash sets [default: $DIGIVAN_HOME/hashsets, else ~/.local/share/digivan/hashsets]",
)
_NAME = click.option("--name", type=TEXT, required=True, help="name of the set, shown with every finding")
_VERSION = click.option(
    "--set-version", "version", type=TEXT, default="1", show_default=True, help="version of the set"
)
_REPLACE = click.option("--replace", is_flag=True, help="take the place of a set of the same name and version")
_KINDS = click.Choice([kind.value for kind in SetKind])


@click.group()
def hashset() -> None:
    """Make, import and look into hash sets. A library is a folder of sealed files, one a set."""


@hashset.command()
@click.argument("folder", type=PLACE)
@_NAME
@_VERSION
@click.option("--kind", type=_KINDS, default=SetKind.NOTABLE.value, show_default=True, help="what membership means")
@_REPLACE
@_LIBRARY
def build(*, folder: Path, name: str, version: str, kind: str, replace: bool, library: Path | None) -> None:
    """Compile a set from the files in FOLDER: digests, sizes and perceptual hashes."""
    from triage.session import hashsets  # noqa: PLC0415 - heavy to load, and help must come at once

    with stoppable(_UNTOUCHED), _bar(f"building {name}") as progress:
        summary = hashsets.build(
            folder,
            name=name,
            version=version,
            kind=SetKind(kind),
            library=library,
            replacing=replace,
            progress=progress,
        )
    _tell(summary)


@hashset.command(name="import")
@click.argument("files", nargs=-1, required=True, type=PLACE)
@_NAME
@_VERSION
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True, help="format of the files"
)
@click.option("--kind", type=_KINDS, help="what membership means; needed for a set without categories")
@_REPLACE
@_LIBRARY
def import_(
    *,
    files: tuple[Path, ...],
    name: str,
    version: str,
    form: str,
    kind: str | None,
    replace: bool,
    library: Path | None,
) -> None:
    """Compile published FILES into one sealed set: VICS JSON, md5sum and the like, CSV, lists of PDQ hashes.

    The format is found by content; only a bare list of PDQ hashes, which looks like one of SHA-256, must be named.
    Rows that cannot be used are counted and reported by line.
    """
    from triage.session import hashsets  # noqa: PLC0415 - heavy to load, and help must come at once

    with stoppable(_UNTOUCHED), _bar(f"importing {name}") as progress:
        summary = hashsets.import_published(
            list(files),
            name=name,
            version=version,
            form=form,
            kind=SetKind(kind) if kind else None,
            library=library,
            replacing=replace,
            progress=progress,
        )
    _tell(summary)


@hashset.command(name="list")
@_LIBRARY
@click.option("--json", "as_json", is_flag=True, help="print one JSON object a line")
def list_(library: Path | None, as_json: bool) -> None:
    """List the sets of the library; in a library of less than 1 GiB every byte of them is verified."""
    from triage.session import hashsets  # noqa: PLC0415 - heavy to load, and help must come at once

    _warn(hashsets.missing(library))
    entries = hashsets.listing(library)
    if as_json:
        for entry in entries:
            sys.stdout.write(json_line(_row(entry)) + "\n")
        return
    verified = all(entry.verified for entry in entries)
    table = Table(box=box.SIMPLE)
    digest = "digest or problem" if verified else "digest (not verified) or problem"
    for column in ("name", "version", "kind", "date", "records", digest):
        table.add_column(column, overflow="fold")
    for entry in entries:
        table.add_row(*_cells(entry))
    console().print(table)


@hashset.command()
@click.argument("hashes", nargs=-1, required=True, metavar="HASH_OR_FILE...")
@_LIBRARY
@click.option("--json", "as_json", is_flag=True, help="print one JSON object a line")
def lookup(hashes: tuple[str, ...], library: Path | None, as_json: bool) -> None:
    """Look hashes or files up in every set of the library.

    A hash is hexadecimal: MD5, SHA-1, SHA-256, PDQ (64 digits) or pHash (16 digits). Nothing found is no error.
    """
    from triage.session import hashsets  # noqa: PLC0415 - heavy to load, and help must come at once

    found = [(text, hashsets.lookup(text, library)) for text in hashes]
    _warn(hashsets.missing(library))
    for text, matches in found:
        if as_json:
            rows = [_match_row(text, match) for match in matches] or [{"query": text, "set": None}]
            sys.stdout.writelines(json_line(row) + "\n" for row in rows)
        else:
            lines = [_match_line(match) for match in matches] or ["in no set"]
            sys.stdout.writelines(safe(f"{text}: {line}") + "\n" for line in lines)


def _match_row(text: str, match: Match) -> dict[str, object]:
    return {
        "query": text,
        "set": match.set.name,
        "set_version": match.set.version,
        "kind": match.set.kind.value,
        "match": match.by.value,
        "distance": match.distance,
        "category": match.category,
        "grade": match.grade,
    }


def _match_line(match: Match) -> str:
    near = "" if match.by in EXACT else f", {match.distance} bits away"
    category = f", category {match.category}" if match.category else ""
    return f"in {match.set.name} ({match.set.kind.value}) by {match.by}{near}{category}"


def _cells(entry: Listing) -> tuple[str, ...]:
    if entry.header is None:
        return safe(entry.path.name), "", "", "", "", safe(entry.problem or "")
    header, meta = entry.header, entry.header.meta
    records = f"{header.counts['records']:,}"
    return safe(meta.name), safe(meta.version), meta.kind.value, safe(meta.date[:10]), records, header.digest[:16]


def _row(entry: Listing) -> dict[str, object]:
    header = entry.header
    if header is None:
        return {"file": entry.path.name, "problem": entry.problem}
    meta = header.meta
    return {
        "file": entry.path.name,
        "name": meta.name,
        "version": meta.version,
        "kind": meta.kind.value,
        "date": meta.date,
        "origin": meta.origin,
        "counts": dict(header.counts),
        "digest": header.digest,
        "problem": None,
        "verified": entry.verified,
    }


def _tell(summary: ImportSummary) -> None:
    meta, counts = summary.header.meta, summary.header.counts
    members = ", ".join(f"{counts[name]:,} {name}" for name in counts if name != "records" and counts[name])
    click.echo(safe(f"{meta.name} {meta.version} ({meta.kind.value}): {counts['records']:,} records ({members})"))
    if meta.category_map == "none":
        region = f" of region {meta.region}" if meta.region else ""
        click.echo(safe(f"  categories{region} are kept as their raw codes: no table gives their meaning"), err=True)
    for report in summary.reports:
        click.echo(safe(f"  {report.file}: {report.rows:,} rows read, {report.used:,} used"), err=True)
        for note in report.notes:
            click.echo(safe(f"    {note}"), err=True)
        for what, tallies in (("skipped", report.skipped), ("value dropped", report.bad_values)):
            for reason, tally in tallies.items():
                places = ", ".join(str(place) for place in tally.places)
                click.echo(safe(f"    {tally.count:,} {what}: {reason} ({report.unit} {places})"), err=True)
    if summary.empty_files:
        click.echo(f"  {summary.empty_files:,} empty files dropped", err=True)
    if summary.unchanged:
        click.echo("  the same set was there already and was left as it is", err=True)
    if summary.replaced is not None:
        click.echo(safe(f"  took the place of version {summary.replaced.version}"), err=True)


def _warn(missing: Path | None) -> None:
    if missing is not None:
        click.echo(safe(f"warning: the library {missing} does not exist: nothing is looked into"), err=True)


@contextmanager
def _bar(title: str) -> Iterator[Progress]:
    """Yield a function that shows how far a job is: a bar on a terminal, a line every few seconds without one."""
    if not sys.stderr.isatty():
        yield _line_every_few_seconds(title)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console(stderr=True), auto_refresh=False) as bar:
        task = bar.add_task(safe(title), total=None)

        def show(done: int, whole: int) -> None:
            bar.update(task, completed=done, total=whole, refresh=True)

        yield show


def _line_every_few_seconds(title: str) -> Progress:
    last = time.monotonic()

    def show(done: int, whole: int) -> None:
        nonlocal last
        if time.monotonic() - last > _LINE_SECONDS:
            last = time.monotonic()
            click.echo(safe(f"{title}: {size(done)} of {size(whole)}"), err=True)

    return show
