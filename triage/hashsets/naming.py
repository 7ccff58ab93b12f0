"""What a set may be called, and the file name that follows from it."""

import unicodedata
from urllib.parse import quote

from triage.model.errors import UsageError

_LONGEST_VERSION = 100
_MAX_STEM = 200  # bytes; file systems allow 255 with the suffix and what encryption adds to the name


def set_name(text: str) -> str:
    """Return the one spelling of a set's name; raises UsageError for an empty one or one with control characters."""
    name = unicodedata.normalize("NFC", text).strip()
    if not name or _steers(name):
        raise UsageError(f"{text!r} cannot name a hash set: give letters, digits and signs, at least one")
    return name


def check_version(text: str) -> None:
    """Raise UsageError for what cannot be shown as the version of a set."""
    if not text.strip() or len(text) > _LONGEST_VERSION or _steers(text):
        raise UsageError(f"{text[:40]!r} cannot be a version: give 1 to {_LONGEST_VERSION} letters, digits and signs")


def _steers(text: str) -> bool:
    """Tell whether a text holds what would steer a terminal, or is no character at all."""
    return any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in text)


def file_stem(name: str) -> str:
    """Return a file name for a set: letters and digits of any script stay, every sign but `-_ ` is escaped."""
    stem = "".join(char if char.isalnum() or char in "-_ " else quote(char, safe="") for char in set_name(name))
    stem = stem.replace(".", "%2E")
    if len(stem.encode()) > _MAX_STEM:
        raise UsageError(f"{name[:40]!r}... is too long to name a hash set: give a shorter name")
    return stem
