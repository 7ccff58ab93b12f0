"""PDF files: the pictures and the attached files in them.

A JPEG or JPEG 2000 picture is a whole file inside, and given out as it is. Samples that are compressed otherwise get
the header of a TIFF or a PNG file put before them (see `pdf_pictures`), so that whoever decodes them applies the limits
of pictures to them. Pictures inside page descriptions (inline images) are not looked for.

Source: ISO 32000-1, 7.4 (filters), 7.11.4 (embedded files), 8.9.5 (images).
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from triage.content.content import Content
from triage.content.members import compression
from triage.content.members.decoding import Coded, decoded
from triage.content.members.member import Container, Found, Member, Obstacle, ObstacleError, damaged, unsupported
from triage.content.members.pdf_objects import Objects, Ref, Stream, Value
from triage.content.members.pdf_pictures import SAMPLES, Samples, file_of_samples
from triage.model.trouble import TroubleCode

_WHOLE_FILES = {b"DCTDecode": "jpg", b"JPXDecode": "jp2"}
_SHORT = {
    b"AHx": b"ASCIIHexDecode", b"A85": b"ASCII85Decode", b"LZW": b"LZWDecode", b"Fl": b"FlateDecode",
    b"RL": b"RunLengthDecode", b"CCF": b"CCITTFaxDecode", b"DCT": b"DCTDecode",
}  # fmt: skip
_MOST_FILTERS = 8
_END_OF_RUNS = 128

_Filter = tuple[bytes, dict[bytes, Value]]


def pdf_members(container: Container) -> Found:
    """Yield the pictures and attached files of a PDF file, those of earlier revisions too."""
    data = container.whole(container.limits.whole)
    objects = Objects(data)
    streams = list(objects.streams())
    if objects.encrypted:
        yield Obstacle(TroubleCode.ENCRYPTED, "encrypted: its pictures cannot be read")
        return
    reader = _Reader(container, objects, data, streams)
    for stream in streams:
        if stream.about.get(b"Type") == b"ObjStm":
            yield from reader.unpack(stream)
    for stream in streams:
        kind = objects.resolved(stream.about.get(b"Subtype"))
        if kind == b"Image" or stream.about.get(b"Type") == b"EmbeddedFile":
            yield reader.member(stream, is_picture=kind == b"Image")


class _Reader:
    def __init__(self, container: Container, objects: Objects, data: bytes, streams: list[Stream]) -> None:
        self._container = container
        self._objects = objects
        self._data = data
        self._streams = {stream.number: stream for stream in streams}

    def unpack(self, stream: Stream) -> Found:
        """Take in the objects of an object stream; yield only what is wrong with it."""
        count, first = (self._objects.resolved(stream.about.get(key)) for key in (b"N", b"First"))
        try:
            data = self._all_decoded(stream)
        except ObstacleError as error:
            yield error.obstacle
            return
        if isinstance(count, int) and isinstance(first, int) and count >= 0 and first >= 0:
            self._objects.add_packed(data, count, first)

    def member(self, stream: Stream, *, is_picture: bool) -> Member:
        name = f"object-{stream.number}"
        try:
            name, content = self._picture(stream, name) if is_picture else (name, Content.of(self._all_decoded(stream)))
        except ObstacleError as error:
            return Member(name, obstacle=error.obstacle)
        obstacle = None if stream.whole else Obstacle(TroubleCode.DAMAGED, "the file ends before the stream does")
        return Member(name, content.size, content=content, obstacle=obstacle)

    def _picture(self, stream: Stream, name: str) -> tuple[str, Content]:
        """Return a picture as a file: what its last filter would decode, in the form that the filter wants."""
        filters = self._filters(stream)
        if filters and filters[-1][0] in _WHOLE_FILES:
            name = f"{name}.{_WHOLE_FILES[filters[-1][0]]}"
            if len(filters) == 1:
                return name, self._container.window(stream.offset, stream.length)
            return name, Content.of(self._through(self._stored(stream), filters[:-1]))
        last = filters[-1] if filters and filters[-1][0] in SAMPLES else (b"", {})
        data = self._through(self._stored(stream), filters[:-1] if last[0] else filters)
        samples = Samples(filter=last[0], parameters=last[1], about=stream.about, data=data)
        ending, made = file_of_samples(samples, self._objects.resolved, self._text)
        return f"{name}.{ending}", Content.of(made)

    def _text(self, value: Value) -> bytes:
        """Return the bytes of a palette, which is a string or a stream of its own."""
        if isinstance(value, Ref) and value.number in self._streams:
            return self._all_decoded(self._streams[value.number])
        found = self._objects.resolved(value)
        return found if isinstance(found, bytes) else b""

    def _stored(self, stream: Stream) -> bytes:
        return self._data[stream.offset : stream.offset + stream.length]

    def _all_decoded(self, stream: Stream) -> bytes:
        return self._through(self._stored(stream), self._filters(stream))

    def _filters(self, stream: Stream) -> list[_Filter]:
        """Return the names of the filters, the first to be applied first, each with its parameters."""
        resolved = self._objects.resolved
        names, given = resolved(stream.about.get(b"Filter")), resolved(stream.about.get(b"DecodeParms"))
        names = names if isinstance(names, list) else [names] if names else []
        parameters = given if isinstance(given, list) else [given]
        if len(names) > _MOST_FILTERS:
            raise damaged("a stream with too many filters")
        found: list[_Filter] = []
        for at, value in enumerate(names):
            name, about = resolved(value), resolved(parameters[at]) if at < len(parameters) else None
            known = name if isinstance(name, bytes) else b""
            found.append((_SHORT.get(known, known), about if isinstance(about, dict) else {}))
        return found

    def _through(self, data: bytes, filters: list[_Filter]) -> bytes:
        """Return what filters make of bytes. Raises ObstacleError for those not read, and for what is too much."""
        for name, parameters in filters:
            if name == b"FlateDecode" and self._objects.resolved(parameters.get(b"Predictor", 1)) == 1:
                data = self._inflated(data)
            elif name in _TEXT_FILTERS:
                data = _TEXT_FILTERS[name](data)
            elif name != b"Crypt":
                raise unsupported(f"the filter {ascii(name)[2:-1]} is not read here")
            self._container.budget.spend(len(data))
        return data

    def _inflated(self, data: bytes) -> bytes:
        part = replace(self._container, content=Content.of(data))
        pieces = partial(compression.pieces, compression.inflate(compression.ZLIB), part, 0, len(data))
        content, obstacle = decoded(part, Coded(pieces=pieces, stored=len(data)))
        if content is None or content.size > part.limits.held:
            raise ObstacleError(
                *(obstacle or Obstacle(TroubleCode.LIMIT, f"a stream of {content and content.size} bytes"))
            )
        return bytes(content.whole())


def _from_hex(data: bytes) -> bytes:
    digits = b"".join(data.split(b">")[0].split())
    try:
        return binascii.unhexlify(digits + b"0" * (len(digits) % 2))
    except binascii.Error as error:
        raise damaged("hexadecimal digits are damaged") from error


def _from_base85(data: bytes) -> bytes:
    try:
        return base64.a85decode(data.strip().removeprefix(b"<~").split(b"~>")[0])
    except ValueError as error:
        raise damaged("base-85 digits are damaged") from error


def _from_runs(data: bytes) -> bytes:
    """Undo run lengths: up to 127, so many bytes and one more follow as they are; from 129 on, one byte is repeated."""
    found, position = bytearray(), 0
    while position < len(data) and data[position] != _END_OF_RUNS:
        length = data[position]
        if length < _END_OF_RUNS:
            found += data[position + 1 : position + 2 + length]
            position += 2 + length
        else:
            found += data[position + 1 : position + 2] * (257 - length)
            position += 2
    return bytes(found)


_TEXT_FILTERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"ASCIIHexDecode": _from_hex,
    b"ASCII85Decode": _from_base85,
    b"RunLengthDecode": _from_runs,
}
