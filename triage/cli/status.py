"""How far an examination is, in two lines that fit a terminal."""

from collections import deque
from dataclasses import dataclass, field, replace

from rich.cells import cell_len, chop_cells

from triage.cli.text import duration, safe, size
from triage.model.event import Event, Noted, Progress, Verifying, Walking

_WINDOW_SECONDS = 30.0
_LEAST_SECONDS = 0.5
_BAR_FROM = 100  # columns
_BAR_WIDTH = 24
_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What is known at one moment: `rate` in bytes a second and `left` in seconds, None while they are not known.

    `listing`: the total still grows.
    """

    began: float
    step: str = "listing"
    items: int = 0
    items_total: int | None = None
    done: int = 0
    total: int = 0
    rate: float | None = None
    left: float | None = None
    listing: bool = False
    tier: str = ""
    in_hand: str = ""


@dataclass(slots=True)
class _Rate:
    """Bytes a second over the last half minute; what earlier runs did does not count."""

    samples: deque[tuple[float, int]] = field(default_factory=deque)

    def after(self, now: float, done: int) -> float | None:
        samples = self.samples
        if samples and done < samples[-1][1]:
            samples.clear()  # another count begins: verifying has ended
        samples.append((now, done))
        while len(samples) > 2 and now - samples[1][0] > _WINDOW_SECONDS:  # noqa: PLR2004 - a span has two ends
            samples.popleft()
        first, before = samples[0]
        return (done - before) / (now - first) if now - first > _LEAST_SECONDS else None


class Status:
    """Takes events; another thread may ask for the lines at any time, for the stand is replaced as a whole."""

    def __init__(self, now: float) -> None:
        self.stand = Stand(began=now)
        self._rate = _Rate()
        self._walks = 0

    def take(self, event: Event, now: float) -> None:
        """Take what the event says of how far the run is."""
        began = self.stand.began
        match event:
            case Noted():
                self._walks += {"walk-began": 1, "walk-ended": -1}.get(event.name, 0)
            case Walking() if self.stand.step != "examining":
                self.stand = Stand(began=began, items=event.items, in_hand=event.volume)
            case Verifying():
                rate = self._rate.after(now, event.bytes_done)
                self.stand = Stand(
                    began=began, step="verifying", done=event.bytes_done, total=event.bytes_total, rate=rate
                )
            case Progress():
                self.stand = Stand(
                    began=began,
                    step="examining",
                    items=event.items_done,
                    items_total=event.items_total,
                    done=event.bytes_done,
                    total=event.bytes_total,
                    rate=self._rate.after(now, event.bytes_done),
                    left=event.seconds_left,
                    listing=self._walks > 0,
                    tier=event.tier,
                    in_hand=event.in_hand or (self.stand.in_hand if self.stand.step == "examining" else ""),
                )
            case _:
                pass

    def rest(self) -> None:
        """Nothing is in hand any more."""
        self.stand = replace(self.stand, in_hand="")

    def lines(self, width: int, now: float) -> list[str]:
        """Return the numbers, with a bar where there is room, and the path in hand, each within `width` columns."""
        stand = self.stand
        parts = numbers(stand, now)
        if width >= _BAR_FROM and stand.total:
            parts = [_bar(stand.done / stand.total), *parts]
        first = parts[0]
        for part in parts[1:]:
            if cell_len(first) + 2 + cell_len(part) > width:
                break
            first += f"  {part}"
        second = ": ".join(filter(None, (stand.tier, stand.in_hand)))
        return [first, _end(safe(second), width)] if stand.in_hand else [first]


def numbers(stand: Stand, now: float) -> list[str]:
    """Return what a person wants to know, the most wanted first."""
    items = f"{stand.items:,}"
    if stand.items_total is not None:
        items += f"/{stand.items_total:,}{'+' * stand.listing}"
    parts = [stand.step] if stand.step == "verifying" else [f"{items} items"]
    if stand.step == "listing":
        parts.append("listed so far")
    if stand.total:
        parts.append(f"{size(stand.done)}/{size(stand.total)}")
    if stand.rate is not None:
        parts.append(f"{stand.rate / _MIB:,.1f} MiB/s")
    parts.append(duration(now - stand.began))
    left = stand.left
    if left is None and stand.rate:
        left = (stand.total - stand.done) / stand.rate
    if left is not None and stand.done < stand.total:
        parts.append(f"{duration(left)} left")
    return parts


def _bar(share: float) -> str:
    filled = round(_BAR_WIDTH * min(share, 1.0))
    return f"[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}]"


def _end(text: str, width: int) -> str:
    """Return the end of a text, where the name is, within `width` columns."""
    if cell_len(text) <= width:
        return text
    reversed_end = chop_cells(text[::-1], width - 1)[0]
    return "\u2026" + reversed_end[::-1]
