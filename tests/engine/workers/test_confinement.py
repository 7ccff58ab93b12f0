"""What a confined process can still do: each attempt is made for real, in a process of its own."""

import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from images import pictures
from images.ntfs import ntfs
from images.tree import File
from suite import Tool, absent

from triage.content.content import Content
from triage.content.picture import hash_picture
from triage.engine.workers.confinement import _FILE_RIGHTS, _NET_RIGHTS, _SCOPES, Confinement, _known, python_folders
from triage.hashsets.compile import Destination, compile_records
from triage.hashsets.library import Library
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.model.finding import SetKind

BEGIN = """
import ctypes, errno, fcntl, os, socket, sys
from pathlib import Path
from triage.engine.workers import confinement
from triage.engine.workers.confinement import confine
given, other = sys.argv[1:3]
"""

TRIED = """
for attempt in attempts:
    try:
        answer = eval(attempt)
    except OSError as error:
        answer = errno.errorcode[error.errno]
    print(answer)
"""


def after(code: str, *arguments: object) -> str:
    """Return what `code` prints in a process of its own; `given` and `other` are the first two arguments."""
    command = [sys.executable, "-c", BEGIN + code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def tried(given: object, *attempts: str, other: object = "") -> list[str]:
    """Return the value of each expression, or the name of its error, after confinement to `given`."""
    return after(f"confine([Path(given)])\nattempts = {attempts!r}\n{TRIED}", given, other).splitlines()


@pytest.fixture(scope="module")
def abi() -> int:
    """Return the Landlock ABI of this kernel, or skip the test."""
    found = int(after("print(confine([]).abi)", "", ""))
    return found or absent("Landlock")


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """Return a file that may be read, beside a folder of files that may not."""
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "letter").write_text("not evidence")
    (tmp_path / "evidence").write_text("evidence")
    return tmp_path / "evidence"


@pytest.mark.usefixtures("abi")
def test_what_was_given_is_read_and_nothing_else(evidence: Path) -> None:
    read, *refused = tried(
        evidence,
        "open(given).read()",
        "open(other).read()",
        "open('/etc/passwd').read()",
        "os.listdir(os.path.expanduser('~'))",
        "os.listdir(os.path.dirname(given))",
        "open('/proc/self/root' + other).read()",
        "open(f'/proc/{os.getppid()}/environ').read()",
        other=evidence.parent / "private" / "letter",
    )
    assert read == "evidence"
    assert refused == ["EACCES"] * 6


@pytest.mark.usefixtures("abi")
def test_a_folder_stands_for_all_below_it(evidence: Path) -> None:
    answers = tried(
        evidence.parent / "private",
        "os.listdir(given)",
        "open(given + '/letter').read()",
        "open(other).read()",
        other=evidence,
    )
    assert answers == ["['letter']", "not evidence", "EACCES"]


@pytest.mark.usefixtures("abi")
def test_a_path_that_does_not_exist_is_passed_over(evidence: Path) -> None:
    code = "confine(map(Path, ['/no/such/file', given, given + '/below a file', 'x' * 300]))\nprint(open(given).read())"
    assert after(code, evidence, "") == "evidence"


WRITING = (
    "open(given, 'r+')",
    "open(given, 'a')",
    "open(given + '.new', 'x')",
    "open(os.path.expanduser('~/new'), 'x')",
    "open('/dev/shm/new', 'x')",
    "open('/dev/null', 'w')",
    "os.remove(given)",
    "os.rename(given, given + '.new')",
    "os.link(given, given + '.new')",
    "os.symlink(given, given + '.new')",
    "os.mkdir(given + '.new')",
    "os.rmdir(os.path.dirname(given) + '/empty')",
    "os.mkfifo(given + '.new')",
    "os.mknod(given + '.new', 0o60600, os.makedev(7, 0))",
)


