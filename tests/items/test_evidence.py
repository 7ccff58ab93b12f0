"""Opened evidence: volumes, items, bytes, and what happens when some of the bytes cannot be read."""

from dataclasses import replace
from pathlib import Path

import pytest
from suite import Demo

from triage.engine.learning.examining import Examiner
from triage.engine.learning.learner import Learner
from triage.engine.plan import Depth, Limits
from triage.engine.trace import Trace
from triage.items.evidence import Evidence
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.item import Item, ItemKind, Outcome
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.sources.opening import open_source
from triage.sources.source import EvidenceSource
from triage.sources.unreadable import UnreadableLog
from triage.sources.watched import WatchedSource


class Scratched:
    """A source of which some bytes cannot be read: real bytes of a real image around them."""

    def __init__(self, inner: EvidenceSource, *bad: ByteRun) -> None:
        self._inner = inner
        self._bad = bad
        self._log = UnreadableLog()

    @property
    def info(self) -> SourceInfo:
        return self._inner.info

    def read_at(self, offset: int, length: int) -> bytes:
        data = bytearray(self._inner.read_at(offset, length))
        for run in self._bad:
            start, end = max(run.offset, offset), min(run.end, offset + len(data))
            if start < end:
                data[start - offset : end - offset] = bytes(end - start)
                self._log.add(ByteRun(start, end - start), "scratched")
        return bytes(data)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        return self._log.runs()

    def close(self) -> None:
        self._inner.close()


def listed(evidence: Evidence) -> list[tuple[Item, ByteRun]]:
    return [
        (entry, region.run)
        for region in evidence.survey().regions
        if region.is_volume
        for entry in evidence.walk(region)
        if isinstance(entry, Item) and entry.kind in {ItemKind.FILE, ItemKind.STREAM}
    ]


def examiner(evidence: Evidence) -> Examiner:
    depth = Depth(digests=("md5",), pictures=True)
    return Examiner(Learner(evidence, (), depth, Limits(), begin=lambda _: None, trace=Trace(on=False)))


def examined(at_work: Examiner, item: Item, run: ByteRun) -> ItemResult:
    (result,) = at_work.examine([(1, item)], run)
    return result


def test_content_is_what_was_put_in(demo: Demo) -> None:
    evidence = Evidence(WatchedSource(open_source(demo.image)))
    known = {path.read_bytes() for path in demo.known.iterdir()}
    found = {b"".join(evidence.content(item, run).blocks()) for item, run in listed(evidence)}
    exact_copies = 4
    assert len(found & known) == exact_copies
    evidence.source.close()


def test_an_unreadable_byte_costs_the_item_it_lies_in_and_no_other(demo: Demo) -> None:
    sound = Evidence(WatchedSource(open_source(demo.image)))
    hurt, run = next((item, run) for item, run in listed(sound) if item.path.endswith("holiday_105.jpg"))
    at = hurt.runs[0].offset + 700
    scratched = Evidence(WatchedSource(Scratched(sound.source.inner, ByteRun(at, 512))))
    results = {item.path: examined(examiner(scratched), item, run) for item, run in listed(scratched)}
    lost = results.pop(hurt.path)
    assert (lost.outcome, lost.digests.md5) == (Outcome.UNREADABLE, None)
    assert lost.reason == f"512 of {hurt.size} bytes could not be read"
    assert {result.outcome for result in results.values()} == {Outcome.EXAMINED}
    assert run.length
    scratched.source.close()


def test_what_lies_in_metadata_is_lost_with_the_metadata(demo: Demo) -> None:
    sound = Evidence(WatchedSource(open_source(demo.image)))
    resident, run = next((item, run) for item, run in listed(sound) if item.path.endswith("notes.txt"))
    assert resident.runs == ()
    scratched = Evidence(WatchedSource(Scratched(sound.source.inner)))
    scratched.recognise(next(region for region in scratched.survey().regions if region.run == run))
    assert examined(examiner(scratched), resident, run).outcome is Outcome.EXAMINED
    scratched.source.close()


def test_a_hard_link_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content" * 1000)
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    evidence = Evidence(WatchedSource(open_source(tmp_path)))
    entries = listed(evidence)
    at_work = examiner(evidence)
    results = []
    for item, run in entries:
        before = evidence.source.bytes_read
        results.append((examined(at_work, item, run), evidence.source.bytes_read - before))
    assert [item.path for item, _ in entries] == ["a", "b"]
    assert results[0][0] == results[1][0]
    assert results[0][1] > 0
    assert results[1][1] == 0
    evidence.source.close()


@pytest.mark.parametrize(("offset", "length", "met"), [(0, 1000, False), (512, 512, True), (1024, 10_000, False)])
def test_a_read_that_meets_an_unreadable_byte_is_noticed(demo: Demo, offset: int, length: int, met: bool) -> None:
    source = WatchedSource(Scratched(open_source(demo.image), ByteRun(1000, 24)))
    source.read_at(1000, 24)
    source.touched = False
    source.read_at(offset, length)
    assert source.touched is met
    source.close()


@pytest.mark.parametrize("change", [{"size": 5 << 30}, {"size": 5 << 30, "runs": ()}])
def test_a_file_that_is_nearly_all_holes_is_passed_over(demo: Demo, change: dict[str, object]) -> None:
    evidence = Evidence(WatchedSource(open_source(demo.image)))
    item, run = listed(evidence)[0]
    sparse = replace(item, **change)  # type: ignore[arg-type]  # one of two fixed changes
    result = examined(examiner(evidence), sparse, run)
    assert result.outcome is Outcome.SKIPPED
    assert result.reason is not None
    assert result.reason.startswith("limit: sparse file")
    evidence.source.close()
