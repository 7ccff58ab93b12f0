"""Judgements: what a person saw of a perceptual candidate."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One person's word on one finding; a later one supersedes it. `number` counts in the case, `when` is ISO 8601 UTC.

    `finding` is the number of the finding; `address`, `set_digest`, `match` and `distance` say which it was.
    """

    number: int
    finding: int
    confirmed: bool
    examiner: str
    when: str
    note: str | None
    address: str
    set_digest: str
    match: str
    distance: int

    def facts(self) -> dict[str, object]:
        """Return what the custody ledger says of it; its time is that of the event."""
        return {
            "judgement": self.number,
            "finding": self.finding,
            "address": self.address,
            "set_digest": self.set_digest,
            "match": self.match,
            "distance": self.distance,
            "confirmed": self.confirmed,
            "examiner": self.examiner,
            "note": self.note,
        }