@pytest.mark.usefixtures("abi")
def test_nothing_is_written_made_or_removed(evidence: Path) -> None:
    (evidence.parent / "empty").mkdir()
    before = sorted(evidence.parent.rglob("*"))
    assert tried(evidence, *WRITING) == ["EACCES"] * len(WRITING)
    assert (evidence.read_text(), sorted(evidence.parent.rglob("*"))) == ("evidence", before)


ATTRIBUTES = (
    "os.chmod(given, 0)",
    "os.chown(given, 1, 1)",
    "os.utime(given)",
    "os.truncate(given, 0)",
    "os.setxattr(given, 'user.note', b'x')",
    "os.chmod(os.open(given, os.O_RDONLY), 0)",
)


def test_what_a_file_system_says_of_a_file_stays(evidence: Path) -> None:
    before = evidence.stat()
    assert tried(evidence, *ATTRIBUTES) == ["EPERM"] * len(ATTRIBUTES)
    now = evidence.stat()
    assert (now.st_mode, now.st_uid, now.st_size) == (before.st_mode, before.st_uid, before.st_size)
    assert (now.st_mtime_ns, now.st_ctime_ns) == (before.st_mtime_ns, before.st_ctime_ns)


def test_no_program_is_started(evidence: Path) -> None:
    answers = tried(
        evidence,
        "os.execv('/bin/true', ['true'])",
        "os.execve(os.memfd_create('program'), ['x'], {})",
        "__import__('subprocess').run(['/bin/true'])",
        "os.system('/bin/true') != 0",
    )
    assert answers == ["EPERM", "EPERM", "EPERM", "True"]


@pytest.fixture
def heard() -> Iterator[dict[str, Any]]:
    """Listen on TCP, UDP and an abstract socket; give their addresses as a process of Python would write them."""
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as local,
    ):
        udp.bind(("127.0.0.1", 0))
        local.bind(f"\0triage-confinement-{os.getpid()}")
        local.listen()
        yield {"tcp": tcp.getsockname(), "udp": udp.getsockname(), "local": local.getsockname()}


def test_no_socket_is_opened(evidence: Path, heard: dict[str, Any]) -> None:
    answers = tried(
        evidence,
        f"socket.create_connection({heard['tcp']!r})",
        f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', {heard['udp']!r})",
        f"socket.socket(socket.AF_UNIX).connect({heard['local']!r})",
    )
    assert answers == ["EPERM"] * 3


def test_landlock_alone_withholds_tcp_and_abstract_sockets(abi: int, heard: dict[str, Any]) -> None:
    if abi < 6:
        absent("Landlock ABI 6")
    code = f"""
client, server, local = socket.socket(), socket.socket(), socket.socket(socket.AF_UNIX)
confine([])
attempts = (
    "client.connect({heard["tcp"]!r})",
    "server.bind(('127.0.0.1', 0))",
    {f"local.connect({heard['local']!r})"!r},
)
{TRIED}"""
    assert after(code, "", "").split() == ["EACCES", "EACCES", "EPERM"]


def test_processes_outside_get_no_signal(abi: int, evidence: Path) -> None:
    if abi < 6:
        absent("Landlock ABI 6")
    assert tried(evidence, "os.kill(os.getppid(), 0)", "os.kill(os.getpid(), 0)") == ["EPERM", "None"]


def test_a_second_call_takes_more_away_and_gives_nothing_back(abi: int, evidence: Path) -> None:
    letter = evidence.parent / "private" / "letter"
    code = f"""
first = confine([Path("/")])
names = os.listdir("/etc")
second = confine([Path(given)])
third = confine([Path(other)])
print(bool(open("/proc/self/comm").read()), first == second == third, bool(names))
attempts = ["open(given).read()"]
{TRIED}"""
    assert after(code, evidence, letter).split() == ["True", "True", "True", "EACCES"]
    assert abi >= 1


def test_what_is_open_stays_open(abi: int, evidence: Path) -> None:
    code = "file = open(given)\nconfine([])\nprint(file.read())\nattempts = ['open(given)']\n" + TRIED
    assert after(code, evidence, "").split() == ["evidence", "EACCES"]
    assert abi >= 1


