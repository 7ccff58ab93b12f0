"""The fast way of examining tells what the slow one tells, over the whole corpus: items, hashes, findings."""

from collections.abc import Iterator

import pytest
from reference import SlowExaminer, Told, hashes_of
from suite import CORPUS, Corpus
from test_corpus import identities

from triage.engine.learning.examining import Examiner
from triage.engine.learning.learner import Learner
from triage.engine.plan import Limits, Profile, depth_of
from triage.engine.trace import Trace
from triage.hashsets.hashset import HashSet
from triage.hashsets.sealed import SetMeta
from triage.items.evidence import Evidence
from triage.model.digest import PictureHashes
from triage.model.finding import SetKind
from triage.model.item import Item, Outcome
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.session import library, making
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource

MOST_BYTES = 24 << 20  # of one item: the slow way is slow
MOST_ITEMS = 1500
BATCH = 300


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory, corpus: Corpus) -> HashSet:
    """Return a notable set of the corpus's own pictures, so that there is something to find."""
    folder = tmp_path_factory.mktemp("known")
    assert corpus.cases
    meta = SetMeta(name="corpus", version="1", date="2026-03-14", kind=SetKind.NOTABLE)
    making.build(CORPUS / "pdq", meta, making.destination(folder), progress=lambda *_: None)
    (opened,) = library.library_at(folder).open_all()
    return opened


def listed(evidence: Evidence) -> Iterator[tuple[ByteRun, list[Item]]]:
    for region in evidence.survey().regions:
        if region.is_volume:
            entries = (entry for entry in evidence.walk(region) if isinstance(entry, Item))
            yield region.run, [one for one in entries if one.has_content and one.size <= MOST_BYTES][:MOST_ITEMS]


@pytest.mark.parametrize("profile", [Profile.SCENE, Profile.FULL])
@pytest.mark.parametrize("identity", identities())
def test_both_ways_tell_the_same(identity: str, profile: Profile, corpus: Corpus, known: HashSet) -> None:
    case = corpus.case(identity)
    source = corpus.first_file(case)
    fast_evidence = Evidence(WatchedSource(open_source(source)))
    depth = depth_of(profile, known.needs)
    fast = Examiner(Learner(fast_evidence, (known,), depth, Limits(), begin=lambda _: None, trace=Trace(on=False)))
    slow = SlowExaminer(WatchedSource(open_source(source)), (known,), Limits(), all_types=depth.all_types)
    compared = 0
    for volume, items in listed(fast_evidence):
        numbered = dict(enumerate(items))
        for first in range(0, len(items), BATCH):
            batch = [(number, numbered[number]) for number in range(first, min(first + BATCH, len(items)))]
            results = {result.item: result for result in fast.examine(batch, volume)}
            assert results.keys() == {number for number, _ in batch}
            for number, item in batch:
                compare(item, results[number], slow.examine(item, volume))
                compared += 1
    fast_evidence.source.close()
    slow.source.close()
    assert compared or case["expect"] != "files"


def compare(item: Item, fast: ItemResult, slow: Told) -> None:
    where = item.path
    assert fast.findings == slow.findings, where
    assert fast.media_type == slow.media_type, where
    if fast.reason and fast.reason.startswith("size: "):
        assert slow.outcome in {Outcome.EXAMINED, Outcome.UNREADABLE}, where
        assert slow.findings == (), where
        return
    assert (fast.outcome, fast.reason) == (slow.outcome, slow.reason), where
    for name in ("md5", "sha1", "sha256"):
        made = getattr(fast.digests, name)
        assert made in {None, getattr(slow.digests, name)}, where
    assert (fast.digests.md5 is None) == (slow.digests.md5 is None), where
    compare_pictures(where, fast.pictures, slow.pictures)


def compare_pictures(where: str, fast: PictureHashes | None, slow: PictureHashes | None) -> None:
    if fast is None or slow is None or fast.scale == 1:
        assert fast == slow, where
        return
    assert (fast.declined, fast.damaged) == (slow.declined, slow.damaged), where
    for (kind, estimated, unknown), (_, true, _) in zip(hashes_of(fast), hashes_of(slow), strict=True):
        assert not (int(estimated, 16) ^ int(true, 16)) & ~int(unknown, 16), (where, kind)
