"""Codes: words of a fixed list that results rest on."""

from enum import StrEnum


class Code(StrEnum):
    """A word of a list. No pickle changes a member, which is one for the whole process."""

    def __setstate__(self, state: object) -> None:
        """Refuse: a member has no state of its own."""
        raise TypeError(f"{type(self).__name__} is a list of words and has no state")
