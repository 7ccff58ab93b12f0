import ctypes
import errno
import fcntl
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model.evidence import SourceInfo
from triage.sources import hidden_sectors
from triage.sources.device import open_device
from triage.sources.hidden_sectors import Answer, Capacity, Command, capacity, last_address, send, with_hidden_sectors

IDENTIFY, DCO = Command.IDENTIFY_DEVICE, Command.DEVICE_CONFIGURATION_IDENTIFY
NATIVE_28, NATIVE, LIMIT = (
    Command.READ_NATIVE_MAX_ADDRESS,
    Command.READ_NATIVE_MAX_ADDRESS_EXT,
    Command.GET_NATIVE_MAX_ADDRESS_EXT,
)
HPA, OVERLAY, LONG, AMAX = "hpa", "overlay", "long", "amax"
DISK_OF_500_GB = 976_773_168


def page_of(words: dict[int, int]) -> bytes:
    """Return a page of 512 bytes with these words, and in the last one the signature and the checksum."""
    body = bytearray(510)
    for number, word in words.items():
        struct.pack_into("<H", body, 2 * number, word)
    body.append(0xA5)
    return bytes(body) + bytes([-sum(body) & 0xFF])


def spread(first: int, count: int, number: int) -> dict[int, int]:
    return {first + place: number >> 16 * place & 0xFFFF for place in range(count)}


