"""A console to try: its devices are real ones of a visit that were never started, put into the state that is wanted."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from textual import events
from textual.pilot import Pilot
from textual.screen import Screen

from triage.model.event import Progress, TierProgress
from triage.session.examination import Order
from triage.session.live_device import DeviceState, LiveDevice
from triage.session.visit import Visit
from triage.ui.app import Console
from triage.ui.widgets.field import Choice, Field

SIZES = ((80, 24), (120, 40), (200, 60))
NOBODY_IDLE = 3600.0
WAIT = 60.0  # seconds that something may take on a busy machine
Steps = Callable[[Pilot[None]], Awaitable[None]]


def device(case: Path, reference: str, state: DeviceState, **facts: object) -> LiveDevice:
    """Return a device in a state, with some of its facts."""
    made = LiveDevice(Order(source=case / "absent.img", case=case, exhibit=reference))
    made.state = state
    for name, value in facts.items():
        setattr(made, name, value)
    return made


def progress(share: float) -> Progress:
    """Return how far a run is, in the second of three tiers."""
    whole = 1 << 30
    tiers = tuple(
        TierProgress(
            label=label, items_done=int(900 * done), items_total=900,
            bytes_done=int(whole * done), bytes_total=whole, seconds_left=600 * (1 - done),
        )
        for label, done in (("users' pictures", 1.0), ("other files of users", share), ("programs", 0.0))
    )  # fmt: skip
    return Progress(
        items_done=900, items_total=2700, bytes_done=whole, bytes_total=3 * whole, seconds=761.0, in_hand="a/b",
        tier="other files of users", tiers=tiers, rate=86e6, seconds_left=1034.0,
    )  # fmt: skip


def console(case: Path, *devices: LiveDevice, idle: float = NOBODY_IDLE) -> Console:
    """Return a console with these devices."""
    visit = Visit(case, actor="sam")
    visit._devices.update({one.reference: one for one in devices})
    return Console(case, actor="sam", library=case / "library", visit=visit, idle=idle)


def run(app: Console, steps: Steps, size: tuple[int, int] = (80, 24)) -> None:
    """Run the console without a terminal, and these steps in it."""

    async def whole() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            await settle(pilot)
            await steps(pilot)

    try:
        asyncio.run(whole())
    finally:
        app.close()


def run_on(
    app: Console, go: Callable[[], None], screen: type[Screen[None]], steps: Steps, size: tuple[int, int] = (80, 24)
) -> None:
    """Run these steps on the screen of this type, to which `go` goes."""

    async def whole(pilot: Pilot[None]) -> None:
        go()
        await painted(pilot)
        assert isinstance(app.screen, screen)
        await steps(pilot)

    run(app, whole, size)


class Held:
    """A function that does its work once a test lets it, as if the disk were slow."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function, self._go, self.calls = function, threading.Event(), 0

    def __call__(self, *given: Any, **named: Any) -> Any:
        self.calls += 1
        assert self._go.wait(WAIT)
        return self._function(*given, **named)

    async def called(self) -> None:
        """Wait until somebody waits for it."""
        for _ in range(int(WAIT / 0.01)):
            if self.calls:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("nobody called it")

    async def let_go(self, pilot: Pilot[None]) -> None:
        """Let it do its work, and wait for what that shows."""
        self._go.set()
        await painted(pilot)


async def bounce(pilot: Pilot[None], key: str = "enter") -> None:
    """Press a key that says so twice, before anything can be done about the first time."""
    for _ in range(2):
        pilot.app.post_message(events.Key(key, "\r" if key == "enter" else key))
    await painted(pilot)


def say(app: Console, **said: str) -> None:
    """Fill in fields of the form in front."""
    for name, text in said.items():
        app.screen.query_one(f"#field-{name.replace('_', '-')}", Field).value = text


def said(app: Console) -> dict[str, str]:
    """Return what stands in the form in front, without what is empty."""
    parts = [*app.screen.query(Field), *app.screen.query(Choice)]
    return {part.field: part.value for part in parts if part.value}


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press one key after the other, each when all is there that the one before brings."""
    for key in keys:
        await pilot.press(key)
        await painted(pilot)


async def painted(pilot: Pilot[None]) -> None:
    """Wait for the screen that was just gone to, what it reads in the background, and what that shows."""
    await pilot.pause()
    await settle(pilot)
    await pilot.pause()


async def settle(pilot: Pilot[None]) -> None:
    """Wait for what was begun in the background, and for what it shows."""
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def lines(app: Console) -> list[str]:
    """Return what stands on the screen."""
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


def shown(app: Console) -> str:
    """Return what stands on the screen as one text."""
    return "\n".join(lines(app))


def as_console(pilot: Pilot[None]) -> Console:
    """Return the console of a pilot by its own type."""
    return cast("Console", pilot.app)
