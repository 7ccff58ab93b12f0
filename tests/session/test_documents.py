"""The documents of real cases: what they say, what they hold back, and that they are the same when made again."""

import json
import re
import subprocess
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from suite import Tool
from synthetic.concluded import WHEN, concluded

from triage.export.known import Kind
from triage.model.decision import Decided, Statement
from triage.model.errors import StoreError, UsageError
from triage.model.finding import MatchBy
from triage.policy.deciding import codes_of, limitations
from triage.session.deciding import Deciding
from triage.session.documents import Document, documents_for, open_file, print_file, write
from triage.session.examination import open_case
from triage.session.intake import RECEIVED, Received, receive
from triage.store.case import Case

STICK = Received(
    exhibit="AB/1",
    description="black USB stick, 32 GB",
    examiner="A Examiner",
    operation="Operation Larch",
    authority="PACE 1984 s.8 warrant",
    premises="1 High Street",
    seal="B1234567",
    make="Maker",
    model="Fit",
    serial="4C53",
    found_where="bedroom 2",
    found_when="2026-01-02 14:05",
    found_by="B Officer",
    state_on_arrival="off",
    write_block="hardware",
)
HOSTILE = "x\x1b[31m\u202egnp.exe\n{nb} **b** <b> \u4e2d \u0627\u0644\u0639\u0631\u0628\u064a\u0629 " + "w" * 200


def text_of(tool: Tool, path: Path) -> str:
    """Return the text of a PDF on one line."""
    done = subprocess.run([tool("pdftotext"), "-layout", str(path), "-"], capture_output=True, check=True)
    return " ".join(done.stdout.decode().split())


def code_of(tool: Tool, path: Path) -> str:
    """Return what the QR code on the first page says."""
    words = [
        tool("pdftoppm"),
        "-r",
        "200",
        "-f",
        "1",
        "-l",
        "1",
        "-png",
        "-singlefile",
        str(path),
        str(path.with_suffix("")),
    ]
    subprocess.run(words, check=True)
    picture = path.with_suffix(".png")
    done = subprocess.run([tool("zbarimg"), "-q", "--raw", str(picture)], capture_output=True, check=True)
    return done.stdout.decode().strip()


def decided(case: Path, verdict: Decided, **said: Any) -> None:
    with Deciding(case, "AB/1") as deciding:
        known = tuple(codes_of(limitations(deciding.recommendation))) if verdict is Decided.RETURN else ()
        words = {"reason": "as seen", "examiner": "A Examiner", "acknowledged": known, **said}
        deciding.record(Statement(verdict=verdict, **words))


def made(case: Path, folder: Path) -> dict[Kind, Path]:
    return {one.kind: write(case, "AB/1", one, folder) for one in documents_for(case, "AB/1")}


def events(case: Path) -> list[tuple[int, str, str, dict[str, Any]]]:
    with open_case(case) as reader:
        return [(one.sequence, one.digest, one.action, json.loads(one.payload)) for one in reader.ledger.events()]


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return concluded(tmp_path / "case", exhibit="AB/1")


def test_the_decision_says_which_documents_there_are(case: Path) -> None:
    receive(case, STICK)
    assert [one.kind for one in documents_for(case, "AB/1")] == [Kind.CONTINUITY]
    decided(case, Decided.RETURN)
    receipt, sheet = documents_for(case, "AB/1")
    assert (receipt.name, receipt.title) == ("AB_1-return-receipt-3.pdf", "Return receipt")
    assert (sheet.name, sheet.title) == ("AB_1-continuity-sheet-3.pdf", "Continuity sheet")
    decided(case, Decided.REFER)
    assert [one.kind for one in documents_for(case, "AB/1")] == [Kind.LABEL, Kind.CONTINUITY]
    with pytest.raises(UsageError, match="has changed since"):
        write(case, "AB/1", receipt, case / "papers")
    assert not (case / "papers").exists()


