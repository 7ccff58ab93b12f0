import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from suite import placed

from triage.model.errors import StoreError, UsageError
from triage.model.item import Item
from triage.store import database, opening
from triage.store.case import Case, CaseReader
from triage.store.lock import InUseError, ProcessLock

ROOT = Path(__file__).parents[2]

HOLD_AND_DIE = """
import os, signal, sys
from pathlib import Path
from triage.store.case import Case
case = Case.open(Path(sys.argv[1]))
case.claim("ABC/1")
with case.transaction():
    case.ledger.append(when="2026", actor="a", action="never.happened", subject="s", payload={})
    if sys.argv[2] == "fork" and (child := os.fork()) == 0:
        os.closerange(0, 3)
        signal.alarm(20)
        signal.pause()
    print(child if sys.argv[2] == "fork" else 0, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def one_line(error: pytest.ExceptionInfo[StoreError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert error.value.exit_code == 4
    return text


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    )


@contextmanager
def as_nobody() -> Iterator[None]:
    """Lose the rights of root for a while: permissions do not bind root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_new_case_begins_with_its_creation(case: Case, when: str) -> None:
    (event,) = case.ledger.events()
    assert (event.sequence, event.action, event.subject, event.when) == (1, "case.created", "case", when)


def test_open_or_create_goes_on_where_the_case_is(case: Case, when: str) -> None:
    case.close()
    with Case.open_or_create(case.folder, when="later", actor="other") as again:
        assert [event.when for event in again.ledger.events()] == [when]


def test_a_missing_case_is_one_line(tmp_path: Path) -> None:
    for way in (Case.open, CaseReader.open):
        with pytest.raises(StoreError, match="holds no case") as error:
            way(tmp_path)
        one_line(error)
    assert list(tmp_path.iterdir()) == []


def test_an_exhibit_is_claimed_once_and_who_has_it_is_told(case: Case) -> None:
    case.claim("ABC/1")
    case.claim("ABC/1")
    with Case.open(case.folder) as other:
        other.claim("ABC/2")
        with pytest.raises(InUseError, match=f"exhibit ABC/1 of the case .* in use by process {os.getpid()}") as error:
            other.claim("ABC/1")
        one_line(error)
        case.close()
        case.close()
        other.claim("ABC/1")


def test_a_second_process_is_refused_the_exhibit_and_writes_to_the_case(case: Case) -> None:
    case.claim("ABC/1")
    code = """
import sys
from pathlib import Path
from triage.store.case import Case
case = Case.open(Path(sys.argv[1]))
case.ledger.append(when="2026", actor="a", action="by.another", subject="s", payload={})
case.claim("ABC/1")
"""
    result = run_python(code, str(case.folder))
    assert f"is in use by process {os.getpid()}" in result.stderr
    assert [event.action for event in case.ledger.events()] == ["case.created", "by.another"]


def test_an_exhibit_of_any_name_is_claimed(case: Case) -> None:
    for reference in ("../x", "caf\udce9", "x" * 300, ""):
        case.claim(reference)
    assert sum(path.name.startswith("exhibit-") for path in case.folder.iterdir()) == 4


