"""Rules about what an examination needs before it starts: hash sets, their age, a self-test, the right profile."""

from collections.abc import Iterator

from triage.model.finding import SetIdentity, SetKind
from triage.policy.facts import Facts
from triage.policy.policy import Policy
from triage.policy.rule import Said, judged, stated, unknown
from triage.policy.wording import counted, listed


def no_hash_set(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell that there is nothing to match with."""
    if not _notable(facts):
        yield unknown("no-hash-set", "No notable hash set was loaded, so that nothing could be matched.")


def hash_set_undated(facts: Facts, policy: Policy) -> Iterator[Said]:
    """Tell of notable sets whose age cannot be told."""
    undated = [set_name(one) for one in _notable(facts) if _days(one, facts) is None]
    if undated:
        text = f"The age of these hash sets on the day of the examination is not known: {listed(undated)}."
        yield judged("hash-set-undated", text, tolerated=policy.tolerated.undated_hash_sets)


def hash_set_old(facts: Facts, policy: Policy) -> Iterator[Said]:
    """Tell of notable sets that are older than the policy allows."""
    most = policy.demanded.hash_set_days
    aged = [(set_name(one), _days(one, facts)) for one in _notable(facts)]
    old = [f"{name} ({counted(days, 'day')})" for name, days in aged if days is not None and days > most]
    if old:
        yield unknown("hash-set-old", f"Older than the {counted(most, 'day')} that the policy allows: {listed(old)}.")


def self_test(facts: Facts, policy: Policy) -> Iterator[Said]:
    """Tell of a self-test that failed, or that there was none."""
    if facts.self_test_passed is None:
        text = "No self-test was made before the examination."
        weigh = unknown if policy.demanded.self_test else stated
        yield weigh("self-test-missing", text)
    elif not facts.self_test_passed:
        failed = f": {facts.self_test_text.rstrip('.')}" if facts.self_test_text else ""
        yield unknown("self-test-failed", f"A self-test before the examination failed{failed}.")


def pictures_not_compared(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of a profile that leaves out what a loaded set could find."""
    if facts.sets_hold_pictures and not facts.pictures_compared:
        yield unknown(
            "pictures-not-compared",
            f"The profile {facts.profile} does not compare pictures by appearance, although a loaded hash set "
            "holds perceptual hashes.",
        )


def members_not_opened(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of a profile that leaves out what other files hold; no such profile compares videos by appearance either."""
    if not facts.members_opened:
        yield unknown(
            "members-not-opened",
            f"The profile {facts.profile} does not look at what archives, documents, mails and disk images hold, nor "
            "does it search these for what is known.",
        )


def set_name(loaded: SetIdentity) -> str:
    """Return name and version of a set."""
    return f"{loaded.name} {loaded.version}".rstrip()


def _notable(facts: Facts) -> list[SetIdentity]:
    return [loaded for loaded in facts.sets if loaded.kind is SetKind.NOTABLE]


def _days(loaded: SetIdentity, facts: Facts) -> int | None:
    dated = facts.set_dates.get(loaded.digest)
    if dated is None or facts.examined_on is None:
        return None
    days = (facts.examined_on - dated).days
    if days < -1:  # it may be tomorrow where the publisher is; what is further off says nothing of the age
        return None
    return max(0, days)
