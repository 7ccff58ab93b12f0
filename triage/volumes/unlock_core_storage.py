"""CoreStorage volumes (FileVault 2) opened through libfvde with a password or a recovery key.

The library does not tell where a logical volume lies in its physical one. It is seen: what it reads of the volume when
it is asked for a sector is that sector, encrypted. Its messages may repeat what was typed: they are never passed on.
"""

from contextlib import suppress
from typing import Any

import pyfvde

from triage.model.errors import EvidenceError
from triage.model.runs import ByteRun
from triage.model.secret import Secrets
from triage.volumes.apple_secrets import apple_ways
from triage.volumes.decrypted import DecryptedSource, DecryptedVolume, VolumeFile, library_reader
from triage.volumes.unlocking import Opened, Refused
from triage.volumes.volume import Volume

_SECTOR = 512
_PROBES = 64


class _SeenFile(VolumeFile):
    """A volume as a file that remembers where it was read last."""

    def __init__(self, volume: Volume) -> None:
        super().__init__(volume)
        self.seen: int | None = None

    def read(self, size: int = -1) -> bytes | None:
        """Return as many bytes as there are, and remember from where."""
        self.seen = self.tell()
        return super().read(size)


def unlock_core_storage(volume: Volume, secrets: Secrets) -> Opened | Refused:
    """Open the logical volume of a FileVault 2 volume. Raises EvidenceError for a group that is not one of one."""
    file = _SeenFile(volume)
    logical = _opened(file)
    for secret in secrets:
        for give, word, words in apple_ways(logical, secret):
            with suppress(Exception):  # its messages may repeat the secret
                give(word)
                logical.unlock()
                if not logical.is_locked():
                    return Opened(_plain(volume, file, logical), words)
    return Refused()


def _opened(file: VolumeFile) -> Any:
    """Return the one logical volume; the library keeps what it lies in alive as long as it lives."""
    library = pyfvde.volume()
    try:
        library.open_file_object(file)
        library.open_physical_volume_files_as_file_objects([file])
        group = library.get_volume_group()
        counts = group.get_number_of_physical_volumes(), group.get_number_of_logical_volumes()
        logical = group.get_logical_volume(0) if counts == (1, 1) else None
    except Exception as error:  # the library meets hostile bytes: any type of error is evidence trouble
        raise EvidenceError("libfvde cannot read its metadata: damaged, or of a kind that it does not know") from error
    if logical is None:
        raise EvidenceError(f"a group of {counts[0]} physical and {counts[1]} logical volumes is not supported")
    return logical


def _plain(volume: Volume, file: _SeenFile, logical: Any) -> DecryptedVolume:
    size = int(logical.get_size())
    place = _place(file, logical, size)
    mapped = place is not None and 0 <= place <= volume.size - size
    run = ByteRun(place or 0 if mapped else 0, size)
    source_run = ByteRun(volume.run.offset + run.offset, size)
    source = DecryptedSource(volume.source, source_run, library_reader(logical, file, run, "CoreStorage"), _SECTOR)
    return DecryptedVolume(source, source_run, volume.address, "corestorage", mapped)


def _place(file: _SeenFile, logical: Any, size: int) -> int | None:
    """Return the offset of the logical volume in the physical one; None where it lies in pieces, or cannot be seen."""
    sectors = size // _SECTOR
    places: set[int | None] = set()
    for probe in range(min(_PROBES, sectors)):
        offset = (sectors - 1) * probe // max(1, min(_PROBES, sectors) - 1) * _SECTOR
        file.seen = None
        with suppress(Exception):
            logical.read_buffer_at_offset(_SECTOR, offset)
        places.add(None if file.seen is None else file.seen - offset)
    (place, *others) = places or {None}
    return None if others else place
