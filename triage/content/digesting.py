"""Digests of a content in one pass: every algorithm is fed from the same blocks."""

import hashlib

from triage.content.content import Content
from triage.model.digest import Digests

ALGORITHMS = frozenset({"md5", "sha1", "sha256"})


def digest(content: Content, wanted: frozenset[str] = ALGORITHMS) -> Digests:
    """Return the wanted digests of a content; the others are None.

    Raises ValueError for an algorithm that is not one of `ALGORITHMS`, and whatever the content's reader raises.
    """
    if not wanted <= ALGORITHMS:
        raise ValueError(f"no such digest: {', '.join(sorted(wanted - ALGORITHMS))}")
    # A published set carries MD5 and SHA-1 as names of files, not as seals, so a FIPS build must not refuse them.
    states = {name: hashlib.new(name, usedforsecurity=False) for name in sorted(wanted)}
    if states:
        for block in content.blocks():
            for state in states.values():
                state.update(block)
    return Digests(**{name: state.hexdigest() for name, state in states.items()})
