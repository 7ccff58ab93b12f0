"""Sectors that an ATA disk hides from the system: a host-protected area, a device configuration, an address limit.

Five commands, none of which changes anything, go through SG_IO of Linux as ATA PASS-THROUGH (16). Which of them a disk
is asked follows from what its IDENTIFY DEVICE claims to support. Facts from ATA8-ACS and ACS-3 (commands and pages),
SAT-3 (command block and sense data) and Linux, `include/scsi/sg.h` (the header of SG_IO). The kernel lets nobody send
them without the capability CAP_SYS_RAWIO, which confined workers have given up: the run asks, not they.
"""

import ctypes
import fcntl
import os
import struct
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from threading import Thread

from triage.model.evidence import SourceInfo
from triage.sources.evidence_files import EvidenceFiles

_PATIENCE = 15.0  # seconds for all commands together: the system may take minutes to reset a disk that says nothing
_TIMEOUT = 5_000  # milliseconds for one command

_PAGE, _SENSE = 512, 64
_ADDRESSES, _ADDRESSES_28 = 1 << 48, 1 << 28

_SG_IO = 0x2285
_HEADER = struct.Struct("@iiBBHIPPPIIiP4BHHiII0P")
_FROM_DEVICE, _NO_DATA = -3, -1
_GOOD, _CHECK_CONDITION, _DRIVER_SENSE = 0, 2, 8

_ATA_PASS_THROUGH_16 = 0x85
_NON_DATA, _PIO_IN, _EXTEND = 3 << 1, 4 << 1, 1
_ONE_BLOCK_IN, _REGISTERS_IN_SENSE = 0x0E, 0x20
_BY_ADDRESS = 0x40
_BUSY_OR_FAILED = 0xA9  # BSY, DF, DRQ, ERR

_FIXED, _DESCRIPTORS = 0x70, 0x72
_REGISTERS_AVAILABLE = b"\x00\x1d"
_ATA_STATUS_RETURN, _STATUS_RETURN_BYTES = b"\x09\x0c", 14
_UPPER_NONZERO = 0x20

_SIGNATURE = 0xA5


class Command(Enum):
    """All that is ever sent, as (command, feature); with other features two of them would change the disk."""

    IDENTIFY_DEVICE = (0xEC, 0x00)
    READ_NATIVE_MAX_ADDRESS = (0xF8, 0x00)
    READ_NATIVE_MAX_ADDRESS_EXT = (0x27, 0x00)
    GET_NATIVE_MAX_ADDRESS_EXT = (0x78, 0x00)
    DEVICE_CONFIGURATION_IDENTIFY = (0xB1, 0xC2)

    @property
    def gives_page(self) -> bool:
        """Whether the answer is a page of 512 bytes; that of the others is an address, in the registers."""
        return self in {Command.IDENTIFY_DEVICE, Command.DEVICE_CONFIGURATION_IDENTIFY}

    @property
    def is_extended(self) -> bool:
        """Whether the address has 48 bits, not 28."""
        return self in {Command.READ_NATIVE_MAX_ADDRESS_EXT, Command.GET_NATIVE_MAX_ADDRESS_EXT}

    def block(self) -> bytes:
        """Return the 16 bytes of the SCSI command that carries it."""
        block = bytearray(16)
        block[0] = _ATA_PASS_THROUGH_16
        block[1] = (_PIO_IN if self.gives_page else _NON_DATA) | (_EXTEND if self.is_extended else 0)
        block[2] = _ONE_BLOCK_IN if self.gives_page else _REGISTERS_IN_SENSE
        block[14], block[4] = self.value
        block[6] = int(self.gives_page)
        block[13] = _BY_ADDRESS
        return bytes(block)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a command: a page, empty where there is none, and sense data."""

    page: bytes = b""
    sense: bytes = b""


Ask = Callable[[Command], Answer | None]
"""Sends a command; None where nothing comes back."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many sectors of `sector_size` bytes a disk shows, and how many it hides in each of the three ways."""

    sector_size: int
    shown: int
    protected: int = 0
    configured: int = 0
    limited: int = 0

    def text(self) -> str | None:
        """Return one line for a person, None where nothing is hidden."""
        ways = {
            "in a host-protected area": self.protected,
            "by device configuration": self.configured,
            "beyond its accessible max address": self.limited,
        }
        told = {way: count for way, count in ways.items() if count}
        if not told:
            return None
        sectors = sum(told.values())
        hidden = f"the device hides {sectors} sectors ({sectors * self.sector_size} bytes)"
        several = len(told) > 1
        where = " and ".join(f"{count} {way}" if several else way for way, count in told.items())
        return f"{hidden}{',' * several} {where}: they were not examined"


