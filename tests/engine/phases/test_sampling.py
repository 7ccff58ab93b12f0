"""Blocks in a run: sampled over the whole source, leads followed, counted once, however often a run is stopped."""

import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from engine.phases import hostile
from engine.phases.exhibit import Exhibit, found, zipped
from images import pictures
from images.fat import fat16
from images.tree import File
from suite import Tool

from triage.engine.plan import Profile
from triage.engine.workers import pool
from triage.items.block_sample import BlockSample
from triage.model.blocks import BLOCK_BYTES
from triage.session.examination import Examination

FILM = random.Random(20260314).randbytes(40 * BLOCK_BYTES)
SIZE = 16 << 20
DRAWN = "SELECT label, blocks, grid_read, drawn, leads, grid_unreadable, drawn_unreadable FROM block_sample"
ALONE = "SELECT sum(leads), sum(alone) FROM block_sample"
PICTURE = pictures.png(pictures.scene(9, (300, 200)))
assert len(PICTURE) > 5 * BLOCK_BYTES


@pytest.fixture
def exhibit(tmp_path: Path) -> Exhibit:
    exhibit = Exhibit(tmp_path)
    exhibit.know(FILM, PICTURE, blocks=True)
    return exhibit


def scene(exhibit: Exhibit, case: str = "case", **changes: Any) -> list[str]:
    """Examine with a sample of blocks and no carving; return the paths of findings."""
    return found(exhibit.run(case, profile=Profile.SCENE, **changes))


def formatted_over(at: int = 8 << 20, film: bytes = FILM) -> bytes:
    """Return a new file system over an old device, of which a known film is left."""
    image = bytearray(fat16([File(path="new.txt", data=b"new")], SIZE))
    image[at : at + len(film)] = film
    return bytes(image)


def test_a_film_on_a_device_that_was_formatted_is_found_by_its_blocks(exhibit: Exhibit) -> None:
    image = formatted_over()
    exhibit.source.write_bytes(image)
    paths = scene(exhibit)
    assert paths
    assert all(path.startswith("blocks/") for path in paths)
    rows = exhibit.rows("SELECT position, size, reason FROM item WHERE path LIKE 'blocks/%'")
    start = image.index(FILM)
    assert all(start <= position and position + size <= start + len(FILM) for position, size, _ in rows)
    assert "of a known file" in rows[0][2]
    assert exhibit.rows("SELECT DISTINCT match FROM finding") == [("block",)]
    files, free = exhibit.rows(DRAWN)
    assert [part.partition(" (")[0] for part in (files[0], free[0])] == ["files", "space that belongs to no file"]
    assert free[2] + free[3] == free[1], "a small part is read as a whole"
    assert free[4] == len(FILM) // BLOCK_BYTES
    assert exhibit.rows(ALONE) == [(free[4], 0)]


def test_the_recommendation_says_what_a_sample_without_a_find_proves(exhibit: Exhibit) -> None:
    exhibit.source.write_bytes(fat16([File(path="new.txt", data=b"new")], SIZE))
    assert scene(exhibit) == []
    told = exhibit.summary()["recommendation"]["reasons"]
    assert any("block" in reason["code"] for reason in told)
    assert [row[4] for row in exhibit.rows(DRAWN)] == [0] * len(exhibit.rows(DRAWN))


