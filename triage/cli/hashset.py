"""`triage hashset`: build, import, list and ask hash sets."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from triage.cli.text import json_line, safe, size
from triage.hashsets.compile import FORMATS, ImportSummary
from triage.hashsets.library import Listing
from triage.model.finding import EXACT, SetKind
from triage.session import hashsets

_LINE_SECONDS = 5.0
_LIBRARY = click.option(
    "--library",
    type=click.Path(path_type=Path),
    help="folder of the hash sets [default: $DIGIVAN_HOME/hashsets, else ~/.local/share/digivan/hashsets]",
)
_NAME = click.option("--name", required=True, help="name of the set, shown with every finding")
_VERSION = click.option("--set-version", "version", default="1", show_default=True, help="version of the set")
_KINDS = click.Choice([kind.value for kind in SetKind])


@click.group()
def hashset() -> None:
    """Make, import and look into hash sets. A library is a folder of sealed files, one a set."""


@hashset.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_NAME
@_VERSION
@click.option("--kind", type=_KINDS, default=SetKind.NOTABLE.value, show_default=True, help="what membership means")
@_LIBRARY
def build(folder: Path, name: str, version: str, kind: str, library: Path | None) -> None:
    """Compile a set from the files in FOLDER: digests, sizes and perceptual hashes."""
    with _bar(f"building {name}") as progress:
        summary = hashsets.build(
            folder, name=name, version=version, kind=SetKind(kind), library=library, progress=progress
        )
    _tell(summary)


@hashset.command(name="import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@_NAME
@_VERSION
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True, help="format of the files"
)
@click.option("--kind", type=_KINDS, help="what membership means; needed for a set without categories")
@_LIBRARY
def import_(
    *, files: tuple[Path, ...], name: str, version: str, form: str, kind: str | None, library: Path | None
) -> None:
    """Compile published FILES into one sealed set: VICS JSON, md5sum and the like, CSV.

    The format is found by content. Rows that cannot be used are counted and reported by line.
    """
    with _bar(f"importing {name}") as progress:
        summary = hashsets.import_published(
            list(files),
            name=name,
            version=version,
            form=form,
            kind=SetKind(kind) if kind else None,
            library=library,
            progress=progress,
        )
    _tell(summary)


@hashset.command(name="list")
@_LIBRARY
@click.option("--json", "as_json", is_flag=True, help="print one JSON object a line")
def list_(library: Path | None, as_json: bool) -> None:
    """List the sets of the library."""
    table = Table(box=box.SIMPLE)
    for column in ("name", "version", "kind", "date", "records", "digest or problem"):
        table.add_column(column, overflow="fold")
    for entry in hashsets.listing(library):
        header = entry.header
        if as_json:
            sys.stdout.write(json_line(_row(entry)) + "\n")
        elif header is None:
            table.add_row(safe(entry.path.name), "", "", "", "", safe(entry.problem or ""))
        else:
            meta = header.meta
            records = f"{header.counts['records']:,}"
            table.add_row(
                safe(meta.name), safe(meta.version), meta.kind.value, meta.date[:10], records, header.digest[:16]
            )
    if not as_json:
        Console(highlight=False, markup=False).print(table)


@hashset.command()
@click.argument("hashes", nargs=-1, required=True, metavar="HASH_OR_FILE...")
@_LIBRARY
@click.option("--json", "as_json", is_flag=True, help="print one JSON object a line")
def lookup(hashes: tuple[str, ...], library: Path | None, as_json: bool) -> None:
    """Look hashes or files up in every set of the library.

    A hash is hexadecimal: MD5, SHA-1, SHA-256, PDQ (64 digits) or pHash (16 digits). Nothing found is no error.
    """
    for text in hashes:
        matches = hashsets.lookup(text, library)
        for match in matches:
            row = {
                "query": text,
                "set": match.set.name,
                "set_version": match.set.version,
                "kind": match.set.kind.value,
                "match": match.by.value,
                "distance": match.distance,
                "category": match.category,
                "grade": match.grade,
            }
            if as_json:
                sys.stdout.write(json_line(row) + "\n")
            else:
                near = "" if match.by in EXACT else f", {match.distance} bits away"
                category = f", category {match.category}" if match.category else ""
                click.echo(safe(f"{text}: in {match.set.name} ({match.set.kind.value}) by {match.by}{near}{category}"))
        if not matches and not as_json:
            click.echo(safe(f"{text}: in no set"))


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
        for what, tallies in (("skipped", report.skipped), ("value dropped", report.bad_values)):
            for reason, tally in tallies.items():
                places = ", ".join(str(place) for place in tally.places)
                click.echo(safe(f"    {tally.count:,} {what}: {reason} ({report.unit} {places})"), err=True)
    if summary.empty_files:
        click.echo(f"  {summary.empty_files:,} empty files dropped", err=True)
    if summary.replaced is not None:
        click.echo(safe(f"  took the place of version {summary.replaced.version}"), err=True)


@contextmanager
def _bar(title: str) -> Iterator[hashsets.Progress]:
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
    with Bar(*columns, console=Console(stderr=True), auto_refresh=False) as bar:
        task = bar.add_task(safe(title), total=None)

        def show(done: int, whole: int) -> None:
            bar.update(task, completed=done, total=whole, refresh=True)

        yield show


def _line_every_few_seconds(title: str) -> hashsets.Progress:
    last = time.monotonic()

    def show(done: int, whole: int) -> None:
        nonlocal last
        if time.monotonic() - last > _LINE_SECONDS:
            last = time.monotonic()
            click.echo(safe(f"{title}: {size(done)} of {size(whole)}"), err=True)

    return show
