"""One opened set: what it is, what it needs, and what matches."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from triage.hashsets.exact import ExactIndex, ExactLookup
from triage.hashsets.perceptual import PdqIndex, PhashIndex
from triage.hashsets.sealed import SealedFile, SetHeader, open_sealed
from triage.model.digest import Digests, PictureHashes
from triage.model.finding import Match, MatchBy, SetIdentity

# Below this the hash of a picture hangs on noise: its authors say not to compare.
PDQ_QUALITY = 50

_STRENGTH = {
    by: rank for rank, by in enumerate((MatchBy.SHA256, MatchBy.SHA1, MatchBy.MD5, MatchBy.PDQ, MatchBy.PHASH))
}


class HashSet:
    """A sealed set, opened by its path; a worker opens its own and shares the pages of memory."""

    def __init__(self, sealed: SealedFile) -> None:
        self.path = sealed.path
        self.header: SetHeader = sealed.header
        self.identity: SetIdentity = sealed.header.identity
        self.collisions = 0
        self.exact = ExactIndex(sealed.columns)
        self.pdq = PdqIndex(sealed.columns)
        self.phash = PhashIndex(sealed.columns)
        self._sealed = sealed

    @classmethod
    def open(cls, path: Path, *, verify: bool = True) -> Self:
        """Open a sealed set; raises StoreError where it is not what was sealed.

        `verify` reads the file once. Who has verified it in this run may open it again without.
        """
        return cls(open_sealed(path, verify=verify))

    @property
    def counts(self) -> Mapping[str, int]:
        """Records, and members by hash: records, md5, sha1, sha256, pdq, phash."""
        return self.header.counts

    @property
    def needs(self) -> frozenset[str]:
        """The digests (md5, sha1, sha256) that an item must have to be looked up in full."""
        return frozenset(by.value for by, column in self.exact.columns.items() if len(column))

    @property
    def has_pdq(self) -> bool:
        """Whether a picture's PDQ hash can match."""
        return len(self.pdq) > 0

    @property
    def has_phash(self) -> bool:
        """Whether a picture's 64-bit hash can match."""
        return len(self.phash) > 0

    def match(self, digests: Digests, pictures: PictureHashes | None = None) -> tuple[Match, ...]:
        """Return what the set holds of one item, strongest and nearest first, each record by its best hash only.

        Records that differ in nothing a match shows are one match. Collisions (see `exact`) are added to
        `collisions`.
        """
        best = {hit.record: (hit.by, 0) for hit in self.lookup((digests,)).hits}
        for by, distance, record in self._near(pictures) if pictures is not None else ():
            best.setdefault(record, (by, distance))
        found = {self._match(record, by, distance) for record, (by, distance) in best.items()}
        return tuple(sorted(found, key=_order))

    def lookup(self, batch: Sequence[Digests]) -> ExactLookup:
        """Look a batch of digests up, many times faster for each than one by one."""
        result = self.exact.lookup(batch)
        self.collisions += result.collisions
        return result

    def _near(self, pictures: PictureHashes) -> Iterator[tuple[MatchBy, int, int]]:
        comparable = pictures.quality is None or pictures.quality >= PDQ_QUALITY
        hashes = pictures.pdq_variants or (() if pictures.pdq is None else (pictures.pdq,))
        if self.has_pdq and hashes and comparable:
            for near in self.pdq.near([bytes.fromhex(text) for text in hashes]):
                yield MatchBy.PDQ, near.distance, near.record
        if self.has_phash and pictures.phash is not None:
            for near in self.phash.near(bytes.fromhex(pictures.phash)):
                yield MatchBy.PHASH, near.distance, near.record

    def _match(self, record: int, by: MatchBy, distance: int) -> Match:
        return Match(
            set=self.identity,
            by=by,
            distance=distance,
            category=self._text("category", record),
            grade=self._text("grade", record),
        )

    def _text(self, column: str, record: int) -> str | None:
        columns = self._sealed.columns
        number = int(columns[column][record])
        if number == 0:
            return None
        ends = columns["text_end"]
        start = int(ends[number - 2]) if number > 1 else 0
        return bytes(columns["text"][start : int(ends[number - 1])]).decode()


def _order(match: Match) -> tuple[int, int, str, str]:
    return _STRENGTH[match.by], match.distance, match.category or "", match.grade or ""