def identity(shown: int, *features: str, sector_size: int = 512) -> bytes:
    """Return an IDENTIFY DEVICE page as ACS-3 describes it."""
    words = spread(60, 2, min(shown, 0x0FFFFFFF))
    words[82] = 1 << 10 if HPA in features else 0
    words[83] = 1 << 14 | (1 << 11 if OVERLAY in features else 0) | (1 << 10 if LONG in features else 0)
    if LONG in features:
        words |= spread(100, 4, shown)
    if AMAX in features:
        words |= {86: 1 << 15, 119: 1 << 14 | 1 << 8}
    if sector_size != 512:
        words |= {106: 1 << 14 | 1 << 12} | spread(117, 2, sector_size // 2)
    return page_of(words)


def configuration(last: int, revision: int = 2) -> bytes:
    return page_of({0: revision} | spread(3, 4, last))


def descriptors(last: int, *, extended: bool, status: int = 0x50, before: bytes = b"") -> bytes:
    """Return sense data of descriptor format with the registers of a command that is done."""
    low, device = last.to_bytes(6, "little"), 0x40 if extended else 0x40 | last >> 24
    upper = low[3:] if extended else bytes(3)
    found = bytes((0x09, 0x0C, extended, 0, 0, 0, upper[0], low[0], upper[1], low[1], upper[2], low[2], device, status))
    return bytes((0x72, 0x01, 0x00, 0x1D, 0, 0, 0, len(before) + 14)) + before + found


def fixed(last: int, *, extended: bool, status: int = 0x50, upper: bool = False) -> bytes:
    """Return sense data of fixed format with the same registers."""
    low, device = last.to_bytes(6, "little"), 0x40 if extended else 0x40 | last >> 24 & 0x0F
    flags = extended << 7 | upper << 5
    return bytes((0x70, 0, 0x01, 0, status, device, 0, 10, flags, low[0], low[1], low[2], 0x00, 0x1D, 0, 0, 0, 0))


@dataclass
class Disk:
    """Answers with what it was given, and remembers what it was asked."""

    answers: dict[Command, Answer]
    asked: list[Command] = field(default_factory=list)

    def ask(self, command: Command) -> Answer | None:
        self.asked.append(command)
        return self.answers.get(command)


def disk(shown: int, *features: str, **known: int) -> Disk:
    """Return a disk: `native`, `real` and `limit` are numbers of sectors."""
    extended = LONG in features
    answers = {IDENTIFY: Answer(identity(shown, *features))}
    if "native" in known:
        sense = descriptors(known["native"] - 1, extended=extended)
        answers[NATIVE if extended else NATIVE_28] = Answer(sense=sense)
    if "real" in known:
        answers[DCO] = Answer(configuration(known["real"] - 1))
    if "limit" in known:
        answers[LIMIT] = Answer(sense=descriptors(known["limit"] - 1, extended=True))
    return Disk(answers)


def test_nothing_is_ever_sent_but_these_five_command_blocks() -> None:
    assert {command.name: command.block().hex(" ") for command in Command} == {
        "IDENTIFY_DEVICE": "85 08 0e 00 00 00 01 00 00 00 00 00 00 40 ec 00",
        "READ_NATIVE_MAX_ADDRESS": "85 06 20 00 00 00 00 00 00 00 00 00 00 40 f8 00",
        "READ_NATIVE_MAX_ADDRESS_EXT": "85 07 20 00 00 00 00 00 00 00 00 00 00 40 27 00",
        "GET_NATIVE_MAX_ADDRESS_EXT": "85 07 20 00 00 00 00 00 00 00 00 00 00 40 78 00",
        "DEVICE_CONFIGURATION_IDENTIFY": "85 08 0e 00 c2 00 01 00 00 00 00 00 00 40 b1 00",
    }


ALL = DISK_OF_500_GB
OF_DISKS = {
    "nothing is hidden": (
        disk(ALL, LONG, HPA, OVERLAY, native=ALL, real=ALL),
        [IDENTIFY, NATIVE, DCO],
        None,
    ),
    "a host-protected area, 28 bits": (
        disk(0x0765_4321, HPA, native=0x0ABC_DEF0),
        [IDENTIFY, NATIVE_28],
        "the device hides 56073167 sectors (28709461504 bytes) in a host-protected area: they were not examined",
    ),
    "a host-protected area, 48 bits": (
        disk(ALL - 2048, LONG, HPA, native=ALL),
        [IDENTIFY, NATIVE],
        "the device hides 2048 sectors (1048576 bytes) in a host-protected area: they were not examined",
    ),
    "a configuration": (
        disk(ALL - 10, LONG, HPA, OVERLAY, native=ALL - 10, real=ALL),
        [IDENTIFY, NATIVE, DCO],
        "the device hides 10 sectors (5120 bytes) by device configuration: they were not examined",
    ),
    "a configuration, without the feature of the other": (
        disk(ALL - 10, LONG, OVERLAY, real=ALL),
        [IDENTIFY, DCO],
        "the device hides 10 sectors (5120 bytes) by device configuration: they were not examined",
    ),
    "both": (
        disk(ALL - 110, LONG, HPA, OVERLAY, native=ALL - 10, real=ALL),
        [IDENTIFY, NATIVE, DCO],
        (
            "the device hides 110 sectors (56320 bytes), 100 in a host-protected area and 10 by device configuration: "
            "they were not examined"
        ),
    ),
    "an accessible max address": (
        disk(ALL - 8, LONG, AMAX, limit=ALL),
        [IDENTIFY, LIMIT],
        "the device hides 8 sectors (4096 bytes) beyond its accessible max address: they were not examined",
    ),
    "a host-protected area beyond 32 bits": (
        disk(ALL, LONG, HPA, native=5 << 32),
        [IDENTIFY, NATIVE],
        "the device hides 20498063312 sectors (10495008415744 bytes) in a host-protected area: they were not examined",
    ),
    "no such feature": (disk(ALL, LONG, native=2 * ALL, real=2 * ALL, limit=2 * ALL), [IDENTIFY], None),
    "no answer but the first": (disk(ALL, LONG, HPA, OVERLAY), [IDENTIFY, NATIVE, DCO], None),
    "fewer than are shown": (disk(ALL, LONG, HPA, OVERLAY, native=ALL - 1, real=1), [IDENTIFY, NATIVE, DCO], None),
    "an address of ones": (disk(ALL, LONG, HPA, OVERLAY, native=1 << 48, real=1 << 48), [IDENTIFY, NATIVE, DCO], None),
    "an address of 28 ones": (disk(1000, HPA, native=1 << 28), [IDENTIFY, NATIVE_28], None),
}


@pytest.mark.parametrize("name", OF_DISKS)
def test_a_disk_is_asked_what_it_supports_and_tells_what_it_hides(name: str) -> None:
    asked, commands, text = OF_DISKS[name]
    asked.asked.clear()
    found = capacity(asked.ask)
    assert found is not None
    assert (found.text(), asked.asked) == (text, commands)


def test_sectors_are_counted_in_their_own_size() -> None:
    answers = {IDENTIFY: Answer(identity(1000, LONG, HPA, sector_size=4096))}
    answers[NATIVE] = Answer(sense=descriptors(1009, extended=True))
    found = capacity(Disk(answers).ask)
    assert found == Capacity(sector_size=4096, shown=1000, protected=10)
    assert "10 sectors (40960 bytes)" in str(found.text())


def test_the_extended_number_of_sectors_is_the_one_that_counts() -> None:
    words = spread(60, 2, 0x0FFFFFFF) | spread(100, 4, 0xFFFFFFFF) | spread(230, 4, 6 << 32)
    words |= {69: 1 << 3, 82: 1 << 10, 83: 1 << 14 | 1 << 10}
    answers = {IDENTIFY: Answer(page_of(words)), NATIVE: Answer(sense=descriptors((6 << 32) - 1, extended=True))}
    assert capacity(Disk(answers).ask) == Capacity(512, 6 << 32)


def damaged(page: bytes) -> bytes:
    return bytes([page[0], page[1] ^ 1]) + page[2:]


@pytest.mark.parametrize(
    "page",
    [
        b"",
        bytes(512),
        b"\xff" * 512,
        identity(ALL, LONG)[:-1],
        damaged(identity(ALL, LONG)),
        page_of({0: 1 << 15} | spread(60, 2, 1000)),
    ],
    ids=["none", "zeros", "ones", "short", "wrong checksum", "not ATA"],
)
def test_a_device_that_is_not_identified_is_not_asked_further(page: bytes) -> None:
    asked = Disk({IDENTIFY: Answer(page), NATIVE: Answer(sense=descriptors(9 * ALL, extended=True))})
    assert capacity(asked.ask) is None
    assert asked.asked == [IDENTIFY]
    assert capacity(lambda _: None) is None


@pytest.mark.parametrize(
    "page",
    [
        b"",
        bytes(512),
        b"\xff" * 512,
        configuration(2 * ALL)[:-2],
        damaged(configuration(2 * ALL)),
        configuration(2 * ALL)[:-2] + b"\0\0",
        configuration(2 * ALL, revision=0),
        configuration(2 * ALL, revision=3),
        configuration(1 << 48),
    ],
    ids=["none", "zeros", "ones", "short", "checksum", "signature", "no revision", "revision 3", "too many"],
)
def test_a_configuration_that_is_not_valid_claims_nothing(page: bytes) -> None:
    asked = Disk({IDENTIFY: Answer(identity(ALL, LONG, OVERLAY)), DCO: Answer(page)})
    assert capacity(asked.ask) == Capacity(512, ALL)
    asked.answers[DCO] = Answer(configuration(2 * ALL - 1))
    assert capacity(asked.ask) == Capacity(512, ALL, configured=ALL)


def test_registers_are_read_from_sense_data_of_both_formats() -> None:
    assert last_address(descriptors(0x1234_5678_9ABC, extended=True), extended=True) == 0x1234_5678_9ABC
    assert last_address(descriptors(0x0BCD_EF01, extended=False), extended=False) == 0x0BCD_EF01
    information = bytes((0x00, 0x0A, 0x80, *bytes(9)))
    assert last_address(descriptors(77, extended=True, before=information), extended=True) == 77
    assert last_address(fixed(0x9ABCDE, extended=True), extended=True) == 0x9ABCDE
    assert last_address(fixed(0x0BCD_EF01, extended=False), extended=False) == 0x0BCD_EF01
    assert last_address(b"\xf0" + fixed(5, extended=True)[1:], extended=True) == 5


def test_sense_data_of_a_literal_answer() -> None:
    literal = bytes.fromhex("72 01 00 1d 00 00 00 0e  09 0c 01 00 00 00 00 af 00 6d 00 70 40 50")
    assert literal.endswith(b"\x40\x50")
    assert last_address(literal, extended=True) == 0x706DAF


@pytest.mark.parametrize("status", [0x51, 0x70, 0x58, 0x80], ids=["error", "fault", "data", "busy"])
@pytest.mark.parametrize("make", [descriptors, fixed])
def test_a_command_that_failed_gives_no_address(make: Callable[..., bytes], status: int) -> None:
    assert last_address(make(1000, extended=True), extended=True) == 1000
    assert last_address(make(1000, extended=True, status=status), extended=True) is None


@pytest.mark.parametrize("make", [descriptors, fixed])
def test_registers_of_another_width_are_not_taken(make: Callable[..., bytes]) -> None:
    for width in (True, False):
        assert last_address(make(1000, extended=width), extended=width) == 1000
        assert last_address(make(1000, extended=width), extended=not width) is None


def test_an_address_that_fixed_sense_data_do_not_hold_whole_is_not_taken() -> None:
    assert last_address(fixed(1000, extended=True, upper=True), extended=True) is None


@pytest.mark.parametrize("make", [descriptors, fixed])
def test_sense_data_that_are_cut_or_of_another_kind_give_no_address(make: Callable[..., bytes]) -> None:
    whole = make(1000, extended=True)
    needed = 14 if make is fixed else len(whole)
    assert {last_address(whole[:count], extended=True) for count in range(needed)} == {None}
    for deferred in (0x71, 0x73, 0x00, 0x7F):
        assert last_address(bytes([deferred]) + whole[1:], extended=True) is None
    assert last_address(fixed(1000, extended=True)[:12] + b"\x3a\x00", extended=True) is None


SENSES = st.one_of(
    st.binary(max_size=64),
    st.builds(bytes.__add__, st.sampled_from([b"\x70", b"\x72"]), st.binary(max_size=40)),
    st.builds(descriptors, st.integers(0, (1 << 28) - 1), extended=st.booleans()),
    st.builds(descriptors, st.integers(0, (1 << 48) - 1), extended=st.just(value=True)),
    st.builds(fixed, st.integers(0, (1 << 28) - 1), extended=st.booleans()),
)
FEATURES = st.sets(st.sampled_from([HPA, OVERLAY, LONG, AMAX]))
PAGES = st.one_of(
    st.binary(max_size=600),
    st.binary(min_size=512, max_size=512),
    st.dictionaries(st.integers(0, 254), st.integers(0, 0xFFFF)).map(page_of),
    st.builds(configuration, st.integers(0, (1 << 64) - 1), st.integers(0, 3)),
    st.builds(lambda shown, features: identity(shown, *features), st.integers(0, (1 << 48) - 1), FEATURES),
)
ANSWERS = st.one_of(st.none(), st.builds(Answer, PAGES, SENSES))


@given(st.dictionaries(st.sampled_from(list(Command)), ANSWERS))
def test_no_answer_of_a_device_makes_it_fail(answers: dict[Command, Answer | None]) -> None:
    found = capacity(answers.get)
    if found is not None:
        hidden = (found.protected, found.configured, found.limited)
        assert min(hidden) >= 0
        assert (found.text() is None) == (sum(hidden) == 0)
        assert found.shown + sum(hidden) < 1 << 48


@given(FEATURES, st.integers(1000, 1 << 27), st.integers(0, 999), SENSES)
def test_nothing_is_hidden_where_no_address_lies_beyond_what_is_shown(
    features: set[str], shown: int, last: int, sense: bytes
) -> None:
    addresses = [last_address(sense, extended=width) for width in (True, False)]
    within = all(address is None or address < shown for address in addresses)
    answers = {command: Answer(configuration(last), sense) for command in Command}
    answers[IDENTIFY] = Answer(identity(shown, *features))
    found = capacity(answers.get)
    assert found is not None
    assert not within or found.text() is None


class Kernel:
    """Takes the header of SG_IO as Linux does, and has a disk answer."""

    def __init__(self, answers: dict[Command, Answer], *, status: int = 2, host: int = 0, left: int = 0) -> None:
        self.answers = answers
        self.outcome = (status, host, left)
        self.seen: list[tuple[int, bytes]] = []

    def ioctl(self, _: int, number: int, header: bytes) -> bytes:
        assert (number, len(header)) == (0x2285, 88)
        interface, direction, block_size, sense_size, vectors, length = struct.unpack_from("=iiBBHI", header)
        page, block, sense = struct.unpack_from("=QQQ", header, 16)
        (timeout,) = struct.unpack_from("=I", header, 40)
        assert (interface, block_size, sense_size, vectors, timeout) == (0x53, 16, 64, 0, 5000)
        assert header[44:] == bytes(44)
        sent = ctypes.string_at(block, 16)
        self.seen.append((direction, sent))
        command = next(command for command in Command if command.block() == sent)
        assert (direction, length) == ((-3, 512) if command.gives_page else (-1, 0))
        answer = self.answers.get(command, Answer())
        ctypes.memmove(page, answer.page, len(answer.page))
        ctypes.memmove(sense, answer.sense, len(answer.sense))
        status, host, left = self.outcome
        told = struct.pack("=BBBBHHi", 0 if answer.page else status, 0, 0, len(answer.sense), host, 0, left)
        return header[:64] + told + header[76:]


def test_what_the_kernel_is_given_and_what_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    told = disk(ALL - 110, LONG, HPA, OVERLAY, native=ALL - 10, real=ALL)
    kernel = Kernel(told.answers)
    monkeypatch.setattr(fcntl, "ioctl", kernel.ioctl)
    assert capacity(lambda command: send(0, command)) == Capacity(512, ALL - 110, protected=100, configured=10)
    assert kernel.seen == [(-3, IDENTIFY.block()), (-1, NATIVE.block()), (-3, DCO.block())]


@pytest.mark.parametrize(
    "outcome", [{"host": 3}, {"host": 7}, {"left": 512}], ids=["timed out", "error", "nothing transferred"]
)
def test_a_command_that_did_not_come_through_tells_nothing(
    monkeypatch: pytest.MonkeyPatch, outcome: dict[str, int]
) -> None:
    monkeypatch.setattr(fcntl, "ioctl", Kernel(disk(ALL, LONG, HPA, native=2 * ALL).answers, **outcome).ioctl)
    assert capacity(lambda command: send(0, command)) is None
    monkeypatch.setattr(fcntl, "ioctl", Kernel({}, status=0x18).ioctl)
    assert send(0, NATIVE) is None


@contextmanager
def opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


def test_a_loop_device_takes_no_command_and_reads_on(tmp_path: Path, loop_device: Callable[..., Path]) -> None:
    data = os.urandom(1 << 20)
    (tmp_path / "image").write_bytes(data)
    device = loop_device(tmp_path / "image")
    with opened(device) as handle:
        for command in Command:
            with pytest.raises(OSError, match=r".") as refused:
                send(handle, command)
            assert refused.value.errno in {errno.ENOTTY, errno.EINVAL, errno.EPERM}
        assert os.pread(handle, len(data), 0) == data
    source = open_device(device)
    assert source is not None
    assert with_hidden_sectors(source.info, device) is not None
    assert with_hidden_sectors(source.info, device).troubles == ()
    assert source.read_at(0, len(data)) == data
    source.close()


def test_a_confined_process_is_refused_and_lives(tmp_path: Path, loop_device: Callable[..., Path]) -> None:
    (tmp_path / "image").write_bytes(bytes(1 << 20))
    device = loop_device(tmp_path / "image")
    program = (
        "import os, sys; from pathlib import Path\n"
        "from triage.engine.workers.confinement import confine\n"
        "from triage.sources.hidden_sectors import Command, send\n"
        "device = Path(sys.argv[1]); confine([device]); handle = os.open(device, os.O_RDONLY)\n"
        "try:\n    send(handle, Command.IDENTIFY_DEVICE)\n"
        "except OSError:\n    print('refused', len(os.read(handle, 512)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, device], check=True, capture_output=True, text=True)
    assert done.stdout == "refused 512\n"


def test_what_is_no_device_is_not_asked(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(bytes(1024))
    for path in (tmp_path / "image", tmp_path, tmp_path / "none", Path("/dev/null")):
        info = SourceInfo(kind="device", files=(str(path),), size=1024)
        assert with_hidden_sectors(info, path) == info


@pytest.fixture
def fixed_disk(
    tmp_path: Path, loop_device: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, SourceInfo]:
    """Return a device of 2,048 sectors that is taken for a fixed disk, though no command reaches it yet."""
    (tmp_path / "image").write_bytes(bytes(1 << 20))
    monkeypatch.setattr(hidden_sectors, "_is_fixed_disk", Path.is_block_device)
    device = loop_device(tmp_path / "image")
    return device, SourceInfo(kind="device", files=(str(device),), size=1 << 20, troubles=("one",))


def test_what_a_disk_hides_is_a_trouble_of_the_source(
    fixed_disk: tuple[Path, SourceInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    device, info = fixed_disk
    assert with_hidden_sectors(info, device) == info
    monkeypatch.setattr(fcntl, "ioctl", Kernel(disk(2048, LONG, HPA, native=2050).answers).ioctl)
    text = "the device hides 2 sectors (1024 bytes) in a host-protected area: they were not examined"
    assert with_hidden_sectors(info, device).troubles == ("one", text)


def test_answers_about_a_smaller_disk_than_the_source_claim_nothing(
    fixed_disk: tuple[Path, SourceInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    device, info = fixed_disk
    monkeypatch.setattr(fcntl, "ioctl", Kernel(disk(2047, LONG, HPA, native=4096).answers).ioctl)
    assert with_hidden_sectors(info, device) == info


def test_a_disk_that_hangs_on_it_holds_nobody(
    fixed_disk: tuple[Path, SourceInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    device, info = fixed_disk
    answers = threading.Event()

    def hanging(*_: object) -> bytes:
        answers.wait(30)
        raise OSError(errno.EIO, "the disk was reset")

    monkeypatch.setattr(fcntl, "ioctl", hanging)
    monkeypatch.setattr(hidden_sectors, "_PATIENCE", 0.2)
    before = time.monotonic()
    assert with_hidden_sectors(info, device) == info
    assert time.monotonic() - before < 10
    waiting = [thread for thread in threading.enumerate() if thread.daemon and thread.name.endswith("(<lambda>)")]
    answers.set()
    for thread in waiting:
        thread.join(10)
    assert [thread.is_alive() for thread in waiting] == [False]
