"""`triage documents` as a user meets it."""

from pathlib import Path

from suite import Triage

WHO = ("--examiner", "A Examiner", "--reason", "to be looked at in full")


def test_the_documents_of_an_examined_exhibit_lie_in_the_folder(triage: Triage, tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "new" / "papers"
    source.mkdir()
    (source / "notes.txt").write_text("nothing of note")
    at = ("--case", tmp_path / "case", "--exhibit", "ABC/1")
    examined = triage("examine", source, *at, "--library", tmp_path / "library", "--profile", "exact")
    assert examined.code == 0, examined.err
    assert triage("decide", *at, "refer", *WHO).code == 0
    ran = triage("documents", *at, "--out", out, "--jsonl")
    assert ran.code == 0, ran.err
    assert [row["kind"] for row in ran.rows] == ["seizure-label", "continuity-sheet"]
    assert sorted(path.name for path in out.iterdir()) == sorted(Path(row["file"]).name for row in ran.rows)
    assert all(Path(row["file"]).read_bytes().startswith(b"%PDF-") for row in ran.rows)
    refused = triage("documents", *at, "--out", out, "--print", environment={"PATH": str(tmp_path)})
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("triage: this machine has no printer (no program lp); open ")
