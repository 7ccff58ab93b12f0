"""A newer version in the place of a set: compiled anew, or from the set that is there and what changed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.batch import Batch
from triage.hashsets.categories import CategoryMaps
from triage.hashsets.columns import WORDS
from triage.hashsets.compile import Changes, Destination, ImportSummary, Progress, compiling
from triage.hashsets.hashset import HashSet
from triage.hashsets.importing import ImportOrder, Judged, Reading, finish
from triage.hashsets.record import DIGEST_BYTES, HASH_BITS, Label
from triage.model.digest import Digests
from triage.model.errors import StoreError, UsageError
from triage.model.finding import MatchBy

_GONE = -1
_SAME = -2
_TOLD_ANEW = -3
_DIGESTS = sum(HASH_BITS[name] for name in DIGEST_BYTES)

Numbers = NDArray[np.int64]


def update_set(
    files: Sequence[Path],
    order: ImportOrder,
    destination: Destination,
    *,
    delta: bool,
    progress: Progress = lambda _step, _done, _whole: None,
) -> ImportSummary:
    """Put a newer version in the place of a set, which stays until the new one is whole and checked.

    With `delta` the files hold only what changed (see `Delta`). The kind is that of the set that is there unless
    `order` says another, the radius of pHash always. Raises as `import_set`, and UsageError where there is no such set.
    """
    present = destination.library.open(order.name, verify=delta)
    meta = present.header.meta
    if order.version == meta.version:
        raise UsageError(f"{meta.name}: version {meta.version} is in the library: give the new one its --set-version")
    order = replace(order, kind=order.kind or meta.kind, phash_radius=meta.phash_radius)
    maps = CategoryMaps.load(destination.library.folder, named=order.categories)
    with compiling(order.name, order.version, destination, progress) as compilation:
        reading = Reading(files, order, maps, progress, base=meta if delta else None)
        if not delta:
            for judged in reading.batches():
                compilation.add(judged.members)
            return finish(compilation, reading, reading.meta())
        if compilation.before != present.header:
            raise StoreError(f"{meta.name}: another set took this place meanwhile: look at it, and try again")
        changed = Delta(present)
        for judged in reading.batches():
            compilation.add(changed.take(judged))
        if not (compilation.added or changed.changes.changed or changed.changes.removed):
            raise reading.nothing_usable()
        new_meta = reading.meta()
        for batch in changed.members():
            compilation.add(batch)
        return replace(finish(compilation, reading, new_meta), changes=changed.changes)


class Delta:
    """What a delta says of the members of a set. A record means the members with which it shares a whole digest.

    Such members get the label of the record, or they go. A record without digests means those whose PDQ or pHash is
    equal in every bit. Of two records that mean one member the later one counts. A record becomes a member itself
    unless one that it means carries all of its hashes, and takes the place of one all of whose hashes it carries.
    Raises UsageError for a set with altered copies, blocks or frames, which belong to members that a delta could take
    away without them.
    """

    def __init__(self, base: HashSet) -> None:
        if base.counts["variants"] or base.header.blocks is not None or base.header.frames is not None:
            raise UsageError(f"{base.identity.name} was built from files: build its new version from them, too")
        self._base = base
        self._verdicts = np.full(base.counts["records"], _SAME, np.int32)
        self._labels: list[Label] = []
        self._unmet = 0

    @property
    def changes(self) -> Changes:
        """What was done to the members so far."""
        removed = int(np.count_nonzero(self._verdicts == _GONE))
        return Changes(
            changed=int(np.count_nonzero(self._verdicts != _SAME)) - removed, removed=removed, unmet=self._unmet
        )

    def take(self, judged: Judged) -> Batch:
        """Take records in their order, and return those that become members themselves."""
        batch, excluded = judged.batch, judged.excluded
        pairs = self._meant(batch)
        rows, records = pairs[:, 0], pairs[:, 1]
        said = np.where(excluded, _GONE, batch.label.astype(np.int64) + len(self._labels))
        self._verdicts[records] = said[rows]
        self._labels += batch.labels
        self._unmet += int(np.count_nonzero(excluded)) - len(np.unique(rows[excluded[rows]]))
        new = ~excluded
        shared, held = self._shared(batch, pairs), self._base.present[records]
        absorbed = shared == batch.present[rows]
        new[rows[absorbed]] = False
        anew = new[rows] & (shared == held)
        self._verdicts[records[anew]] = _TOLD_ANEW
        return batch.kept(new)

    def members(self) -> Iterator[Batch]:
        """Yield the members as the delta leaves them."""
        start = 0
        for batch in self._base.batches():
            verdicts = self._verdicts[start : start + len(batch)]
            label = np.where(verdicts >= 0, verdicts + len(batch.labels), batch.label)
            stays = (verdicts != _GONE) & (verdicts != _TOLD_ANEW)
            yield replace(batch, labels=(*batch.labels, *self._labels), label=label).kept(stays)
            start += len(batch)

    def _meant(self, batch: Batch) -> Numbers:
        """Return (row of a batch, member that it means) for each such pair, in the order of the rows."""
        pairs = {(hit.query, hit.record) for hit in self._base.exact.lookup(_digests(batch)).hits}
        without = np.flatnonzero(batch.present & _DIGESTS == 0)
        for name in WORDS:
            pairs |= self._alike(batch, name, without)
        return np.array(sorted(pairs), np.int64).reshape(-1, 2)

    def _shared(self, batch: Batch, pairs: Numbers) -> NDArray[np.uint8]:
        """Return for each pair of row and member which hashes of both are equal, a sum of `HASH_BITS`."""
        rows = np.unique(pairs[:, 0])
        shared = np.zeros(len(pairs), np.uint8)
        for name, bit in HASH_BITS.items():
            alike = self._alike(batch, name, rows)
            shared |= np.array([(row, record) in alike for row, record in pairs.tolist()], np.uint8) * np.uint8(bit)
        return shared

    def _alike(self, batch: Batch, name: str, rows: Numbers) -> set[tuple[int, int]]:
        """Return (row, member) for some rows of a batch and the members whose hash of that name is equal."""
        some = rows[batch.present[rows] & HASH_BITS[name] != 0]
        if not len(some):
            return set()
        raw = batch.hashes[name][some]
        if name in DIGEST_BYTES:
            found, records = self._base.exact.columns[MatchBy(name)].find([one.tobytes() for one in raw])
            return set(zip(some[found].tolist(), records.tolist(), strict=True))
        index = self._base.pdq if name == "pdq" else self._base.phash
        return {
            (row, near.record)
            for row, one in zip(some.tolist(), raw, strict=True)
            for near in index.near([one.tobytes()], 0)
        }


def _digests(batch: Batch) -> list[Digests]:
    texts: dict[str, list[str | None]] = {}
    for name in DIGEST_BYTES:
        carried = batch.present & HASH_BITS[name] != 0
        raw = batch.hashes.get(name)
        texts[name] = [None] * len(batch)
        if raw is not None:
            for row in np.flatnonzero(carried).tolist():
                texts[name][row] = raw[row].tobytes().hex()
    return [Digests(md5=md5, sha1=sha1, sha256=sha256) for md5, sha1, sha256 in zip(*texts.values(), strict=True)]
