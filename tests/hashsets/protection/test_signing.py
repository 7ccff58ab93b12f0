import hashlib
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from suite import Tool

from triage.hashsets.protection.signing import (
    SEAL_SIZE,
    Seal,
    SealState,
    Signer,
    TrustedKeys,
    check_seal,
    fingerprint,
    generate_key,
    verify_seal,
)
from triage.model.errors import StoreError, UsageError

DIGEST = hashlib.sha256(b"an invented set").digest()
OTHER = hashlib.sha256(b"another invented set").digest()
NOBODY = TrustedKeys({})
SET = Path("library/made.hashset")


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    generate_key(tmp_path / "force.key", tmp_path / "force.pem")
    return Signer.load(tmp_path / "force.key")


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    folder = tmp_path / "trusted"
    folder.mkdir()
    return folder


def other_curve(path: Path) -> tuple[bytes, bytes]:
    """Return a private and a public key that are sound, and not Ed25519."""
    key = generate_private_key(SECP256R1())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path.read_bytes(), public


def test_a_private_key_is_for_its_owner_only(tmp_path: Path) -> None:
    public = generate_key(tmp_path / "force.key", tmp_path / "force.pem")
    assert (tmp_path / "force.key").stat().st_mode & 0o777 == 0o600
    assert Signer.load(tmp_path / "force.key").public == public
    assert len(public) == 32


