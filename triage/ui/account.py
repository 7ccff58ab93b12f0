"""The coverage account in words: every class with its sign, its share as a bar, and its bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content

from triage.model.coverage import CoverageClass
from triage.ui.safe import head, safe
from triage.ui.symbols import counted, percent, size, symbol

WORDS = {
    CoverageClass.EXAMINED: ("full", "looked at"),
    CoverageClass.UNALLOCATED_EXAMINED: ("full", "free space, looked at"),
    CoverageClass.SKIPPED: ("dark", "skipped by a rule"),
    CoverageClass.SKIPPED_BY_SIZE: ("dark", "skipped: size in no set"),
    CoverageClass.SKIPPED_KNOWN: ("dark", "skipped: a known file"),
    CoverageClass.ENCRYPTED: ("half", "encrypted"),
    CoverageClass.UNREADABLE: ("half", "could not be read"),
    CoverageClass.UNSUPPORTED: ("half", "of a kind not supported"),
    CoverageClass.NOT_EXAMINED: ("light", "not looked at"),
    CoverageClass.UNALLOCATED_NOT_EXAMINED: ("light", "free space, not looked at"),
    CoverageClass.OUTSIDE_PARTITIONS: ("light", "outside partitions, not looked at"),
}
_NAME = 35  # columns
_NUMBERS = 22
_WIDEST_BAR = 60
_NONE_YET = (
    "No account is recorded yet: it is made when the examination ends.\n\na makes the account as it stands now; on a "
    "large device that takes some seconds."
)


def told(account: Mapping[str, Any], width: int, height: int) -> list[Content]:
    """Return the rows of an account: `bytes` by class, and where it was made now, `items`, `regions` and `rules`."""
    del height
    taken: Mapping[str, int] = account.get("bytes") or {}
    if not taken:
        return [Content(_NONE_YET)]
    whole = sum(taken.values())
    bar = max(min(width - _NAME - _NUMBERS - 2, _WIDEST_BAR), 6)
    rows = [Content.styled(f"{'Bytes by what became of them':<{_NAME}} {'':{bar}} {'':>12} share", "bold")]
    rows += [_row(kind, taken.get(kind.value, 0), whole, bar) for kind in CoverageClass if kind.value in taken]
    rows.append(Content.styled(f"{'in all':<{_NAME}} {'':{bar}} {size(whole):>12}", "bold"))
    rows.append(Content.styled(f"{whole:,} bytes: each of them in exactly one class", "$text-muted"))
    return [*rows, *_items(account), *_regions(account.get("regions") or ())]


def _row(kind: CoverageClass, count: int, whole: int, width: int) -> Content:
    sign, words = WORDS[kind]
    share = count / whole if whole else 0.0
    cells = max(round(width * share), 1) if count else 0
    style = "" if count else "$text-muted"
    return Content.assemble(
        (f"{symbol(sign)} {words:<{_NAME - 2}} ", style),
        (symbol(sign) * cells + " " * (width - cells), "$secondary"),
        (f" {size(count):>12} {percent(share):>6}", style),
    )


def _items(account: Mapping[str, Any]) -> list[Content]:
    rules: Sequence[Mapping[str, Any]] = account.get("rules") or ()
    if not rules:
        return []
    rows = [Content(""), Content.styled("Items by what became of them, and the rule", "bold")]
    for rule in rules:
        by = f": {safe(rule['code'], 60)}" if rule["code"] else ""
        rows.append(Content(f"{rule['items']:>12,}  {rule['outcome']}{by}"))
    return rows


def _regions(regions: Sequence[Mapping[str, Any]]) -> list[Content]:
    if not regions:
        return []
    rows = [Content(""), Content.styled(f"{counted(len(regions), 'part')} of the device", "bold")]
    for region in regions:
        held = region["file_system"] or region["state"] or "no file system"
        seen = region["bytes"].get("examined", 0) + region["bytes"].get("unallocated-examined", 0)
        share = percent(seen / region["length"]) if region["length"] else "-"
        name = f"{head(region['name'], 24):<24} {head(held, 14):<14}"
        rows.append(Content(f"{name} {size(region['length']):>12}  {share:>6} looked at"))
    return rows
