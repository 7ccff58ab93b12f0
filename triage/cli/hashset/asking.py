"""`triage hashset list`, `show`, `verify` and `lookup`: what sets are and hold."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich import box
from rich.table import Table

from triage.cli.hashset import options
from triage.cli.output import console
from triage.cli.stopping import stoppable
from triage.cli.text import json_line, safe, size
from triage.hashsets.record import Label, flag_names
from triage.model.errors import StoreError
from triage.model.finding import EXACT, Match

if TYPE_CHECKING:  # heavy to load, and help must come at once
    from triage.hashsets.library import Listing
    from triage.session.library import Description

_SHOWN_LABELS = 40


@click.command(name="list")
@options.LIBRARY
@options.JSON
def list_(library: Path | None, as_json: bool) -> None:
    """List the sets of the library; in a library of less than 1 GiB every byte of them is verified."""
    from triage.session import library as sets  # noqa: PLC0415 - heavy to load, and help must come at once

    _warn(sets.missing(library))
    entries = sets.listing(library)
    if as_json:
        sys.stdout.writelines(json_line(_row(entry)) + "\n" for entry in entries)
        return
    verified = all(entry.verified for entry in entries)
    table = Table(box=box.SIMPLE)
    digest = "digest or problem" if verified else "digest (not verified) or problem"
    for column in ("name", "version", "kind", "date", "records", "seal", digest):
        table.add_column(column, overflow="fold", justify="right" if column == "records" else "left")
    for entry in entries:
        table.add_row(*_cells(entry))
    console().print(table)


@click.command()
@click.argument("name", type=options.SET_NAME)
@options.LIBRARY
@options.JSON
def show(name: str, library: Path | None, as_json: bool) -> None:
    """Show all there is to tell of the set NAME: origin, age, counts, categories, seal, conflicts."""
    from triage.session import library as sets  # noqa: PLC0415 - heavy to load, and help must come at once

    told = sets.describe(name, library)
    if as_json:
        sys.stdout.write(json_line(_description(told)) + "\n")
    else:
        sys.stdout.writelines(safe(line) + "\n" for line in _lines(told))


@click.command()
@click.argument("names", nargs=-1, type=options.SET_NAME)
@options.LIBRARY
@options.JSON
def verify(names: tuple[str, ...], library: Path | None, as_json: bool) -> None:
    """Read every byte of the sets NAMES, or of all, check their seals, and look members of theirs up.

    Exit code 4 if one is refused.
    """
    from triage.session import library as sets  # noqa: PLC0415 - heavy to load, and help must come at once

    _warn(sets.missing(library))
    refused = []
    with stoppable("sets that were verified are said above"):
        for entry in sets.verify(names, library):
            refused += [] if entry.problem is None else [entry]
            row = json_line(_row(entry)) if as_json else safe(_verdict(entry))
            sys.stdout.write(row + "\n")
            sys.stdout.flush()
    if refused:
        count = f"{len(refused)} hash sets are" if len(refused) > 1 else "1 hash set is"
        raise StoreError(f"{count} refused: {refused[0].problem}")


@click.command()
@click.argument("hashes", nargs=-1, required=True, metavar="HASH_OR_FILE...")
@options.LIBRARY
@options.JSON
def lookup(hashes: tuple[str, ...], library: Path | None, as_json: bool) -> None:
    """Look hashes or files up in every set of the library.

    A hash is hexadecimal: MD5, SHA-1, SHA-256, PDQ (64 digits) or pHash (16 digits). Nothing found is no error.
    """
    from triage.session import library as sets  # noqa: PLC0415 - heavy to load, and help must come at once
    from triage.session import lookup as looking  # noqa: PLC0415 - as above

    found = looking.lookup(hashes, library)
    _warn(sets.missing(library))
    for text, answer in zip(hashes, found, strict=True):
        matches = answer.matches
        if answer.note:
            click.echo(safe(f"{text}: {answer.note}"), err=True)
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
        "series": match.series,
        "flags": list(match.flags),
    }


def _match_line(match: Match) -> str:
    near = "" if match.by in EXACT else f", {match.distance} bits away"
    said = [("category", match.category), ("grade", match.grade), ("series", match.series)]
    more = "".join(f", {what} {value}" for what, value in said if value)
    return f"in {match.set.name} ({match.set.kind.value}) by {match.by}{near}{more}"


def _cells(entry: Listing) -> tuple[str, ...]:
    if entry.header is None:
        return safe(entry.path.name), "", "", "", "", "", safe(entry.problem or "")
    header, meta = entry.header, entry.header.meta
    return (
        safe(meta.name),
        safe(meta.version),
        meta.kind.value,
        safe((meta.published or meta.date)[:10]),
        f"{header.counts['records']:,}",
        safe(str(entry.seal)),
        header.digest[:16],
    )


def _row(entry: Listing) -> dict[str, object]:
    header = entry.header
    if header is None:
        return {"file": entry.path.name, "problem": entry.problem, "verified": False}
    meta = header.meta
    return {
        "file": entry.path.name,
        "name": meta.name,
        "version": meta.version,
        "kind": meta.kind.value,
        "date": meta.date,
        "published": meta.published,
        "origin": meta.origin,
        "region": meta.region,
        "category_map": meta.category_map,
        "phash_distance": meta.phash_radius,
        "counts": dict(header.counts),
        "blocks": None if header.blocks is None else asdict(header.blocks),
        "frames": None if header.frames is None else asdict(header.frames),
        "digest": header.digest,
        "seal": str(entry.seal),
        "size": entry.size,
        "problem": None,
        "verified": entry.verified,
    }


def _verdict(entry: Listing) -> str:
    if entry.header is None:
        return f"{entry.path.name}: REFUSED: {entry.problem}"
    meta = entry.header.meta
    return f"{meta.name} {meta.version}: verified, {size(entry.size)}, {entry.seal}, digest {entry.header.digest}"


def _description(told: Description) -> dict[str, object]:
    return {
        **_row(told.listing),
        "age_days": told.age_days,
        "labels": [{**label._asdict(), "name": name, "records": count} for label, name, count in told.labels],
        "conflicts": [
            {"notable": one.notable, "known": one.known, "algorithm": one.algorithm, "count": one.count}
            for one in told.conflicts
        ],
    }


def _lines(told: Description) -> list[str]:
    row = _row(told.listing)
    counts = told.listing.header.counts if told.listing.header else {}
    blocks = told.listing.header.blocks if told.listing.header else None
    frames = told.listing.header.frames if told.listing.header else None
    age = "" if told.age_days is None else f" ({told.age_days} days ago)"
    lines = [
        f"{row['name']} {row['version']} ({row['kind']})",
        f"  origin      {row['origin']}",
        f"  {'published ' if row['published'] else 'made      '}  {str(row['published'] or row['date'])[:10]}{age}",
        f"  region      {row['region'] or '-'}, categories: {row['category_map']}",
        "  holds       " + ", ".join(f"{count:,} {name}" for name, count in counts.items() if count),
        f"  blocks      {'no hashes of blocks' if blocks is None else blocks.text}",
        f"  videos      {'no frames of videos' if frames is None else frames.text}",
        f"  pHash near  {row['phash_distance']} of 64 bits",
        f"  seal        {row['seal']}",
        f"  digest      {row['digest']}",
        f"  file        {told.listing.path} ({size(told.listing.size)})",
    ]
    lines += [_label_line(*label) for label in told.labels[:_SHOWN_LABELS] if any(label[0])]
    if len(told.labels) > _SHOWN_LABELS:
        lines.append(f"  and {len(told.labels) - _SHOWN_LABELS:,} labels more: --json shows all")
    lines += [
        f"  conflict    {one.count:,} {one.algorithm} both in {one.notable} (notable) and in {one.known} (known)"
        for one in told.conflicts
    ]
    return lines


def _label_line(label: Label, name: str | None, count: int) -> str:
    category = f"category {label.category}{f' ({name})' if name else ''}" if label.category else "no category"
    more = [f"grade {label.grade}" if label.grade else "", f"series {label.series}" if label.series else ""]
    said = ", ".join([category, *filter(None, more), *flag_names(label.flags)])
    return f"  {count:>10,}  {said}"


def _warn(missing: Path | None) -> None:
    if missing is not None:
        click.echo(safe(f"warning: the library {missing} does not exist: nothing is looked into"), err=True)
