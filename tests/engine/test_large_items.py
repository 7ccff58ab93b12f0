"""Large items are learnt side by side: as by themselves, and trouble with one is its own."""

import hashlib
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from images import pictures

from triage.content import lanes
from triage.engine.learning.learner import Learner
from triage.engine.learning.learnt import Learnt
from triage.engine.plan import Limits, Profile, depth_of
from triage.engine.trace import Trace
from triage.items.evidence import Evidence
from triage.items.loading import LARGEST
from triage.model.address import Address
from triage.model.errors import EvidenceError
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.item import Item, ItemKind, Outcome
from triage.model.runs import ByteRun, total
from triage.sources.evidence_files import EvidenceFiles
from triage.sources.raw import Part, RawSource
from triage.sources.watched import WatchedSource

SIZE = 24 << 20
MANY = 9 << 20  # bytes of an item of which fewer than lanes fit the buffer
HOLE = ByteRun(20 << 20, 4096)
DATA = random.Random(20260314).randbytes(SIZE)


@dataclass
class Refusing:
    """A source that refuses to read one byte."""

    inner: RawSource
    refused: int | None = None
    error: Exception = field(default_factory=lambda: EvidenceError("this byte is refused"))

    @property
    def info(self) -> SourceInfo:
        return self.inner.info

    def read_at(self, offset: int, length: int) -> bytes:
        if self.refused is not None and offset <= self.refused < offset + length:
            raise self.error
        return self.inner.read_at(offset, length)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        return self.inner.unreadable_runs()

    def close(self) -> None:
        self.inner.close()


@dataclass
class Bench:
    """A learner over a disk of noise with a hole in it; `told` is what `begin` was told."""

    source: Refusing
    told: list[int] = field(default_factory=list)

    def learn(self, items: list[Item], profile: Profile = Profile.EXACT, *, decode: bool = True) -> list[Learnt]:
        """Return what is learnt of each item, in their order."""
        self.told.clear()
        evidence = Evidence(WatchedSource(self.source))
        depth = depth_of(profile, frozenset())
        learner = Learner(evidence, (), depth, Limits(), self.told.append, Trace(on=False))
        numbered = list(enumerate(items, start=100))
        learnt = {item.path: told for item, told in learner.learn(numbered, ByteRun(0, SIZE), decode=decode)}
        return [learnt[item.path] for item in items]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    before, after = tmp_path / "disk.001", tmp_path / "disk.003"
    before.write_bytes(DATA[: HOLE.offset])
    after.write_bytes(DATA[HOLE.end :])
    parts = (
        Part(ByteRun(0, HOLE.offset), before),
        Part(HOLE, tmp_path / "disk.002", missing="the second part is not here"),
        Part(ByteRun(HOLE.end, SIZE - HOLE.end), after),
    )
    info = SourceInfo(kind="split-raw", files=(str(before), str(after)), size=SIZE)
    bench = Bench(Refusing(RawSource(info, parts, EvidenceFiles())))
    yield bench
    bench.source.close()


def laid(*runs: tuple[int, int], name: str = "") -> Item:
    places = tuple(ByteRun(offset, length) for offset, length in runs)
    return Item(
        address=Address("volume", "0").child("file", name + str(runs)),
        kind=ItemKind.FILE,
        path=name + str(runs),
        size=total(places),
        allocated=True,
        reference=name + str(runs),
        runs=places,
        direct=True,
    )


def md5(item: Item) -> str:
    return hashlib.md5(b"".join(DATA[run.offset : run.end] for run in item.runs)).hexdigest()


def large(count: int) -> list[Item]:
    return [laid((number * 1000, MANY + number), (300 * number, 500)) for number in range(count)]


