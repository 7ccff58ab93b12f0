"""One opened set: what it is, what it needs, and what matches."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from triage.hashsets.batch import Batch
from triage.hashsets.blocks import BlockHits, BlockIndex, Bytes
from triage.hashsets.columns import WORDS, Column, Columns
from triage.hashsets.exact import ExactIndex
from triage.hashsets.frames import FrameIndex
from triage.hashsets.labels import LabelTable
from triage.hashsets.perceptual import PDQ_RADIUS, PdqIndex, PerceptualIndex, PhashIndex
from triage.hashsets.record import DIGEST_BYTES, HASH_BYTES, flag_names
from triage.hashsets.sealed import SealedFile, SetHeader, open_sealed
from triage.hashsets.sizes import Sizes
from triage.model.blocks import BLOCK_BYTES
from triage.model.digest import Digests, PictureHashes
from triage.model.finding import Match, MatchBy, SetIdentity
from triage.model.video import VideoHashes

_STRENGTH = {
    by: rank
    for rank, by in enumerate((MatchBy.SHA256, MatchBy.SHA1, MatchBy.MD5, MatchBy.BLOCK, MatchBy.PDQ, MatchBy.PHASH))
}
_BATCH = 1 << 22  # each batch looks at the record of every hash once


class Held(NamedTuple):
    """What a set holds of one content; `disputed`: the set, if a weak digest is a member's and a strong one is not."""

    matches: tuple[Match, ...]
    disputed: SetIdentity | None


_NOTHING = Held((), None)


class VideoMatch(NamedTuple):
    """A video of a set that looks like one that was looked up, and the line that says how far."""

    match: Match
    reason: str


class _Asked(NamedTuple):
    by: MatchBy
    members: PerceptualIndex
    hashes: list[bytes]
    unknown: tuple[str, ...]
    radius: int


