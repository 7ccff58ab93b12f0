import tracemalloc
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.hashsets.protection.encrypted import CHUNK, _Cipher, decrypt, encrypt, encrypt_file, plain_size, stepping
from triage.model.errors import StoreError

KEY = bytes(range(32))
NAME = "made.hashset"
HEADER = 48
SEALED = CHUNK + 16


def content(size: int) -> bytes:
    pattern = bytes(range(251))
    return (pattern * (size // len(pattern) + 1))[:size]


def encrypted(size: int) -> bytes:
    return b"".join(encrypt(BytesIO(content(size)), KEY, NAME))


def decrypted(path: Path, data: bytes, key: bytes = KEY, name: str = NAME) -> bytes:
    path.write_bytes(data)
    return b"".join(decrypt(path, key, name))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made.hashset.enc"


def refused(path: Path, data: bytes) -> None:
    """Check that the file is refused with one line that names it."""
    with pytest.raises(StoreError, match=f"^{path}: the encrypted hash set is refused: ") as caught:
        decrypted(path, data)
    assert "\n" not in str(caught.value)


@settings(max_examples=25)
@given(st.integers(0, 2).flatmap(lambda chunks: st.integers(max(0, chunks * CHUNK - 20), chunks * CHUNK + 20)))
def test_what_was_encrypted_comes_back_whatever_its_size(tmp_path_factory: pytest.TempPathFactory, size: int) -> None:
    path = tmp_path_factory.mktemp("round") / "made.hashset.enc"
    data = encrypted(size)
    assert decrypted(path, data) == content(size)
    assert plain_size(path, len(data)) == size


@pytest.mark.parametrize("size", [0, 1, 100])
def test_every_changed_byte_is_noticed(path: Path, size: int) -> None:
    data = encrypted(size)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        refused(path, bytes(changed))


@pytest.mark.parametrize("size", [0, 1, 100])
def test_every_cut_and_every_extension_is_noticed(path: Path, size: int) -> None:
    data = encrypted(size)
    for length in range(len(data)):
        refused(path, data[:length])
    for more in (b"\0", bytes(16), data, bytes(SEALED)):
        refused(path, data + more)


def test_chunks_cannot_be_changed_moved_left_out_or_added(path: Path) -> None:
    data = encrypted(3 * CHUNK)
    head, first, second, last = data[:HEADER], *(data[at : at + SEALED] for at in range(HEADER, len(data), SEALED))
    assert decrypted(path, head + first + second + last) == content(3 * CHUNK)
    for chunks in [
        (first, second),
        (first, last),
        (second, last),
        (last,),
        (second, first, last),
        (first, second, last, last),
        (first, second, last, second),
        (first, first, second, last),
        (first, second, last, encrypted(0)[HEADER:]),
        (first[:-1] + bytes([first[-1] ^ 1]), second, last),
        (first, bytes([second[0] ^ 128]) + second[1:], last),
    ]:
        refused(path, head + b"".join(chunks))


def test_only_an_empty_file_may_end_with_an_empty_chunk(path: Path) -> None:
    header = encrypted(0)[:HEADER]
    cipher = _Cipher(KEY, header, NAME)
    sound = cipher.encrypt(0, content(CHUNK), last=True)
    longer = cipher.encrypt(0, content(CHUNK), last=False) + cipher.encrypt(1, b"", last=True)
    assert decrypted(path, header + sound) == content(CHUNK)
    refused(path, header + longer)


def test_a_chunk_of_another_file_does_not_fit(path: Path) -> None:
    one, other = encrypted(CHUNK + 5), encrypted(CHUNK + 5)
    assert one != other, "each file has a salt of its own"
    refused(path, one[: HEADER + SEALED] + other[HEADER + SEALED :])


def test_a_file_under_another_name_or_of_another_key_is_refused(path: Path) -> None:
    for key, name in [(KEY, "other.hashset"), (bytes(32), NAME)]:
        with pytest.raises(StoreError, match="damaged, or another file was put in its place"):
            decrypted(path, encrypted(10), key, name)


def test_an_unknown_format_is_named(path: Path) -> None:
    data = encrypted(10)
    with pytest.raises(StoreError, match="its format is version 2 in chunks of 1048576 bytes"):
        decrypted(path, data[:8] + b"\2" + data[9:])
    with pytest.raises(StoreError, match="not an encrypted hash set"):
        decrypted(path, b"TRIAGSET" + data[8:])


def test_a_file_that_is_not_there_is_a_trouble_of_the_store(path: Path) -> None:
    with pytest.raises(StoreError, match="cannot read the encrypted hash set: No such file"):
        list(decrypt(path, KEY, NAME))


def test_memory_stays_flat(path: Path) -> None:
    path.write_bytes(encrypted(12 * CHUNK))
    tracemalloc.start()
    try:
        assert sum(len(chunk) for chunk in decrypt(path, KEY, NAME)) == 12 * CHUNK
        assert tracemalloc.get_traced_memory()[1] < 5 * CHUNK
    finally:
        tracemalloc.stop()


def test_a_file_is_encrypted_in_place_of_the_one_before_and_counted_twice(tmp_path: Path, path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(content(CHUNK + 7))
    path.write_bytes(b"the one before")
    (tmp_path / ".encrypt.partial").write_bytes(b"left by a killed process")
    told: list[tuple[int, int]] = []
    encrypt_file(plain, path, KEY, stepping(lambda *numbers: told.append(numbers), 2 * (CHUNK + 7)))
    assert b"".join(decrypt(path, KEY, NAME)) == plain.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["made.hashset.enc", "plain"]
    assert told == sorted(told)
    assert told[-1] == (2 * (CHUNK + 7), 2 * (CHUNK + 7))


def test_what_cannot_be_written_leaves_the_one_before(tmp_path: Path, path: Path) -> None:
    path.write_bytes(b"the one before")
    with pytest.raises(StoreError, match="cannot encrypt the hash set: No such file"):
        encrypt_file(tmp_path / "none", path, KEY, stepping(None, 0))
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"the one before"


@pytest.mark.parametrize("at", [0, 9, 10])
def test_a_copy_that_differs_from_the_plain_file_is_not_taken(tmp_path: Path, path: Path, at: int) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(content(10))
    path.write_bytes(b"the one before")

    def change_when_encrypted(count: int) -> None:
        if count == 10 + 16:
            with plain.open("r+b") as file:
                file.seek(at)
                file.write(b"x")

    with pytest.raises(StoreError, match=r"made\.hashset: the encrypted copy is not what was encrypted"):
        encrypt_file(plain, path, KEY, change_when_encrypted)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["made.hashset.enc", "plain"]
    assert path.read_bytes() == b"the one before"
