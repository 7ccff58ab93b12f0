"""From facts and a policy to a recommendation: a pure function, so that it can be made again from the case alone.

Reasons to seize come first, then what leaves the result not determined, then what is stated; within each the order of
the rules is the order of the reasons. A digest match in a notable set, or a candidate that a person confirmed,
indicates seizure whatever else is unknown. Without one, anything unknown that the policy does not tolerate leaves the
result not determined. Return is indicated only where nothing is left to object, and it says what was not looked at.
"""

from triage.model.recommendation import Recommendation, Verdict
from triage.policy import rules_demanded as demanded
from triage.policy import rules_matching as matching
from triage.policy import rules_reach as reach
from triage.policy import rules_space as space
from triage.policy import rules_stated as plain
from triage.policy import rules_unknown as unread
from triage.policy.facts import Facts
from triage.policy.policy import Policy
from triage.policy.rule import Rule, Said, Weight

_RULES: tuple[Rule, ...] = (
    matching.notable_match,
    matching.candidate_confirmed,
    matching.match_elsewhere,
    matching.candidate_unconfirmed,
    matching.block_lead,
    plain.looked_at,
    reach.bound,
    unread.encrypted,
    unread.high_entropy,
    unread.unsupported,
    unread.ambiguous,
    unread.no_file_system,
    unread.volume_empty,
    unread.unreadable,
    unread.source_incomplete,
    unread.damaged,
    unread.crashed,
    unread.timed_out,
    reach.stopped_early,
    reach.containers_not_reached,
    unread.limit,
    reach.not_examined,
    demanded.no_hash_set,
    demanded.hash_set_undated,
    demanded.hash_set_old,
    demanded.self_test,
    demanded.pictures_not_compared,
    demanded.members_not_opened,
    unread.pictures_undecodable,
    unread.videos_undecodable,
    reach.nothing_examined,
    plain.skipped,
    plain.pictures_not_comparable,
    plain.videos_not_comparable,
    plain.deleted_undecodable,
    space.unallocated,
    space.searched,
    space.block_sample,
    space.not_searched,
    plain.containers_not_opened,
    space.outside,
    plain.whole_files_only,
    plain.known_material_only,
)
_VERDICTS = {
    Weight.INDICATES: Verdict.SEIZE_INDICATED,
    Weight.UNKNOWN: Verdict.NOT_DETERMINED,
    Weight.STATED: Verdict.RETURN_INDICATED,
}


def recommend(facts: Facts, policy: Policy) -> Recommendation:
    """Return the verdict that facts and policy indicate, and every reason, weightiest first."""
    said = [one for rule in _RULES for one in rule(facts, policy)]
    if not any(one.weight is Weight.UNKNOWN for one in said):
        # What is not tolerated has said so by now; this is of all that is tolerated, taken together.
        said += reach.coverage_low(facts, policy)
    said.sort(key=_weight)
    return Recommendation(verdict=_VERDICTS[said[0].weight], reasons=tuple(one.reason for one in said))


def _weight(said: Said) -> Weight:
    return said.weight
