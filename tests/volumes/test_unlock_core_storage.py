from triage.model.runs import ByteRun
from triage.model.secret import NO_SECRETS, Secrets
from triage.volumes.decrypted import VolumeFile
from triage.volumes.locked import Locked, detect
from triage.volumes.unlock import unlock
from triage.volumes.unlock_core_storage import _place, _SeenFile
from triage.volumes.volume import Volume

from .plain import Sparse

SIZE = 1 << 20


class Shifted:
    """A logical volume whose sectors lie `shift` bytes further on in the physical one, from `split` on twice that."""

    def __init__(self, file: VolumeFile, shift: int, split: int = SIZE) -> None:
        self._file = file
        self._shift = shift
        self._split = split

    def read_buffer_at_offset(self, length: int, offset: int) -> bytes:
        self._file.seek(offset + self._shift * (1 + (offset >= self._split)))
        return self._file.read(length) or b""


def volume() -> Volume:
    header = bytes(8) + b"\x01\0\x10\0" + bytes(76) + b"CS"
    return Volume(Sparse(SIZE).put(0, header), ByteRun(0, SIZE))


def locked_volume() -> Locked:
    locked = detect(volume())
    assert locked is not None
    return locked


def test_nothing_is_tried_without_a_secret() -> None:
    assert unlock(volume(), locked_volume(), NO_SECRETS) == locked_volume().text


def test_metadata_that_cannot_be_read_is_said() -> None:
    said = unlock(volume(), locked_volume(), Secrets.given(["token"]))
    assert isinstance(said, str)
    assert said.startswith(locked_volume().text)
    assert "libfvde cannot read its metadata" in said


def test_where_the_logical_volume_lies_is_seen() -> None:
    file = _SeenFile(volume())
    assert _place(file, Shifted(file, 4096), SIZE // 2) == 4096


def test_a_logical_volume_in_pieces_has_no_place() -> None:
    file = _SeenFile(volume())
    assert _place(file, Shifted(file, 4096, SIZE // 4), SIZE // 2) is None
    assert _place(file, object(), SIZE // 2) is None


def test_other_methods_are_told_to_be_out_of_reach() -> None:
    locked = Locked("FileVault disk image", "encrypted disk image of macOS")
    assert unlock(volume(), locked, Secrets.given(["token"])) == f"{locked.text}; no secret can be tried on it here"
