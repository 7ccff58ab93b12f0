"""AVI files (Microsoft, AVI RIFF File Reference; OpenDML 1.02): lists of headers and of frames, and continuations.

A film of more than 1 GiB goes on in further RIFF files of the type AVIX behind the first. The frames are passed over by
the length of their list: nothing proves that no other bytes lie among them. A recording that was never finished, whose
sizes are still zero, breaks off at its head.
"""

from triage.content.carving import riff
from triage.content.carving.stretch import BrokenOffError, View

HEAD = rb"RIFF....AVI LIST....hdrlavih\x38\0\0\0"

_LIST = b"LIST"
_NEEDED = {b"hdrl", b"movi"}


def follow(view: View) -> int:
    """Return the length of the file with its continuations."""
    view.sound = riff.START
    end = riff.end_of(view)
    lists = {view.take(chunk.data, 4) for chunk in riff.chunks(view, riff.START, end) if chunk.name == _LIST}
    if not lists >= _NEEDED:
        raise BrokenOffError("a film without its headers or its frames")
    while _continued(view, end):
        start, end = end + riff.START, riff.end_of(view, end)
        for _ in riff.chunks(view, start, end):
            pass
    return end


def _continued(view: View, offset: int) -> bool:
    if offset + riff.START > view.size:
        return False
    head = view.take(offset, riff.START)
    return head[:4] == b"RIFF" and head[8:] == b"AVIX"
