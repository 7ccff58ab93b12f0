"""Rights that a worker gives up for good before it parses evidence: it can read what it was given, and nothing else.

Four things of the Linux kernel. None of them needs root, and each of them binds root:

- Landlock: no file is read but those given and what Python itself needs; none is written, made, removed or executed;
  no TCP, no UDP; no signals and no abstract sockets to processes outside. Facts from the kernel's
  `Documentation/userspace-api/landlock.rst` and `include/uapi/linux/landlock.h`, ABI 1 (Linux 5.13) to 10 (7.2).
- seccomp: what Landlock leaves open or learnt late is refused: sockets of every kind (one with a path leads to the
  system's services), truncation, modes, owners, times and extended attributes of files, programs, io_uring, files by
  handle. Facts from `Documentation/userspace-api/seccomp_filter.rst` and the kernel's tables of system calls.
- Capabilities, after capabilities(7): root keeps the two that reading needs. With the others it could send commands
  to a disk through a descriptor that is open for reading only.
- PR_SET_DUMPABLE: bytes of the evidence reach no core dump. A size limit of 0 does not keep them from a collector.
"""

import ctypes
import os
import resource
import site
import stat
import struct
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import triage

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long

_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_ASK_VERSION = 1
_PATH_BENEATH = 1
_ALL_THREADS, _ALL_THREADS_SINCE = 1 << 3, 8
_READ_FILE, _READ_DIR, _IOCTL_DEV = 1 << 2, 1 << 3, 1 << 15

# (ABI that knows them first, bits): execute, write, read, list, remove, make; link elsewhere; truncate; ioctl of
# devices; connect to a socket that has a path.
_FILE_RIGHTS = ((1, (1 << 13) - 1), (2, 1 << 13), (3, 1 << 14), (5, _IOCTL_DEV), (9, 1 << 16))
_NET_RIGHTS = ((4, 0b11), (10, 0b1100))  # bind and connect: TCP, UDP
_SCOPES = ((6, 0b11),)  # abstract sockets, signals

_CAPABILITIES_VERSION = 0x20080522
# Read whatever a mode forbids; open without touching the access time (seccomp takes the rest of that one).
_KEPT_CAPABILITIES = 1 << 2 | 1 << 3

_SET_FILTER = 1
_FILTER_FLAGS = 1 | 1 << 2  # for all threads; without the slower memory that some kernels add
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _AUDIT_AT = 0, 4
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001  # refuse with EPERM
_X32 = 0x40000000  # x86-64 has every call twice; the second begins here

# The last two tell libraries how many threads to start.
_FILES_OF_PYTHON = (
    *("/dev/null", "/dev/zero", "/dev/urandom", "/proc/self", "/etc/ld.so.cache"),
    *("/sys/devices/system/cpu/online", "/sys/devices/system/cpu/possible"),
)
_SHARED_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")


@dataclass(frozen=True, slots=True)
class _Machine:
    """An architecture: its number in audit records, that of its call `seccomp`, and those of the calls refused."""

    audit: int
    seccomp: int
    refused: tuple[int, ...]


# In this order: socket, truncate, execve, execveat, io_uring_setup, open_by_handle_at; chmod and its like; chown;
# utime; setxattr, removexattr, file_setattr.
_MACHINES = {
    "x86_64": _Machine(
        audit=0xC000003E,
        seccomp=317,
        refused=(
            *(41, 76, 59, 322, 425, 304),
            *(90, 91, 268, 452),
            *(92, 93, 94, 260),
            *(132, 235, 261, 280),
            *(188, 189, 190, 463, 197, 198, 199, 466, 469),
        ),
    ),
    "aarch64": _Machine(
        audit=0xC00000B7,
        seccomp=277,
        refused=(*(198, 45, 221, 281, 425, 265), *(52, 53, 452), *(54, 55), 88, *(5, 6, 7, 463, 14, 15, 16, 466, 469)),
    ),
}


@dataclass(frozen=True, slots=True)
class Confinement:
    """What holds for a process from now on: the Landlock ABI in force, 0 where there is none, and one line of text."""

    abi: int
    text: str


def python_folders() -> tuple[Path, ...]:
    """Return the folders that imports and shared libraries come from, this package's own among them.

    The current folder is not one of them, though `python -m` puts it on `sys.path`: it may hold anything.
    """
    prefixes = dict.fromkeys((sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix))
    libraries = (Path(prefix, name) for prefix in prefixes for name in ("lib", "lib64"))
    own = Path(triage.__file__).resolve().parent
    return tuple(dict.fromkeys((own, *libraries, Path(site.getusersitepackages()), *map(Path, _SHARED_LIBRARIES))))


