"""JPEG files (ITU-T T.81, annex B): segments, then scans of entropy-coded data, up to the end-of-image marker.

Segments are skipped by their lengths, so that a thumbnail in one of them does not end the file. In a scan every 0xFF is
looked at: what follows is a stuffed zero, the restart marker that is due, or the marker that ends the scan. Foreign
bytes seldom keep to that for more than 300 bytes. An image that ends after fewer bytes than its blocks must have, or
goes on for more than they can have, is broken too. One that is broken before its first scan has nothing to show and is
no beginning, unless Exif data came, which may hold a thumbnail: they count as far as their segment goes.
"""

import re

from triage.content.carving.stretch import BrokenOffError, View

HEAD = rb"\xff\xd8\xff[\xc0-\xc2\xc4\xdb\xdd\xe0-\xef\xfe]"

_MARK = 0xFF
_HUFFMAN, _RESTARTS, _END, _SCAN, _RESTART_INTERVAL = 0xC4, range(0xD0, 0xD8), 0xD9, 0xDA, 0xDD
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_HUFFMAN, 0xC8, 0xCC}
_HUFFMAN_CODED = frozenset(range(0xC0, 0xC8))
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_TABLES = frozenset({_HUFFMAN, 0xCC, 0xDB, _RESTART_INTERVAL, *range(0xE0, 0xF0), 0xFE})
_LINES = 0xDC  # the number of lines, after the first scan
_APP1, _EXIF = 0xE1, b"Exif\0\0"
_MARKER = re.compile(rb"\xff(?=[^\x00\xff])")
_BLOCK = 8  # pixels on a side
_MOST_COMPONENTS, _MOST_SAMPLING = 4, 4
_LONGEST_SAMPLE = 4  # bytes: the longest code and the most bits after it, each 0xFF stuffed
_FRAME_START = 6
_RESTART_COST = 64


def follow(view: View) -> int:
    """Return the length of the file."""
    return _Image(view).end()


class _Image:
    """What has been seen of one image."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._coded = 0  # bytes of entropy-coded data
        self._least = self._most = 0  # of them
        self._interval = False

    def end(self) -> int:
        offset = 2
        while True:
            offset, marker = self._marker(offset)
            if marker == _END:
                return self._ended(offset + 2)
            if marker == _SCAN:
                offset = self._scan(offset)
            elif marker in _FRAMES or marker in _TABLES or (marker == _LINES and self._coded):
                offset = self._segment(offset, marker)
            else:
                raise BrokenOffError(f"marker {marker:#04x} has no place here")

    def _marker(self, offset: int) -> tuple[int, int]:
        """Return the next marker and where it begins, fill bytes passed over."""
        while (mark := self._view.take(offset, 2))[0] == _MARK:
            if mark[1] != _MARK:
                return offset, mark[1]
            offset += 1
        raise BrokenOffError("no marker where one is due")

    def _segment(self, offset: int, marker: int) -> int:
        """Return the end of a segment with a length."""
        view = self._view
        length = int.from_bytes(view.take(offset + 2, 2), "big")
        if length < 2:  # noqa: PLR2004 - the length counts itself
            raise BrokenOffError("a segment without a length")
        if marker == _APP1 and view.take(offset + 4, len(_EXIF)) == _EXIF:
            view.sound = offset + 4 + len(_EXIF)
            view.reach(offset + 2 + length)
            view.sound = offset + 2 + length
        if marker in _FRAMES:
            self._frame(marker, view.take(offset + 4, length - 2))
        elif marker == _RESTART_INTERVAL:
            self._interval = length == 4 and view.take(offset + 4, 2) != b"\0\0"  # noqa: PLR2004 - the only length
        view.reach(offset + 2 + length)
        return offset + 2 + length

    def _frame(self, marker: int, frame: bytes) -> None:
        if self._most or len(frame) < _FRAME_START or len(frame) != _FRAME_START + 3 * frame[5]:
            raise BrokenOffError("the frame header is not sound")
        height, width, count = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big"), frame[5]
        factors = [factor for sampling in frame[_FRAME_START + 1 :: 3] for factor in divmod(sampling, 16)]
        sampled = all(1 <= factor <= _MOST_SAMPLING for factor in factors)
        if not (height and width and 1 <= count <= _MOST_COMPONENTS and sampled and 2 <= frame[0] <= 16):  # noqa: PLR2004 - bits
            raise BrokenOffError("the frame header is not sound")
        self._most = (-(-height // 32) * -(-width // 32) << 10) * count * _LONGEST_SAMPLE
        if marker in _HUFFMAN_CODED:  # a bit for each block of one component; of each sample without loss
            units = height * width if marker in _LOSSLESS else -(-height // _BLOCK) * -(-width // _BLOCK)
            self._least = units // 8

    def _scan(self, offset: int) -> int:
        """Return the end of the entropy-coded data of a scan: where the marker after it is."""
        header = self._view.take(offset + 2, 3)
        count = header[2]
        if not self._most or not 1 <= count <= _MOST_COMPONENTS or int.from_bytes(header[:2], "big") != 6 + 2 * count:
            raise BrokenOffError("the scan header is not sound")
        start = self._view.sound = offset + 2 + 6 + 2 * count
        end = self._coded_end(start)
        self._coded += end - start
        return end

    def _coded_end(self, start: int) -> int:
        restarts = 0
        view = self._view
        for offset, piece in view.pieces(start, overlap=1):
            for match in _MARKER.finditer(piece):
                code = piece[match.end()]
                view.sound = offset + match.start()
                if code not in _RESTARTS:
                    return view.sound
                if not self._interval or code & 7 != restarts & 7:
                    raise BrokenOffError("a restart marker that is not due")
                restarts += 1
                view.charge(_RESTART_COST)
            view.sound = max(view.sound, offset)
            if self._coded + offset - start > self._most:
                raise BrokenOffError("more data than the picture can have")
        raise AssertionError  # the pieces end by an error

    def _ended(self, end: int) -> int:
        if not self._coded:
            raise BrokenOffError("the image ends without a scan")
        if self._coded < self._least:
            raise BrokenOffError("the image ends before its last pixel")
        return end
