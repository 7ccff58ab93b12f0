"""Rules about what could not be looked at. Some a policy may tolerate up to a number; it is then stated."""

from collections.abc import Iterator
from fractions import Fraction

from triage.model.coverage import CoverageClass
from triage.model.item import Outcome
from triage.model.trouble import TroubleCode
from triage.policy.facts import Facts
from triage.policy.policy import Policy
from triage.policy.rule import Said, bytes_of, items, judged, some, some_bytes, trouble, unknown, volumes
from triage.policy.wording import counted, listed

_READ = frozenset({"read", "empty"})
_NAMED = frozenset({"encrypted", "ambiguous", "no-file-system"})


def encrypted(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of volumes, items and bytes that are encrypted, but for those that only noise tells."""
    parts = volumes(facts, "encrypted")
    if facts.source_encrypted is not None:
        parts.insert(0, f"the source itself ({facts.source_encrypted})")
    parts += some(facts.coverage.items.get(Outcome.ENCRYPTED, 0) - facts.high_entropy_files, "item")
    parts += some_bytes(bytes_of(facts, CoverageClass.ENCRYPTED) - facts.high_entropy_bytes)
    yield from trouble(TroubleCode.ENCRYPTED, "Encrypted and therefore not read", parts, facts)


def high_entropy(facts: Facts, policy: Policy) -> Iterator[Said]:
    """Tell of files of noise: an encrypted container without a signature, or random data."""
    parts = some(facts.high_entropy_files, "file") + some_bytes(facts.high_entropy_bytes)
    if parts:
        tolerated = 0 < facts.high_entropy_files <= policy.tolerated.high_entropy_files
        text = f"Noise throughout and without a signature, so possibly encrypted: {listed(parts)}."
        yield judged("high-entropy", text, tolerated=tolerated)


def unsupported(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of volumes, items and bytes in a form that is not read, states of later versions included."""
    others = sum(number for state, number in facts.volumes.items() if state not in _READ | _NAMED)
    parts = some(others, "volume") + some_bytes(bytes_of(facts, CoverageClass.UNSUPPORTED))
    if facts.undecoded_items:
        causes = "; ".join(facts.undecoded_causes)
        parts.append(f"{counted(facts.undecoded_items, 'item')} that could not be decoded{causes and f' ({causes})'}")
    yield from trouble(TroubleCode.UNSUPPORTED, "In a form that this software cannot read", parts, facts)


def ambiguous(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of volumes with more than one file system."""
    lead = "Readable as more than one file system, so that the content is uncertain"
    yield from trouble(TroubleCode.AMBIGUOUS, lead, volumes(facts, "ambiguous"), facts)


def no_file_system(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of volumes that hold something, but no file system."""
    parts = volumes(facts, "no-file-system")
    yield from trouble(TroubleCode.NO_FILE_SYSTEM, "Without a known file system, content unknown", parts, facts)


def volume_empty(facts: Facts, policy: Policy) -> Iterator[Said]:
    """Tell of volumes that are zero throughout."""
    parts = volumes(facts, "empty")
    if parts:
        text = f"Zero from the first byte to the last: {listed(parts)}."
        yield judged("volume-empty", text, tolerated=policy.tolerated.empty_volumes)


def unreadable(facts: Facts, policy: Policy) -> Iterator[Said]:
    """Tell of items and bytes that gave nothing, whatever the cause."""
    lost = bytes_of(facts, CoverageClass.UNREADABLE)
    tolerated = (
        facts.coverage.items.get(Outcome.UNREADABLE, 0) <= policy.tolerated.unreadable_items
        and lost <= policy.tolerated.unreadable_bytes
    )
    parts = items(facts, Outcome.UNREADABLE) + some_bytes(lost)
    yield from trouble(TroubleCode.UNREADABLE, "Could not be read", parts, facts, tolerated=tolerated)


def source_incomplete(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of what was known to be wrong with the source when it was opened."""
    for text in facts.source_troubles:
        yield unknown("source-incomplete", f"Known when the source was opened: {text}")


def damaged(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of damage to structures that lead to content."""
    yield from trouble(TroubleCode.DAMAGED, "Structures of the file system are damaged", [], facts)


def crashed(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of items on which a reader failed."""
    parts = items(facts, Outcome.CRASHED)
    yield from trouble(TroubleCode.CRASHED, "Could not be examined because a reader failed on it", parts, facts)


def timed_out(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of items that took too long."""
    parts = items(facts, Outcome.TIMED_OUT)
    yield from trouble(TroubleCode.TIMED_OUT, "Not examined within the time allowed", parts, facts)


def limit(facts: Facts, policy: Policy) -> Iterator[Said]:
    """Tell of items left out because a limit was reached."""
    tolerated = facts.limited_items <= policy.tolerated.limited_items
    parts = some(facts.limited_items, "item")
    yield from trouble(TroubleCode.LIMIT, "Left out because a limit was reached", parts, facts, tolerated=tolerated)


def pictures_undecodable(facts: Facts, policy: Policy) -> Iterator[Said]:
    """Tell of allocated pictures that could not be compared by appearance, not at all or in part."""
    undecodable, damaged_ones = facts.undecodable_pictures, facts.damaged_pictures
    parts = [counted(undecodable, "picture") + " not at all"] if undecodable else []
    parts += [counted(damaged_ones, "picture") + " only in part, because of damage"] if damaged_ones else []
    if parts and facts.sets_hold_pictures:
        share = Fraction(str(policy.tolerated.undecodable_pictures_percent)) / 100
        tolerated = facts.pictures is not None and undecodable + damaged_ones <= share * facts.pictures
        text = f"Could not be decoded, so that no comparison by appearance is certain: {listed(parts)}."
        yield judged("pictures-undecodable", text, tolerated=tolerated)


def videos_undecodable(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of allocated videos that a loaded set could hold and of which not all could be decoded."""
    if facts.undecodable_videos:
        videos = counted(facts.undecodable_videos, "video")
        text = f"Could not be decoded, or only in part, so that no comparison by appearance is certain: {videos}."
        yield unknown("videos-undecodable", text)
