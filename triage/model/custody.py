"""Custody events: the hash-chained audit trail of a case."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

Payload = Mapping[str, object]

FIRST = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyEvent:
    """One link of the chain: `digest` covers every other field, `previous` is the digest of the event before."""

    sequence: int
    when: str
    actor: str
    action: str
    subject: str
    payload: str
    previous: str
    digest: str

    @classmethod
    def after(
        cls,
        previous: "CustodyEvent | None",
        *,
        when: str,
        actor: str,
        action: str,
        subject: str,
        payload: Payload,
    ) -> "CustodyEvent":
        """Return the event that follows `previous` (None: the first); `when` is ISO 8601 UTC."""
        sequence = 1 if previous is None else previous.sequence + 1
        before = FIRST if previous is None else previous.digest
        text = canonical(payload)
        digest = link_digest(sequence, when, actor, action, subject, text, before)
        return cls(
            sequence=sequence, when=when, actor=actor, action=action, subject=subject,
            payload=text, previous=before, digest=digest,
        )  # fmt: skip

    def is_sound(self) -> bool:
        """Tell whether the digest is that of the other fields."""
        return self.digest == link_digest(
            self.sequence, self.when, self.actor, self.action, self.subject, self.payload, self.previous
        )


def canonical(value: object) -> str:
    """Return the one JSON text of a value: sorted keys, no blanks, no NaN, so that digests can be made again."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def link_digest(*fields: object) -> str:
    """Return the hexadecimal SHA-256 of a JSON array of the fields."""
    return hashlib.sha256(canonical(list(fields)).encode()).hexdigest()
