"""What a secret can be to the libraries that open FileVault 2 and encrypted APFS volumes."""

from collections.abc import Callable
from typing import Any

from triage.model.secret import Secret


def apple_ways(locked: Any, secret: Secret) -> list[tuple[Callable[[str], Any], str, str]]:
    """Return the ways to try a secret on a library's locked volume: whom to give what, and what it is called."""
    ways: list[tuple[Callable[[str], Any], str, str]] = []
    if secret.apple_recovery is not None:
        ways.append((locked.set_recovery_password, secret.apple_recovery, "a recovery key"))
    if secret.text is not None:
        ways.append((locked.set_password, secret.text, "a password"))
    return ways
