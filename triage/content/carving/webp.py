"""WebP files (RFC 9649): the chunks of a RIFF file, one of them with a bitstream that begins as it must.

Nothing inside a bitstream is proven: a file whose lengths hold is whole, though other bytes may lie in its midst.
"""

from triage.content.carving import riff
from triage.content.carving.stretch import BrokenOffError, View

HEAD = rb"RIFF....WEBPVP8[ LX]"

_LOSSY, _LOSSLESS, _FRAME = b"VP8 ", b"VP8L", b"ANMF"
_FRAME_HEADER = 16


def follow(view: View) -> int:
    """Return the length of the file."""
    end = riff.end_of(view)
    pictures = 0
    for chunk in riff.chunks(view, riff.START, end):
        if chunk.name in {_LOSSY, _LOSSLESS}:
            _check(view, chunk)
        elif chunk.name == _FRAME and chunk.size > _FRAME_HEADER:
            for part in riff.chunks(view, chunk.data + _FRAME_HEADER, chunk.data + chunk.size):
                _check(view, part)
        pictures += chunk.name in {_LOSSY, _LOSSLESS, _FRAME}
    if not pictures:
        raise BrokenOffError("a file without a picture")
    return end


def _check(view: View, chunk: riff.Chunk) -> None:
    """Break off where a bitstream has not the signature of its kind; the lossy one's is that of its key frames."""
    if chunk.name == _LOSSY and view.take(chunk.data + 3, 3) != b"\x9d\x01\x2a":
        raise BrokenOffError("a lossy bitstream without its signature")
    if chunk.name == _LOSSLESS and view.take(chunk.data, 1) != b"\x2f":
        raise BrokenOffError("a lossless bitstream without its signature")
    view.sound = max(view.sound, chunk.data)