def test_modules_and_libraries_are_still_found() -> None:
    modules = ("lzma", "numpy", "sqlite3", "triage.store.spans", "wave")
    code = f"late = set({modules!r}) - set(sys.modules)\nconfine([])\nimport {', '.join(modules)}\nprint(*sorted(late))"
    assert after(code, "", "").split() == list(modules)


def test_the_current_folder_is_no_folder_of_python() -> None:
    assert Path.cwd() not in python_folders()
    assert Path.home() not in python_folders()
    assert Path("/") not in python_folders()


def test_a_worker_still_dies_with_its_run_and_leaves_no_core_dump(evidence: Path) -> None:
    code = """
libc = ctypes.CDLL(None)
libc.prctl(1, 9)
confine([Path(given)])
death = ctypes.c_int()
libc.prctl(2, ctypes.byref(death))
print(death.value, libc.prctl(3))
"""
    assert after(code, evidence, "").split() == ["9", "0"]


def test_root_reads_all_the_same_and_keeps_no_other_capability(evidence: Path) -> None:
    if os.geteuid():
        absent("root")
    os.chown(evidence, 65534, 65534)
    evidence.chmod(0)
    read, *status = tried(
        evidence, "os.read(os.open(given, os.O_RDONLY | os.O_NOATIME), 99)", "Path('/proc/self/status').read_text()"
    )
    assert read == str(b"evidence")
    fields = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    assert (fields["CapEff"], fields["CapPrm"]) == ("000000000000000c",) * 2
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


def test_an_operator_without_any_rights_is_confined_alike(abi: int) -> None:
    if os.geteuid():
        absent("root, to become somebody else")
    code = f"""
os.setgroups([]), os.setgid(65534), os.setuid(65534)
print(confine([]).text)
attempts = ["open('/etc/passwd')"]
{TRIED}"""
    said, refused = after(code, "", "").splitlines()
    assert f"Landlock ABI {abi}" in said
    assert refused == "EACCES"


def test_threads_that_were_there_before_are_told(abi: int) -> None:
    if abi >= 8:
        absent("a kernel that binds one thread only")
    code = """
import threading
print(confine([]).text)
threading.Thread(target=threading.Event().wait, daemon=True).start()
print(confine([]).text)
"""
    alone, beside = after(code, "", "").splitlines()
    assert alone == f"files by Landlock ABI {abi}; sockets, file attributes and programs by seccomp"
    assert "threads started before not bound" in beside


def test_a_kernel_without_landlock_is_said_to_have_none(evidence: Path) -> None:
    code = """
machine = confinement._MACHINES[os.uname().machine]
confinement._LIBC.prctl(38, *map(ctypes.c_ulong, (1, 0, 0, 0)))
machines, confinement._MACHINES = confinement._MACHINES, {os.uname().machine: confinement._Machine(
    audit=machine.audit, seccomp=machine.seccomp, refused=(444,))}
confinement._refuse_calls()
confinement._MACHINES = machines
print(confine([Path(given)]))
attempts = ["open(given, 'ab', buffering=0).write(b'more')"]
"""
    said, refused = after(code + TRIED, evidence, "").splitlines()
    assert said == str(
        Confinement(
            0,
            "files not withheld: Landlock: Operation not permitted; sockets, file attributes and programs by seccomp",
        )
    )
    assert refused == errno.errorcode[errno.EFBIG]
    assert evidence.read_text() == "evidence"


@pytest.mark.parametrize("older", range(1, 8))
def test_the_rights_of_every_older_kernel_are_taken(abi: int, evidence: Path, older: int) -> None:
    if abi < older:
        absent(f"Landlock ABI {older}")
    code = f"""
confinement._LIBC.prctl(38, *map(ctypes.c_ulong, (1, 0, 0, 0)))
confinement._restrict({older}, [Path(given)])
print(open(given).read())
attempts = ["open(given, 'a')"]
{TRIED}"""
    assert after(code, evidence, "").split() == ["evidence", "EACCES"]


