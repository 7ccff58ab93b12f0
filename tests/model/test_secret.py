import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model.errors import UsageError
from triage.model.secret import LONGEST_TYPED, MOST_SECRETS, NO_SECRETS, Secret, SecretKind, Secrets

RECOVERY = "235818-357951-253979-013365-241120-245575-342914-591910"
APPLE = "ABCD-1234-EFGH-5678-IJKL-9012"


def typed(text: str) -> Secret:
    (secret,) = Secrets.given([text])
    return secret


@given(st.text(min_size=8, max_size=40))
def test_no_text_form_shows_a_secret(text: str) -> None:
    secrets = Secrets.given([text], [text.encode()])
    first, second = secrets
    for shown in (repr(secrets), str(secrets), f"{secrets}", repr(first), str(first), f"{second!r}"):
        assert text not in shown
        assert str(bytes(first.value)) not in shown
    assert repr(first) == "<secret: typed>"
    assert repr(second) == "<secret: key file>"


def test_secrets_travel_between_processes() -> None:
    copied = pickle.loads(pickle.dumps(Secrets.given(["an invented token"], [b"\0key\xff"])))
    assert [(secret.kind, bytes(secret.value)) for secret in copied] == [
        (SecretKind.TYPED, b"an invented token"),
        (SecretKind.KEY_FILE, b"\0key\xff"),
    ]


def test_a_cleared_secret_is_gone() -> None:
    secrets = Secrets.given(["an invented token"])
    secrets.clear()
    assert [bytes(secret.value) for secret in secrets] == [bytes(17)]


def test_the_same_secret_is_tried_once() -> None:
    assert len(Secrets.given(["one", "two", "one"], [b"one"])) == 3
    assert not NO_SECRETS


@pytest.mark.parametrize(
    ("words", "files", "said"),
    [
        (["one", ""], [], "password 2 is empty"),
        (["x" * (LONGEST_TYPED + 1)], [], "password 1 has 513 bytes"),
        ([], [b""], "key file 1 is empty"),
        ([str(number) for number in range(MOST_SECRETS + 1)], [], "17 passwords and key files are too many"),
    ],
)
def test_what_is_no_secret_is_refused_without_being_shown(words: list[str], files: list[bytes], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        Secrets.given(words, files)
    assert "xxx" not in str(caught.value)


@pytest.mark.parametrize("text", [RECOVERY, RECOVERY.replace("-", ""), f" {RECOVERY.replace('-', ' ')}\n"])
def test_a_recovery_password_is_told_however_it_is_spaced(text: str) -> None:
    assert typed(text).bitlocker_recovery == RECOVERY


@pytest.mark.parametrize("text", [RECOVERY[:-1] + "1", RECOVERY[:-7], "720896" * 8, "password", RECOVERY + "-000000"])
def test_a_mistyped_recovery_password_is_none(text: str) -> None:
    assert typed(text).bitlocker_recovery is None


def test_a_recovery_key_of_filevault_is_told() -> None:
    assert typed(APPLE.lower() + " ").apple_recovery == APPLE
    assert typed(APPLE[:-1]).apple_recovery is None


def test_a_key_file_is_never_taken_for_words() -> None:
    (secret,) = Secrets.given([], [RECOVERY.encode()])
    assert (secret.text, secret.bitlocker_recovery, secret.apple_recovery) == (None, None, None)


def test_what_is_not_utf8_is_no_text() -> None:
    assert typed("caf\udce9").text is None
    assert bytes(typed("caf\udce9").value) == b"caf\xe9"
