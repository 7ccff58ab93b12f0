"""What the board says of one device, as rows of text: state first, then progress, findings, warnings, and the rest.

Signs stand beside words, and nothing here calls a device clean.
"""

from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING

from textual.content import Content

from triage.model.coverage import CoverageClass
from triage.ui.recorded import Recorded
from triage.ui.safe import head, safe
from triage.ui.symbols import counted, duration, percent, size, symbol
from triage.ui.verdicts import VERDICTS

if TYPE_CHECKING:  # it brings the whole engine along, and the first screen must come at once
    from triage.session.live_device import LiveDevice

# By the values of `DeviceState`.
_SIGNS = {
    "waiting": "wait",
    "starting": "busy",
    "running": "run",
    "paused": "pause",
    "gone": "warn",
    "stopping": "busy",
    "stopped": "stop",
    "finished": "done",
    "failed": "warn",
}
_WORDS = {
    "gone": "device gone: put it back, and it goes on",
    "stopping": "stopping: putting its work in order",
    "stopped": "stopped, can be resumed",
    "finished": "examined to the end",
}
_URGENT = frozenset({"gone", "failed"})
_RECORDED = {None: ("wait", "received, not begun"), "finished": ("done", "examined to the end")}
_CUT_OFF = ("stop", "stopped, can be resumed")
_COVERAGE = (
    ("full", "looked at", (CoverageClass.EXAMINED, CoverageClass.UNALLOCATED_EXAMINED)),
    ("dark", "skipped by rule", (CoverageClass.SKIPPED, CoverageClass.SKIPPED_BY_SIZE, CoverageClass.SKIPPED_KNOWN)),
    ("half", "closed to us", (CoverageClass.ENCRYPTED, CoverageClass.UNREADABLE, CoverageClass.UNSUPPORTED)),
)
_REST = ("light", "not looked at")
_STATES = {"match": "by digest", "candidate": "to be judged", "confirmed": "confirmed", "rejected": "rejected"}
_LINES = 4  # of one warning
_SHORT = 3  # rows in which everything has to be said


def state_words(live: "LiveDevice | None", recorded: Recorded) -> tuple[str, str]:
    """Return the sign and the words of what is going on with a device."""
    if live is None and not recorded.row:
        return symbol("ask"), "not known yet"
    if live is None:
        sign, words = _RECORDED.get(recorded.row.get("state"), _CUT_OFF)
        return symbol(sign), words
    words = _WORDS.get(live.state, live.state.value)
    if live.state == "failed":
        words = "failed: begin it again"
    elif live.state == "stopped" and live.ended_by == "enough-found":
        words = "enough found: stopped, can be resumed"
    return symbol(_SIGNS[live.state]), words


def rows(live: "LiveDevice | None", recorded: Recorded, width: int, height: int) -> list[Content]:
    """Return at most `height` rows of at most `width` columns, the most wanted first."""
    state = _state(live, recorded, width)
    warnings = _warnings(live, recorded)
    found = _findings(live, recorded)
    if height <= _SHORT:
        if warnings:  # they must be seen: what was found stays a number
            words = "  ".join(f"{symbol('warn')} {one}" for one in warnings)
            number = Content.styled(f"{found.plain.split(':')[0]}  " if found.spans else "", "bold")
            found = Content.assemble(number, (safe(words), "$text-warning"))
        shown = [state, _progress(live, recorded, width, timed=True), found] if height == _SHORT else [state, found]
    else:
        shown = [state, _progress(live, recorded, width), found]
        shown += [_warned(row) for one in warnings for row in wrap(f"{symbol('warn')} {safe(one)}", width)[:_LINES]]
        shown += [row for row in _more(live, recorded, width) if row is not None]
    return [row.truncate(width, ellipsis=True) for row in shown[:height]]


