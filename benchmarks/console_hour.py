"""Memory of the console over an hour at a scene, simulated: four devices that tell what they find, and a person at it.

Usage: python benchmarks/console_hour.py [--minutes N]
The case is that of large_case.py. The console runs without a terminal; its clock of four looks a second is beaten as
fast as it goes. At every look each device tells how far it is and every fourth time a finding; every fourth look a key
is pressed: devices are opened, pages turned, panes and screens changed and closed again. Memory is the resident set of
the process at the quarters of the hour, with what was closed cleared away; the peak is printed beside it. The first
quarter may fill caches. Exits with 1 where the end is more than 8 MiB above it.
"""

import argparse
import asyncio
import gc
import itertools
import os
import resource
import sys
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from textual.pilot import Pilot  # noqa: E402
from textual.worker import WorkerCancelled  # noqa: E402
from ui.desk import device, progress  # noqa: E402

from benchmarks.evidence import FOLDER  # noqa: E402
from benchmarks.large_case import EXHIBITS, make  # noqa: E402
from benchmarks.measuring import mebibytes  # noqa: E402
from triage.model.address import Address  # noqa: E402
from triage.model.event import Found  # noqa: E402
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind  # noqa: E402
from triage.model.item import Item, ItemKind  # noqa: E402
from triage.session.live_device import DeviceState  # noqa: E402
from triage.session.visit import Visit  # noqa: E402
from triage.ui.app import REFRESH, Console  # noqa: E402
from triage.ui.screens import board  # noqa: E402
from triage.ui.screens import device as device_screen  # noqa: E402

MOST_GROWTH = 8 << 20  # bytes from the first quarter to the end
_FRAME = 1 / 60  # seconds until what is due is painted
_PANES = ("2", "3", "4", "5", "6", "7", "8", "1")
_KEYS = (
    *("right", "left", "enter", "down", "pagedown", "pagedown", "pagedown", "pagedown", "end", "home"),
    *("o", "g", "g", "g", "r", "r", *_PANES, "enter", "escape", "f1", "escape", "escape"),
    *("f5", "pagedown", "f4", "f6", "f3", "f2", "f8", "ctrl+p", "escape"),
)


def devices(case: Path) -> tuple[Visit, list[Connection]]:
    """Return a visit with four running devices, and the ends of the pipes through which they tell."""
    visit, ends = Visit(case, actor="examiner"), []
    for reference in EXHIBITS:
        ours, theirs = Pipe()
        visit._devices[reference] = device(  # noqa: SLF001 - none of them has a process
            case, reference, DeviceState.RUNNING, _connection=ours
        )
        ends.append(theirs)
    return visit, ends


def tell(ends: list[Connection], look: int, looks: int) -> None:
    """Have each device say how far it is, and now and then what it found."""
    for number, end in enumerate(ends):
        end.send(progress(look / looks))
        if (look + number) % 4 == 0:
            end.send(_found(look))


def _found(number: int) -> Found:
    address = Address("volume", "0").child("file", str(number))
    path = f"Users/anna/Pictures/IMG_{number:07}.JPG"
    item = Item(address=address, path=path, kind=ItemKind.FILE, size=40_000, allocated=True, reference=str(number))
    reference = SetIdentity(name="known", version="1", digest="0" * 64, kind=SetKind.NOTABLE)
    match = Match(set=reference, category="A", by=MatchBy.MD5, distance=0)
    return Found(item=item, finding=Finding(address=address, match=match, analyzer="exact", analyzer_version="1"))


async def hour(app: Console, ends: list[Connection], looks: int) -> list[int]:
    """Let so many looks go by; return the memory at each quarter, the start first."""
    keys, marks = itertools.cycle(_KEYS), []
    async with app.run_test(size=(120, 40)) as pilot:
        await _settled(pilot)
        for look in range(looks):
            if look % (looks // 4) == 0:
                marks.append(await _mark(pilot, look, looks))
            tell(ends, look, looks)
            app.look()
            if look % 4 == 0:
                await pilot.press(next(keys))
            await asyncio.sleep(_FRAME)
        marks.append(await _mark(pilot, looks, looks))
    return marks


async def _settled(pilot: Pilot[None]) -> None:
    with suppress(WorkerCancelled):  # a later one took its place
        await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def _mark(pilot: Pilot[None], look: int, looks: int) -> int:
    """Print and return the memory on the board, with everything else closed."""
    for key in ("escape", "escape", "f2"):
        await pilot.press(key)
    await _settled(pilot)
    gc.collect()  # closed screens are rings of references, which Python clears now and then
    resident = _resident()
    print(f"{look / looks:4.0%} of the time: {mebibytes(resident)}", flush=True)
    return resident


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Simulate the hour, and say whether the memory stays."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=60)
    looks = int(parser.parse_args().minutes * 60 / REFRESH)
    case = FOLDER / "console-case"
    if not (case / "case.sqlite").exists():
        make(case)
    # The clock runs faster here: what is read every two seconds is read after as many looks as then.
    speed = _FRAME / REFRESH
    board._READ_AGAIN *= speed  # noqa: SLF001 - nobody else needs another
    device_screen._READ_AGAIN *= speed  # noqa: SLF001 - likewise
    visit, ends = devices(case)
    app = Console(case, actor="examiner", visit=visit, idle=1e9)
    marks = asyncio.run(hour(app, ends, looks))
    told = sum(one.findings for one in visit.devices.values())
    growth = marks[-1] - marks[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    print(f"{looks:,} looks, {told:,} findings told, {looks // 4:,} keys; since the first quarter {mebibytes(growth)}")
    print(f"at the most, with what was closed and not cleared yet: {mebibytes(peak)}")
    if growth > MOST_GROWTH:
        sys.exit(f"the memory of the console grows: more than {mebibytes(MOST_GROWTH)} since the first quarter")


if __name__ == "__main__":
    main()
