"""The self-test that every examination begins with: each ability is tried on what is known, before evidence is.

It shows that this machine, with these libraries, makes of known bytes what it must, and that it tells apart what is not
the same. It reads files of this package and nothing else, and writes nothing; so it can run in a confined worker. What
it examines, and the answers, are in `known_answers`. Of the comparison by appearance it tries what small sets are
searched with; the compiled search of large ones is tried when such a set is built.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from triage.engine.learning.learnt import one_line
from triage.engine.selftest import contents, sets
from triage.engine.selftest.differences import Differences
from triage.engine.selftest.disk import differences_of_disk
from triage.model.selftest import Check, SelfTest

_TOLD = 3  # differences
_LONGEST = 300

CHECKS: Mapping[str, Callable[[], Differences]] = MappingProxyType(
    {
        "digests": contents.differences_of_digests,
        "digests in lanes": contents.differences_of_lanes,
        "media types": contents.differences_of_types,
        "picture hashes": contents.differences_of_pictures,
        "archive members": contents.differences_of_members,
        "file system": differences_of_disk,
        "exact comparison": sets.differences_of_digests,
        "comparison by appearance": sets.differences_of_pictures,
    }
)
"""Every check, in the order in which they run: it yields what differs from the known answers."""


def self_test() -> SelfTest:
    """Try every ability on what is known. Never raises: a check that does has failed, and its text says why."""
    return SelfTest(checks=tuple(_checked(name, differences) for name, differences in CHECKS.items()))


def _checked(name: str, differences: Callable[[], Differences]) -> Check:
    try:
        found = list(differences())
    except Exception as error:  # noqa: BLE001 - whatever is broken here, it is what this check is to find
        found = [one_line(error)]
    return Check(name=name, passed=not found, text="; ".join(found[:_TOLD])[:_LONGEST] or "as known")