def _state(live: "LiveDevice | None", recorded: Recorded, width: int) -> Content:
    sign, words = state_words(live, recorded)
    urgent = live is not None and live.state in _URGENT
    seconds = live.progress.seconds if live is not None and live.progress else recorded.row.get("seconds")
    time = duration(seconds) if seconds else ""
    if live is not None and live.urgency < 0:
        time = f"others first  {time}"
    said = f"{sign} {head(words, max(width - len(time) - 3, 8))}"
    left = Content.styled(said, "bold $text-error" if urgent else "bold")
    return Content.assemble(left, " " * max(width - left.cell_length - len(time), 1), (time, "$text-muted"))


def _progress(live: "LiveDevice | None", recorded: Recorded, width: int, *, timed: bool = False) -> Content:
    """Return how far the tier in hand is, or, of a run that is over, the account of every byte as a bar.

    With the time left of the whole run where no other row has room for it.
    """
    progress = None if live is None else live.progress
    if live is None or live.state.is_over or progress is None:
        return _account(recorded, width) if recorded.coverage else Content.styled(_before(live), "$text-muted")
    tiers = progress.tiers
    tier = next((one for one in tiers if one.label == progress.tier), None)
    done, total = (tier.bytes_done, tier.bytes_total) if tier else (progress.bytes_done, progress.bytes_total)
    share = done / total if total else 0.0
    number = f"{tiers.index(tier) + 1}/{len(tiers)} " if tier else ""
    left = f"{duration(progress.seconds_left)} left " if timed and progress.seconds_left is not None else ""
    label = f"{percent(share, 0):>4} {left}{number}{safe(progress.tier)}"
    return Content.assemble(bar(share, max(min(width - len(label) - 1, 32), 8)), f" {label}")


def _before(live: "LiveDevice | None") -> str:
    if live is None or live.state.is_over:
        return "no account of the bytes yet"
    return "opening the device" if live.state == "starting" else "listing what it holds"


def bar(share: float, width: int) -> Content:
    """Return a bar of so many columns."""
    full = round(width * min(max(share, 0.0), 1.0))
    return Content.assemble((symbol("full") * full, "$accent"), (symbol("light") * (width - full), "$border-blurred"))


def _account(recorded: Recorded, width: int) -> Content:
    """Return the coverage in four parts, each with its sign, as a bar with the share that was looked at."""
    parts = _parts(recorded.coverage)
    label = f" {percent(parts[0][2])} looked at"
    columns = max(min(width - len(label), 32), 8)
    cells = [max(round(columns * share), 1) if share else 0 for *_, share in parts]
    cells[cells.index(max(cells))] += columns - sum(cells)  # the largest gives what the little ones need to be seen
    drawn = "".join(symbol(sign) * count for (sign, *_), count in zip(parts, cells, strict=True))
    return Content.assemble((drawn, "$secondary"), label)


def _parts(coverage: Mapping[str, int]) -> list[tuple[str, str, float]]:
    whole = sum(coverage.values()) or 1
    counts = [sum(coverage.get(name, 0) for name in names) for _, _, names in _COVERAGE]
    parts = [(sign, words, count / whole) for (sign, words, _), count in zip(_COVERAGE, counts, strict=True)]
    return [*parts, (*_REST, (whole - sum(counts)) / whole)]


def legend(coverage: Mapping[str, int]) -> list[str]:
    """Return what the parts of the bar are, each with its share."""
    return [f"{symbol(sign)} {words} {percent(share)}" for sign, words, share in _parts(coverage)]


def _legend(coverage: Mapping[str, int], width: int) -> list[str]:
    """Return the legend in as many rows as it needs: what was not looked at comes last, and must be seen."""
    if not coverage:
        return []
    joined = "  ".join(part.replace(" ", "\0") for part in legend(coverage))
    return [row.replace("\0", " ") for row in wrap(joined, width)]


def _findings(live: "LiveDevice | None", recorded: Recorded) -> Content:
    total = max(live.findings if live else 0, recorded.row.get("findings") or 0)
    if not total:
        return Content(_without_findings(live, recorded))
    parts = []
    for row in recorded.by:
        named = " ".join(filter(None, (row["grade"], row["category"]))) or "no category"
        parts.append(f"{row['findings']:,} {_STATES.get(row['state'], row['state'])} ({safe(named, 40)})")
    return Content.assemble((counted(total, "finding"), "bold"), f": {', '.join(parts)}" if parts else "")