def confine(readable: Iterable[Path]) -> Confinement:
    """Give up every right of this process, and of what it starts, but to read the given files, devices and folders.

    A folder stands for all that is below it; a path that cannot be opened is passed over. What is open stays open.
    Nothing gives a right back: a second call can only take more away. Raises nothing where the kernel lacks
    something; the text says what does not hold then.
    """
    for option, value in ((_PR_SET_NO_NEW_PRIVS, 1), (_PR_SET_DUMPABLE, 0)):
        _LIBC.prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0)))
    _drop_capabilities()
    abi, files = _withhold_files([*readable, *python_folders(), *map(Path, _FILES_OF_PYTHON)])
    return Confinement(abi, f"{files}; {_refuse_calls()}")


def _withhold_files(readable: Iterable[Path]) -> tuple[int, str]:
    """Return the ABI in force, and what holds."""
    try:
        abi = _system_call(_CREATE_RULESET, None, 0, _ASK_VERSION)
        _restrict(abi, readable)
    except OSError as error:
        # No file grows at least. With Landlock that would only cost what a worker says to a log that is a file.
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        return 0, f"files not withheld: Landlock: {error.strerror}"
    signals = "" if _known(_SCOPES, abi) else ", signals not withheld"
    threads = "" if abi >= _ALL_THREADS_SINCE or _is_alone() else ", threads started before not bound"
    return abi, f"files by Landlock ABI {abi}{signals}{threads}"


def _is_alone() -> bool:
    """Tell whether the process has no other thread, of Python or of a library."""
    with suppress(OSError):
        return len(list(Path("/proc/self/task").iterdir())) == 1
    return False


def _restrict(abi: int, readable: Iterable[Path]) -> None:
    """Withhold all that an ABI knows, but reading. Raises OSError."""
    handled = _known(_FILE_RIGHTS, abi)
    # An older kernel takes fields that it does not know as long as they are zero.
    rules = struct.pack("=QQQ", handled, _known(_NET_RIGHTS, abi), _known(_SCOPES, abi))
    ruleset = _system_call(_CREATE_RULESET, rules, len(rules), 0)
    try:
        for path in readable:
            _allow(ruleset, path, handled)
        _system_call(_RESTRICT_SELF, ruleset, _ALL_THREADS if abi >= _ALL_THREADS_SINCE else 0)
    finally:
        os.close(ruleset)


def _known(rights: Sequence[tuple[int, int]], abi: int) -> int:
    """Return the bits that an ABI knows; with others it would refuse the ruleset."""
    return sum(bits for since, bits in rights if since <= abi)


def _allow(ruleset: int, path: Path, handled: int) -> None:
    """Let a file or device be read, or a folder with all that is below it. Raises OSError."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = struct.pack("=Qi", _reading(os.fstat(place).st_mode) & handled, place)
        _system_call(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(place)


def _reading(mode: int) -> int:
    """Return the rights that reading takes; a block device is asked for its size by ioctl."""
    if stat.S_ISDIR(mode):
        return _READ_FILE | _READ_DIR
    return _READ_FILE | _IOCTL_DEV if stat.S_ISBLK(mode) else _READ_FILE


def _drop_capabilities() -> None:
    """Keep of the capabilities held those that reading needs."""
    header = struct.pack("=Ii", _CAPABILITIES_VERSION, 0)
    held = ctypes.create_string_buffer(24)
    _LIBC.capget(header, held)
    _, permitted, *_ = struct.unpack("=6I", held.raw)
    kept = permitted & _KEPT_CAPABILITIES
    _LIBC.capset(header, struct.pack("=6I", kept, kept, 0, 0, 0, 0))


def _refuse_calls() -> str:
    """Have the kernel refuse the calls listed for this machine; return what holds."""
    name = os.uname().machine
    if name not in _MACHINES or struct.calcsize("P") != struct.calcsize("=Q"):
        return f"sockets and file attributes not withheld: no list of system calls for {name}"
    program = b"".join(struct.pack("=HBBI", *step) for step in _filter(_MACHINES[name]))
    steps = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("HP", len(program) // struct.calcsize("=HBBI"), ctypes.addressof(steps))
    try:
        odd_thread = _system_call(_MACHINES[name].seccomp, _SET_FILTER, _FILTER_FLAGS, described)
    except OSError as error:
        return f"sockets and file attributes not withheld: seccomp: {error.strerror}"
    if odd_thread:
        return "sockets and file attributes not withheld: seccomp: a thread has a filter of its own"
    return "sockets, file attributes and programs by seccomp"


def _filter(machine: _Machine) -> list[tuple[int, int, int, int]]:
    """Return the instructions of the filter: code, how many to skip if so, how many if not, value."""
    count = len(machine.refused)
    return [
        (_LOAD, 0, 0, _AUDIT_AT),
        (_IF_EQUAL, 0, count + 3, machine.audit),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_IF_AT_LEAST, count + 1, 0, _X32),
        *((_IF_EQUAL, count - place, 0, number) for place, number in enumerate(machine.refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]


def _system_call(number: int, *words: int | bytes | None) -> int:
    """Return what a system call returns. Raises OSError."""
    result = int(_LIBC.syscall(number, *(ctypes.c_long(word) if isinstance(word, int) else word for word in words)))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
