"""Rules about space and blocks, whatever files they belong to: said, and deciding nothing."""

from collections.abc import Iterator

from triage.model.coverage import CoverageClass
from triage.model.trouble import TroubleCode
from triage.policy.block_bounds import blocks_told
from triage.policy.facts import Facts
from triage.policy.policy import Policy
from triage.policy.rule import Said, bytes_of, some_bytes, stated
from triage.policy.wording import counted


def unallocated(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of free space."""
    for part in some_bytes(bytes_of(facts, CoverageClass.UNALLOCATED_NOT_EXAMINED)):
        yield stated(
            "unallocated-not-examined",
            f"Space that belongs to no listed file was not examined and may hold deleted content: {part}.",
        )


def searched(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of what a search for the beginnings of files cannot find."""
    if facts.carved:
        yield stated(
            "searched-by-signature",
            "Where space that belongs to no file was searched, pictures and videos are found that lie in one piece; "
            "what lies in pieces, is compressed or is of another kind is not found there.",
        )


def block_sample(facts: Facts, _: Policy) -> Iterator[Said]:
    """Tell of what a sample of blocks of the whole source leaves possible."""
    if not facts.block_strata:
        return
    for clause in blocks_told(facts.block_strata):
        yield stated("block-sample", f"Blocks of the source compared, whatever file they belong to: {clause}.")
    yield stated(
        "block-sample",
        "Those numbers are of content whose blocks are in a loaded set, that begins where a block does and is neither "
        "encrypted nor compressed; each bound holds by itself.",
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
