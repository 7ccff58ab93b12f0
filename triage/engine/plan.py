"""The plan: everything that decides a result, frozen and stored before the first byte of content is read."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import PurePath

from triage.model.custody import canonical
from triage.model.evidence import SourceInfo
from triage.model.finding import SetIdentity


class Profile(StrEnum):
    """How deep to look; the values are part of the command-line contract."""

    EXACT = "exact"
    SCENE = "scene"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds that keep hostile evidence from holding up a run; each is an outcome or a trouble when it bites.

    `start_seconds` is the time a worker may take to start and open the source; `item_seconds` the time without a read
    that one item may take, and with `seconds_per_byte` of its stored bytes the time in all; `walk_seconds` the time
    without a read while names are listed and `listing_seconds` the time without a name, however much is read;
    `hole_bytes` how much of a sparse file may be holes before its digest is left out; `worker_bytes` the memory of
    one worker; `pixels` the size of a picture to decode.
    """

    start_seconds: float = 50.0
    item_seconds: float = 20.0
    seconds_per_byte: float = 1 / 1_000_000
    walk_seconds: float = 30.0
    listing_seconds: float = 900.0
    hole_bytes: int = 1 << 30
    worker_bytes: int = 3 << 30
    pixels: int = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """What a profile does with a content.

    `digests` are the algorithms that a content gets when it is read; `pictures`: they are decoded and compared by
    appearance. `estimates`: first at a reduced scale, in full only where a set may hold them. `first_look`: pictures
    embedded in pictures are compared before anything is decoded, to find out what to examine first. `skip_sizes`: a
    large content of a size that no notable set holds is not digested. `skip_known`: a picture that is known software is
    not decoded. `all_types`: the media type is looked for also where no signature of ours tells it.

    `members`: archives, documents, mails, thumbnail caches and disk images are gone through; `thumbnails`: pictures
    embedded in pictures are members too; `shadows`: so are the files of volume shadow copies that differ. `videos`:
    they are decoded and compared by appearance where a set can hold them. `blocks`: a random sample of the blocks of
    the whole source is compared where a set can hold them. `carving`: pictures and videos are looked for in all bytes
    that belong to no allocated file.
    """

    digests: tuple[str, ...]
    pictures: bool = False
    estimates: bool = False
    first_look: bool = False
    skip_sizes: bool = False
    skip_known: bool = False
    all_types: bool = False
    members: bool = False
    thumbnails: bool = False
    shadows: bool = False
    videos: bool = False
    blocks: bool = False
    carving: bool = False


_ALL_DIGESTS = ("md5", "sha1", "sha256")
_USUAL_DIGESTS = frozenset({"md5", "sha1"})  # of which every published set has one


def depth_of(profile: Profile, needs: frozenset[str]) -> Depth:
    """Return what a profile does, given the digests that the sets need."""
    needed = tuple(name for name in _ALL_DIGESTS if name in needs | _USUAL_DIGESTS)
    match profile:
        case Profile.EXACT:
            return Depth(digests=needed)
        case Profile.SCENE:
            return Depth(
                digests=needed,
                pictures=True,
                estimates=True,
                first_look=True,
                skip_sizes=True,
                skip_known=True,
                members=True,
                videos=True,
                blocks=True,
            )
        case Profile.FULL:
            return Depth(
                digests=_ALL_DIGESTS,
                pictures=True,
                first_look=True,
                all_types=True,
                members=True,
                thumbnails=True,
                shadows=True,
                videos=True,
                blocks=True,
                carving=True,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """When a run ends before its end: after so many seconds, or with so many findings in all; None: never."""

    seconds: float | None = None
    findings: int | None = None

    def is_late(self, seconds: float) -> bool:
        """Tell whether a run that takes so long already is to end."""
        return self.seconds is not None and seconds >= self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Same plan and same evidence give the same items and findings.

    `source` is the identity of the source (see `identity`), `analyzers` are (name, version) pairs, `set_dates` the day
    that each set is of, by its digest, ISO 8601. `verify_source` is whether the source is first compared with the
    digests it claims, `policy` the fields of the one that judges, `indicators` the digest of the table and the words by
    which names are told, `secrets` how each secret for encrypted volumes was given, and nothing more of it.
    """

    version: str
    source: str
    profile: Profile
    depth: Depth
    analyzers: tuple[tuple[str, str], ...]
    sets: tuple[SetIdentity, ...]
    sets_hold_pictures: bool
    set_dates: Mapping[str, str]
    verify_source: bool
    limits: Limits
    policy: Mapping[str, object]
    indicators: str
    secrets: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the canonical JSON of the plan."""
        return canonical(asdict(self))

    def digest(self) -> str:
        """Return the hexadecimal SHA-256 of the text."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def identity(info: SourceInfo, fingerprint: str) -> str:
    """Return the hexadecimal SHA-256 of what tells one source from another; `fingerprint` is that of its bytes.

    File names count, folders do not: the same image on another disk is the same source.
    """
    names = [PurePath(file).name for file in info.files]
    facts = [info.kind, info.size, info.sector_size, names, sorted(info.stored_digests), fingerprint]
    return hashlib.sha256(canonical(facts).encode("utf-8", "surrogateescape")).hexdigest()
