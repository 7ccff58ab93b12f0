"""Rules about how far an examination came, and what its random draws say of the rest."""

from collections.abc import Iterator
from fractions import Fraction

from triage.model.blocks import ASSURED_BYTES, ASSURED_CONFIDENCE, BLOCK_BYTES, LEAST_DRAWN, BlockStratum
from triage.model.coverage import CoverageClass
from triage.model.event import EndedBy
from triage.policy.block_bounds import block_bound
from triage.policy.facts import Facts
from triage.policy.policy import Policy
from triage.policy.rule import Said, bytes_of, judged, not_reached, some_bytes, stated, unknown, was_stopped
from triage.policy.sampling import most_in_all, told
from triage.policy.wording import counted, listed

_ENDED_BY = {
    EndedBy.END: "",
    EndedBy.REQUEST: " (stopped on request)",
    EndedBy.TIME_LIMIT: " (the time limit was reached)",
    EndedBy.ENOUGH_FOUND: " (enough was found)",
    EndedBy.ERROR: " (an error ended it)",
}
_COVERED = (
    CoverageClass.EXAMINED,
    CoverageClass.UNALLOCATED_EXAMINED,
    CoverageClass.SKIPPED_BY_SIZE,
    CoverageClass.SKIPPED_KNOWN,
)
_SEARCHED = (CoverageClass.UNALLOCATED_NOT_EXAMINED, CoverageClass.OUTSIDE_PARTITIONS)
_MISSING = (
    CoverageClass.NOT_EXAMINED,
    CoverageClass.UNREADABLE,
    CoverageClass.ENCRYPTED,
    CoverageClass.UNSUPPORTED,
)


def stopped_early(facts: Facts, policy: Policy) -> Iterator[Said]:
    """Tell of an examination that was stopped; its draws may serve where the policy allows it."""
    if was_stopped(facts):
        serves = policy.demanded.any_time_result and facts.ended_by is not EndedBy.ERROR and _bounded(facts, policy)
        serves = serves and _space_is_done(facts)
        left = counted(not_reached(facts), "listed item")
        text = f"The examination did not run to its end{_ENDED_BY[facts.ended_by]}; {left} not reached."
        yield judged("stopped-early", text, tolerated=serves)


def containers_not_reached(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of files that hold others and were not gone through; draws of what is listed say nothing of these."""
    if facts.containers_waiting:
        waiting = counted(facts.containers_waiting, "file")
        yield unknown("containers-not-reached", f"Hold other files that were not come to: {waiting}.")


def not_examined(facts: Facts, policy: Policy) -> Iterator[Said]:
    """Tell of content that nothing was learnt of."""
    parts = some_bytes(bytes_of(facts, CoverageClass.NOT_EXAMINED))
    if parts:
        text = f"Content of files that was not examined: {listed(parts)}."
        yield judged("not-examined", text, tolerated=_far_enough(facts, policy))


def coverage_low(facts: Facts, policy: Policy) -> Iterator[Said]:
    """Tell that too much is missing in all, although each thing by itself is tolerated."""
    if not _far_enough(facts, policy):
        missing, whole = _account(facts)
        thousandths = 100_000 * (whole - missing) // whole
        yield unknown(
            "coverage-low",
            f"Of the bytes of files {thousandths / 1000:.3f} % were examined or left out by a rule that knows what it "
            f"leaves out; the policy asks for {policy.reach.least_percent:g} %.",
        )


def nothing_examined(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell that there was no file at all."""
    if not facts.files_examined:
        yield unknown("nothing-examined", "No file was examined.")


def bound(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of what the random draws of a stopped examination leave possible."""
    said = list(told(facts.strata)) if was_stopped(facts) else []
    if not said:
        return
    for clause in said:
        yield stated("bound", f"Stopped early: {clause}.")
    yield stated(
        "bound",
        "Those numbers are of listed files with the name of a picture and of matches with the loaded sets, "
        "unjudged candidates included; each bound holds by itself.",
    )


def _far_enough(facts: Facts, policy: Policy) -> bool:
    missing, whole = _account(facts)
    return 100 * (whole - missing) >= Fraction(str(policy.reach.least_percent)) * whole or _bounded(facts, policy)


def _account(facts: Facts) -> tuple[int, int]:
    """Return the bytes that are missing, and these with those that are not.

    What was left out by a limit, or because it could not be decoded, is missing.
    """
    left_out = bytes_of(facts, CoverageClass.SKIPPED) if facts.limited_items or facts.undecoded_items else 0
    missing = sum(bytes_of(facts, name) for name in _MISSING) + left_out
    return missing, missing + sum(bytes_of(facts, name) for name in _COVERED)


def _space_is_done(facts: Facts) -> bool:
    """Tell whether what is planned for space was done: the draws are of listed files and say nothing of it."""
    if facts.carved and any(bytes_of(facts, name) for name in _SEARCHED):
        return False
    return all(map(_is_sampled, facts.block_strata))


def _is_sampled(one: BlockStratum) -> bool:
    """Tell whether a sample has what every one draws at least, and leaves little enough possible."""
    possible = block_bound(one, ASSURED_CONFIDENCE)
    drawn = one.grid_read == one.grid and one.drawn >= min(one.blocks - one.grid, LEAST_DRAWN)
    return drawn and possible is not None and possible * BLOCK_BYTES < ASSURED_BYTES


def _bounded(facts: Facts, policy: Policy) -> bool:
    """Tell whether the draws leave little enough possible; they say nothing of what is not listed."""
    if facts.unlisted_volumes != 0:
        return False
    possible = most_in_all(facts.strata, Fraction(str(policy.reach.confidence_percent)) / 100)
    return possible is not None and possible <= policy.reach.most_pictures