def test_a_receipt_says_what_was_done_and_what_was_not(case: Path, tmp_path: Path, tool: Tool) -> None:
    receive(case, STICK)
    decided(case, Decided.RETURN, power="PACE 1984 s.22", reason="kept no longer than necessary")
    path = made(case, tmp_path / "papers")[Kind.RECEIPT]
    text = text_of(tool, path)
    stated = set(STICK.facts().values()) - {"B1234567", "off", "hardware"}
    for fact in (*stated, "demo, version 3 of 2026-11-20", "scene, policy not stated", "PACE 1984 s.22"):
        assert fact in text
    assert "2026-11-23 10:00:00 UTC" in text
    assert "kept no longer than necessary" in text
    assert "Hash sets find only material that is already known" in text
    assert "It says nothing about what the device holds or does not hold." in text
    assert "Receiver: name in capitals" in text
    assert not re.search(r"\b(clear|cleared|clean|innocent|safe)\b", text, re.IGNORECASE)
    sequence, digest, *_ = events(case)[2]
    first = events(case)[0][1][:16]
    said = f"triage:1 case={first} exhibit=AB/1 event={sequence} sha256={digest}"
    assert said in text
    assert code_of(tool, path) == said


def test_a_label_fits_on_one_page_whatever_is_known(case: Path, tmp_path: Path, tool: Tool) -> None:
    receive(case, STICK)
    decided(case, Decided.SEIZE, power="PACE 1984 s.19", second="B Second", second_reason="seen")
    path = made(case, tmp_path / "papers")[Kind.LABEL]
    text = text_of(tool, path)
    for fact in ("Seized", "AB/1", "B1234567", "black USB stick", "Operation Larch", "PACE 1984 s.19", "A Examiner"):
        assert fact in text
    assert code_of(tool, path).endswith(events(case)[2][1])
    told = subprocess.run([tool("pdfinfo"), str(path)], capture_output=True, check=True, text=True).stdout
    assert re.search(r"Pages: +1\n", told)
    assert re.search(r"Page size: +283.46\d* x 198.4\d* pts", told)


def test_a_continuity_sheet_tells_every_event_and_invents_nothing(case: Path, tmp_path: Path, tool: Tool) -> None:
    receive(case, Received(exhibit="AB/1", description="a phone", examiner="A Examiner"))
    decided(case, Decided.REFER)
    concluded(case, exhibit="AB/2")
    with Case.open(case) as opened:
        for number in range(1, 8):
            facts = {"finding": number, "examiner": "A Examiner"}
            opened.ledger.append(when=WHEN, actor="e", action="candidate.rejected", subject="AB/1", payload=facts)
        opened.ledger.append(when=WHEN, actor="e", action="examination.resumed", subject="AB/2", payload={})
    text = text_of(tool, made(case, tmp_path / "papers")[Kind.CONTINUITY])
    assert "received: by A Examiner" in text
    assert "decided: to refer, by A Examiner" in text
    assert "candidate rejected (7 times)" in text
    assert "4 to 10" in text
    assert "resumed" not in text
    assert "None" not in text
    for label in ("found where", "seal or bag number", "from: name and signature", "clock offset of the device"):
        assert label in text


def test_the_same_case_gives_the_same_bytes_and_each_making_is_recorded(case: Path, tmp_path: Path) -> None:
    receive(case, STICK)
    decided(case, Decided.RETURN)
    first, again = made(case, tmp_path / "one"), made(case, tmp_path / "two")
    assert [path.name for path in first.values()] == [path.name for path in again.values()]
    assert [path.read_bytes() for path in first.values()] == [path.read_bytes() for path in again.values()]
    assert b"(D:20" in first[Kind.RECEIPT].read_bytes()
    recorded = [payload for *_, action, payload in events(case) if action == "document.made"]
    told = [{"name": path.name, "sha256": sha256(path.read_bytes()).hexdigest()} for path in first.values()]
    assert recorded == told * 2


def test_nothing_is_overwritten_and_nothing_is_written_into_evidence(case: Path, tmp_path: Path) -> None:
    decided(case, Decided.RETURN)
    receipt = documents_for(case, "AB/1")[0]
    path = write(case, "AB/1", receipt, tmp_path)
    before = events(case)
    assert write(case, "AB/1", receipt, tmp_path) == path
    assert events(case) == before
    path.write_bytes(b"another")
    with pytest.raises(UsageError, match="exists already and is something else"):
        write(case, "AB/1", receipt, tmp_path)
    assert path.read_bytes() == b"another"
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written: Not a directory"):
        write(case, "AB/1", receipt, tmp_path / "file" / "papers")
    with pytest.raises(UsageError, match="cannot be written"):
        write(case, "AB/1", receipt, tmp_path / "file")
    with pytest.raises(UsageError, match="inside the evidence"):
        write(case, "AB/1", receipt, Path("disk.raw") / "papers")
    assert events(case) == before


