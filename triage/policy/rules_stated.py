"""Rules that decide nothing: what was looked at, what was left out, and what a result can never say."""

from collections.abc import Iterator

from triage.model.coverage import CoverageClass
from triage.model.finding import SetKind
from triage.model.item import Outcome
from triage.model.trouble import TroubleCode
from triage.policy.facts import Facts
from triage.policy.policy import Policy
from triage.policy.rule import Said, bytes_of, some, some_bytes, stated
from triage.policy.rules_demanded import set_name
from triage.policy.wording import amount, counted, listed


def looked_at(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell what was looked at, and with what."""
    looked = bytes_of(facts, CoverageClass.EXAMINED) + bytes_of(facts, CoverageClass.UNALLOCATED_EXAMINED)
    sets = [set_name(loaded) for loaded in facts.sets if loaded.kind is SetKind.NOTABLE]
    against = f" against {listed(sets)}" if sets else ""
    yield stated(
        "looked-at",
        f"Examined with the profile {facts.profile}{against}: {counted(facts.files_examined, 'file')}, "
        f"{amount(looked)} of {amount(facts.coverage.size)}.",
    )


def skipped(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of what rules of the profile left out."""
    by_size, known = facts.skipped_by_size, facts.skipped_known
    others = facts.coverage.items.get(Outcome.SKIPPED, 0) - by_size - known
    rules = (
        ("a limit", others, CoverageClass.SKIPPED),
        ("a size that is in no loaded set", by_size, CoverageClass.SKIPPED_BY_SIZE),
        ("a known file, not decoded", known, CoverageClass.SKIPPED_KNOWN),
    )
    said = [
        f"{rule}: {listed(parts)}"
        for rule, number, kind in rules
        if (parts := some(number, "item") + some_bytes(bytes_of(facts, kind)))
    ]
    if said:
        yield stated("skipped-by-rule", f"Skipped by a rule of the profile: {'; '.join(said)}.")


def pictures_not_comparable(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of pictures that have no appearance to compare."""
    if facts.incomparable_pictures and facts.sets_hold_pictures:
        pictures = counted(facts.incomparable_pictures, "picture")
        yield stated(
            "pictures-not-comparable",
            f"Too small, too flat or of too low a quality to be compared by appearance: {pictures}.",
        )


def unallocated(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of free space."""
    for part in some_bytes(bytes_of(facts, CoverageClass.UNALLOCATED_NOT_EXAMINED)):
        yield stated(
            "unallocated-not-examined",
            f"Space that belongs to no listed file was not examined and may hold deleted content: {part}.",
        )


def not_searched(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of deleted files that only a search of all space would show."""
    recorded = facts.troubles.get(TroubleCode.NOT_SEARCHED, 0)
    if recorded:
        number = counted(recorded, "recorded trouble")
        yield stated(TroubleCode.NOT_SEARCHED, f"Deleted files without a name were not all looked for: {number}.")


def outside(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of space outside partitions."""
    for part in some_bytes(bytes_of(facts, CoverageClass.OUTSIDE_PARTITIONS)):
        yield stated("outside-partitions", f"Space outside any partition was not examined: {part}.")


def whole_files_only(_: Facts, __: Policy) -> Iterator[Said]:
    """Tell of what is inside of files."""
    yield stated(
        "whole-files-only",
        "Archives, documents, mails, databases and videos were digested as whole files; nothing inside them was "
        "looked at.",
    )


def known_material_only(_: Facts, __: Policy) -> Iterator[Said]:
    """Tell of what no hash set can find."""
    yield stated(
        "known-material-only",
        "Hash sets find only material that is already known; material that is in no loaded set is not found.",
    )