def _without_findings(live: "LiveDevice | None", recorded: Recorded) -> str:
    """Return no more than is known: what nobody looked at is not without findings."""
    if live is not None and not live.state.is_over:
        return "no findings so far"
    if recorded.coverage:
        return "no findings in what was looked at"
    if live is not None or recorded.row.get("state") is not None:
        return "no findings recorded"
    return "not looked at yet" if recorded.row else "findings not known yet"


def _warnings(live: "LiveDevice | None", recorded: Recorded) -> list[str]:
    volumes = live.volumes if live else ()
    encrypted = max(sum(report.state == "encrypted" for report in volumes), recorded.encrypted)
    troubles = max(live.troubles if live else 0, sum(recorded.troubles.values()))
    said = [f"{counted(encrypted, 'volume')} encrypted"] if encrypted else []
    if troubles:
        said.append(f"{counted(troubles, 'trouble')} with reading: see the device")
    if live is not None and live.problem:
        said.append(live.problem)
    return said


def _warned(text: str) -> Content:
    return Content.styled(text, "$text-warning")


def _more(live: "LiveDevice | None", recorded: Recorded, width: int) -> list[Content | None]:
    """Return what a larger card has room for."""
    return [
        _rate(live),
        Content(safe(_description(recorded))) if _description(recorded) else None,
        Content.styled(identity(live, recorded), "$text-muted"),
        _verdict(recorded),
        *(Content.styled(row, "$text-muted") for row in _legend(recorded.coverage, width)),
        *_tiers(live, width),
    ]


def _rate(live: "LiveDevice | None") -> Content | None:
    progress = None if live is None or live.state.is_over else live.progress
    if progress is None:
        return None
    parts = []  # a narrow card cuts off what comes last
    if progress.seconds_left is not None:
        parts.append(f"about {duration(progress.seconds_left)} left")
    if progress.rate is not None:
        parts.append(f"{size(progress.rate)}/s")
    parts.append(f"{progress.items_done:,} of {progress.items_total:,} items")
    return Content(f" {symbol('dot')} ".join(parts))


def _description(recorded: Recorded) -> str:
    received = recorded.row.get("received") or {}
    return " ".join(filter(None, (received.get(key) for key in ("description", "make", "model"))))


def identity(live: "LiveDevice | None", recorded: Recorded) -> str:
    """Return write block, size and serial number, as far as they are known, safe for a terminal."""
    received = recorded.row.get("received") or {}
    known = live.info.size if live is not None and live.info is not None else recorded.row.get("size")
    block = received.get("write_block")
    parts = [
        f"write block: {block}" if block else "write block not stated",
        size(known) if known else "size not known yet",
        f"serial {received['serial']}" if received.get("serial") else "no serial number",
    ]
    return safe(f" {symbol('dot')} ".join(parts))


def _verdict(recorded: Recorded) -> Content | None:
    if recorded.decision is not None:
        decided = str(recorded.decision["verdict"]).upper()
        return Content.styled(f"decided: {decided} by {safe(str(recorded.decision['examiner']), 60)}", "bold")
    if recorded.recommendation is None:
        return None
    verdict = recorded.recommendation["verdict"]
    return Content(f"recommended: {VERDICTS.get(verdict, verdict)}; not decided yet")


def _tiers(live: "LiveDevice | None", width: int) -> list[Content]:
    progress = None if live is None or live.state.is_over else live.progress
    if progress is None:
        return []
    columns = max(min(width // 4, 20), 8)
    shown = []
    for tier in progress.tiers:
        share = tier.bytes_done / tier.bytes_total if tier.bytes_total else 1.0
        left = f" {duration(tier.seconds_left)} left" if tier.seconds_left and share < 1 else ""
        said = f" {percent(share, 0):>4} {safe(tier.label)}"
        room = width - columns - len(left)
        row = Content(said).truncate(max(room, 0), ellipsis=True, pad=True)
        shown.append(Content.assemble(bar(share, columns), row, (left, "$text-muted")))
    return shown
