"""What an examiner gives to open encrypted volumes: held in memory only, and shown by nothing.

A secret is never written: not into a case, plan, log, trace or message, not into a file and not into the words of a
command. Its text form is its kind. Python and the libraries make copies that nothing can take back; `clear` overwrites
ours.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from triage.model.errors import UsageError

MOST_SECRETS = 16
LONGEST_TYPED = 512
LONGEST_FILE = 8 << 20

_GROUPS, _DIGITS, _CHECK, _MOST_GROUP = 8, 6, 11, 720896
_APPLE = re.compile("[A-Z0-9]{4}(?:-[A-Z0-9]{4}){5}")


class SecretKind(StrEnum):
    """How a secret was given."""

    TYPED = "typed"
    KEY_FILE = "key file"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Secret:
    """One secret: what was typed (UTF-8), or the content of a key file. Pickled it is there in plain."""

    kind: SecretKind
    value: bytearray

    def __repr__(self) -> str:
        """Tell the kind and nothing else, not even the length."""
        return f"<secret: {self.kind}>"

    @property
    def text(self) -> str | None:
        """What was typed; None for a key file, and for what is not UTF-8."""
        try:
            return self.value.decode() if self.kind is SecretKind.TYPED else None
        except UnicodeDecodeError:
            return None

    @property
    def bitlocker_recovery(self) -> str | None:
        """The 48 digits as BitLocker prints them, if what was typed is a recovery password: spaces do not matter.

        Each of the eight groups of six is a 16-bit number times 11, so that a slip of the finger shows.
        """
        digits = re.sub(r"[\s-]", "", self.text or "", flags=re.ASCII)
        groups = re.findall("[0-9]{6}", digits)
        if len(digits) != _GROUPS * _DIGITS or len(groups) != _GROUPS:
            return None
        sound = all(int(group) % _CHECK == 0 and int(group) < _MOST_GROUP for group in groups)
        return "-".join(groups) if sound else None

    @property
    def apple_recovery(self) -> str | None:
        """The recovery key as FileVault prints it, six groups of four, if what was typed is one."""
        typed = (self.text or "").strip().upper()
        return typed if _APPLE.fullmatch(typed) else None

    def clear(self) -> None:
        """Overwrite the secret with zeros; afterwards it opens nothing."""
        self.value[:] = bytes(len(self.value))


@dataclass(frozen=True, slots=True, eq=False)
class Secrets:
    """The secrets of one examination, each tried on every encrypted volume that could take it, in this order."""

    known: tuple[Secret, ...] = ()

    @classmethod
    def given(cls, typed: Iterable[str] = (), key_files: Iterable[bytes] = ()) -> "Secrets":
        """Return what was typed and the contents of key files as secrets, none of them twice.

        Raises UsageError, naming no secret, for an empty or too long one and for more than `MOST_SECRETS`.
        """
        secrets: dict[tuple[SecretKind, bytes], Secret] = {}
        for number, text in enumerate(typed, 1):
            value = text.encode("utf-8", "surrogateescape")
            _check(f"password {number}", value, LONGEST_TYPED)
            secrets[SecretKind.TYPED, value] = Secret(SecretKind.TYPED, bytearray(value))
        for number, content in enumerate(key_files, 1):
            _check(f"key file {number}", content, LONGEST_FILE)
            secrets[SecretKind.KEY_FILE, content] = Secret(SecretKind.KEY_FILE, bytearray(content))
        if len(secrets) > MOST_SECRETS:
            raise UsageError(f"{len(secrets)} passwords and key files are too many: give at most {MOST_SECRETS}")
        return cls(tuple(secrets.values()))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.known)

    def __iter__(self) -> Iterator[Secret]:
        """Return them in the order given."""
        return iter(self.known)

    def clear(self) -> None:
        """Overwrite every secret."""
        for secret in self.known:
            secret.clear()


NO_SECRETS = Secrets()


def _check(name: str, value: bytes, longest: int) -> None:
    if not value:
        raise UsageError(f"{name} is empty: give one that is not, or none")
    if len(value) > longest:
        raise UsageError(f"{name} has {len(value)} bytes, more than {longest}: give the password or key file itself")
