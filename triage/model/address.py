"""One address for every byte cited: where an item lies, from the source inwards.

Text form: steps joined by `!`, each `scheme:value`, as in a nested-archive URL::

    volume:1048576!file:66-128-2!path:/DCIM/IMG_0001.JPG

Everything in a value that could be mistaken (`!`, `%`, control characters, bytes that are not UTF-8) is
percent-encoded, so `Address.parse(str(address)) == address` for every address.
"""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote_to_bytes

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f!%\u2028\u2029\ud800-\udfff]")
_SCHEME = re.compile(r"[a-z][a-z0-9-]*\Z")
_USUAL = frozenset({"volume", "file", "path"})  # a walk makes millions of these


@dataclass(frozen=True, slots=True)
class Address:
    """An immutable, comparable chain of steps; `value` may hold surrogate-escaped bytes."""

    scheme: str
    value: str
    parent: "Address | None" = None

    def __post_init__(self) -> None:
        """Refuse a scheme that the text form could not carry."""
        if self.scheme not in _USUAL and not _SCHEME.match(self.scheme):
            raise ValueError(f"not an address scheme: {self.scheme!r}")

    def child(self, scheme: str, value: str) -> "Address":
        """Return the address one step further in."""
        return Address(scheme, value, self)

    def find(self, scheme: str) -> str | None:
        """Return the value of the innermost step of that scheme, or None."""
        step: Address | None = self
        while step is not None:
            if step.scheme == scheme:
                return step.value
            step = step.parent
        return None

    def __reduce__(self) -> "tuple[type[Address], tuple[str, str, Address | None]]":
        """Travel between processes by the shortest way: a walk hands over millions of addresses."""
        return Address, (self.scheme, self.value, self.parent)

    def __str__(self) -> str:
        own = f"{self.scheme}:{_encode(self.value)}"
        return own if self.parent is None else f"{self.parent}!{own}"

    def __lt__(self, other: "Address") -> bool:
        return str(self) < str(other)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address that `str()` wrote. Raises ValueError on anything else."""
        address: Self | None = None
        for step in text.split("!"):
            scheme, colon, value = step.partition(":")
            if not colon:
                raise ValueError(f"not an address: {text!r}")
            address = cls(scheme, unquote_to_bytes(value).decode("utf-8", "surrogateescape"), address)
        assert address is not None
        return address


def _encode(value: str) -> str:
    return _UNSAFE.sub(_percent, value)


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogateescape"))
