"""A newer version in the place of a set: compiled anew, or from the set that is there and what changed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.batch import UNKNOWN_SIZE, Batch
from triage.hashsets.categories import CategoryMaps
from triage.hashsets.compile import Changes, Destination, ImportSummary, Progress, compiling
from triage.hashsets.hashset import HashSet
from triage.hashsets.importing import ImportOrder, Reading, finish
from triage.hashsets.record import DIGEST_BYTES, HASH_BITS, HASH_BYTES, Label
from triage.model.digest import Digests
from triage.model.errors import UsageError

_GONE = -1
_SAME = -2
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
        changed = Delta(present)
        for judged in reading.batches():
            compilation.add(changed.added(judged.members))
            if judged.excluded is not None:
                changed.remove(judged.excluded)
        if not (compilation.added or changed.changes.changed or changed.changes.removed):
            raise reading.nothing_usable()
        new_meta = reading.meta()
        for batch in changed.members():
            compilation.add(batch)
        return replace(finish(compilation, reading, new_meta), changes=changed.changes)


class Delta:
    """What a delta says of the members of a set. A record means the members with which it shares a whole digest.

    Such a member gets the label of the record, and its hashes and its size where it has none or others; or it goes.
    A record without digests means those whose PDQ or pHash is equal in every bit. Of two records that mean one member
    the later one counts. Raises UsageError for a set with altered copies, which belong to members that a delta could
    take away without them.
    """

    def __init__(self, base: HashSet) -> None:
        if base.counts["variants"]:
            raise UsageError(f"{base.identity.name} was built from files: build its new version from them, too")
        self._base = base
        self._verdicts = np.full(base.counts["records"], _SAME, np.int32)
        self._labels: list[Label] = []
        self._parts: list[tuple[Numbers, Batch]] = []
        self._unmet = 0

    @property
    def changes(self) -> Changes:
        """What was done to the members so far."""
        removed = int(np.count_nonzero(self._verdicts == _GONE))
        return Changes(
            changed=int(np.count_nonzero(self._verdicts != _SAME)) - removed, removed=removed, unmet=self._unmet
        )

    def added(self, batch: Batch) -> Batch:
        """Take records that stand in the delta, and return those that mean no member: they are new."""
        rows, records = self._meant(batch)
        self._verdicts[records] = batch.label[rows].astype(np.int32) + len(self._labels)
        self._labels += batch.labels
        if len(rows):
            self._parts.append((records, batch.rows(rows)))
        new = np.ones(len(batch), np.bool_)
        new[rows] = False
        return batch.kept(new)

    def remove(self, batch: Batch) -> None:
        """Take records that are no members any more."""
        rows, records = self._meant(batch)
        self._verdicts[records] = _GONE
        self._unmet += len(batch) - len(np.unique(rows))

    def members(self) -> Iterator[Batch]:
        """Yield the members as the delta leaves them."""
        start = 0
        for batch in self._base.batches():
            verdicts = self._verdicts[start : start + len(batch)]
            yield self._overlaid(batch, verdicts, start).kept(verdicts != _GONE)
            start += len(batch)

    def _overlaid(self, batch: Batch, verdicts: NDArray[np.int32], start: int) -> Batch:
        """Return members with what the delta says of them."""
        present, size = batch.present.copy(), batch.size.copy()
        hashes = {name: raw.copy() for name, raw in batch.hashes.items()}
        for records, said in self._parts:
            some = (records >= start) & (records < start + len(batch))
            at, rows = records[some] - start, np.flatnonzero(some)
            for name, raw in said.hashes.items():
                carried = said.present[rows] & HASH_BITS[name] != 0
                column = hashes.setdefault(name, np.zeros((len(batch), HASH_BYTES[name]), np.uint8))
                column[at[carried]] = raw[rows[carried]]
            np.bitwise_or.at(present, at, said.present[rows])  # several records may mean one member
            told = said.size[rows] != UNKNOWN_SIZE
            size[at[told]] = said.size[rows[told]]
        label = np.where(verdicts >= 0, verdicts + len(batch.labels), batch.label)
        return replace(
            batch, present=present, size=size, hashes=hashes, labels=(*batch.labels, *self._labels), label=label
        )

    def _meant(self, batch: Batch) -> tuple[Numbers, Numbers]:
        """Return rows of a batch and the members that each means, one pair for each."""
        pairs = [(hit.query, hit.record) for hit in self._base.exact.lookup(_digests(batch)).hits]
        for row in np.flatnonzero(batch.present & _DIGESTS == 0).tolist():
            for name, index in (("pdq", self._base.pdq), ("phash", self._base.phash)):
                if batch.present[row] & HASH_BITS[name] and len(index):
                    pairs += [(row, near.record) for near in index.near([batch.hashes[name][row].tobytes()], 0)]
        numbers = np.array(sorted(pairs), np.int64).reshape(-1, 2)  # the later record counts, whatever it names
        return numbers[:, 0], numbers[:, 1]


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
