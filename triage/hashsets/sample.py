"""Some of the records that a set is made of, kept aside: what was read must be found in what was made."""

from collections.abc import Iterator

from triage.hashsets.batch import Batch
from triage.hashsets.record import HASH_BITS

_MOST = 512

Hashes = dict[str, bytes]


class Sample:
    """Every so-manieth of the batches gives its first record, the same ones for the same batches."""

    def __init__(self) -> None:
        self._kept: list[Hashes] = []
        self._step = 1
        self._seen = 0

    def __iter__(self) -> Iterator[Hashes]:
        return iter(self._kept)

    def take(self, batch: Batch) -> None:
        """Look at one batch; the raw hashes of its first record may be kept, by name."""
        if not len(batch):
            return
        if self._seen % self._step == 0:
            carried = [name for name, bit in HASH_BITS.items() if batch.present[0] & bit]
            self._kept.append({name: batch.hashes[name][0].tobytes() for name in carried})
            if len(self._kept) >= _MOST:
                self._kept, self._step = self._kept[::2], 2 * self._step
        self._seen += 1
