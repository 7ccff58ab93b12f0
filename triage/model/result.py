"""What examining one item gave."""

from typing import NamedTuple

from triage.model.digest import Digests, PictureHashes
from triage.model.finding import Finding
from triage.model.item import Outcome

NO_DIGESTS = Digests()


class ItemResult(NamedTuple):
    """The one outcome of one stored item: `item` is its number in the case, `reason` one line or None.

    `digest_way` says how its digests came about, None without any: the content was read by `extents` (its byte runs,
    straight from the source), by the `file-system` reader or out of the `container` that it lies in, and its MD5 made
    in `lanes` (eight files at once) or by `openssl`, as every other digest is. `opens`: it is a container that is still
    to be gone through.
    """

    item: int
    outcome: Outcome
    reason: str | None = None
    digest_way: str | None = None
    digests: Digests = NO_DIGESTS
    media_type: str | None = None
    pictures: PictureHashes | None = None
    findings: tuple[Finding, ...] = ()
    opens: bool = False