def test_rights_are_those_of_the_published_header() -> None:
    files = [0x1FFF, 0x3FFF, 0x7FFF, 0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0x1FFFF, 0x1FFFF, 0x1FFFF]
    assert [_known(_FILE_RIGHTS, abi) for abi in range(1, 12)] == files
    assert [_known(_NET_RIGHTS, abi) for abi in (3, 4, 9, 10, 11)] == [0, 3, 3, 15, 15]
    assert [_known(_SCOPES, abi) for abi in (5, 6, 10)] == [0, 3, 3]


JOB = """
import json, os, sys
from multiprocessing import get_context
from pathlib import Path

from triage.content.digesting import digest
from triage.content.mediatype import media_type
from triage.content.picture import PICTURE_TYPES, hash_picture
from triage.engine.workers.confinement import confine
from triage.hashsets.hashset import HashSet
from triage.items.evidence import Evidence
from triage.model.item import Item, ItemKind
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource


def work(connection, path, set_file):
    confine([Path("/"), path])
    source = open_source(path)
    if source.info.kind not in {"folder", "ewf2"}:
        source.close()  # so that every file is opened once more
    said = confine([*map(Path, source.info.files), set_file])
    evidence = Evidence(WatchedSource(source))
    hashset = HashSet.open(set_file, verify=False)
    found = {}
    for region in evidence.survey().regions:
        for item in evidence.walk(region) if region.is_volume else ():
            if isinstance(item, Item) and item.kind is ItemKind.FILE and "$" not in item.path:
                content = evidence.content(item, region.run)
                kind, digests = media_type(content.head()), digest(content, frozenset({"md5"}))
                looks = hash_picture(content, kind) if kind in PICTURE_TYPES else None
                found[item.path] = [kind, digests.md5, [match.by for match in hashset.match(digests, looks)]]
    refused = []
    for other in ("/etc/passwd", str(path.parent / "private")):
        try:
            open(other).close()
        except OSError as error:
            refused.append(error.errno)
    connection.send({"said": said.text, "files": len(source.info.files), "found": found, "refused": refused,
                     "lost": len(source.unreadable_runs())})


if __name__ == "__main__":
    context = get_context("forkserver")
    context.set_forkserver_preload(["triage.content.picture", "triage.hashsets.hashset", "triage.items.evidence"])
    answers = {}
    for path in map(Path, sys.argv[2:]):
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, path, Path(sys.argv[1])), daemon=True)
        process.start()
        theirs.close()
        answers[path.name] = ours.recv()
        process.join()
    print(json.dumps(answers))
"""

PICTURES = {
    "camera.jpg": ("image/jpeg", pictures.jpeg(pictures.scene(1))),
    "screen.png": ("image/png", pictures.png(pictures.scene(2))),
    "phone.heic": ("image/heic", pictures._saved(pictures.scene(3), "HEIF")),
}


@dataclass(frozen=True)
class Exhibits:
    """The same files as evidence of several kinds, and a sealed set that knows them."""

    folder: Path
    set_file: Path

    def examined(self, *names: str) -> dict[str, Any]:
        """Return what confined workers say of the evidence of these names, each a process of its own."""
        (self.folder / "job.py").write_text(JOB)
        files = [self.folder / "job.py", self.set_file, *(self.folder / name for name in names)]
        done = subprocess.run(
            [sys.executable, *map(str, files)], capture_output=True, text=True, check=False, timeout=120
        )
        assert (done.returncode, done.stderr) == (0, "")
        answers: dict[str, Any] = json.loads(done.stdout)
        return answers