class HashSet:
    """A sealed set, opened by its path; a worker opens its own and shares the pages of memory."""

    def __init__(self, sealed: SealedFile) -> None:
        self.path = sealed.path
        self.header: SetHeader = sealed.header
        self.identity: SetIdentity = sealed.header.identity
        self.exact = ExactIndex(sealed.columns)
        self.pdq = PdqIndex(sealed.columns)
        self.phash = PhashIndex(sealed.columns)
        self.blocks = BlockIndex(sealed.columns)
        self.frames = FrameIndex(sealed.columns)
        self.labels = LabelTable(sealed.columns)
        self._columns: Columns = sealed.columns

    @classmethod
    def open(cls, path: Path, *, verify: bool = True) -> Self:
        """Open a sealed set; raises StoreError where it is not what was sealed.

        `verify` reads the file once. Who has verified it in this run may open it again without.
        """
        return cls(open_sealed(path, verify=verify))

    @property
    def counts(self) -> Mapping[str, int]:
        """Records, altered copies, and members by hash: records, variants, md5, sha1, sha256, pdq, phash."""
        return self.header.counts

    @property
    def needs(self) -> frozenset[str]:
        """The digests (md5, sha1, sha256) that an item must have to be looked up in full."""
        return frozenset(by.value for by, column in self.exact.columns.items() if len(column))

    @property
    def present(self) -> Column:
        """Which hashes each record carries, a sum of `HASH_BITS`."""
        return self._columns["present"]

    @cached_property
    def sizes(self) -> Sizes | None:
        """Every size of a member that has a digest; None where a size is not told. Made when first asked for."""
        return Sizes.of(self._columns["present"], self._columns["size"])

    @property
    def sized(self) -> bool:
        """Whether every record with a digest has a size: no content of another size is then a member by its digest."""
        return self.sizes is not None

    @property
    def has_pdq(self) -> bool:
        """Whether a picture's PDQ hash can match."""
        return len(self.pdq) > 0

    @property
    def has_phash(self) -> bool:
        """Whether a picture's 64-bit hash can match."""
        return len(self.phash) > 0

    @property
    def has_blocks(self) -> bool:
        """Whether the blocks of a device can match."""
        return len(self.blocks) > 0

    @property
    def has_frames(self) -> bool:
        """Whether a video can match by what it looks like."""
        return len(self.frames) > 0

    @property
    def is_indexed(self) -> bool:
        """Whether pictures are looked up by compiled loops: `multi_index.warm` loads them."""
        return self.pdq.is_indexed or self.phash.is_indexed or self.frames.is_indexed

    def match(self, digests: Digests, pictures: PictureHashes | None = None) -> tuple[Match, ...]:
        """Return what the set holds of one item, strongest and nearest first.

        What looks like the item is told only where its very content is no member.
        """
        (exact,) = self.match_digests((digests,))
        return exact.matches or (() if pictures is None else self.match_pictures(pictures))

    def match_digests(self, batch: Sequence[Digests]) -> list[Held]:
        """Return for each of a batch of items what the set holds of the very same content, strongest first.

        Records that differ in nothing a match shows are one match.
        """
        result = self.exact.lookup(batch)
        found: dict[int, set[Match]] = {query: set() for query in result.disputed}
        for hit in result.hits:
            found.setdefault(hit.query, set()).add(self._match(hit.record, hit.by, 0))
        held = [_NOTHING] * len(batch)
        disputed = set(result.disputed)
        for query, matches in found.items():
            held[query] = Held(tuple(sorted(matches, key=_order)), self.identity if query in disputed else None)
        return held

    def match_blocks(self, digests: Bytes) -> BlockHits:
        """Return which blocks of which records some blocks are, by the MD5 of each, of shape (n, 16).

        One block is a lead; `blocks.runs_of` tells the runs of which a finding is made with `block_match`.
        """
        return self.blocks.match(digests)

    def block_match(self, record: int) -> Match:
        """Return what the set says of the file of which blocks were found."""
        return self._match(record, MatchBy.BLOCK, 0)

    def blocks_in(self, record: int) -> int | None:
        """Return how many whole blocks the file of a record has, those left out of the set too; None if not told."""
        size = int(self._columns["size"][record])
        return size // BLOCK_BYTES if size >= 0 else None

    def match_pictures(self, pictures: PictureHashes) -> tuple[Match, ...]:
        """Return the members that look like a picture, each record by its best hash, nearest first."""
        best: dict[int, tuple[MatchBy, int]] = {}
        for by, distance, record in self._near(pictures):
            best.setdefault(record, (by, distance))
        found = {self._match(record, by, distance) for record, (by, distance) in best.items()}
        return tuple(sorted(found, key=_order))

    def match_video(self, video: VideoHashes) -> tuple[VideoMatch, ...]:
        """Return the videos of the set that look like a video, by the rule of `videos.py`, the best first.

        Each is a candidate, by the median distance of the frames that are near, and its reason is to be told with it.
        """
        return tuple(
            VideoMatch(self._match(found.record, MatchBy.PDQ, found.distance), found.reason)
            for found in self.frames.match(video)
        )

    def may_match(self, pictures: PictureHashes) -> bool:
        """Tell whether a member may look like a picture of which some bits are not known.

        False only where `match_pictures` would find nothing whatever those bits are.
        """
        return any(
            members.may_hold(hashes, list(map(bytes.fromhex, unknown)), radius)
            for _, members, hashes, unknown, radius in self._asked(pictures)
        )

    def batches(self) -> Iterator[Batch]:
        """Yield every record again, in the order of their numbers."""
        table = tuple(self.labels[number] for number in range(len(self.labels)))
        for start in range(0, len(self._columns["present"]), _BATCH):
            rows = slice(start, start + _BATCH)
            present = self._columns["present"][rows]
            yield Batch(
                place=np.arange(start, start + len(present)),
                present=present,
                hashes={name: self._raw(name, start, len(present)) for name in HASH_BYTES if self.counts[name]},
                size=self._columns["size"][rows],
                labels=table,
                label=self._columns["label"][rows],
            )

    def _raw(self, name: str, start: int, rows: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """Return one hash of some records, zeros where a record has none."""
        records = self._columns[f"{name}_record"]
        some = np.flatnonzero((records >= start) & (records < start + rows))
        raw = np.zeros((rows, HASH_BYTES[name]), np.uint8)
        if not len(some):
            return raw
        words = self._columns[name if name in WORDS else f"{name}_key"][some].astype(">u8")
        leading = words.view(np.uint8).reshape(len(some), -1)
        at = records[some] - start
        raw[at, : leading.shape[1]] = leading
        if name in DIGEST_BYTES:
            rest = np.ascontiguousarray(self._columns[f"{name}_rest"][some])
            raw[at, leading.shape[1] :] = rest.view(np.uint8).reshape(len(some), -1)
        return raw

    def _near(self, pictures: PictureHashes) -> Iterator[tuple[MatchBy, int, int]]:
        for by, members, hashes, _, radius in self._asked(pictures):
            for near in members.near(hashes, radius):
                yield by, near.distance, near.record

    def _asked(self, pictures: PictureHashes) -> Iterator[_Asked]:
        """Yield what of a picture can be compared with this set."""
        if pictures.declined:
            return
        if self.has_pdq and (hashes := _compared(pictures.pdq_variants, pictures.pdq)):
            yield _Asked(MatchBy.PDQ, self.pdq, hashes, pictures.pdq_unknown, PDQ_RADIUS)
        if self.has_phash and (hashes := _compared(pictures.phash_variants, pictures.phash)):
            radius = self.header.meta.phash_radius
            yield _Asked(MatchBy.PHASH, self.phash, hashes, pictures.phash_unknown, radius)

    def _match(self, record: int, by: MatchBy, distance: int) -> Match:
        label = self.labels.of(record)
        return Match(
            set=self.identity,
            by=by,
            distance=distance,
            category=label.category,
            grade=label.grade,
            series=label.series,
            flags=flag_names(label.flags),
        )


def _compared(variants: Sequence[str], single: str | None) -> list[bytes]:
    """Return the hashes to compare: the variants of a picture, or the one that a person gave."""
    return [bytes.fromhex(text) for text in variants or ([] if single is None else [single])]


def _order(match: Match) -> tuple[object, ...]:
    return _STRENGTH[match.by], match.distance, match.category or "", match.grade or "", match.series or "", match.flags
