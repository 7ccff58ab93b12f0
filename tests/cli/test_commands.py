"""The command line as a user meets it: outputs, exit codes, one line for every error."""

import csv
import io
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from suite import Demo, Ran, Triage

Examined = tuple[Path, dict[str, Any]]

ITEM_KEYS = [
    "path", "volume", "file_system", "kind", "size", "allocated", "md5", "sha1", "sha256", "media_type", "pdq",
    "pdq_quality", "phash", "outcome", "reason", "modified", "created", "accessed", "changed",
]  # fmt: skip
FINDING_KEYS = [
    "path", "volume", "set", "set_version", "set_digest", "category", "grade", "match", "distance", "confirmed",
    "found_at", "seconds",
]  # fmt: skip
RESULT_KEYS = {
    "case", "exhibit", "source", "size", "source_kind", "volumes", "items", "examined", "findings", "coverage",
    "recommendation", "seconds", "first_finding_seconds", "bytes_read", "plan_digest",
}  # fmt: skip


@pytest.fixture(scope="module")
def case(triage: Triage, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Examined:
    folder = tmp_path_factory.mktemp("case") / "case"
    ran = triage("examine", demo.image, "--case", folder, "--exhibit", "DEMO/1", "--library", demo.library, "--json")
    assert ran.code == 0, ran.err
    return folder, ran.json


def test_examine_prints_the_result_of_the_contract(case: Examined) -> None:
    _, result = case
    assert set(result) >= RESULT_KEYS
    assert result["exhibit"] == "DEMO/1"
    assert sum(result["coverage"].values()) == result["size"] == Path(result["source"]).stat().st_size
    assert result["recommendation"]["verdict"] == "seize-indicated"
    assert {"code", "text"} == set(result["recommendation"]["reasons"][0])
    assert 0 < result["first_finding_seconds"] <= result["seconds"]
    assert result["bytes_read"] > 0


def test_every_planted_picture_is_found_and_no_other(triage: Triage, case: Examined) -> None:
    found = triage("findings", "--case", case[0], "--jsonl").rows
    assert [*found[0]][: len(FINDING_KEYS)] == FINDING_KEYS
    exact = {row["path"].rpartition("/")[2] for row in found if row["match"] == "sha256"}
    near = {row["path"].rpartition("/")[2]: row["distance"] for row in found if row["match"] == "pdq"}
    assert exact == {"IMG_0001.jpg", "old.jpg", "notes.txt:extra", "DSC_0200.JPG"}
    assert set(near) == {"small.jpg", "bright.png", "mirror.jpg", "DSC_0201.JPG"}
    assert max(near.values()) <= 31


def test_items_have_the_keys_of_the_contract_in_every_form(triage: Triage, case: Examined) -> None:
    rows = triage("items", "--case", case[0], "--exhibit", "DEMO/1", "--jsonl").rows
    assert [*rows[0]][: len(ITEM_KEYS)] == ITEM_KEYS
    assert {row["outcome"] for row in rows} == {"examined"}
    deleted = [row["path"] for row in rows if not row["allocated"] and row["kind"] == "file"]
    assert deleted == ["Users/sam/Desktop/old.jpg", "DCIM/100SYNTH/DSC_0201.JPG"]
    table = list(csv.DictReader(io.StringIO(triage("items", "--case", case[0], "--csv").out)))
    assert [row["path"] for row in table] == [row["path"] for row in rows]
    assert "DSC_0200.JPG" in triage("items", "--case", case[0]).out


def test_coverage_adds_up(triage: Triage, case: Examined) -> None:
    account = triage("coverage", "--case", case[0], "--exhibit", "DEMO/1", "--json").json
    assert sum(account["bytes"].values()) == account["size"]
    assert sum(account["items"].values()) == case[1]["items"] == sum(rule["items"] for rule in account["rules"])
    assert "unallocated-not-examined" in triage("coverage", "--case", case[0], "--exhibit", "DEMO/1").out


def test_coverage_is_told_region_by_region(triage: Triage, case: Examined) -> None:
    account = triage("coverage", "--case", case[0], "--exhibit", "DEMO/1", "--json").json
    end = 0
    for region in account["regions"]:
        assert region["offset"] == end
        assert sum(region["bytes"].values()) == region["length"]
        end += region["length"]
    assert end == account["size"]
    for kind, count in account["bytes"].items():
        assert sum(region["bytes"][kind] for region in account["regions"]) == count
    read = {region["file_system"] for region in account["regions"] if region["state"] == "read"}
    assert read == {volume["file_system"] for volume in case[1]["volumes"]}


def test_an_examination_that_is_done_is_not_done_again(triage: Triage, demo: Demo, case: Examined) -> None:
    again = triage("examine", demo.image, "--case", case[0], "--exhibit", "DEMO/1", "--library", demo.library, "--json")
    assert again.json == case[1]
    assert "already examined" in again.err


def test_the_report_says_who_decides(triage: Triage, demo: Demo, case: Examined) -> None:
    report = triage("examine", demo.image, "--case", case[0], "--exhibit", "DEMO/1", "--library", demo.library).out
    assert "SEIZE INDICATED" in report
    assert "a named examiner decides" in report
    assert "Hash sets find only material that is already known" in report


def one_line(ran: Ran, code: int) -> str:
    assert ran.code == code, ran.err
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.err
    assert ran.err.startswith("triage: ")
    return ran.err


def test_wrong_usage_is_one_line_and_exit_2(triage: Triage, tmp_path: Path) -> None:
    one_line(triage("examine"), 2)
    one_line(triage("nonsense"), 2)
    one_line(triage("examine", tmp_path, "--profile", "none"), 2)
    assert "neither a file nor a hexadecimal hash" in one_line(triage("hashset", "lookup", "xyz"), 2)


def test_a_source_that_cannot_be_opened_is_one_line_and_exit_3(triage: Triage, tmp_path: Path) -> None:
    assert "does not exist" in one_line(triage("examine", tmp_path / "none.E01", "--case", tmp_path / "c"), 3)
    os.mkfifo(tmp_path / "fifo")
    one_line(triage("examine", tmp_path / "fifo", "--case", tmp_path / "c"), 3)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        one_line(triage("examine", tmp_path / "socket", "--case", tmp_path / "c"), 3)
    (tmp_path / "note.txt").write_text("not an image")
    one_line(triage("examine", tmp_path / "note.txt", "--case", tmp_path / "c"), 3)
    assert not (tmp_path / "c").exists()


def test_a_case_that_cannot_be_used_is_one_line_and_exit_4(triage: Triage, demo: Demo, tmp_path: Path) -> None:
    one_line(triage("items", "--case", tmp_path / "nothing"), 4)
    (tmp_path / "case.sqlite").write_bytes(b"not a database" * 100)
    one_line(triage("items", "--case", tmp_path), 4)
    one_line(triage("examine", demo.image, "--case", tmp_path, "--exhibit", "A/1"), 4)
    library = tmp_path / "library"
    library.mkdir()
    sealed = next(demo.library.glob("*.hashset"))
    (library / sealed.name).write_bytes(sealed.read_bytes()[:-1] + b"\xff")
    one_line(triage("examine", demo.image, "--case", tmp_path / "c", "--library", library), 4)


def test_a_reference_belongs_to_one_source_and_plan(triage: Triage, demo: Demo, case: Examined, tmp_path: Path) -> None:
    other = tmp_path / "other.img"
    other.write_bytes(demo.image.read_bytes()[:-512])
    words = ("--case", case[0], "--exhibit", "DEMO/1", "--library", demo.library)
    assert "is not the source" in one_line(triage("examine", other, *words), 3)
    assert "another profile" in one_line(triage("examine", demo.image, *words, "--profile", "exact"), 2)


def test_help_teaches(triage: Triage) -> None:
    top = triage("--help").out
    for word in ("examine", "items", "findings", "coverage", "hashset", "Exit codes", "completion"):
        assert word in top
    for words in (["examine"], ["items"], ["findings"], ["coverage"], ["hashset", "build"], ["hashset", "import"]):
        assert "--library" in triage(*words, "--help").out or "--case" in triage(*words, "--help").out


def test_shell_completion_is_there(triage: Triage) -> None:
    assert "complete" in triage(environment={"_TRIAGE_COMPLETE": "bash_source"}).out


def test_the_library_is_listed_and_asked(triage: Triage, demo: Demo) -> None:
    (row,) = triage("hashset", "list", "--library", demo.library, "--json").rows
    assert (row["name"], row["kind"], row["counts"]["records"], row["problem"]) == ("demo-known", "notable", 8, None)
    known = min(demo.known.iterdir())
    (match,) = triage("hashset", "lookup", known, "--library", demo.library, "--json").rows
    assert (match["set"], match["match"], match["distance"]) == ("demo-known", "sha256", 0)
    assert "in no set" in triage("hashset", "lookup", "0" * 32, "--library", demo.library).out


def test_the_library_folder_comes_from_the_environment(triage: Triage, demo: Demo, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "hashsets").symlink_to(demo.library)
    assert "demo-known" in triage("hashset", "list", environment={"DIGIVAN_HOME": str(home)}).out
    assert "demo-known" not in triage("hashset", "list", environment={"XDG_DATA_HOME": str(tmp_path)}).out


def test_importing_says_what_was_used_and_why_not(triage: Triage, tmp_path: Path) -> None:
    published = tmp_path / "list.md5"
    published.write_text("9e107d9d372bb6826bd81d3542a419d6  a\nnot a digest\nd41d8cd98f00b204e9800998ecf8427e  empty\n")
    words = ("hashset", "import", published, "--name", "text", "--library", tmp_path / "library")
    assert "--kind" in one_line(triage(*words), 2)
    ran = triage(*words, "--kind", "notable")
    assert ran.code == 0, ran.err
    assert "1 records" in ran.out
    assert "skipped" in ran.err
    found = triage("hashset", "lookup", "9E107D9D372BB6826BD81D3542A419D6", "--library", tmp_path / "library")
    assert "in text (notable) by md5" in found.out


ODD = ["n" * 300, "loop", "loop/below", "\udcff"]


@pytest.mark.parametrize("name", ODD, ids=["long", "loop", "below a loop", "not UTF-8"])
def test_odd_paths_are_one_line(triage: Triage, demo: Demo, tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    odd = tmp_path / name
    library = ("--library", demo.library)
    one_line(triage("examine", odd, "--case", tmp_path / "c", "--exhibit", "A/1"), 3)
    one_line(triage("items", "--case", odd), 4)
    one_line(triage("hashset", "build", odd, "--name", "n", *library), 3)
    one_line(triage("hashset", "import", odd, "--name", "n", "--kind", "known", *library), 3)
    if name != "\udcff":
        one_line(triage("examine", demo.image, "--case", odd, "--exhibit", "A/1"), 4)
        one_line(triage("hashset", "list", "--library", odd), 4)


@pytest.mark.parametrize(
    "words",
    [
        ("examine", ""),
        ("examine", "x", "--exhibit", ""),
        ("examine", "x", "--exhibit", "\udcff"),
        ("items", "--exhibit", "\udcff"),
        ("items", "--case", ""),
        ("items", "--jsonl", "--csv"),
        ("hashset", "build", "x", "--name", " "),
    ],
)
def test_empty_and_contradicting_words_are_wrong_usage(triage: Triage, words: tuple[str, ...]) -> None:
    one_line(triage(*words), 2)


def test_names_stay_as_they_are(triage: Triage, demo: Demo, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    known = min(demo.known.iterdir()).read_bytes()
    for name in (b":bomb: [red].jpg", b"caf\xe9 \x1b[31m.jpg"):
        (folder / os.fsdecode(name)).write_bytes(known)
    ran = triage("examine", folder, "--case", tmp_path / "c", "--exhibit", "A/1", "--library", demo.library)
    found = triage("findings", "--case", tmp_path / "c").out
    for text in (ran.err, ran.out, found):
        assert ":bomb: [red].jpg" in text
        assert "caf\\xe9 \\x1b[31m.jpg" in text


def test_tables_name_exhibits_and_deleted_items(triage: Triage, demo: Demo, case: Examined, tmp_path: Path) -> None:
    table = triage("items", "--case", case[0]).out
    assert "Users/sam/Desktop/old.jpg (deleted; none of its space belongs to an allocated file by now)" in table
    assert "exhibit" not in table
    assert "old.jpg (deleted" in triage("findings", "--case", case[0], environment={"COLUMNS": "20"}).out
    for reference in ("A/1", "A/2"):
        triage("examine", demo.known, "--case", tmp_path / "c", "--exhibit", reference, "--library", demo.library)
    several = triage("findings", "--case", tmp_path / "c").out
    assert "exhibit" in several
    assert "A/2" in several
    assert "exhibit" not in triage("findings", "--case", tmp_path / "c", "--exhibit", "A/2").out


def test_a_library_that_is_not_there_is_told(triage: Triage, demo: Demo, tmp_path: Path) -> None:
    ran = triage("hashset", "lookup", "0" * 32, "--library", tmp_path / "none", "--json")
    assert (ran.code, ran.rows) == (0, [{"query": "0" * 32, "set": None}])
    assert ran.err == f"warning: the library {tmp_path / 'none'} does not exist: nothing is looked into\n"
    assert "does not exist" in triage("hashset", "list", environment={"DIGIVAN_HOME": str(tmp_path)}).err
    words = ("examine", demo.known, "--case", tmp_path / "c", "--exhibit", "A/1")
    ran = triage(*words, "--library", tmp_path / "none")
    assert ran.code == 0
    assert ran.err.startswith(f"warning: no notable hash set in {tmp_path / 'none'}: nothing can match; ")


def test_a_set_that_is_not_what_was_sealed_is_listed_so(triage: Triage, demo: Demo, tmp_path: Path) -> None:
    sealed = next(demo.library.glob("*.hashset"))
    content = bytearray(sealed.read_bytes())
    content[200] ^= 1
    (tmp_path / sealed.name).write_bytes(content)
    (row,) = triage("hashset", "list", "--library", tmp_path, "--json").rows
    assert "its content is not what was sealed" in row["problem"]


def test_a_version_changes_only_when_told(triage: Triage, tmp_path: Path) -> None:
    published = tmp_path / "list"
    words = ("hashset", "import", published, "--name", "n", "--kind", "known", "--library", tmp_path / "library")
    published.write_text("9e107d9d372bb6826bd81d3542a419d6\n")
    assert triage(*words).code == 0
    assert "left as it is" in triage(*words).err
    published.write_text("e4d909c290d0fb1ca068ffaddf22cbd0\n")
    assert "--replace" in one_line(triage(*words), 2)
    assert "took the place of version 1" in triage(*words, "--replace").err
    published.write_text("9e107d9d372bb6826bd81d3542a419d6\n")
    assert "took the place of version 1" in triage(*words, "--set-version", "2").err


def test_a_list_of_64_digits_is_ambiguous(triage: Triage, tmp_path: Path) -> None:
    published = tmp_path / "list"
    published.write_text("f8f8f0cce0f4a84f0e370a22028f67f0b36e2ed596623e1d33e6339c4e9c9b22\n")
    words = ("hashset", "import", published, "--kind", "notable", "--library", tmp_path / "library")
    assert "give --format pdq" in triage(*words, "--name", "a").err
    ran = triage(*words, "--name", "b", "--format", "pdq")
    assert "(1 pdq)" in ran.out
    assert "--format" not in ran.err


def test_two_images_of_one_name_and_size_are_two_sources(triage: Triage, demo: Demo, tmp_path: Path) -> None:
    data = bytearray(demo.image.read_bytes())
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "disk.img").write_bytes(data)
        data[100] ^= 0xFF
    words = ("--case", tmp_path / "case", "--library", demo.library)
    assert triage("examine", tmp_path / "a" / "disk.img", *words).code == 0
    assert "is not the source" in one_line(triage("examine", tmp_path / "b" / "disk.img", *words), 3)


def test_a_cut_image_is_never_a_return(triage: Triage, demo: Demo, tmp_path: Path) -> None:
    cut = tmp_path / "cut.img"
    cut.write_bytes(demo.image.read_bytes()[(1 << 20) : (1 << 20) + (15 << 20)])
    ran = triage("examine", cut, "--case", tmp_path / "case", "--library", demo.library, "--json")
    assert "damaged" in {reason["code"] for reason in ran.json["recommendation"]["reasons"]}
    assert "its end is missing" in ran.err