@pytest.mark.parametrize("there", ["force.key", "force.pem"])
def test_no_key_is_overwritten_and_no_half_pair_is_left(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    with pytest.raises(UsageError, match=f"{there}: .* no key is ever overwritten"):
        generate_key(tmp_path / "force.key", tmp_path / "force.pem")
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "precious"


def test_a_key_that_cannot_be_written_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory: name another file"):
        generate_key(tmp_path / "none" / "force.key", tmp_path / "force.pem")


def test_a_passphrase_opens_a_key_in_either_unicode_spelling(tmp_path: Path) -> None:
    public = generate_key(tmp_path / "force.key", tmp_path / "force.pem", "caf\u00e9 au lait")
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in (tmp_path / "force.key").read_bytes()
    assert Signer.load(tmp_path / "force.key", "cafe\u0301 au lait").public == public


@pytest.mark.parametrize(
    ("locked", "given", "cause"),
    [
        ("right", "wrong", "the passphrase does not open it"),
        ("right", None, "it is protected by a passphrase"),
        (None, "needless", "it has no passphrase"),
        ("right", "", "the passphrase is empty"),
        ("right", "\udcff", "not valid text"),
    ],
)
def test_a_wrong_passphrase_is_one_line(tmp_path: Path, locked: str | None, given: str | None, cause: str) -> None:
    generate_key(tmp_path / "force.key", tmp_path / "force.pem", locked)
    with pytest.raises(UsageError, match=cause) as caught:
        Signer.load(tmp_path / "force.key", given)
    assert "\n" not in str(caught.value)


def test_what_is_no_private_key_of_ours_cannot_sign(tmp_path: Path) -> None:
    generate_key(tmp_path / "force.key", tmp_path / "force.pem")
    other_curve(tmp_path / "curve.key")
    (tmp_path / "text.key").write_text("no key")
    for name, cause in [
        ("force.pem", "holds a public key"),
        ("curve.key", "not an Ed25519 key"),
        ("text.key", "not a private key in PEM"),
        ("none.key", "No such file"),
        (".", "Is a directory"),
    ]:
        with pytest.raises(UsageError, match=cause):
            Signer.load(tmp_path / name)


def test_openssl_reads_both_keys_and_agrees_on_the_signature(tmp_path: Path, tool: Tool) -> None:
    openssl = tool("openssl")
    private, public = tmp_path / "force.key", tmp_path / "force.pem"
    generate_key(private, public, "a long passphrase")
    derived = subprocess.run(
        [openssl, "pkey", "-in", private, "-passin", "pass:a long passphrase", "-pubout"],
        check=True,
        capture_output=True,
    )
    assert derived.stdout == public.read_bytes()
    signature, message = tmp_path / "signature", tmp_path / "message"
    signature.write_bytes(Signer.load(private, "a long passphrase").sign(DIGEST))
    message.write_bytes(b"digivan hash set seal v1\0" + DIGEST)
    verify: list[str | Path] = [
        openssl,
        "pkeyutl",
        "-verify",
        "-rawin",
        "-pubin",
        "-inkey",
        public,
        "-in",
        message,
        "-sigfile",
        signature,
    ]
    assert subprocess.run(verify, check=False, capture_output=True).returncode == 0
    message.write_bytes(DIGEST)
    assert subprocess.run(verify, check=False, capture_output=True).returncode != 0


def test_a_key_made_by_openssl_signs_and_is_trusted(tmp_path: Path, trusted: Path, tool: Tool) -> None:
    openssl, private = tool("openssl"), tmp_path / "force.key"
    subprocess.run([openssl, "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    subprocess.run([openssl, "pkey", "-in", private, "-pubout", "-out", trusted / "force.pem"], check=True)
    signer = Signer.load(private)
    state = check_seal(SET, signer.seal(DIGEST), DIGEST, TrustedKeys.load(trusted))
    assert state == SealState(fingerprint(signer.public), "force")


def test_a_seal_holds_for_its_digest_only(signer: Signer) -> None:
    seal = signer.seal(DIGEST)
    assert len(seal.signature) == 64
    assert verify_seal(seal, DIGEST)
    assert not verify_seal(seal, OTHER)


def test_every_changed_bit_of_a_seal_is_noticed(signer: Signer) -> None:
    sound = signer.seal(DIGEST).to_bytes()
    assert len(sound) == SEAL_SIZE
    for at in range(8 * SEAL_SIZE):
        changed = bytearray(sound)
        changed[at // 8] ^= 1 << at % 8
        seal = Seal.from_bytes(bytes(changed))
        assert seal is not None
        assert not verify_seal(seal, DIGEST)


@given(st.binary(min_size=SEAL_SIZE, max_size=SEAL_SIZE))
def test_any_bytes_are_a_seal_that_does_not_hold_or_none(data: bytes) -> None:
    seal = Seal.from_bytes(data)
    if seal is None:
        assert data == bytes(SEAL_SIZE)
    else:
        assert seal.to_bytes() == data
        assert not verify_seal(seal, DIGEST)


@pytest.mark.parametrize("length", [0, 95, 97])
def test_a_seal_of_another_length_is_none_at_all(length: int) -> None:
    with pytest.raises(ValueError, match="96 bytes"):
        Seal.from_bytes(bytes(length))


def test_only_a_digest_can_be_signed(signer: Signer) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        signer.sign(b"short")


def test_without_trusted_keys_the_state_is_told_and_a_false_seal_refused(signer: Signer) -> None:
    assert str(check_seal(SET, None, DIGEST, NOBODY)) == "unsealed"
    state = check_seal(SET, signer.seal(DIGEST), DIGEST, NOBODY)
    assert str(state) == f"unknown key {hashlib.sha256(signer.public).hexdigest()[:16]}"
    with pytest.raises(StoreError, match=r"library/made.hashset: the hash set is refused: its seal is not valid: "):
        check_seal(SET, signer.seal(OTHER), DIGEST, NOBODY)


def test_with_trusted_keys_only_their_seals_are_accepted(tmp_path: Path, signer: Signer, trusted: Path) -> None:
    (tmp_path / "force.pem").rename(trusted / "Force 2026.pem")
    generate_key(tmp_path / "stranger.key", tmp_path / "stranger.pem")
    stranger = Signer.load(tmp_path / "stranger.key")
    keys = TrustedKeys.load(trusted)
    assert (
        str(check_seal(SET, signer.seal(DIGEST), DIGEST, keys))
        == f"sealed by Force 2026 ({fingerprint(signer.public)})"
    )
    for seal, cause in [
        (None, "carries no seal"),
        (signer.seal(OTHER), "not valid"),
        (stranger.seal(DIGEST), f"sealed by key {fingerprint(stranger.public)}, which is not trusted"),
        (Seal(signer.public, stranger.sign(DIGEST)), "not valid"),
    ]:
        with pytest.raises(StoreError, match=cause):
            check_seal(SET, seal, DIGEST, keys)


def test_no_folder_trusts_nobody(tmp_path: Path) -> None:
    assert TrustedKeys.load(tmp_path / "trusted") == NOBODY


def test_a_private_key_among_the_trusted_ones_is_refused(tmp_path: Path, trusted: Path) -> None:
    generate_key(trusted / "force.pem", tmp_path / "public.pem")
    with pytest.raises(StoreError, match=r"force.pem: cannot be a trusted key: it holds a private key: remove it"):
        TrustedKeys.load(trusted)


def test_whatever_is_no_key_is_refused_and_never_skipped(tmp_path: Path, trusted: Path) -> None:
    generate_key(tmp_path / "one.key", tmp_path / "one.pem")
    generate_key(tmp_path / "two.key", tmp_path / "two.pem")
    one, two = (tmp_path / "one.pem").read_bytes(), (tmp_path / "two.pem").read_bytes()
    _, curve = other_curve(tmp_path / "curve.key")
    for name, content, cause in [
        ("curve.pem", curve, "not one Ed25519 key"),
        ("pair.pem", one + two, "not one Ed25519 key"),
        ("cut.pem", one[:-40], "not a public key in PEM"),
        ("empty.pem", b"", "not a public key in PEM"),
        ("force.pub", one, "only public keys in .pem files belong there"),
        (".hidden.pem.swp", one, "only public keys in .pem files belong there"),
    ]:
        (trusted / name).write_bytes(content)
        with pytest.raises(StoreError, match=cause):
            TrustedKeys.load(trusted)
        (trusted / name).unlink()
    (trusted / "folder.pem").mkdir()
    with pytest.raises(StoreError, match="only public keys"):
        TrustedKeys.load(trusted)


def test_one_key_under_two_names_is_refused_because_removing_one_would_not_revoke_it(
    tmp_path: Path, trusted: Path
) -> None:
    generate_key(tmp_path / "force.key", trusted / "a.pem")
    (trusted / "b.pem").write_bytes((trusted / "a.pem").read_bytes())
    with pytest.raises(StoreError, match=r"b.pem: .* the same key as a.pem: remove one"):
        TrustedKeys.load(trusted)


def test_a_file_in_the_place_of_the_trusted_folder_is_refused(trusted: Path) -> None:
    trusted.rmdir()
    trusted.write_text("")
    with pytest.raises(StoreError, match="cannot list the trusted keys"):
        TrustedKeys.load(trusted)
