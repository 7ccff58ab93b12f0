"""The coverage account for a person: the whole device in one bar, then volume by volume, and the items by rule."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from triage.cli.text import safe

_WIDEST = 100
_LEAST_SHARE = 0.01  # percent

# A mark for each class that is told from the others without a colour; what stands in the way of a return is loudest.
_MARKS = {
    "examined": "\u2588",
    "unallocated-examined": "\u2593",
    "skipped": "\u2592",
    "skipped-size-in-no-set": "\u2584",
    "skipped-known-file": "\u2580",
    "encrypted": "#",
    "unreadable": "X",
    "unsupported": "?",
    "not-examined": "!",
    "unallocated-not-examined": "\u2591",
    "outside-partitions": "\u00b7",
}
_OTHER = "*"


def show_account(out: Console, account: Mapping[str, Any]) -> None:
    """Print the account that `triage.session.conclusion.coverage_now` gives."""
    width = min(out.width, _WIDEST)
    if account["state"] != "finished":
        out.print(f"The examination of {safe(account['exhibit'])} is not finished (state: {account['state']}).")
    for line in [bar(account["bytes"], width), *legend(account["bytes"], width)]:
        out.print(line)
    out.print(_table(account))
    for rule in account["rules"]:
        by = f" by rule {safe(rule['code'])}" if rule["code"] else ""
        out.print(f"{rule['items']:>12,}  items {rule['outcome']}{by}")


def bar(taken: Mapping[str, int], width: int) -> str:
    """Return the classes in their order as one row of marks; each that has a byte has at least one.

    The row is `width` marks long, or as many as there are classes if that is more; empty where there is no byte.
    """
    held = {kind: count for kind, count in taken.items() if count}
    return "".join(_mark(kind) * cells for kind, cells in zip(held, _cells([*held.values()], width), strict=True))


def legend(taken: Mapping[str, int], width: int) -> list[str]:
    """Return what the marks of the bar mean, with the share of each class, as lines of up to `width` columns."""
    whole = sum(taken.values())
    lines: list[str] = []
    for kind, count in taken.items():
        if not count:
            continue
        entry = f"{_mark(kind)} {kind} {share(count, whole)}"
        if lines and cell_len(lines[-1]) + 3 + cell_len(entry) <= width:
            lines[-1] += f"   {entry}"
        else:
            lines.append(entry)
    return lines


def share(count: int, whole: int) -> str:
    """Return a part of a whole in percent; a part that is not zero never looks like zero, nor like the whole."""
    percent = 100 * count / whole if whole else 0.0
    if 0 < percent < _LEAST_SHARE:
        return f"<{_LEAST_SHARE:.2f} %"
    if count < whole and percent > 100 - _LEAST_SHARE:
        return f">{100 - _LEAST_SHARE:.2f} %"
    return f"{percent:.2f} %"


def _cells(counts: Sequence[int], width: int) -> list[int]:
    """Share out a row: one cell each, the rest in proportion, what is left to those cut off most."""
    whole, rest = sum(counts), max(0, width - len(counts))
    cells = [1 + rest * count // whole for count in counts]
    cut = sorted(range(len(counts)), key=lambda index: rest * counts[index] % whole, reverse=True)
    for index in cut[: len(counts) + rest - sum(cells)]:
        cells[index] += 1
    return cells


def _mark(kind: str) -> str:
    return _MARKS.get(kind, _OTHER)


def _table(account: Mapping[str, Any]) -> Table:
    table = Table(title="Coverage", title_justify="left", box=box.SIMPLE, pad_edge=False)
    table.add_column("volume and class", overflow="fold")
    table.add_column("bytes", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    regions = account["regions"]
    for region in regions:
        table.add_row(_heading(region), f"{region['length']:,}", "", style="bold")
        _add_classes(table, region["bytes"], region["length"])
        table.add_section()
    if len(regions) != 1:
        table.add_row("all", f"{account['size']:,}", "", style="bold")
        _add_classes(table, account["bytes"], account["size"])
        table.add_section()
    table.add_row("sum", f"{sum(account['bytes'].values()):,}", "", style="bold")
    return table


def _heading(region: Mapping[str, Any]) -> str:
    told = [region["name"], region["file_system"], region["state"] if region["state"] != "read" else None]
    return f"{safe(', '.join(filter(None, told)))} at {region['offset']:,}"


def _add_classes(table: Table, taken: Mapping[str, int], whole: int) -> None:
    for kind, count in taken.items():
        if count:
            table.add_row(f"{_mark(kind)} {kind}", f"{count:,}", share(count, whole))
