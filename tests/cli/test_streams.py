"""Outputs that fail, readers that leave, and signals: one line and an exit code, never a traceback."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from suite import Demo, Triage

COMMAND = [sys.executable, "-m", "triage"]


def shell(words: list[object], redirection: str) -> tuple[int, str]:
    """Run a command line under a redirection of the shell; return exit code and what came on standard error."""
    line = f'"$@" {redirection}'
    command = ["bash", "-o", "pipefail", "-c", line, "bash", *COMMAND, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def case(triage: Triage, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("case") / "case"
    ran = triage("examine", demo.image, "--case", folder, "--exhibit", "A/1", "--library", demo.library, "--json")
    assert ran.code == 0, ran.err
    return folder


@pytest.mark.parametrize("form", [[], ["--jsonl"], ["--csv"]], ids=["table", "jsonl", "csv"])
def test_an_output_that_cannot_be_written_is_one_line_and_exit_4(case: Path, form: list[object]) -> None:
    code, err = shell(["items", "--case", case, *form], "> /dev/full")
    assert code == 4
    assert err.startswith("triage: the output cannot be written: No space left on device; ")
    assert err.count("\n") == 1


def test_a_closed_output_is_told_before_the_work(demo: Demo, tmp_path: Path) -> None:
    code, err = shell(["examine", demo.image, "--case", tmp_path / "c"], ">&-")
    assert (code, err.count("\n")) == (4, 1)
    assert "standard output is closed" in err
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("words", [["items", "--jsonl"], ["items"], ["--help"]], ids=["jsonl", "table", "help"])
def test_a_reader_that_leaves_is_no_error(case: Path, words: list[object]) -> None:
    more = ["--case", case] if words[0] == "items" else []
    assert shell([*words, *more], "| true") == (0, "")


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "<&- 2>&-", "2> >(true)"])
def test_nobody_need_look_on(triage: Triage, demo: Demo, tmp_path: Path, redirection: str) -> None:
    words = ["examine", demo.image, "--case", tmp_path / "c", "--exhibit", "A/1", "--library", demo.library]
    code, _ = shell(words, redirection)
    assert code == 0
    account = triage("coverage", "--case", tmp_path / "c", "--exhibit", "A/1", "--json").json
    assert account["bytes"]["not-examined"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_hash_set_that_is_stopped_is_not_written(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for name in range(40):
        with (folder / str(name)).open("wb") as file:
            file.truncate(64 << 20)
    words = ["hashset", "build", str(folder), "--name", "n", "--library", str(tmp_path / "library")]
    with subprocess.Popen([*COMMAND, *words], stderr=subprocess.PIPE, text=True) as process:
        wait_for(f"{folder}/", process.pid)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (5, "triage: stopped; the library is as it was\n")
    assert not list(tmp_path.glob("library/*"))


def wait_for(path: str, pid: int) -> None:
    """Return when a process has a file below the path open."""
    for _ in range(1200):
        time.sleep(0.02)
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if str(descriptor.readlink()).startswith(path):
                    return
            except FileNotFoundError:
                continue
    pytest.fail("it did not begin within 24 seconds")


def test_a_signal_while_libraries_load_is_one_line(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'click': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from triage.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (5, "triage: stopped\n")


def test_a_signal_that_is_ignored_stays_so(demo: Demo, tmp_path: Path) -> None:
    words = ["examine", demo.image, "--case", tmp_path / "c", "--exhibit", "A/1"]
    command = ["bash", "-c", "trap '' HUP; \"$@\" & sleep 0.6; kill -HUP $!; wait $!", "bash", *COMMAND]
    done = subprocess.run([*command, *map(str, words)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
