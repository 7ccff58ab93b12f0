"""What examining one item gave."""

from dataclasses import dataclass

from triage.model.digest import Digests, PictureHashes
from triage.model.finding import Finding
from triage.model.item import Outcome

NO_DIGESTS = Digests()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult:
    """The one outcome of one stored item: `item` is its number in the case, `reason` one line or None."""

    item: int
    outcome: Outcome
    reason: str | None = None
    digests: Digests = NO_DIGESTS
    media_type: str | None = None
    pictures: PictureHashes | None = None
    findings: tuple[Finding, ...] = ()
