"""Fixtures shared by the suite: evidence tools, the public corpus, the command line, the demo exhibit."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from suite import CORPUS, Corpus, Demo, Ran, Tool, Triage, absent

# The same examples every time, and no verdict about the speed of a busy machine.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def tool() -> Tool:
    """Return a function that finds a program, or skips the test."""

    def find(name: str) -> str:
        path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if path is None:
            absent(f"the program {name}")
        return path

    return find


@pytest.fixture(scope="session")
def corpus(pytestconfig: pytest.Config) -> Corpus:
    """Return the public corpus, unpacked once for this checkout, or skip the test where it is absent."""
    if not (CORPUS / "truth.json").exists():
        absent("the public corpus")
    truth = (CORPUS / "truth.json").read_bytes()
    unpacked = pytestconfig.rootpath / ".pytest_cache" / f"corpus-{hashlib.sha256(truth).hexdigest()[:16]}"
    unpacked.parent.mkdir(exist_ok=True)
    with (unpacked.parent / "corpus.lock").open("w") as lock:  # the processes of one run share what is unpacked
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not unpacked.exists():
            partial = unpacked.with_suffix(".partial")
            subprocess.run([sys.executable, str(CORPUS / "unpack.py"), str(partial)], check=True)
            partial.rename(unpacked)
    return Corpus(unpacked, json.loads(truth)["cases"])


@pytest.fixture(scope="session")
def triage() -> Triage:
    """Return a function that runs the real command line in a process of its own."""

    def run(*words: object, environment: dict[str, str] | None = None) -> Ran:
        command = [sys.executable, "-m", "triage", *map(str, words)]
        settings = {**os.environ, "COLUMNS": "120", **(environment or {})}
        done = subprocess.run(command, capture_output=True, encoding="utf-8", env=settings, check=False, timeout=300)
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, triage: Triage) -> Demo:
    """Make the exhibit of `make demo` and its hash set, once for the whole suite."""
    folder = tmp_path_factory.mktemp("demo")
    subprocess.run([sys.executable, str(Path(__file__).parent / "make_demo.py"), str(folder)], check=True)
    made = Demo(folder / "exhibit.img", folder / "known", folder / "library")
    built = triage("hashset", "build", made.known, "--name", "demo-known", "--library", made.library)
    assert built.code == 0, built.err
    return made
