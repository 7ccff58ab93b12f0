"""What an examination of the ground truth should find, and what it did: each finding is laid to its row."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from synthetic.ground_truth import GroundTruth
from synthetic.planted import By, Need, Planted, Where
from synthetic.truth_table import PLANTED
from synthetic.truth_volumes import EVERYTHING

PROFILES: Mapping[str, frozenset[Need]] = {
    "exact": frozenset(),
    "scene": frozenset({Need.APPEARANCE, Need.VIDEOS, Need.MEMBERS, Need.BLOCKS}),
    "full": frozenset(Need),
}
"""What each profile does besides digesting listed files."""

_STATED = {
    Need.APPEARANCE: "pictures-not-compared",
    Need.VIDEOS: "whole-files-only",
    Need.MEMBERS: "whole-files-only",
    Need.THUMBNAILS: "whole-files-only",
    Need.CARVING: "unallocated-not-examined",
    Need.BLOCKS: "unallocated-not-examined",
}
_BY = {"md5": By.DIGEST, "sha1": By.DIGEST, "sha256": By.DIGEST, "pdq": By.PDQ, "phash": By.PDQ, "block": By.BLOCK}
_BYTES = re.compile(r"(?:carved|blocks):(\d+)\+(\d+)$")

Finding = Mapping[str, Any]


@dataclass(slots=True)
class Judged:
    """By the name of a row how it was found; and the findings that are of no row, or of one that is not known."""

    found: defaultdict[str, set[By]] = field(default_factory=lambda: defaultdict(set))
    false: list[Finding] = field(default_factory=list)


def is_expected(row: Planted, profile: str) -> bool:
    """Tell whether a profile must find a row."""
    return not row.beyond and row.needs <= PROFILES[profile]


def ways(row: Planted, profile: str) -> frozenset[By]:
    """Return how a profile may find a row: as it should, or by blocks that happen to be in the sample."""
    as_it_should = {row.by} if is_expected(row, profile) else set()
    by_chance = {By.BLOCK} if Need.BLOCKS in PROFILES[profile] and not row.beyond else set()
    return frozenset(as_it_should | by_chance)


def reason_codes(row: Planted, profile: str) -> frozenset[str]:
    """Return the codes that the result must have where a row is not found; none where that cannot be known."""
    if row.told:
        return frozenset({row.told})
    if row.beyond:
        return frozenset()
    missing = sorted(row.needs - PROFILES[profile])
    return frozenset({"outside-partitions"} if row.where is Where.GAP else {_STATED[need] for need in missing})


def judge(truth: GroundTruth, findings: Iterable[Finding]) -> Judged:
    """Lay each finding to a row, by its path, or by the bytes that it is of."""
    paths = {(truth.volumes[row.where], row.listed): row for row in EVERYTHING if row.listed}
    judged = Judged()
    for finding in findings:
        row = paths.get((finding["volume"], finding["path"])) or _at(truth, finding)
        if row is None or row not in PLANTED:
            judged.false.append(finding)
        else:
            judged.found[row.name].add(_BY[finding["match"]])
    return judged


def _at(truth: GroundTruth, finding: Finding) -> Planted | None:
    """Return the row with the bytes that a finding names."""
    told = _BYTES.search(finding["address"])
    if told is None:
        return None
    start, length = map(int, told.groups())
    return next(
        (
            row
            for row in EVERYTHING
            if (place := truth.places.get(row.name)) and place.start < start + length and start < place.stop
        ),
        None,
    )
