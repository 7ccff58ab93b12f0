"""LUKS volumes that cryptsetup writes, with content; LUKS1 with content is in the corpus."""

import hashlib
import json
import struct
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from images.overlay import Overlay
from suite import Tool

from triage.model.errors import EvidenceError
from triage.model.runs import ByteRun
from triage.model.secret import NO_SECRETS, Secrets
from triage.sources.source import EvidenceSource
from triage.sources.watched import WatchedSource
from triage.volumes.locked import Locked, detect
from triage.volumes.luks import read_luks
from triage.volumes.unlock import unlock
from triage.volumes.unlock_luks import unlock_luks
from triage.volumes.unlocking import Opened, Refused
from triage.volumes.volume import Volume

from .plain import Sparse

TOKEN = "invented token"
MOST_KEY = 128
CONTENT = b"".join(hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(1 << 15))
FEW = ("--pbkdf-force-iterations", "4", "--pbkdf-memory", "64", "--pbkdf-parallel", "2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the passphrase and the plain content, 1 MiB."""
    folder = tmp_path_factory.mktemp("luks")
    (folder / "token").write_bytes(TOKEN.encode())
    (folder / "plain").write_bytes(CONTENT)
    return folder


def run(*words: object) -> None:
    subprocess.run([*map(str, words)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def by_cryptsetup(tool: Tool, folder: Path) -> Path:
    """A LUKS2 volume, Argon2id, AES-XTS in sectors of 4096 bytes, encrypted in place."""
    image = folder / "luks2"
    image.write_bytes(CONTENT.ljust(16 << 20, b"\0"))
    options = ("--reduce-device-size", "8M", "--force-offline-reencrypt", "--sector-size", "4096", "--key-file")
    kinds = ("--type", "luks2", "--pbkdf", "argon2id", *FEW)
    run(tool("cryptsetup"), "reencrypt", "-q", "--encrypt", *kinds, *options, folder / "token", image)
    return image


def volume_of(source: EvidenceSource, start: int = 0) -> Volume:
    return Volume(source, ByteRun(start, source.info.size - start))


def plain(opened: Opened | Refused | str) -> bytes:
    assert isinstance(opened, Opened)
    assert opened.means == "a passphrase"
    return opened.volume.read_at(0, opened.volume.size)


def test_what_cryptsetup_wrote_is_read(by_cryptsetup: Path) -> None:
    opened = unlock_luks(volume_of(Overlay(by_cryptsetup)), Secrets.given(["another token", TOKEN]))
    data = plain(opened)
    assert data[: len(CONTENT)] == CONTENT
    assert isinstance(opened, Opened)
    for offset, length in ((0, 1), (511, 2), (4095, 4098), (len(CONTENT) - 5, 7), (len(data) - 1, 10), (len(data), 1)):
        assert opened.volume.read_at(offset, length) == data[offset : offset + length]


def test_plain_bytes_stand_at_the_offsets_of_the_encrypted_ones(by_cryptsetup: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(bytes(12800) + by_cryptsetup.read_bytes())
    opened = unlock_luks(volume_of(Overlay(tmp_path / "disk"), 12800), Secrets.given([TOKEN]))
    assert isinstance(opened, Opened)
    assert opened.volume.run.offset == 12800 + (4 << 20)
    assert str(opened.volume.address) == "volume:12800!decrypted:luks2"
    assert opened.volume.read_at(4096, 64) == CONTENT[4096:4160]


def test_a_key_file_is_taken_whole(tool: Tool, tmp_path: Path) -> None:
    key, image = tmp_path / "key", tmp_path / "image"
    key.write_bytes(b"\0not text\xff\n")
    image.write_bytes(bytes(18 << 20))
    run(tool("cryptsetup"), "luksFormat", "-q", "--type", "luks2", "--pbkdf", "argon2i", *FEW, "--key-file", key, image)
    opened = unlock_luks(volume_of(Overlay(image)), Secrets.given([TOKEN], [key.read_bytes()]))
    assert isinstance(opened, Opened)
    assert opened.means == "a key file"
    assert isinstance(unlock_luks(volume_of(Overlay(image)), Secrets.given([TOKEN], [b"\0not text\xff"])), Refused)


def test_wrong_secrets_are_said_and_not_shown(by_cryptsetup: Path) -> None:
    volume = volume_of(Overlay(by_cryptsetup))
    locked = detect(volume)
    assert locked is not None
    assert unlock(volume, locked, NO_SECRETS) == locked.text
    said = unlock(volume, locked, Secrets.given(["token one", "token two"], [b"three"]))
    assert said == f"{locked.text}; none of the 3 secrets given opens it"


@pytest.mark.parametrize("lost", [4096, 64])
def test_the_second_header_of_luks2_does_as_well(by_cryptsetup: Path, lost: int) -> None:
    data = bytearray(by_cryptsetup.read_bytes())
    data[4096 - lost : 4096] = bytes(lost)
    source = Sparse(len(data)).put(0, bytes(data))
    assert plain(unlock_luks(volume_of(source), Secrets.given([TOKEN])))[: len(CONTENT)] == CONTENT


def test_what_cannot_be_read_is_zeros_and_not_noise(by_cryptsetup: Path) -> None:
    bad = ByteRun((4 << 20) + 8192 + 512, 512)
    data = bytearray(by_cryptsetup.read_bytes())
    data[bad.offset : bad.end] = bytes(512)
    opened = unlock_luks(volume_of(Sparse(len(data), bad=(bad,)).put(0, bytes(data))), Secrets.given([TOKEN]))
    assert plain(opened)[: len(CONTENT)] == CONTENT[:8192] + bytes(4096) + CONTENT[12288:]
    assert isinstance(opened, Opened)
    assert [(run.run.offset, run.run.length) for run in opened.volume.unreadable_runs()] == [(8192, 4096)]


def described(path: Path) -> dict[str, Any]:
    """What the JSON area of a LUKS2 volume says."""
    said: dict[str, Any] = json.loads(path.read_bytes()[4096:16384].partition(b"\0")[0])
    return said


def forged(path: Path, said: object) -> Sparse:
    """The volume with another JSON area, its checksum right."""
    image = path.read_bytes()
    binary = bytearray(image[:4096])
    area = json.dumps(said).encode().ljust(12288, b"\0")
    binary[448:512] = bytes(64)
    binary[448:480] = hashlib.sha256(bytes(binary) + area).digest()
    return Sparse(16 << 20).put(0, bytes(binary)).put(4096, area).put(32768, image[32768:])


HOURS = [
    ({"time": 10**9}, "asks for about"),
    ({"memory": 2**40}, "asks for about"),
    ({"memory": 2**20 + 8, "time": 1}, "KiB of memory"),
    ({"type": "scrypt"}, "the key derivation scrypt is not supported"),
    ({"type": "pbkdf2", "hash": "sha256", "iterations": 2**62}, "asks for about"),
    ({"type": "pbkdf2", "hash": "sha256", "iterations": 10**400}, "impossible parameters"),
    ({"cpus": 10**9}, "impossible parameters"),
]


@pytest.mark.parametrize(("asked", "said"), HOURS)
def test_a_hostile_header_is_refused_in_words(by_cryptsetup: Path, asked: dict[str, Any], said: str) -> None:
    header = described(by_cryptsetup)
    for slot in header["keyslots"].values():
        slot["kdf"].update(asked)
    volume = volume_of(forged(by_cryptsetup, header))
    locked = detect(volume)
    assert locked is not None
    answer = unlock(volume, locked, Secrets.given([TOKEN]))
    assert isinstance(answer, str)
    assert said in answer


def test_a_long_derivation_gives_signs_of_life(by_cryptsetup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triage.volumes.unlock_luks._PULSE_SECONDS", 0.001)
    header = described(by_cryptsetup)
    header["keyslots"]["0"]["kdf"].update({"time": 4, "memory": 32768})
    reads = []
    source = WatchedSource(forged(by_cryptsetup, header), on_read=lambda: reads.append(1))
    assert unlock_luks(volume_of(source), Secrets.given([TOKEN])) == Refused()
    assert len(reads) > 40


def test_the_work_of_many_slots_is_bounded(by_cryptsetup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triage.volumes.unlock_luks.MOST_SECONDS", 0.0)
    refused = unlock_luks(volume_of(Overlay(by_cryptsetup)), Secrets.given([TOKEN]))
    assert refused == Refused(("its key slots ask for too much work, not all were tried",))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("keyslots",), []),
        (("keyslots", "0", "af", "stripes"), 10**9),
        (("keyslots", "0", "area", "offset"), "-1"),
        (("keyslots", "0", "area", "offset"), str(2**70)),
        (("keyslots", "0", "area", "encryption"), "twofish-xts-plain64"),
        (("keyslots", "0", "area", "key_size"), 1),
        (("keyslots", "0", "key_size"), 0),
        (("keyslots", "0", "af", "hash"), "none"),
        (("keyslots", "0", "kdf", "salt"), "%"),
        (("keyslots", "0", "type"), "reencrypt"),
        (("digests", "0", "digest"), ""),
        (("digests", "0", "iterations"), 2**40),
        (("digests",), {}),
        (("segments", "0", "sector_size"), 3),
        (("segments", "0", "iv_tweak"), str(-(2**70))),
        (("segments", "0", "offset"), str(2**40)),
        (("segments", "0", "encryption"), "serpent-xts-plain64"),
        (("segments", "0", "type"), "linear"),
        (("segments",), None),
        (("config", "requirements"), {"mandatory": ["online-reencrypt"]}),
        ((), ["no object"]),
    ],
    ids=str,
)
def test_odd_headers_are_refused(by_cryptsetup: Path, place: tuple[str, ...], value: object) -> None:
    header: Any = described(by_cryptsetup)
    if place:
        inner = header
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = value
    else:
        header = value
    volume = volume_of(forged(by_cryptsetup, header))
    locked = detect(volume)
    assert locked is not None
    answer = unlock(volume, locked, Secrets.given([TOKEN]))
    assert isinstance(answer, str)
    assert answer.startswith(locked.text)
    assert len(answer) > len(locked.text) + 10


def leaves(value: object, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The places of everything in a JSON object."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*place, name)
            yield from leaves(inner, (*place, name))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_header_is_refused_or_read(by_cryptsetup: Path, data: st.DataObject) -> None:
    header: Any = described(by_cryptsetup)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(sorted(leaves(header))))
        inner = header
        for step in place[:-1]:
            inner = inner[step]
        odd: tuple[object, ...] = (
            None,
            -1,
            0,
            1,
            3,
            513,
            2**31,
            2**70,
            "",
            "x",
            "-1",
            "4096",
            [],
            ["0"],
            {},
            True,
            1.5,
            float("inf"),
        )
        inner[place[-1]] = data.draw(st.sampled_from(odd))
    volume = volume_of(forged(by_cryptsetup, header))
    answer = unlock(volume, Locked("LUKS2", "locked"), Secrets.given([TOKEN]))
    if isinstance(answer, Opened):
        assert len(answer.volume.read_at(0, 4096)) == min(4096, answer.volume.size)
    else:
        assert answer.startswith("locked; the one secret given does not open it")


@given(st.lists(st.tuples(st.integers(0, 592), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bits_of_luks1_are_refused_or_read(flips: list[tuple[int, int]]) -> None:
    head = bytearray(592)
    struct.pack_into(
        ">6sH32s32s32sII20s32sI", head, 0, b"LUKS\xba\xbe", 1, b"aes", b"xts-plain64", b"sha1", 8, 32, b"", b"", 1
    )
    struct.pack_into(">II32sII", head, 208, 0x00AC71F3, 1, b"salt", 2, 2)
    for place, mask in flips:
        if place < len(head):
            head[place] ^= mask
    volume = volume_of(Sparse(8192).put(0, bytes(head)))
    with suppress(EvidenceError):
        header = read_luks(volume)
        assert header is None or (header.payload.end <= 8192 and len(header.slots) <= 8)
        if header is not None and all(slot.derivation.seconds(MOST_KEY) < 0.01 for slot in header.slots):
            answer = unlock(volume, Locked("LUKS1", "locked"), Secrets.given([TOKEN]))
            assert isinstance(answer, str)
            assert answer.isprintable()
