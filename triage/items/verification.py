"""Verification: the content of a source against the digests that its container claims."""

import hashlib
from collections.abc import Iterator

from triage.model.address import Address
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.source import EvidenceSource

_STEP = 1 << 20


class Verification:
    """One pass over a whole source; `troubles` is meant for when `steps` has come to its end."""

    def __init__(self, source: EvidenceSource) -> None:
        self._source = source
        claims = source.info.stored_digests
        self._digests = {name: hashlib.new(name, usedforsecurity=False) for name, _ in claims}

    def steps(self) -> Iterator[int]:
        """Read the source from start to end; yield how many bytes are read. Without a claim nothing is read."""
        size = self._source.info.size if self._digests else 0
        for offset in range(0, size, _STEP):
            data = self._source.read_at(offset, _STEP)
            for digest in self._digests.values():
                digest.update(data)
            yield offset + len(data)

    def troubles(self) -> tuple[Trouble, ...]:
        """Return one trouble for each claim that does not hold."""
        found = {name: digest.hexdigest() for name, digest in self._digests.items()}
        return tuple(
            Trouble(
                address=Address("source", name),
                code=TroubleCode.DAMAGED,
                text=f"the content has not the {name.upper()} that the image claims: {claimed}, found {found[name]}",
            )
            for name, claimed in self._source.info.stored_digests
            if found[name] != claimed.lower()
        )
