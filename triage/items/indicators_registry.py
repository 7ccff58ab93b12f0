"""What hives of Windows' registry tell an examiner besides hits: accounts, and devices that were connected."""

import re
from collections.abc import Iterator

from triage.content.content import Content
from triage.content.members.member import damaged
from triage.content.registry.accounts import accounts
from triage.content.registry.devices import devices
from triage.content.registry.hive import Hive
from triage.items.indicators_lines import ACCOUNT, DEVICE, plain
from triage.model.indication import Indication

_FIRST_MADE = 1000  # smaller numbers are of accounts that come with Windows
_COUNTER = re.compile(r"&\d+$")
_RECORDED = "what Windows recorded, by the clock of that machine"
_DIRTY = " The hive was not written to its end: later changes may be in its log files, which are not read."


def of_sam(content: Content) -> Iterator[Indication]:
    """Yield what a hive SAM tells of accounts. Raises EvidenceError, at last for all of it that was lost."""
    hive = Hive(content)
    for account in accounts(hive):
        name = f"{plain(account.name)} ({account.rid})"
        last = f"last log-on {account.last_logon}" if account.last_logon else "no log-on recorded"
        facts = [last, f"{account.logons} log-on{'s' * (account.logons != 1)}"]
        facts += ["built in"] * (account.rid < _FIRST_MADE) + ["disabled"] * account.is_disabled
        facts += [f"bound to the Microsoft account {plain(account.online)}"] * bool(account.online)
        yield _told(hive, ACCOUNT, f"{name}: {last}", f"Account {name}: {', '.join(facts)}")
    _complain(hive)


def of_system(content: Content) -> Iterator[Indication]:
    """Yield what a hive SYSTEM tells of devices. Raises EvidenceError likewise."""
    hive = Hive(content)
    for device in devices(hive):
        name = f"{plain(device.name)}, {_identified(device.serial)}"
        times = (
            ("first set up", device.installed),
            ("last connected", device.connected),
            ("last removed", device.removed),
        )
        seen = [f"{what} {when}" for what, when in times if when]
        seen = seen or [f"no time but that of its entry, last written {device.written or 'at no known time'}"]
        label = f"{name}: last connected {device.connected}" if device.connected else f"{name}: {seen[-1]}"
        yield _told(hive, DEVICE, label, f"Device {name}: {', '.join(seen)}")
    _complain(hive)


def _identified(instance: str) -> str:
    """Return the serial number in the name of an instance; Windows makes one for a device without."""
    if instance[1:2] == "&":
        return f"without a serial number, called {plain(instance)} by Windows"
    return f"serial number {plain(_COUNTER.sub('', instance))}"


def _told(hive: Hive, group: str, label: str, text: str) -> Indication:
    dirty = _DIRTY if hive.is_dirty else ""
    return Indication(group=group, label=label, text=f"{text}; {_RECORDED}.{dirty}")


def _complain(hive: Hive) -> None:
    if hive.lost:
        raise damaged(f"{hive.lost} of its keys and values cannot be read")
