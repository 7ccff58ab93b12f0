import pytest

from triage.model.errors import EvidenceError
from triage.volumes.key_derivation import MOST_MEMORY, Argon2, Pbkdf2


def test_pbkdf2_is_that_of_rfc_6070() -> None:
    derived = Pbkdf2("sha1", b"saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096).derive(b"passwordPASSWORDpassword", 25)
    assert derived.hex() == "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038"


def test_argon2_is_that_of_its_reference_program() -> None:
    derived = Argon2("argon2id", b"somesalt", 2, 65536, 1).derive(bytearray(b"password"), 32)
    assert derived.hex() == "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
    derived = Argon2("argon2i", b"somesalt", 2, 256, 1).derive(bytearray(b"password"), 32)
    assert derived.hex() == "89e9029f4637b295beb027056a7336c414fadd43f6b208645281cb214a56452f"


@pytest.mark.parametrize(
    "derivation",
    [
        Pbkdf2("sha256", b"salt", 2**32 - 1),
        Pbkdf2("sha512", b"salt", 2**60),
        Argon2("argon2id", b"somesalt", 2**31, 64, 1),
        Argon2("argon2i", b"somesalt", 1, 2**40, 4),
    ],
)
def test_hours_of_work_are_not_begun(derivation: Pbkdf2 | Argon2) -> None:
    with pytest.raises(EvidenceError, match=r"asks for about [0-9]+ seconds, more than 20"):
        derivation.derive(b"token", 64)


def test_more_memory_than_the_bound_is_not_taken() -> None:
    with pytest.raises(EvidenceError, match="KiB of memory"):
        Argon2("argon2id", b"somesalt", 1, MOST_MEMORY + 1, 4).derive(b"token", 64)


def test_what_volumes_have_by_default_is_within_the_bounds() -> None:
    assert Argon2("argon2id", b"somesalt", 9, MOST_MEMORY, 4).seconds(64) < 20
    assert Pbkdf2("sha256", b"salt", 12_000_000).seconds(64) < 20


@pytest.mark.parametrize(
    ("variant", "salt", "passes", "memory", "lanes"),
    [
        ("scrypt", b"somesalt", 1, 64, 1),
        ("argon2id", b"short", 1, 64, 1),
        ("argon2id", b"somesalt", 0, 64, 1),
        ("argon2id", b"somesalt", 1, 64, 0),
        ("argon2id", b"somesalt", 1, 64, 9),
        ("argon2id", b"somesalt", 1, 2**20, 2**20),
    ],
)
def test_impossible_parameters_are_refused(variant: str, salt: bytes, passes: int, memory: int, lanes: int) -> None:
    with pytest.raises(EvidenceError):
        Argon2(variant, salt, passes, memory, lanes)


@pytest.mark.parametrize(
    ("digest", "iterations"), [("whirlpool", 10), ("md5", 10), ("sha1", 0), ("sha1", 10**4000), ("\n", 1)]
)
def test_an_unknown_hash_is_refused(digest: str, iterations: int) -> None:
    with pytest.raises(EvidenceError):
        Pbkdf2(digest, b"salt", iterations)
