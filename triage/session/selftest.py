"""The self-test by itself, without an examination."""

from triage.content import lanes
from triage.engine.selftest import checks
from triage.model.selftest import SelfTest


def self_test() -> SelfTest:
    """Try every ability on what is known, in this process, with what a worker has compiled. Never raises."""
    lanes.warm()
    return checks.self_test()