def test_who_opens_a_case_waits_for_another_to_open_it(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older program holds this lock for as long as it writes."""
    lock = ProcessLock(case.folder / "case.lock", "the case")
    release = threading.Timer(0.3, lock.release)
    release.start()
    Case.open(case.folder).close()
    release.join()
    lock = ProcessLock(case.folder / "case.lock", "the case")
    monkeypatch.setattr(opening, "_PATIENCE", 0.1)
    with pytest.raises(InUseError, match=f"case is in use by process {os.getpid()}") as error:
        Case.open(case.folder)
    one_line(error)
    lock.release()


def test_a_writer_waits_for_its_turn(prepared: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each transaction adds to what it read inside: none may begin before the one before it ended."""
    monkeypatch.setattr(database, "_WAIT", 0.01)  # so that turns are waited for more than once
    monkeypatch.setattr(database, "_ATTEMPTS", 10_000)

    def count() -> None:
        with Case.open(prepared.folder) as case:
            for _ in range(25):
                with case.transaction():
                    number = int(case.decisions.next_number())
                    case.ledger.append(when="2026", actor="a", action="step", subject="s", payload={"n": number})
                    case.exhibits.add_bytes_read("ABC/1", 1)

    writers = [threading.Thread(target=count) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    prepared.ledger.verify()
    found = prepared.exhibits.get("ABC/1")
    assert found is not None
    assert found.bytes_read == len(list(prepared.ledger.events())) - 1 == 100


def test_a_file_that_is_never_free_is_one_line(prepared: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_WAIT", 0.05)
    monkeypatch.setattr(database, "_ATTEMPTS", 3)
    with Case.open(prepared.folder) as other, prepared.transaction():
        with pytest.raises(StoreError, match="database is locked; another program holds the file") as error:
            other.exhibits.add_bytes_read("ABC/1", 1)
        one_line(error)


@pytest.mark.parametrize("children", ["none", "fork"])
def test_a_killed_writer_leaves_a_consistent_case_and_no_lock(case: Case, children: str) -> None:
    case.close()
    result = run_python(HOLD_AND_DIE, str(case.folder), children)
    assert result.returncode == -signal.SIGKILL, result.stderr
    try:
        with Case.open(case.folder) as again:
            again.claim("ABC/1")
            assert [event.action for event in again.ledger.events()] == ["case.created"]
    finally:
        if child := int(result.stdout):
            os.kill(child, signal.SIGKILL)


def test_a_making_that_was_cut_short_is_made_good(tmp_path: Path, when: str) -> None:
    (tmp_path / "case.sqlite").touch()
    with Case.open_or_create(tmp_path, when=when, actor="examiner") as case:
        case.ledger.verify()
        assert case.exhibits.references() == ()


def test_a_file_of_another_program_is_refused_and_left_alone(tmp_path: Path, when: str) -> None:
    with sqlite3.connect(tmp_path / "case.sqlite") as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    before = (tmp_path / "case.sqlite").read_bytes()
    with pytest.raises(StoreError, match="is not a case file") as error:
        Case.open_or_create(tmp_path, when=when, actor="examiner")
    one_line(error)
    with pytest.raises(StoreError, match="is not a case file"):
        CaseReader.open(tmp_path)
    assert (tmp_path / "case.sqlite").read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "case.sqlite").write_bytes(b"not a database at all, but long enough to look at" * 100)
    for way in (Case.open, CaseReader.open):
        with pytest.raises(StoreError, match="not a database; name the folder of a case") as error:
            way(tmp_path)
        one_line(error)


def test_a_damaged_case_is_refused(prepared: Case, item: Callable[[int], Item]) -> None:
    prepared.journal.add_items("ABC/1", 1 << 20, placed([item(n) for n in range(500)]), first=0)
    prepared.close()
    path = prepared.folder / "case.sqlite"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="malformed") as error:
        Case.open(prepared.folder)
    assert "new case" in one_line(error)
    ProcessLock(prepared.folder / "case.lock", "the case").release()  # the refusal gave the lock back


def test_a_newer_case_is_refused(case: Case) -> None:
    case.close()
    with sqlite3.connect(case.folder / "case.sqlite") as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    for way in (Case.open, CaseReader.open):
        with pytest.raises(StoreError, match="schema version 99") as error:
            way(case.folder)
        one_line(error)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, when: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be made") as error:
        Case.open_or_create(tmp_path / "file" / "case", when=when, actor="examiner")
    one_line(error)


def test_a_folder_that_cannot_be_written_is_refused(when: str) -> None:
    with pytest.raises(StoreError, match="cannot be") as error:
        Case.open_or_create(Path("/proc/self"), when=when, actor="examiner")
    one_line(error)


def unreachable(folder: Path) -> list[Path]:
    (folder / "loop").symlink_to("loop")
    return [folder / ("x" * 300), folder / "loop", folder / "loop" / "case"]


def test_a_folder_that_cannot_be_reached_is_one_line(tmp_path: Path, when: str) -> None:
    for folder in unreachable(tmp_path):
        for way in (Case.open, CaseReader.open):
            with pytest.raises(StoreError, match="cannot be reached") as error:
                way(folder)
            one_line(error)
        with pytest.raises(StoreError, match="cannot be made") as error:
            Case.open_or_create(folder, when=when, actor="examiner")
        one_line(error)


def test_a_folder_behind_a_closed_one_is_one_line(case: Case, when: str) -> None:
    case.close()
    closed = case.folder.parent
    closed.chmod(0o600)
    try:
        with as_nobody():
            for way in (Case.open, CaseReader.open):
                with pytest.raises(StoreError, match="cannot be reached: Permission denied; check the path"):
                    way(case.folder)
            with pytest.raises(StoreError, match="cannot be made: Permission denied"):
                Case.open_or_create(case.folder, when=when, actor="examiner")
    finally:
        closed.chmod(0o700)


def test_a_lock_file_that_cannot_be_written_is_one_line_and_leaves_nothing_open(case: Case) -> None:
    case.close()
    lock = case.folder / "case.lock"
    lock.unlink()
    os.mkfifo(lock)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(StoreError, match="cannot be written: Invalid argument; choose a folder") as error:
        Case.open(case.folder)
    one_line(error)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_lock_file_on_a_full_disk_is_one_line(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    case.close()
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(StoreError, match="No space left on device; free some space") as error:
            Case.open(case.folder)
        one_line(error)
    Case.open(case.folder).close()


def test_opening_a_case_that_is_current_changes_nothing(prepared: Case) -> None:
    prepared.close()
    before = (prepared.folder / "case.sqlite").read_bytes()
    Case.open(prepared.folder).close()
    assert (prepared.folder / "case.sqlite").read_bytes() == before


def test_a_full_disk_stops_in_one_line_and_undoes_the_batch(prepared: Case, item: Callable[[int], Item]) -> None:
    prepared._database.execute("PRAGMA max_page_count = 60")
    with pytest.raises(StoreError, match="full; free some space") as error:
        prepared.journal.add_items("ABC/1", 1 << 20, placed([item(n) for n in range(5000)]), first=0)
    one_line(error)
    assert prepared.queue.tiers("ABC/1") == ()
    prepared.ledger.verify()


def test_readers_read_while_a_batch_is_being_written(prepared: Case, item: Callable[[int], Item]) -> None:
    prepared.journal.add_items("ABC/1", 1 << 20, placed([item(0)]), first=0)
    with CaseReader.open(prepared.folder) as reader, prepared.transaction():
        prepared.journal.add_items("ABC/1", 1 << 20, placed([item(1)]), first=1)
        assert [row["path"] for row in reader.queries.items("ABC/1")] == ["Pictures/IMG_0000.JPG"]
        assert reader.queries.summary("ABC/1")["exhibit"] == "ABC/1"
        reader.ledger.verify()


def test_a_reader_never_writes(case: Case) -> None:
    with (
        CaseReader.open(case.folder) as reader,
        pytest.raises(StoreError, match="readonly database; choose a folder that can be written"),
    ):
        reader._database.execute("DELETE FROM meta")


def test_a_case_on_a_medium_that_cannot_be_written_is_read(prepared: Case) -> None:
    prepared.close()
    folder = Path(tempfile.mkdtemp(prefix="case-"))
    try:
        shutil.copy(prepared.folder / "case.sqlite", folder)
        (folder / "case.sqlite").chmod(0o444)
        folder.chmod(0o555)
        with as_nobody(), CaseReader.open(folder) as reader:
            assert reader.queries.summary("ABC/1")["exhibit"] == "ABC/1"
            assert sorted(path.name for path in folder.iterdir()) == ["case.sqlite"]
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_an_unknown_exhibit_is_wrong_usage_and_names_the_known_ones(prepared: Case) -> None:
    with pytest.raises(UsageError, match=r"no exhibit ABC/9; it holds: ABC/1"):
        prepared.queries.summary("ABC/9")
    with pytest.raises(UsageError, match="no exhibit"):
        list(prepared.queries.items("ABC/9"))


def test_killed_at_any_moment_of_a_run_of_transactions(prepared: Case) -> None:
    """The writer appends in a loop; whenever it is killed, the file opens, verifies and has no half transaction."""
    prepared.close()
    code = """
import sys
from pathlib import Path
from triage.store.case import Case
case = Case.open(Path(sys.argv[1]))
print("go", flush=True)
while True:
    with case.transaction():
        case.exhibits.add_bytes_read("ABC/1", 1)
        case.ledger.append(when="2026", actor="a", action="step", subject="ABC/1", payload={})
"""
    for delay in (0.01, 0.05, 0.12):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(prepared.folder)], cwd=ROOT, stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(delay)
            writer.kill()
        with Case.open(prepared.folder) as again:
            record = again.exhibits.get("ABC/1")
            assert record is not None
            assert record.bytes_read == sum(event.action == "step" for event in again.ledger.events())
