"""Devices: what a SYSTEM says of USB storage, telephones and cameras, whichever Windows wrote it."""

import pytest
from content.registry.hives import PORTABLE, TIMES, Node, device, hive, system, ticks

from triage.content.content import Content
from triage.content.members.member import ObstacleError
from triage.content.registry.devices import Device, devices
from triage.content.registry.hive import Hive

FIRST, LAST, GONE = "2023-03-04T05:06:07Z", "2024-05-01T10:00:00Z", "2024-05-01T11:00:00Z"
WRITTEN = "2024-01-01T00:00:00Z"


def told(data: bytes) -> list[Device]:
    opened = Hive(Content.of(data))
    found = list(devices(opened))
    assert opened.lost == 0
    return found


def test_a_stick_is_told_with_its_serial_number_and_times() -> None:
    stick = device("SanDisk Ultra USB Device", {"0064": WRITTEN, "0065": FIRST, "0066": LAST, "0067": GONE})
    storage = Node({"Disk&Ven_SanDisk&Prod_Ultra&Rev_1.00": Node({"4C530001&0": stick})})
    assert told(system(storage, current=2)) == [
        Device("SanDisk Ultra USB Device", "4C530001&0", FIRST, LAST, GONE, WRITTEN)
    ]


def test_windows_7_keeps_times_in_another_form_and_windows_xp_none() -> None:
    time = Node({"00000000": Node(values={"Data": ticks(FIRST).to_bytes(8, "little")})})
    seven = Node({"Properties": Node({TIMES: Node({"00000064": time})})}, {"FriendlyName": "Seven"})
    plain = Node({"7&1&0": Node(), "S&0": seven})
    assert told(system(Node({"Disk&Ven_Acme&Prod_Stick&Rev_": plain}))) == [
        Device("Acme Stick", "7&1&0", None, None, None, WRITTEN),
        Device("Seven", "S&0", FIRST, None, None, WRITTEN),
    ]


def test_of_other_usb_devices_telephones_and_cameras_are_told() -> None:
    phone = device("Pocket Phone", {"0066": LAST}, values={"ClassGUID": PORTABLE.upper()})
    mouse = device("Mouse", {"0066": LAST}, values={"ClassGUID": "{745a17a0-74d3-11d0-b6fe-00a0c90f57da}"})
    usb = Node({"VID_0001&PID_0002": Node({"PHONE1": phone}), "VID_0003&PID_0004": Node({"5&1": mouse})})
    assert told(system(Node(), usb)) == [Device("Pocket Phone", "PHONE1", None, LAST, None, WRITTEN)]


def test_a_machine_without_any_tells_of_none() -> None:
    assert told(system(Node())) == []


@pytest.mark.parametrize("keys", [{}, {"Select": Node()}, {"Select": Node(values={"Current": 1})}])
def test_a_hive_without_devices_in_their_place_is_refused(keys: dict[str, Node]) -> None:
    with pytest.raises(ObstacleError):
        told(hive(Node(keys)))
