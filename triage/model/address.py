"""One address for every byte cited: where an item lies, from the source inwards.

Text form: steps joined by `!`, each `scheme:value`, as in a nested-archive URL::

    volume:1048576!file:66-128-2!path:/DCIM/IMG_0001.JPG

Everything in a value that could be mistaken (`!`, `%`, control characters, bytes that are not UTF-8) is
percent-encoded, so `Address.parse(str(address)) == address` for every address.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f!%\u2028\u2029\ud800-\udfff]")
_SCHEME = re.compile(r"[a-z][a-z0-9-]*\Z")
_PLAIN = re.compile("[a-z][a-z0-9-]*:[^!%]*(?:![a-z][a-z0-9-]*:[^!%]*)*")
_USUAL = frozenset({"volume", "file", "path"})  # a walk makes millions of these


@dataclass(frozen=True, slots=True, init=False)
class Address:
    """An immutable, comparable chain of steps, kept as its text; a value may hold surrogate-escaped bytes."""

    _text: str

    def __init__(self, scheme: str, value: str, parent: "Address | None" = None) -> None:
        """Raise ValueError for a scheme that the text form could not carry."""
        own = _step(scheme, value)
        object.__setattr__(self, "_text", own if parent is None else f"{parent}!{own}")

    @property
    def scheme(self) -> str:
        """What the innermost step is."""
        return _innermost(self._text)[0]

    @property
    def value(self) -> str:
        """Where the innermost step leads."""
        return _decode(_innermost(self._text)[2])

    @property
    def parent(self) -> "Address | None":
        """The address one step further out."""
        outer, _, _ = self._text.rpartition("!")
        return _address(outer) if outer else None

    def child(self, scheme: str, value: str) -> "Address":
        """Return the address one step further in."""
        return _address(f"{self._text}!{_step(scheme, value)}")

    def find(self, scheme: str) -> str | None:
        """Return the value of the innermost step of that scheme, or None."""
        for step in reversed(self._text.split("!")):
            name, _, value = step.partition(":")
            if name == scheme:
                return _decode(value)
        return None

    def __reduce__(self) -> "tuple[object, tuple[str]]":
        """Travel between processes by the shortest way."""
        return _address, (self._text,)

    def __str__(self) -> str:
        return self._text

    def __lt__(self, other: "Address") -> bool:
        return self._text < other._text

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Return the address that `str()` wrote. Raises ValueError on anything else."""
        if text.isprintable() and _PLAIN.fullmatch(text):
            return _address(text)
        address: Address | None = None
        for step in text.split("!"):
            scheme, colon, value = step.partition(":")
            if not colon:
                raise ValueError(f"not an address: {text!r}")
            address = cls(scheme, _decode(value), address)
        assert address is not None
        return address


def _address(text: str) -> Address:
    """Return the address of a text that is known to be one."""
    address = object.__new__(Address)
    object.__setattr__(address, "_text", text)
    return address


def _innermost(text: str) -> tuple[str, str, str]:
    return text.rpartition("!")[2].partition(":")


def _step(scheme: str, value: str) -> str:
    if scheme not in _USUAL and not _SCHEME.match(scheme):
        raise ValueError(f"not an address scheme: {scheme!r}")
    # Of what is unsafe only these two are printable.
    if value.isprintable() and "!" not in value and "%" not in value:
        return f"{scheme}:{value}"
    return f"{scheme}:{_UNSAFE.sub(_percent, value)}"


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogateescape"))


def _decode(value: str) -> str:
    return unquote_to_bytes(value).decode("utf-8", "surrogateescape") if "%" in value else value
