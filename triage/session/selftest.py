"""The self-test by itself, without an examination."""

from triage.content import lanes
from triage.engine import selftest
from triage.model.selftest import SelfTest


def self_test() -> SelfTest:
    """Try every ability on what is known, in this process, with what a worker has compiled. Never raises."""
    lanes.warm()
    return selftest.self_test()
