"""Fixtures shared by the suite: evidence tools, the public corpus, a fixed clock."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CORPUS = Path(os.environ.get("DIGIVAN_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))

Tool = Callable[[str], str]


def absent(what: str) -> None:
    """Skip, or fail where everything is expected to run."""
    if os.environ.get("DIGIVAN_NO_SKIP") == "1":
        pytest.fail(f"{what} is not here, and this run may not skip")
    pytest.skip(f"{what} is not here")


@pytest.fixture(scope="session")
def tool() -> Tool:
    """Return a function that finds a program, or skips the test."""

    def find(name: str) -> str:
        path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if path is None:
            absent(f"the program {name}")
        assert path is not None
        return path

    return find


@dataclass(frozen=True)
class Corpus:
    """The public corpus, unpacked file by file when a test asks for it."""

    root: Path
    unpacked: Path
    cases: list[dict[str, Any]]

    def path(self, name: str) -> Path:
        """Return the path of one unpacked, digest-checked file."""
        target = self.unpacked / name
        if not target.exists():
            self._unpack(name)
        return target

    def case(self, identity: str) -> dict[str, Any]:
        """Return the truth of one case."""
        return next(case for case in self.cases if case["id"] == identity)

    def first_file(self, case: dict[str, Any]) -> Path:
        """Return the file a user would name, with every other file of the case beside it."""
        for name in [*case["files"], *case["companions"]]:
            self.path(name)
        return self.path(case["files"][0])

    def _unpack(self, name: str) -> None:
        """Let the corpus unpack one of its own files; it checks the digest itself."""
        command = [sys.executable, str(self.root / "unpack.py"), str(self.unpacked), "--only", name]
        subprocess.run(command, check=True)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Return the public corpus, or skip the test where it is absent."""
    if not (CORPUS / "truth.json").exists():
        absent("the public corpus")
    truth = json.loads((CORPUS / "truth.json").read_text())
    return Corpus(CORPUS, tmp_path_factory.mktemp("corpus"), truth["cases"])
