"""Items that cannot be examined: each ends in its outcome, and costs no other item."""

import hashlib
import io
import random
import subprocess
from pathlib import Path

import pytest
from images import pictures
from suite import Demo, Tool, Triage

from triage.engine.plan import Limits, Profile
from triage.hashsets.importing import ImportOrder
from triage.model.event import Finished, Met, VolumeOpened
from triage.model.finding import SetKind
from triage.session import making
from triage.session.examination import Examination, Order, open_case


def order(source: Path, folder: Path, **changes: object) -> Order:
    return Order(source=source, case=folder / "case", exhibit="A/1", library=folder / "library", **changes)  # type: ignore[arg-type]


def outcomes(folder: Path) -> dict[str, tuple[str, str | None]]:
    with open_case(folder / "case") as case:
        return {str(row["path"]): (str(row["outcome"]), row["reason"]) for row in case.queries.items()}


def test_an_item_that_takes_too_long_is_ended_and_the_others_are_examined(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for number in range(5):
        (source / f"{number}.txt").write_text(f"file {number}")
    with (source / "2-large.bin").open("wb") as large:
        large.truncate(8 << 30)
    limits = Limits(item_seconds=2.0, seconds_per_byte=0.0)
    with Examination(order(source, tmp_path, limits=limits)) as examination:
        events = list(examination.events())
    found = outcomes(tmp_path)
    assert found.pop("2-large.bin")[0] == "timed-out"
    assert {outcome for outcome, _ in found.values()} == {"examined"}
    assert any(isinstance(event, Met) and event.trouble.code == "timed-out" for event in events)
    with open_case(tmp_path / "case") as case:
        reasons = case.queries.recommendation("A/1")
    assert reasons is not None
    assert reasons["verdict"] == "not-determined"
    assert "timed-out" in str(reasons["reasons"])


def test_a_worker_that_cannot_get_memory_loses_the_item_alone(demo: Demo, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "small.txt").write_text("small")
    with (source / "big.bin").open("wb") as big:
        big.truncate(60 << 20)
    (source / "known.jpg").write_bytes(min(demo.known.iterdir()).read_bytes())
    with Examination(order(source, tmp_path, limits=Limits(worker_bytes=200 << 20))) as examination:
        list(examination.events())
    found = outcomes(tmp_path)
    assert found["big.bin"][0] == "crashed"
    assert found["small.txt"][0] == "examined"


def test_a_sparse_file_is_passed_over_by_a_rule_that_is_named(tool: Tool, triage: Triage, tmp_path: Path) -> None:
    image = tmp_path / "sparse.img"
    source = tmp_path / "source"
    source.mkdir()
    with (source / "sparse.bin").open("wb") as sparse:
        sparse.write(b"some content")
        sparse.truncate(3 << 30)
    (source / "plain.txt").write_text("plain")
    subprocess.run([tool("mkfs.ext4"), "-q", "-d", source, image, "8M"], check=True)
    ran = triage("examine", image, "--case", tmp_path / "case", "--exhibit", "A/1", "--json")
    assert ran.code == 0, ran.err
    found = outcomes(tmp_path)
    assert found["sparse.bin"][0] == "skipped"
    assert str(found["sparse.bin"][1]).startswith("limit: sparse file")
    assert found["plain.txt"][0] == "examined"
    assert ran.json["coverage"]["skipped"] > 0
    assert "limit" in {reason["code"] for reason in ran.json["recommendation"]["reasons"]}


def test_events_tell_the_run_from_its_volumes_to_its_end(demo: Demo, tmp_path: Path) -> None:
    wish = Order(source=demo.image, case=tmp_path / "case", exhibit="A/1", library=demo.library, profile=Profile.EXACT)
    with Examination(wish) as examination:
        events = list(examination.events())
    opened = [event.report.file_system for event in events if isinstance(event, VolumeOpened)]
    assert opened == ["ntfs", "fat16"]
    assert isinstance(events[-1], Finished)
    assert events[-1].findings == 4
    with open_case(tmp_path / "case") as case:
        rows = list(case.queries.items())
        recommendation = case.queries.recommendation("A/1")
    assert all(row["pdq"] is None for row in rows)
    assert recommendation is not None
    assert "pictures-not-compared" in str(recommendation["reasons"])


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_number_of_workers_changes_nothing(demo: Demo, tmp_path: Path, jobs: int) -> None:
    rows = []
    for number, workers in enumerate((jobs, 2)):
        case = tmp_path / str(number)
        wish = Order(source=demo.image, case=case, exhibit="A/1", library=demo.library, jobs=workers)
        with Examination(wish) as examination:
            list(examination.events())
        with open_case(case) as reader:
            rows.append(list(reader.queries.items()))
    assert rows[0] == rows[1]


def test_a_container_without_a_signature_is_told_by_its_noise(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    noise = random.Random(20260314).randbytes(300 << 10)
    (source / "container").write_bytes(noise)
    (source / "odd size").write_bytes(noise[:-1])
    (source / "small").write_bytes(noise[:4096])
    (source / "words").write_bytes(b"plain words and nothing else. " * 20_000)
    with Examination(order(source, tmp_path)) as examination:
        list(examination.events())
    found = outcomes(tmp_path)
    assert found.pop("container") == ("encrypted", "high-entropy: noise throughout, possibly an encrypted container")
    assert {outcome for outcome, _ in found.values()} == {"examined"}
    with open_case(tmp_path / "case") as case:
        assert "high-entropy" in {reason["code"] for reason in case.queries.summary("A/1")["recommendation"]["reasons"]}


def test_a_decoder_that_hangs_takes_no_digest_match_with_it(tmp_path: Path) -> None:
    """A progressive JPEG whose scans are repeated for ever costs its decoding, not its digests."""
    source = tmp_path / "source"
    source.mkdir()
    plain = io.BytesIO()
    pictures.scene(5).resize((5000, 5000)).save(plain, "JPEG", progressive=True, quality=30)
    data = plain.getvalue()
    last = data.rindex(b"\xff\xda")
    (source / "slow.jpg").write_bytes(data[:-2] + data[last:-2] * 1500 + b"\xff\xd9")
    (source / "other.jpg").write_bytes(pictures.jpeg(pictures.scene(6)))
    known = tmp_path / "list.md5"
    known.write_text(hashlib.md5((source / "slow.jpg").read_bytes()).hexdigest() + "\n")
    wish = ImportOrder(name="slow", version="1", date="2026-03-14", kind=SetKind.NOTABLE, form="text")
    making.import_published([known], wish, making.destination(tmp_path / "library"), progress=lambda *_: None)
    with Examination(order(source, tmp_path, limits=Limits(item_seconds=2.0))) as examination:
        list(examination.events())
    found = outcomes(tmp_path)
    assert found["slow.jpg"][0] == "timed-out"
    assert str(found["slow.jpg"][1]).startswith("decoding: ")
    assert found["other.jpg"][0] == "examined"
    with open_case(tmp_path / "case") as case:
        assert [row["match"] for row in case.queries.findings()] == ["md5"]
        summary = case.queries.summary("A/1")
    assert summary["recommendation"]["verdict"] == "seize-indicated"