def test_blocks_of_a_file_that_is_a_finding_already_tell_nothing_new(exhibit: Exhibit) -> None:
    exhibit.source.write_bytes(fat16([File(path="film.bin", data=FILM)], SIZE))
    assert set(scene(exhibit)) == {"film.bin"}
    assert exhibit.rows("SELECT count(*) FROM item WHERE path LIKE 'blocks/%'") == [(0,)]
    assert exhibit.rows(ALONE) == [(len(FILM) // BLOCK_BYTES, 0)]
    assert "block-lead" not in exhibit.reasons()


@pytest.mark.parametrize("jobs", [1, 3])
def test_what_is_examined_last_explains_blocks_however_many_workers_there_are(exhibit: Exhibit, jobs: int) -> None:
    files = [File(path=f"Windows/{number}.bin", data=b"%d" % number * 9000) for number in range(40)]
    files += [File(path="Windows/film.bin", data=FILM), File(path="set.zip", data=zipped({"b": FILM[::-1]}))]
    exhibit.source.write_bytes(fat16(files, SIZE))
    assert scene(exhibit, jobs=jobs) == ["Windows/film.bin"]


def test_a_carved_content_that_matches_explains_its_blocks(exhibit: Exhibit) -> None:
    exhibit.source.write_bytes(formatted_over(film=PICTURE))
    (path,) = found(exhibit.run())
    assert path.endswith(".png")
    assert exhibit.rows(ALONE) == [(len(PICTURE) // BLOCK_BYTES, 0)]


def test_blocks_that_lie_alone_are_told_besides_a_finding(exhibit: Exhibit) -> None:
    image = bytearray(formatted_over())
    image[10 << 20 : (10 << 20) + 2 * BLOCK_BYTES] = FILM[: 2 * BLOCK_BYTES]
    exhibit.source.write_bytes(image)
    assert scene(exhibit)
    assert exhibit.rows(ALONE) == [(len(FILM) // BLOCK_BYTES + 2, 2)]
    reasons = exhibit.reasons()
    assert "candidate-unconfirmed" in reasons
    assert "confirm or reject: 2;" in reasons["block-lead"]


@pytest.mark.parametrize(("files", "step"), [(1, 512), (20, 1024)])
def test_in_small_clusters_blocks_at_every_one_of_them_are_sampled(
    exhibit: Exhibit, tmp_path: Path, tool: Tool, files: int, step: int
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(files):
        (tree / f"{number}").write_bytes(b"%d" % number * (5000 + 1024 * number))
    subprocess.run([tool("mke2fs"), "-q", "-t", "ext4", "-b", "1024", "-d", tree, exhibit.source, "16M"], check=True)
    start = (15 << 20) + 3 * 1024
    with exhibit.source.open("r+b") as image:
        image.seek(start)
        image.write(FILM)
    assert scene(exhibit)
    ((first, last),) = exhibit.rows("SELECT min(position), max(position + size) FROM item WHERE kind = 'carved'")
    assert (first, last) == (start, start + len(FILM))
    assert {row[0].partition(" (")[2] for row in exhibit.rows(DRAWN)} == {f"a block begins every {step:,} bytes)"}


def test_blocks_in_a_file_that_is_no_finding_are_found(exhibit: Exhibit) -> None:
    exhibit.source.write_bytes(fat16([File(path="film.bin", data=FILM + b"another end")], SIZE))
    paths = scene(exhibit)
    assert paths
    assert all(path.startswith("blocks/") for path in paths)


def test_stopped_in_the_middle_it_ends_with_the_counts_and_findings_of_one_run(
    exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = BlockSample.batches
    monkeypatch.setattr(BlockSample, "batches", lambda self, draws: batches(self, draws, 2048))
    exhibit.source.write_bytes(formatted_over())
    scene(exhibit, "whole")
    stops = seen = 0
    for _ in range(50):
        with Examination(exhibit.order("stopped", profile=Profile.SCENE)) as examination:
            if examination.finished:
                break
            events = examination.events()
            for _ in events:
                read = sum(row[2] + row[3] for row in exhibit.rows(DRAWN, "stopped"))
                if stops < 3 and read > seen:
                    stops, seen = stops + 1, read
                    break
            events.close()
    assert stops == 3
    assert exhibit.kept("stopped") == exhibit.kept("whole")


def test_two_workers_find_what_one_does(exhibit: Exhibit) -> None:
    exhibit.source.write_bytes(formatted_over())
    assert sorted(scene(exhibit, "one")) == sorted(scene(exhibit, "two", jobs=2))
    assert exhibit.kept("one") == exhibit.kept("two")


def test_without_a_set_of_blocks_none_are_sampled(tmp_path: Path) -> None:
    exhibit = Exhibit(tmp_path)
    exhibit.know(FILM)
    exhibit.source.write_bytes(formatted_over())
    assert scene(exhibit) == []
    assert exhibit.rows(DRAWN) == []


def test_a_folder_has_no_blocks_to_sample(exhibit: Exhibit) -> None:
    exhibit.source.mkdir()
    (exhibit.source / "film.bin").write_bytes(FILM + b"another end")
    assert scene(exhibit) == []
    assert exhibit.rows(DRAWN) == []
    assert exhibit.summary()["state"] == "finished"


def test_a_sample_that_costs_workers_counts_as_unreadable(exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "worker_process", hostile.make("blocks"))
    exhibit.source.write_bytes(formatted_over())
    assert scene(exhibit) == []
    for _, blocks, grid_read, drawn, leads, grid_unreadable, drawn_unreadable in exhibit.rows(DRAWN):
        assert (grid_read + drawn, leads) == (blocks, 0)
        assert grid_unreadable + drawn_unreadable == blocks
    assert "crashed" in exhibit.reasons()
    assert exhibit.summary()["state"] == "finished"