@pytest.fixture(scope="module")
def exhibits(tmp_path_factory: pytest.TempPathFactory) -> Exhibits:
    """Make the files and a set: one is known by its MD5, the others by the PDQ of what they show."""
    folder = tmp_path_factory.mktemp("exhibits")
    (folder / "private").write_text("not evidence")
    (folder / "tree" / "Pictures").mkdir(parents=True)
    for name, (_, data) in PICTURES.items():
        (folder / "tree" / "Pictures" / name).write_bytes(data)
    image = ntfs([File(path=f"Pictures/{name}", data=data) for name, (_, data) in PICTURES.items()], 4 << 20)
    (folder / "disk.raw").write_bytes(image)
    for number in range(4):
        (folder / f"split.{number + 1:03}").write_bytes(image[number << 20 : (number + 1) << 20])
    records = [Record(md5=md5(PICTURES["camera.jpg"][1]).digest())]
    records += [Record(pdq=_pdq(*PICTURES[name])) for name in ("screen.png", "phone.heic")]
    meta = SetMeta(name="known", version="1", kind=SetKind.NOTABLE, date="2026-01-02")
    sealed = compile_records(records, meta, Destination(library=Library(folder / "library")))
    return Exhibits(folder, sealed.path)


def _pdq(kind: str, data: bytes) -> bytes:
    pdq = hash_picture(Content(lambda offset, length: data[offset : offset + length], len(data)), kind).pdq
    assert pdq is not None
    return bytes.fromhex(pdq)


def check(answer: dict[str, Any], abi: int, files: int) -> None:
    """Compare what a worker said with what it should have found, and make sure that it was confined."""
    assert answer["said"] == f"files by Landlock ABI {abi}; sockets, file attributes and programs by seccomp"
    assert answer["refused"] == [errno.EACCES] * 2
    assert (answer["files"], answer["lost"]) == (files, 0)
    by = {"camera.jpg": ["md5"], "screen.png": ["pdq"], "phone.heic": ["pdq"]}
    assert {path.rpartition("/")[2]: told for path, told in answer["found"].items()} == {
        name: [kind, md5(data).hexdigest(), by[name]] for name, (kind, data) in PICTURES.items()
    }


def test_the_work_is_done_on_images_sets_of_segments_and_folders(abi: int, exhibits: Exhibits, tool: Tool) -> None:
    command = [tool("ewfacquire"), "-u", "-q", "-S", "1MiB", "-c", "none", "-t", "expert", "disk.raw"]
    subprocess.run(command, cwd=exhibits.folder, check=True, capture_output=True)
    segments = len(list(exhibits.folder.glob("expert.E*")))
    assert segments > 2
    kinds = {"disk.raw": 1, "split.001": 4, "expert.E01": segments, "tree": 1}
    answers = exhibits.examined(*kinds)
    for name, files in kinds.items():
        check(answers[name], abi, files)


def test_the_work_is_done_on_a_device(abi: int, exhibits: Exhibits, loop_device: Path) -> None:
    (exhibits.folder / "device").symlink_to(loop_device)
    check(exhibits.examined("device")["device"], abi, 1)


@pytest.fixture
def loop_device(exhibits: Exhibits, tool: Tool) -> Iterator[Path]:
    """Return the disk image as a block device, attached so that it can be written."""
    losetup = tool("losetup")
    if os.geteuid() or not Path("/dev/loop-control").exists():
        absent("the right to use /dev/loop-control")
    command = [losetup, "--find", "--show", str(exhibits.folder / "disk.raw")]
    device = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    yield Path(device)
    subprocess.run([losetup, "--detach", device], check=True)


def test_a_device_can_be_asked_and_not_be_changed(abi: int, loop_device: Path) -> None:
    if abi < 5:
        absent("Landlock ABI 5")
    sector_size, flush, read_only = 0x1268, 0x1261, 0x125D
    ask = "fcntl.ioctl(os.open(given, os.O_RDONLY), {}, bytes(4))"
    told, *refused = tried(
        loop_device, *map(ask.format, (sector_size, flush, read_only)), "open(given, 'r+b', buffering=0)"
    )
    assert told == repr((512).to_bytes(4, "little"))
    assert refused == ["EACCES"] * 3
    assert tried("/dev/null", "open(other, 'rb')", other=loop_device) == ["EACCES"]
