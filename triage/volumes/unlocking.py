"""What became of trying secrets on an encrypted volume."""

from dataclasses import dataclass

from triage.volumes.decrypted import DecryptedVolume


@dataclass(frozen=True, slots=True)
class Opened:
    """The plain bytes, and with what they were had, by its kind: "a recovery password"."""

    volume: DecryptedVolume
    means: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No secret opened it; `reasons` are what kept some from being tried, each once, in words."""

    reasons: tuple[str, ...] = ()
