"""A visit: several devices of one case examined at once, each in a process of its own, followed from one place.

Nothing here blocks for long, and of the evidence comes here only what events of the runs tell, as our own values.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Self

from triage.model.event import Event
from triage.session.host import person
from triage.session.live_device import DeviceState, LiveDevice
from triage.session.order import Order

__all__ = ["DeviceState", "LiveDevice", "Visit"]

_AT_ONCE = 64  # messages taken of one device in one poll
_PATIENCE = 30.0  # seconds in which a run puts its work in order


class Visit:
    """A context manager. `devices` are those begun in this visit, by exhibit reference, in the order of beginning.

    Use it from one thread.
    """

    def __init__(self, case: Path, *, actor: str | None = None, library: Path | None = None) -> None:
        """Name the case, who is at the keyboard, and the hash sets of orders that name none; nothing is opened yet."""
        self.case = case
        self.actor = actor or person()
        self.library = library
        self._devices: dict[str, LiveDevice] = {}
        self.devices: Mapping[str, LiveDevice] = MappingProxyType(self._devices)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, order: Order) -> LiveDevice:
        """Start, or resume, an examination in a process of its own; what is wrong with the order shows as FAILED.

        An exhibit that is being examined is left as it is and returned; one that ended is begun again.
        """
        held = self._devices.get(order.exhibit)
        if held is not None and not held.state.is_over:
            return held
        device = LiveDevice(replace(order, case=self.case, actor=self.actor, library=order.library or self.library))
        if held is not None:
            held.close()
        self._devices[order.exhibit] = device
        device.start()
        return device

    def poll(self) -> list[tuple[str, Event]]:
        """Return what happened since the last call, of each device in its order: never blocks, and is bounded.

        Of the progress of a device only the newest is told. What a call leaves comes with the next.
        """
        return [(device.reference, event) for device in self._devices.values() for event in device.take(_AT_ONCE)]

    @property
    def busy(self) -> bool:
        """Whether the process of any device is still there."""
        return any(not device.state.is_over for device in self._devices.values())

    def stop_all(self) -> None:
        """Ask every run to stop; each concludes, and stays resumable. Poll until nothing is busy, or close."""
        for device in self._running():
            device.stop()

    def close(self, patience: float = _PATIENCE) -> None:
        """Ask every run to stop and wait until it did, so many seconds in all; who takes longer is ended.

        The case of such a one stays as its last commit left it, and the examination can be resumed.
        """
        self.stop_all()
        for device in self._running():
            patience = device.wait(patience)
        for device in self._devices.values():
            device.close()

    def _running(self) -> Iterator[LiveDevice]:
        return (device for device in self._devices.values() if not device.state.is_over)
