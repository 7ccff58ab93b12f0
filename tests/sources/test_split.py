from collections.abc import Sequence
from pathlib import Path

import pytest

from triage.model.errors import SourceError
from triage.model.runs import ByteRun
from triage.sources.source import EvidenceSource
from triage.sources.split import open_split

DATA = b"".join(bytes([65 + number]) * 1000 for number in range(4)) + b"end"


def write(folder: Path, names: Sequence[str]) -> list[Path]:
    paths = [folder / name for name in names]
    for index, path in enumerate(paths):
        path.write_bytes(DATA[index * 1000 : index * 1000 + 1000])
    return paths


def opened(path: Path) -> EvidenceSource:
    source = open_split(path)
    assert source is not None
    return source


@pytest.mark.parametrize(
    "names",
    [
        ["d.001", "d.002", "d.003", "d.004", "d.005"],
        ["d.000", "d.001", "d.002", "d.003", "d.004"],
        ["d.dd.aa", "d.dd.ab", "d.dd.ac", "d.dd.ad", "d.dd.ae"],
        ["d.AAA", "d.AAB", "d.AAC", "d.AAD", "d.AAE"],
        ["d.01", "d.02", "d.03", "d.04", "d.05"],
    ],
)
def test_a_set_reads_as_one(tmp_path: Path, names: list[str]) -> None:
    paths = write(tmp_path, names)
    (tmp_path / "other.006").write_bytes(b"x")
    (tmp_path / "d.txt").write_bytes(b"x")
    source = opened(paths[0])
    assert (source.info.kind, source.info.size) == ("split-raw", len(DATA))
    assert source.info.files == tuple(map(str, paths))
    assert source.read_at(0, 1 << 20) == DATA
    assert source.read_at(999, 2) == b"AB"
    assert (source.info.troubles, source.unreadable_runs()) == ((), ())


def test_a_lone_file_is_no_set(tmp_path: Path) -> None:
    assert open_split(write(tmp_path, ["d.001"])[0]) is None
    assert open_split(write(tmp_path, ["e.dd"])[0]) is None
    assert open_split(write(tmp_path, ["f"])[0]) is None
    assert open_split(tmp_path) is None


def test_neighbours_of_like_names_are_no_set(tmp_path: Path) -> None:
    write(tmp_path, ["d.aa", "d.dd", "d.img", "d.raw"])
    assert open_split(tmp_path / "d.img") is None
    assert open_split(tmp_path / "d.dd") is None


def test_a_missing_part_is_unreadable_at_its_full_length(tmp_path: Path) -> None:
    paths = write(tmp_path, ["d.001", "d.002", "d.003", "d.004", "d.005"])
    paths[1].unlink()
    source = opened(paths[0])
    assert source.info.size == len(DATA)
    assert source.info.troubles == ("segment d.002 is missing",)
    assert [(bad.run, bad.reason) for bad in source.unreadable_runs()] == [
        (ByteRun(1000, 1000), "segment d.002 is missing")
    ]
    assert source.read_at(0, 5000) == DATA[:1000] + bytes(1000) + DATA[2000:]


def test_a_cut_part_does_not_move_those_behind_it(tmp_path: Path) -> None:
    paths = write(tmp_path, ["d.001", "d.002", "d.003", "d.004", "d.005"])
    paths[2].write_bytes(b"C" * 300)
    source = opened(paths[0])
    assert source.info.troubles == ("segment d.003 is cut: 300 of 1000 bytes",)
    assert [bad.run for bad in source.unreadable_runs()] == [ByteRun(2300, 700)]
    assert source.read_at(0, 5000) == DATA[:2300] + bytes(700) + DATA[3000:]


@pytest.mark.parametrize(
    ("names", "named"), [(["d.001", "d.002", "d.003"], 1), (["d.000", "d.001"], 1), (["d.aa", "d.ab", "d.ac"], 2)]
)
def test_a_later_part_is_refused_with_the_first_named(tmp_path: Path, names: list[str], named: int) -> None:
    paths = write(tmp_path, names)
    with pytest.raises(SourceError, match=f"give the first segment {names[0]}"):
        open_split(paths[named])


def test_parts_without_their_first_say_so(tmp_path: Path) -> None:
    source = opened(write(tmp_path, ["d.004", "d.005"])[0])
    assert source.info.troubles == ("the segments before d.004 are missing: offsets begin with it",)


def test_a_part_far_behind_is_named_and_not_read(tmp_path: Path) -> None:
    source = opened(write(tmp_path, ["d.001", "d.002", "d.099"])[0])
    assert source.info.size == 2000
    assert source.info.troubles == ("d.099 is too far from d.002 to be of the set: not read",)