def test_an_exhibit_without_records_has_no_documents(case: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no exhibit AB/7; it holds: AB/1"):
        documents_for(case, "AB/7")
    with pytest.raises(UsageError, match="nothing is recorded of the custody of exhibit AB/1"):
        documents_for(case, "AB/1")
    with pytest.raises(StoreError):
        documents_for(tmp_path / "none", "AB/1")


@pytest.mark.parametrize("verdict", [Decided.RETURN, Decided.SEIZE])
def test_no_text_does_harm(case: Path, tmp_path: Path, tool: Tool, verdict: Decided) -> None:
    with Case.open(case) as opened:
        facts = {**dict.fromkeys(STICK.facts(), HOSTILE), "description": HOSTILE + "w" * 4000}
        del facts["exhibit"]
        opened.ledger.append(when=WHEN, actor=HOSTILE, action=RECEIVED, subject="AB/1", payload=facts)
    said = dict.fromkeys(("reason", "examiner", "power", "necessity", "second", "second_reason"), HOSTILE)
    decided(case, verdict, **{**said, "second": "B" + HOSTILE})
    for path in made(case, tmp_path / "papers").values():
        text = text_of(tool, path)
        assert "AB/1" in text
        assert r"x\u{1b}[31m\u{202e}gnp.exe\u{a}{nb}" in text
        assert "\u202e" not in text
        assert "\x1b" not in text


def test_a_reference_may_be_anything(tmp_path: Path, tool: Tool) -> None:
    reference = "../\u4e2d " + "w" * 120
    case = concluded(tmp_path / "case", MatchBy.SHA256, exhibit=reference)
    with Deciding(case, reference) as deciding:
        deciding.record(Statement(verdict=Decided.SEIZE, reason="as seen", examiner="A Examiner"))
    for one in documents_for(case, reference):
        path = write(case, reference, one, tmp_path / "papers")
        assert path.parent == tmp_path / "papers"
        assert re.fullmatch(r"_[_w]*-(seizure-label|continuity-sheet)-2\.pdf", path.name)
        assert f"exhibit=../%E4%B8%AD%20{'w' * 120} event=2" in code_of(tool, path)


def test_a_document_is_printed_by_the_program_of_the_system(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided(case, Decided.RETURN)
    path = made(case, tmp_path)[Kind.RECEIPT]
    programs, taken = tmp_path / "programs", tmp_path / "taken"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(UsageError, match="has no printer"):
        print_file(case, "AB/1", path)
    printer = programs / "lp"
    printer.write_text(f'#!/bin/sh\n[ "$1" = -- ] && while read -r line; do :; done < "$2"; echo "$2" > {taken}\n')
    printer.chmod(0o755)
    print_file(case, "AB/1", path)
    assert taken.read_text() == f"{path}\n"
    assert events(case)[-1][2:] == (
        "document.printed",
        {"name": path.name, "sha256": sha256(path.read_bytes()).hexdigest()},
    )
    printer.write_text("#!/bin/sh\necho 'no default destination' >&2\necho more >&2\nexit 1\n")
    before = events(case)
    with pytest.raises(UsageError, match=r"did not take .*: no default destination; see to it"):
        print_file(case, "AB/1", path)
    with pytest.raises(UsageError, match="cannot be printed: No such file"):
        print_file(case, "AB/1", tmp_path / "gone.pdf")
    assert events(case) == before


def test_documents_are_no_change_to_an_exhibit(case: Path, tmp_path: Path) -> None:
    decided(case, Decided.RETURN)
    before: tuple[Document, ...] = documents_for(case, "AB/1")
    made(case, tmp_path)
    assert documents_for(case, "AB/1") == before


def test_a_document_is_shown_by_the_desktop_and_nobody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, seen = tmp_path / "xdg-open", tmp_path / "seen"
    program.write_text(f'#!/bin/sh\necho "$1" > {seen}.part\nmv {seen}.part {seen}\nexec sleep 2\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("DISPLAY", ":0")
    began = time.monotonic()
    open_file(tmp_path / "a label.pdf")
    assert time.monotonic() - began < 2
    while not seen.exists():
        assert time.monotonic() - began < 30
        time.sleep(0.01)
    assert seen.read_text().strip() == str(tmp_path / "a label.pdf")


def test_without_a_desktop_it_is_said_where_the_document_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match=f"no desktop to show documents on; open {tmp_path / 'a.pdf'} elsewhere"):
        open_file(tmp_path / "a.pdf")
