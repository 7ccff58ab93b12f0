"""Rules about matches and candidates. No policy lets a match or an unjudged candidate be followed by a return.

A candidate is what looks like a picture of a set, or what has a run of blocks of a file of a set: that a person has to
see, for the one may be another picture, and the other what is left of a file, or a part that it shares with others.
"""

from collections.abc import Iterator

from triage.model.matches import SetMatches
from triage.policy.facts import Facts
from triage.policy.policy import Policy
from triage.policy.rule import Said, indicates, unknown
from triage.policy.wording import counted, listed


def notable_match(facts: Facts, policy: Policy) -> Iterator[Said]:
    """Tell of a digest match in a category that indicates seizure."""
    for match in facts.matches:
        if match.exact and policy.seizure.by(match.category):
            items = counted(match.exact, "item") + _deleted(match)
            yield indicates("notable-match", f"{items} with a digest that is in {_set(match)}.")


def candidate_confirmed(facts: Facts, policy: Policy) -> Iterator[Said]:
    """Tell of a candidate, in such a category, that a person confirmed."""
    for match in facts.matches:
        if match.confirmed and policy.seizure.by(match.category):
            candidates = counted(match.confirmed, "candidate")
            yield indicates("candidate-confirmed", f"{candidates} of {_set(match)}, confirmed by a person.")


def match_elsewhere(facts: Facts, policy: Policy) -> Iterator[Said]:
    """Tell of a match or confirmed candidate in a category that the policy does not name."""
    for match in facts.matches:
        if policy.seizure.by(match.category) or not (match.exact or match.confirmed):
            continue
        parts = [counted(match.exact, "item") + _deleted(match) + " with a digest"] if match.exact else []
        parts += [counted(match.confirmed, "confirmed candidate")] if match.confirmed else []
        yield unknown(
            "match-not-indicating",
            f"{listed(parts)} of {_set(match)}, which under the policy does not indicate seizure by itself; a person "
            "must look at each one.",
        )


def candidate_unconfirmed(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of a candidate that nobody has judged."""
    for match in facts.matches:
        if match.unconfirmed:
            candidates = counted(match.unconfirmed, "candidate")
            yield unknown(
                "candidate-unconfirmed",
                f"{candidates} near to {_set(match)}, by appearance or by blocks of a file; a person must confirm or "
                "reject each one.",
            )


def block_lead(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of blocks of known files that are in no finding: neither in a file that matches nor in a longer run."""
    alone = sum(one.alone for one in facts.block_strata)
    if alone:
        yield unknown(
            "block-lead",
            f"Blocks of known files that are in no finding, so that there is nothing to confirm or reject: {alone:,}; "
            "a person must look into it.",
        )


def _set(match: SetMatches) -> str:
    version = f", version {match.set.version}" if match.set.version else ""
    category = f", category {match.category}" if match.category else ""
    return f"the hash set {match.set.name}{version}{category}"


def _deleted(match: SetMatches) -> str:
    """Return what is to be said of deleted items among the exact matches."""
    number = match.exact_deleted
    if not number:
        return ""
    deleted = "deleted" if match.exact == 1 else f"{number:,} of them deleted"
    return f" ({deleted})"
