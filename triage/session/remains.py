"""What is said to a person of how much of a deleted file is its own still."""

from collections.abc import Mapping
from typing import Any


def told(row: Mapping[str, Any]) -> str:
    """Return a clause on a row with `allocated`, `space_bytes` and `reused_bytes`; empty for what is not deleted.

    What no allocated file has is the file's own as far as the file system tells: others that are deleted by now may
    have been there in between.
    """
    if row["allocated"]:
        return ""
    space, reused = row["space_bytes"], row["reused_bytes"]
    if reused is None:
        return "deleted"
    if not reused:
        return "deleted; none of its space belongs to an allocated file by now"
    return f"deleted; {reused:,} of {space:,} bytes of its space belong to allocated files by now"
