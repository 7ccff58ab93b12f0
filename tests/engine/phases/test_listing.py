"""What names hint at, told while they are listed: stored once, and counted."""

from pathlib import Path

import pytest
from engine.phases.exhibit import Exhibit
from images.fat import fat16
from images.tree import File

from triage.engine.plan import Profile
from triage.session.examination import Examination, open_case

PLAIN = [File(path=f"Data/{number:03}.txt", data=b"%d" % number) for number in range(300)]
TELLING = [
    File(path="Tools/Tor Browser/Browser/firefox.exe", data=b"x"),
    File(path="Notes/blue lantern plans.txt", data=b"y"),
    File(path="Notes/BLUE LANTERN.txt", data=b"z"),
]


@pytest.fixture
def exhibit(tmp_path: Path) -> Exhibit:
    exhibit = Exhibit(tmp_path)
    exhibit.source.write_bytes(fat16([*PLAIN[:150], *TELLING, *PLAIN[150:]], 16 << 20))
    (tmp_path / "words.txt").write_text("blue lantern\n")
    return exhibit


def counted(exhibit: Exhibit, case: str = "case") -> dict[tuple[str, str], int]:
    with open_case(exhibit.folder / case) as reader:
        return reader.indications.counted("A/1")


def test_names_are_told_by_the_table_and_by_the_words_of_a_force(exhibit: Exhibit) -> None:
    exhibit.run(profile=Profile.EXACT, keywords=exhibit.folder / "words.txt")
    rows = exhibit.rows("SELECT category, path FROM indication ORDER BY path")
    assert {path for _, path in rows} >= {"Notes/BLUE LANTERN.txt", "Notes/blue lantern plans.txt"}
    assert any("Tor Browser" in path for _, path in rows)
    assert not any(path.startswith("Data/") for _, path in rows)
    assert sum(counted(exhibit).values()) == len(rows)
    exhibit.run("without", profile=Profile.EXACT)
    assert 0 < sum(counted(exhibit, "without").values()) < len(rows)


def test_they_are_no_part_of_the_recommendation(exhibit: Exhibit) -> None:
    exhibit.run(profile=Profile.EXACT, keywords=exhibit.folder / "words.txt")
    exhibit.run("without", profile=Profile.EXACT)
    assert exhibit.reasons() == exhibit.reasons("without")


def test_a_listing_that_is_begun_again_tells_the_same_once(exhibit: Exhibit) -> None:
    wish = {"profile": Profile.EXACT, "keywords": exhibit.folder / "words.txt"}
    exhibit.run("whole", **wish)
    with Examination(exhibit.order("stopped", **wish)) as examination:
        events = examination.events()
        for _ in events:
            if exhibit.rows("SELECT count(*) FROM indication", "stopped") > [(0,)]:
                break
        events.close()
    exhibit.run("stopped", **wish)
    assert exhibit.kept("stopped") == exhibit.kept("whole")
