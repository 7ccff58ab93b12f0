import os
import subprocess
import sys
import tempfile
from pathlib import Path

from suite import absent

from triage.model.item import ItemKind
from triage.sources.folder import OPEN_FILES, FolderEntry, FolderSource, open_folder

ROOT = os.geteuid() == 0


def opened(path: Path) -> FolderSource:
    source = open_folder(path)
    assert source is not None
    return source


def by_path(source: FolderSource) -> dict[str, FolderEntry]:
    return {entry.path: entry for entry in source.entries}


def open_handles() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_files_lie_end_to_end_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    contents = {"b.txt": b"second", "a/z": b"first", "a.txt": b"before the folder", "c/empty": b"", "c/d": b"last"}
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    source = opened(tmp_path)
    paths = [entry.path for entry in source.entries]
    assert paths == sorted(paths, key=os.fsencode) == ["a", "a.txt", "a/z", "b.txt", "c", "c/d", "c/empty"]
    everything = b"".join(contents[path] for path in paths if path in contents)
    assert source.info.kind == "folder"
    assert source.info.size == len(everything)
    assert source.read_at(0, 1000) == everything
    assert source.read_at(5, 7) == everything[5:12]
    assert source.read_at(len(everything), 1) == b""
    for path, content in contents.items():
        entry = by_path(source)[path]
        assert source.read_at(entry.offset, entry.size) == content
    assert source.unreadable_runs() == ()
    source.close()
    source.close()


def test_what_is_no_folder_is_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    assert open_folder(tmp_path / "file") is None
    assert open_folder(tmp_path / "absent") is None


def test_a_link_to_a_folder_given_by_the_user_is_that_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "one").write_bytes(b"1")
    (tmp_path / "link").symlink_to("folder")
    source = opened(tmp_path / "link")
    assert [entry.path for entry in source.entries] == ["one"]
    source.close()


def test_an_empty_folder_has_no_bytes(tmp_path: Path) -> None:
    source = opened(tmp_path)
    assert (source.info.size, source.entries, source.read_at(0, 10)) == (0, (), b"")
    source.close()


def test_hostile_names_and_kinds(tmp_path: Path) -> None:
    base = os.fsencode(tmp_path)
    names = [b"bad\xff\xfe", b"new\nline", b"x" * 255, b"-rf", b" ", b"\xe2\x80\xae.jpg", b"a:b!c%d"]
    for name in names:
        Path(os.fsdecode(base + b"/" + name)).write_bytes(name)
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "up").symlink_to("/")
    os.mkfifo(tmp_path / "fifo")
    source = opened(tmp_path)
    entries = by_path(source)
    for name in names:
        entry = entries[os.fsdecode(name)]
        assert source.read_at(entry.offset, entry.size) == name
    assert entries["loop"].kind is ItemKind.LINK
    assert entries["up"].kind is ItemKind.LINK
    assert entries["fifo"].kind is ItemKind.OTHER
    assert not any(path.startswith(("loop/", "up/")) for path in entries)
    assert source.info.size == sum(len(name) for name in names)
    source.close()


def test_hard_links_lie_there_once(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"shared")
    (tmp_path / "a").hardlink_to(tmp_path / "b")
    (tmp_path / "c").write_bytes(b"own")
    source = opened(tmp_path)
    entries = by_path(source)
    assert entries["a"].offset == entries["b"].offset
    assert entries["a"].inode == entries["b"].inode
    assert entries["b"].reference == "a"
    assert entries["c"].reference == "c"
    assert source.read_at(0, 100) == b"sharedown"
    source.close()


def test_access_times_stay(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "file"
    target.parent.mkdir()
    target.write_bytes(b"content")
    (tmp_path / "folder" / "link").symlink_to("file")
    watched = (target, target.parent, tmp_path / "folder" / "link")
    for path in watched:
        os.utime(path, ns=(10**18, 2 * 10**18), follow_symlinks=False)
    source = opened(tmp_path / "folder")
    assert source.read_at(0, 100) == b"content"
    source.close()
    assert [path.lstat().st_atime_ns for path in watched] == [10**18] * 3


def test_a_file_that_changed_shrank_or_vanished_is_unreadable(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        (tmp_path / name).write_bytes(name.encode() * 100)
    source = opened(tmp_path)
    assert source.read_at(300, 1) == b"d"
    (tmp_path / "a").unlink()
    (tmp_path / "b").write_bytes(b"grown" * 100)
    (tmp_path / "c").unlink()
    (tmp_path / "c").symlink_to("d")
    os.truncate(tmp_path / "d", 40)
    assert source.read_at(0, 400) == bytes(300) + b"d" * 40 + bytes(60)
    assert source.read_at(0, 100) == bytes(100)
    runs = [(bad.run.offset, bad.run.length, bad.reason.split(":")[0]) for bad in source.unreadable_runs()]
    assert runs == [(0, 100, "a"), (100, 100, "b"), (200, 100, "c"), (340, 60, "d")]
    assert "changed since it was listed" in source.unreadable_runs()[1].reason
    source.close()


def test_more_files_than_handles(tmp_path: Path) -> None:
    count = 4 * OPEN_FILES
    for index in range(count):
        (tmp_path / f"{index:04d}").write_bytes(index.to_bytes(2, "big"))
    source = opened(tmp_path)
    before = open_handles()
    assert source.read_at(0, 2 * count) == b"".join(index.to_bytes(2, "big") for index in range(count))
    assert open_handles() <= before + OPEN_FILES
    source.close()
    assert open_handles() < before


def test_deeper_than_a_path_may_be_long(tmp_path: Path) -> None:
    name, depth = "d" * 100, 450
    handle = os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=handle)
        below = os.open(name, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    with os.fdopen(os.open("deepest", os.O_CREAT | os.O_WRONLY, dir_fd=handle), "wb") as file:
        file.write(b"reached")
    os.close(handle)
    source = opened(tmp_path)
    deepest = source.entries[-1]
    assert deepest.path.count("/") == depth
    assert source.read_at(deepest.offset, deepest.size) == b"reached"
    assert source.info.troubles == ()
    source.close()
    subprocess.run(["rm", "-rf", str(tmp_path / name)], check=True)


AS_NOBODY = """
import os, sys
from pathlib import Path
from triage.sources.folder import open_folder
os.setgid(65534); os.setuid(65534)
source = open_folder(Path(sys.argv[1]))
print(source.info.troubles)
print(source.read_at(0, source.info.size))
print([(bad.run.offset, bad.run.length, bad.reason) for bad in source.unreadable_runs()])
"""


def test_what_may_not_be_read_is_said() -> None:
    if not ROOT:
        absent("the right to become another user")
    with tempfile.TemporaryDirectory() as folder:  # every folder of pytest's lies in one that is closed to others
        Path(folder, "secret").write_bytes(b"secret")
        Path(folder, "secret").chmod(0)
        Path(folder, "open").write_bytes(b"open")
        Path(folder, "shut").mkdir(mode=0)
        Path(folder).chmod(0o755)
        command = [sys.executable, "-c", AS_NOBODY, folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    troubles, content, unreadable = done.stdout.splitlines()
    assert troubles == "('folder shut could not be listed: Permission denied',)"
    assert content == repr(b"open" + bytes(6))
    assert unreadable == "[(4, 6, 'secret: Permission denied')]"