def test_large_items_side_by_side_get_the_digests_each_has_alone(bench: Bench) -> None:
    items = large(9)
    items += [laid((5, 1000)), laid((7, LARGEST // 3), (0, LARGEST // 3), (3, LARGEST // 3), (8, 9)), laid((9, 10))]
    told = bench.learn(items)
    assert {learnt.outcome for learnt in told} == {Outcome.EXAMINED}
    assert [learnt.digests.md5 for learnt in told] == list(map(md5, items))
    if lanes.available():
        assert {learnt.digest_way for learnt in told[:9]} == {"extents, lanes"}
    assert set(range(100, 109)) < set(bench.told)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_large_items_get_their_digests_as_well(bench: Bench, count: int) -> None:
    items = [*large(count), laid((4096, 77))]
    assert [learnt.digests.md5 for learnt in bench.learn(items)] == list(map(md5, items))


def test_a_large_item_hit_by_what_cannot_be_read_is_unreadable_alone(bench: Bench) -> None:
    items = [*large(4), laid((HOLE.offset - MANY, MANY + 100)), laid((HOLE.end, 1000), (500, MANY))]
    *told, hit, beside = bench.learn(items)
    assert (hit.outcome, hit.reason) == (Outcome.UNREADABLE, f"100 of {MANY + 100} bytes could not be read")
    assert hit.digests.md5 is None
    assert [learnt.digests.md5 for learnt in [*told, beside]] == [md5(item) for item in [*items[:4], items[5]]]


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (EvidenceError("this byte is refused"), Outcome.UNREADABLE, "this byte is refused"),
        (RuntimeError("a library fails"), Outcome.CRASHED, "RuntimeError: a library fails"),
    ],
)
def test_a_large_item_whose_bytes_a_library_fails_over_is_lost_alone(
    bench: Bench, error: Exception, outcome: Outcome, reason: str
) -> None:
    bench.source.refused, bench.source.error = 17 << 20, error
    items = [*large(5), laid((9 << 20, MANY))]
    *told, hit = bench.learn(items)
    assert (hit.outcome, hit.reason, hit.digests.md5) == (outcome, reason, None)
    assert [learnt.digests.md5 for learnt in told] == list(map(md5, items[:5]))


def test_every_read_is_laid_to_its_item(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [laid((number << 20, MANY), name=str(number)) for number in range(4)]
    reads: list[tuple[int, int]] = []

    def noted(read: Callable[[int, int], bytes]) -> Callable[[int, int], bytes]:
        def reading(offset: int, length: int) -> bytes:
            reads.append((bench.told[-1], offset))
            return read(offset, length)

        return reading

    monkeypatch.setattr(bench.source, "read_at", noted(bench.source.read_at))
    bench.learn(items)
    for number, item in enumerate(items, start=100):
        own = [offset for whose, offset in reads if whose == number]
        (run,) = item.runs
        assert all(run.offset <= offset < run.end for offset in own)
        assert len(own) >= 9


def test_a_large_picture_among_large_items_is_decoded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    pictures.scene(3, (640, 480)).save(packed, "JPEG")
    data = packed.getvalue()
    picture = laid((10 << 20, MANY))
    read = bench.source.inner.read_at

    def with_picture(offset: int, length: int) -> bytes:
        place = picture.runs[0].offset
        known = bytearray(read(offset, length))
        first, past = max(offset, place), min(offset + length, place + len(data))
        if first < past:
            known[first - offset : past - offset] = data[first - place : past - place]
        return bytes(known)

    monkeypatch.setattr(bench.source, "read_at", with_picture)
    *others, seen = bench.learn([*large(4), picture], Profile.FULL)
    assert seen.media_type == "image/jpeg"
    assert seen.pictures is not None
    assert seen.pictures.pdq is not None
    assert [learnt.digests.sha256 is None for learnt in others] == [False] * 4
    assert [learnt.digests.md5 for learnt in others] == [md5(item) for item in large(4)]
    *_, unseen = bench.learn([*large(4), picture], Profile.FULL, decode=False)
    assert (unseen.pictures, unseen.digests) == (None, seen.digests)
