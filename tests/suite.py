"""What the fixtures of the suite give to tests: types, and the rule for what may be absent."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from triage.model.item import Item
from triage.model.placing import Placed
from triage.model.result import ItemResult
from triage.store.journal import Journal
from triage.store.rows import Row, listed_row, result_row

CORPUS = Path(os.environ.get("DIGIVAN_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))

Tool = Callable[[str], str]


def placed(items: Sequence[Item], **place: Any) -> list[Row]:
    """Return the rows of items with one place in the order of looking, the first unless said otherwise."""
    return [listed_row(item, Placed(**{"tier": 0, "rank": 0, **place})) for item in items]


def record(journal: Journal, results: Sequence[ItemResult], *, found_at: str = "2026", seconds: float = 0.0) -> None:
    """Record results and their findings as a run does."""
    found = [(result.item, finding) for result in results for finding in result.findings]
    journal.record_results(list(map(result_row, results)), found, found_at=found_at, seconds=seconds)


def absent(what: str) -> NoReturn:
    """Skip, or fail where everything is expected to run."""
    if os.environ.get("DIGIVAN_NO_SKIP") == "1":
        pytest.fail(f"{what} is not here, and this run may not skip")
    pytest.skip(f"{what} is not here")


@dataclass(frozen=True)
class Corpus:
    """The public corpus, unpacked and checked by digest."""

    unpacked: Path
    cases: list[dict[str, Any]]

    def path(self, name: str) -> Path:
        """Return the path of one unpacked file."""
        return self.unpacked / name

    def case(self, identity: str) -> dict[str, Any]:
        """Return the truth of one case."""
        return next(case for case in self.cases if case["id"] == identity)

    def first_file(self, case: dict[str, Any]) -> Path:
        """Return the file a user would name; every other file of the case lies beside it."""
        return self.path(case["files"][0])


@dataclass(frozen=True)
class Ran:
    """What a run of the command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return the one JSON object on standard output."""
        return json.loads(self.out)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return the JSON lines on standard output."""
        return [json.loads(line) for line in self.out.splitlines()]


Triage = Callable[..., Ran]


@dataclass(frozen=True)
class Demo:
    """The demo exhibit, and a library with the set of its known pictures."""

    image: Path
    known: Path
    library: Path
