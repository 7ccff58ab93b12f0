"""`triage hashset build`, `import` and `update`: sets made."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triage.cli.hashset import options
from triage.cli.hashset.bar import shown
from triage.cli.parameters import PLACE, TEXT
from triage.cli.stopping import stoppable
from triage.cli.text import safe
from triage.model.finding import SetKind

if TYPE_CHECKING:  # heavy to load, and help must come at once
    from triage.hashsets.compile import Destination, ImportSummary
    from triage.hashsets.conflicts import Conflict

_UNTOUCHED = "the library is as it was"


@click.command()
@click.argument("folder", type=PLACE)
@options.NAME
@options.VERSION
@click.option(
    "--kind", type=options.KINDS, default=SetKind.NOTABLE.value, show_default=True, help="what membership means"
)
@click.option(
    "--blocks/--no-blocks",
    default=True,
    show_default=True,
    help="hash the blocks of 4 KiB of every file, too: a device can then be sampled whatever its file system is; "
    "the set grows by 0.6 % of the files",
)
@click.option(
    "--videos/--no-videos",
    default=True,
    show_default=True,
    help="decode every video and hash its frames, too: altered copies can then be found; takes part of its length",
)
@options.PHASH_DISTANCE
@options.REPLACE
@options.KEY
@options.LIBRARY
def build(
    *,
    folder: Path,
    name: str,
    version: str,
    kind: str,
    blocks: bool,
    videos: bool,
    phash_distance: int,
    replace: bool,
    key: Path | None,
    library: Path | None,
) -> None:
    """Compile a set from the files in FOLDER: digests, sizes, hashes of blocks, and perceptual hashes.

    Of pictures the perceptual hashes of crops are stored, too, of videos those of their frames.
    """
    from triage.hashsets.sealed import SetMeta  # noqa: PLC0415 - heavy to load, and help must come at once
    from triage.session import making  # noqa: PLC0415 - as above

    date, origin = making.made_now([folder])
    meta = SetMeta(
        name=name,
        version=version,
        kind=SetKind(kind),
        date=date,
        origin=f"files in {origin}",
        phash_radius=phash_distance,
    )
    destination = _destination(library, key, replacing=replace)
    with stoppable(_UNTOUCHED), shown(f"building {name}") as progress:
        summary = making.build(folder, meta, destination, progress=progress, blocks=blocks, videos=videos)
    _tell(summary)


@click.command(name="import")
@click.argument("files", nargs=-1, required=True, type=PLACE)
@options.NAME
@options.VERSION
@options.FORMAT
@click.option("--kind", type=options.KINDS, help="what membership means; needed for a set without categories")
@options.PUBLISHED
@options.CATEGORIES
@options.PHASH_DISTANCE
@options.REPLACE
@options.KEY
@options.LIBRARY
def import_(
    *,
    files: tuple[Path, ...],
    name: str,
    version: str,
    form: str,
    kind: str | None,
    published: str | None,
    categories: Path | None,
    phash_distance: int,
    replace: bool,
    key: Path | None,
    library: Path | None,
) -> None:
    """Compile published FILES into one sealed set; several files make one set.

    The format is found by content: VICS JSON, NSRL (RDSv3 database, delta script, version 2 text), md5sum and the like,
    hashdeep, HashKeeper, iLook, ICSE, EnCase .hash, Autopsy .kdb, ThreatExchange CSV, any table with a header. Only
    bare lists of perceptual hashes, which look like others, must be named: pdq, phash. Rows that cannot be used are
    counted and reported by line.

    \b
    Examples:
      triage hashset import part1.json part2.json --name national --set-version 2026-11
      triage hashset import RDS_2026.09.1_modern_minimal.db --name nsrl --kind known
      triage hashset import pdq.txt --name pictures --format pdq --kind notable
    """  # noqa: D301 - \b is click's mark for text that must not be re-wrapped
    from triage.hashsets.importing import ImportOrder  # noqa: PLC0415 - heavy to load, and help must come at once
    from triage.session import making  # noqa: PLC0415 - as above

    date, origin = making.made_now(list(files))
    order = ImportOrder(
        name=name,
        version=version,
        date=date,
        kind=SetKind(kind) if kind else None,
        origin=origin,
        published=published,
        phash_radius=phash_distance,
        form=form,
        categories=categories,
    )
    destination = _destination(library, key, replacing=replace)
    with stoppable(_UNTOUCHED), shown(f"importing {name}") as progress:
        summary = making.import_published(list(files), order, destination, progress=progress)
    _tell(summary)


@click.command()
@click.argument("name", type=options.SET_NAME)
@click.argument("files", nargs=-1, required=True, type=PLACE)
@click.option("--set-version", "version", type=TEXT, required=True, help="version that the set has then")
@click.option("--delta", is_flag=True, help="FILES hold only what changed: everything else stays")
@options.FORMAT
@options.PUBLISHED
@options.CATEGORIES
@options.KEY
@options.LIBRARY
def update(
    *,
    name: str,
    files: tuple[Path, ...],
    version: str,
    delta: bool,
    form: str,
    published: str | None,
    categories: Path | None,
    key: Path | None,
    library: Path | None,
) -> None:
    """Put a newer version, compiled from FILES, into the place of the set NAME; its kind stays.

    The old version is used until the new one is whole and checked. With --delta, a record takes the place of the one
    with the same hash, and one of a category that is not notable takes it away.
    """
    from triage.hashsets.importing import ImportOrder  # noqa: PLC0415 - heavy to load, and help must come at once
    from triage.session import making  # noqa: PLC0415 - as above

    date, origin = making.made_now(list(files))
    order = ImportOrder(
        name=name,
        version=version,
        date=date,
        origin=origin,
        published=published,
        form=form,
        categories=categories,
    )
    destination = _destination(library, key)
    with stoppable("the old version stays in use"), shown(f"updating {name}") as progress:
        summary = making.update(list(files), order, destination, delta=delta, progress=progress)
    _tell(summary)


def _destination(library: Path | None, key: Path | None, *, replacing: bool = False) -> Destination:
    from triage.session import making, protection  # noqa: PLC0415 - heavy to load, and help must come at once

    ask = partial(options.ask_secret, variable="DIGIVAN_KEY_PASSPHRASE")
    return making.destination(library, replacing=replacing, signer=protection.signer(key, ask))


def _tell(summary: ImportSummary) -> None:
    """Print what was made to standard output, and the account of how to standard error."""
    meta, counts = summary.header.meta, summary.header.counts
    members = ", ".join(f"{count:,} {name}" for name, count in counts.items() if name not in _RECORDS and count)
    click.echo(safe(f"{meta.name} {meta.version} ({meta.kind.value}): {counts['records']:,} records ({members})"))
    for line in _account(summary):
        click.echo(safe(f"  {line}"), err=True)


_RECORDS = frozenset({"records", "variants"})


def _account(summary: ImportSummary) -> list[str]:
    meta = summary.header.meta
    lines = []
    if meta.category_map == "none":
        region = f" of region {meta.region}" if meta.region else ""
        lines.append(f"categories{region} are kept as their raw codes: no table gives their meaning")
    for report in summary.reports:
        lines += report.lines()
    for count, what in (
        (summary.empty_files, "empty files dropped"),
        (summary.duplicates, "records that say what another one says"),
        (summary.header.counts["variants"], "hashes of cropped copies added"),
    ):
        if count:
            lines.append(f"{count:,} {what}")
    beside = (("blocks of 4 KiB", summary.header.blocks), ("videos", summary.header.frames))
    lines += [f"{what}: {held.text}" for what, held in beside if held is not None]
    lines += summary.notes
    if summary.series_dropped:
        lines.append("no series was kept: there are too many different ones")
    if changes := summary.changes:
        lines.append(
            f"of the members before, {changes.changed:,} changed and {changes.removed:,} removed; "
            f"{changes.unmet:,} removals met no member"
        )
    lines += [_told(conflict) for conflict in summary.conflicts]
    if summary.unchanged:
        lines.append("the same set was there already and was left as it is")
    if summary.replaced is not None:
        before = summary.replaced
        lines.append(f"took the place of version {before.meta.version}, which had {before.counts['records']:,} records")
    return lines


def _told(conflict: Conflict) -> str:
    examples = ", ".join(conflict.examples)
    return (
        f"conflict: {conflict.count:,} {conflict.algorithm} both in {conflict.notable} (notable) and in "
        f"{conflict.known} (known), such as {examples}: notable wins"
    )
