"""The five bytes of properties that LZMA streams have in zip and 7z, as Python's decoder takes them.

Source: the LZMA specification of the LZMA SDK.
"""

import lzma
from typing import Any

from triage.content.members.member import Container, ObstacleError, damaged
from triage.model.trouble import TroubleCode

_LEAST_DICTIONARY = 4096
_PROPERTIES = 5
_CODES = 9 * 5 * 5


def lzma_filter(properties: bytes, size: int, container: Container) -> dict[str, Any]:
    """Return the filter of an LZMA stream that decodes to `size` bytes."""
    if len(properties) != _PROPERTIES or properties[0] >= _CODES:
        raise damaged("properties that no LZMA stream has")
    rest, lc = divmod(properties[0], 9)
    pb, lp = divmod(rest, 5)
    dictionary = held_dictionary(int.from_bytes(properties[1:], "little"), size, container)
    return {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": lc, "lp": lp, "pb": pb}


def lzma2_filter(properties: bytes, size: int, container: Container) -> dict[str, Any]:
    """Return the filter of an LZMA2 stream that decodes to `size` bytes: its property is two bits and a shift."""
    if len(properties) != 1 or properties[0] > 40:  # noqa: PLR2004 - the code of 4 GiB - 1
        raise damaged("properties that no LZMA2 stream has")
    dictionary = (2 | properties[0] & 1) << properties[0] // 2 + 11
    return {"id": lzma.FILTER_LZMA2, "dict_size": held_dictionary(dictionary, size, container)}


def held_dictionary(asked: int, size: int, container: Container) -> int:
    """Return how much of what is decoded must be held; never more than there is.

    Raises ObstacleError where that is more than allowed.
    """
    needed = max(_LEAST_DICTIONARY, min(asked, size or asked))
    if needed > container.limits.dictionary:
        raise ObstacleError(TroubleCode.LIMIT, f"a decoder that holds {needed} bytes")
    return needed
