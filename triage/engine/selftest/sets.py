"""Self-test of what is compared: a set of invented contents is opened, verified, and asked."""

from dataclasses import asdict

from triage.engine.selftest import known_answers as known
from triage.engine.selftest.differences import Differences, away, unlike
from triage.hashsets.hashset import HashSet
from triage.model.digest import Digests, PictureHashes
from triage.model.finding import MatchBy


def differences_of_digests() -> Differences:
    """Ask for a member by each digest alone, for one that differs in a bit, and for one of which two disagree."""
    opened = HashSet.open(known.path("known.set"))
    for name, value in asdict(known.PICTURE).items():
        asked = (Digests(**{name: value}), Digests(**{name: away(value, 1)}))
        member, other = opened.match_digests(asked)
        found = [(match.by, match.category) for match in member.matches]
        yield from unlike(f"a member by its {name}", found, [(MatchBy(name), known.CATEGORY)])
        yield from unlike(f"another {name}", other.matches, ())
    (held,) = opened.match_digests((Digests(md5=known.PICTURE.md5, sha256=away(known.PICTURE.sha256 or "", 1)),))
    yield from unlike("a member's md5 with another sha256", (held.matches, held.disputed), ((), opened.identity))


def differences_of_pictures() -> Differences:
    """Ask for what looks like a member: the very hash, one as far away as counts, and one a bit further."""
    opened = HashSet.open(known.path("known.set"))
    rows = ((MatchBy.PDQ, known.PDQ, known.PDQ_RADIUS), (MatchBy.PHASH, known.PHASH, known.PHASH_RADIUS))
    for by, value, radius in rows:
        for distance, answer in ((0, [0]), (radius, [radius]), (radius + 1, [])):
            hashed = away(value, distance)
            asked = PictureHashes(pdq=hashed) if by is MatchBy.PDQ else PictureHashes(phash=hashed)
            found = [match.distance for match in opened.match_pictures(asked) if match.by is by]
            yield from unlike(f"matches of a {by} {distance} bits away", found, answer)
