"""The whole product against the public corpus: every case says what its independent truth says."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from suite import CORPUS, Corpus

from triage.session.examination import Examination, Order, open_case

CORPUS_CASES = 120
SECONDS = 60

# What `fls` does not list and this product does: resource forks and extended attributes, as streams.
_BEYOND_FLS = ("hfs+", "apfs", "xfs", "btrfs")
_CONTROL = re.compile("[\x00-\x1f\x7f]")

Key = tuple[str, int, str | None]


def identities() -> list[str]:
    """Return the identities of the cases, or one stand-in whose test skips or fails by the suite's rule."""
    truth = CORPUS / "truth.json"
    return [case["id"] for case in json.loads(truth.read_bytes())["cases"]] if truth.exists() else ["absent"]


def key(path: str, size: int, md5: str | None) -> Key:
    """Return what a row and its truth are compared by: `fls` shows control characters as ^."""
    shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return _CONTROL.sub("^", shown), size, md5


def truths(filesystem: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the files of a file system, whichever tool they come from."""
    listed = [*filesystem.get("files", ()), *filesystem.get("files_from_second_tool", ())]
    for volume in filesystem.get("apfs_volumes", ()):
        listed += volume["files"]
    return listed


def compare(filesystem: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with the rows of one file system."""
    mine = [row for row in rows if row["volume"] == filesystem["offset"] and row["kind"] in {"file", "stream"}]
    beyond = bool(mine) and mine[0]["file_system"] in _BEYOND_FLS
    unsized = {key(file["path"], 0, None)[0] for file in truths(filesystem) if "size" not in file}
    wrong: list[str] = []
    for allocated in (True, False):
        true = Counter(
            key(file["path"], file["size"], file.get("md5"))
            for file in truths(filesystem)
            if (file["status"] == "allocated") is allocated and "size" in file
        )
        seen = Counter(
            key(row["path"], row["size"], row["md5"])
            for row in mine
            if row["allocated"] is allocated and not (beyond and row["kind"] == "stream")
        )
        wrong += [f"missing (allocated: {allocated}): {entry}" for entry in true - seen]
        extra = [entry for entry in seen - true if entry[0] not in unsized]
        wrong += [f"not in the truth (allocated: {allocated}): {entry}" for entry in extra]
    return wrong


def test_the_corpus_is_whole(corpus: Corpus) -> None:
    assert len(corpus.cases) == CORPUS_CASES


def examine(source: Path, folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the result and the items of one examination."""
    with Examination(Order(source=source, case=folder, exhibit="A/1", library=folder / "library")) as examination:
        for _ in examination.events():
            pass
    with open_case(folder) as case:
        return case.queries.summary("A/1"), list(case.queries.items("A/1"))


@pytest.mark.parametrize("identity", identities())
def test_case(identity: str, corpus: Corpus, tmp_path: Path) -> None:
    case = corpus.case(identity)
    expect = case["expect"]
    result, rows = examine(corpus.first_file(case), tmp_path)
    assert sum(result["coverage"].values()) == result["size"]
    assert len(rows) == result["items"]
    assert result["recommendation"]["verdict"] == "not-determined"
    assert result["seconds"] < SECONDS
    codes = {reason["code"] for reason in result["recommendation"]["reasons"]}
    if expect == "files":
        assert [wrong for part in case["filesystems"] for wrong in compare(part, rows)] == []
    elif expect.startswith(("encrypted", "ambiguous")):
        assert expect.partition("-")[0] in codes
    elif not expect.startswith("must-not"):
        states = {volume["state"] for volume in result["volumes"]}
        assert states == {"read"} or codes & {"unsupported", "no-file-system"}, "neither read nor reported"