def with_hidden_sectors(info: SourceInfo, path: Path) -> SourceInfo:
    """Return what the source at a path is, with a trouble that tells what it hides where it is a disk that says so.

    Asks the device itself, for some seconds at most; raises nothing. Only fixed disks are asked, and as a whole: not
    partitions, which end before it, nor sticks and cards, some of which hang on such a command. Nothing is claimed
    of a device that does not answer, or whose answers are not about this many bytes (a disk of an array).
    """
    if not path.is_block_device():
        return info
    told: list[str] = []
    # A disk that hangs holds whoever asks in the kernel, where not even a signal ends it.
    thread = Thread(target=lambda: told.extend(_asked(path, info.size)), daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return replace(info, troubles=(*info.troubles, *told[:1]))


def capacity(ask: Ask) -> Capacity | None:
    """Return what a disk says of its sectors, None where it does not say, or is no ATA disk. Raises what `ask` raises.

    A limit that does not lie beyond the sectors shown counts as none.
    """
    identity = _page(ask(Command.IDENTIFY_DEVICE))
    shown = _sectors_shown(identity)
    if not shown:
        return None
    found = Capacity(_sector_size(identity), shown)
    if _has(identity, 86, 15) and _has_in_valid(identity, 119, 8):
        limit = _limit(ask, Command.GET_NATIVE_MAX_ADDRESS_EXT)
        return replace(found, limited=max(0, limit - shown))
    native = shown
    if _is_valid(identity, 83) and _has(identity, 82, 10):
        extended = _has(identity, 83, 10)
        command = Command.READ_NATIVE_MAX_ADDRESS_EXT if extended else Command.READ_NATIVE_MAX_ADDRESS
        native = max(shown, _limit(ask, command))
    real = native
    if _has_in_valid(identity, 83, 11):
        real = max(native, _limit_configured(_page(ask(Command.DEVICE_CONFIGURATION_IDENTIFY))))
    return replace(found, protected=native - shown, configured=real - native)


def last_address(sense: bytes, *, extended: bool) -> int | None:
    """Return the address in the registers that sense data give, None where they are of no completed command.

    `extended`: an address of 48 bits was asked for. Sense data of fixed format hold no more than 24 of them, and a flag
    that tells whether the others are 0.
    """
    kind = int.from_bytes(sense[:1]) & 0x7F
    if kind == _DESCRIPTORS:
        return _address_in_descriptors(sense, extended=extended)
    return _address_in_fixed(sense, extended=extended) if kind == _FIXED else None


def send(handle: int, command: Command) -> Answer | None:
    """Send a command to the device behind a descriptor; None where it does not take it or it takes too long.

    Raises OSError where the system does not pass it on.
    """
    block = ctypes.create_string_buffer(command.block(), 16)
    page, sense = ctypes.create_string_buffer(_PAGE), ctypes.create_string_buffer(_SENSE)
    direction, length = (_FROM_DEVICE, _PAGE) if command.gives_page else (_NO_DATA, 0)
    places = (ctypes.addressof(place) for place in (page, block, sense))
    header = _HEADER.pack(ord("S"), direction, 16, _SENSE, 0, length, *places, _TIMEOUT, *bytes(12))
    *_, status, _, _, written, host, driver, left, _, _ = _HEADER.unpack(fcntl.ioctl(handle, _SG_IO, header))
    if status not in {_GOOD, _CHECK_CONDITION} or host or driver not in {0, _DRIVER_SENSE}:
        return None
    whole = command.gives_page and status == _GOOD and not left
    return Answer(page.raw if whole else b"", sense.raw[:written])


def _asked(path: Path, size: int) -> list[str]:
    """Return what there is to tell of the device at a path, of which `size` bytes can be read."""
    with suppress(OSError), closing(EvidenceFiles()) as files:
        if not _is_fixed_disk(path):
            return []
        found = capacity(lambda command: send(files.handle(path), command))
        if found is not None and size <= found.shown * found.sector_size and (text := found.text()):
            return [text]
    return []


def _is_fixed_disk(path: Path) -> bool:
    """Tell whether a block device is a whole disk on a bus, and its medium cannot be taken out. Raises OSError.

    What the kernel makes of others (loop devices, mapped ones) has no `device`, nor have partitions.
    """
    number = path.stat().st_rdev
    facts = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    return (facts / "device").exists() and (facts / "removable").read_text().strip() == "0"


def _page(answer: Answer | None) -> bytes:
    """Return the page of an answer, one of zeros where it has none or its checksum is wrong."""
    page = answer.page if answer else b""
    if len(page) != _PAGE or (page[510] == _SIGNATURE and sum(page) & 0xFF):
        return bytes(_PAGE)
    return page


def _number(page: bytes, word: int, words: int) -> int:
    return int.from_bytes(page[2 * word : 2 * (word + words)], "little")


def _has(page: bytes, word: int, bit: int) -> bool:
    return bool(_number(page, word, 1) >> bit & 1)


def _is_valid(page: bytes, word: int) -> bool:
    """Tell whether a word says of itself that it is in use: its highest bits are 01."""
    return _number(page, word, 1) >> 14 == 1


def _has_in_valid(page: bytes, word: int, bit: int) -> bool:
    return _is_valid(page, word) and _has(page, word, bit)


def _sectors_shown(identity: bytes) -> int:
    """Return how many sectors can be addressed, 0 where this is no ATA disk."""
    if _has(identity, 0, 15):
        return 0
    if not _has_in_valid(identity, 83, 10):
        return _number(identity, 60, 2)
    shown = _number(identity, 230, 4) if _has(identity, 69, 3) else _number(identity, 100, 4)
    return shown if shown < _ADDRESSES else 0


def _sector_size(identity: bytes) -> int:
    """Return the bytes of a logical sector: 512 unless it says that it has more."""
    return 2 * _number(identity, 117, 2) if _has_in_valid(identity, 106, 12) else 512


def _limit(ask: Ask, command: Command) -> int:
    """Return how many sectors there are up to the address that a command gives, 0 where it gives none.

    No disk has so many that the address would be all ones; something in between that makes answers up says so.
    """
    answer = ask(command)
    last = last_address(answer.sense, extended=command.is_extended) if answer else None
    ones = (_ADDRESSES if command.is_extended else _ADDRESSES_28) - 1
    return 0 if last is None or last == ones else last + 1


def _limit_configured(page: bytes) -> int:
    """Return how many sectors the disk has without a configuration, 0 where the page is not one of its kind."""
    revision, last = _number(page, 0, 1), _number(page, 3, 4)
    return last + 1 if revision in {1, 2} and page[510] == _SIGNATURE and last < _ADDRESSES - 1 else 0


def _address_in_descriptors(sense: bytes, *, extended: bool) -> int | None:
    body = sense[8 : 8 + int.from_bytes(sense[7:8])]
    while body:
        end = 2 + int.from_bytes(body[1:2])
        found, body = body[:end], body[end:]
        if found[:2] == _ATA_STATUS_RETURN and len(found) == _STATUS_RETURN_BYTES:
            if bool(found[2] & 1) != extended or found[13] & _BUSY_OR_FAILED:
                return None
            above = (found[10], found[8], found[6]) if extended else (found[12] & 0x0F,)
            return int.from_bytes((*above, found[11], found[9], found[7]))
    return None


def _address_in_fixed(sense: bytes, *, extended: bool) -> int | None:
    if sense[12:14] != _REGISTERS_AVAILABLE or sense[4] & _BUSY_OR_FAILED:
        return None
    if bool(sense[8] >> 7) != extended or (extended and sense[8] & _UPPER_NONZERO):
        return None
    above = 0 if extended else sense[5] & 0x0F
    return int.from_bytes((above, sense[11], sense[10], sense[9]))
