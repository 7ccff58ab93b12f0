"""The methods of 7z folders as chains of Python's decoders.

Source: `Methods.txt` of the LZMA SDK, which is in the public domain.
"""

import lzma
from collections.abc import Callable
from functools import partial

from triage.content.members import compression
from triage.content.members.decoding import Pieces
from triage.content.members.lzma_filters import lzma2_filter, lzma_filter
from triage.content.members.member import Container, ObstacleError, damaged, unsupported
from triage.content.members.sevenzip_header import Folder
from triage.model.trouble import TroubleCode

_SIGNATURE_HEADER = 32
_AES = bytes.fromhex("06f10701")
_COPY, _LZMA, _LZMA2, _DELTA = b"\0", b"\3\1\1", b"\x21", b"\3"
_BCJ = {
    b"\4": lzma.FILTER_X86, bytes.fromhex("03030103"): lzma.FILTER_X86,
    b"\5": lzma.FILTER_POWERPC, bytes.fromhex("03030205"): lzma.FILTER_POWERPC,
    b"\6": lzma.FILTER_IA64, bytes.fromhex("03030401"): lzma.FILTER_IA64,
    b"\7": lzma.FILTER_ARM, bytes.fromhex("03030501"): lzma.FILTER_ARM,
    b"\x08": lzma.FILTER_ARMTHUMB, bytes.fromhex("03030701"): lzma.FILTER_ARMTHUMB,
    b"\x09": lzma.FILTER_SPARC, bytes.fromhex("03030805"): lzma.FILTER_SPARC,
}  # fmt: skip
_OTHERS = {bytes.fromhex("030401"): "PPMd", bytes.fromhex("040109"): "Deflate64", bytes.fromhex("0303011b"): "BCJ2"}
_LARGEST_CHUNK = 1 << 16


def folder_pieces(container: Container, folder: Folder) -> Pieces:
    """Yield what a folder decodes to. Raises ObstacleError for what is not read."""
    methods = [method for method, _ in folder.coders]
    if _AES in methods:
        raise ObstacleError(TroubleCode.ENCRYPTED, "encrypted (7z AES)")
    for method in methods:
        if method in _OTHERS:
            raise unsupported(f"the compression method {_OTHERS[method]} is not read")
    if not folder.chained:
        raise unsupported("methods that are not a plain chain are not read")
    offset, size = _SIGNATURE_HEADER + folder.offset, folder.packed
    if offset + size > container.size:
        raise damaged("the archive ends before the packed bytes do")
    (method, properties), *filters = folder.coders
    pieces = _decoded(container, folder, method, properties)
    for method, properties in filters:
        pieces = _filtered(pieces, method, properties)
    return pieces


def _decoded(container: Container, folder: Folder, method: bytes, properties: bytes) -> Pieces:
    """Return what the method that reads the archive itself gives."""
    place = container, _SIGNATURE_HEADER + folder.offset, folder.packed
    if method == _COPY:
        return compression.stored(*place)
    starts: dict[bytes, Callable[[], Callable[[], compression.Decompressor]]] = {
        _LZMA: lambda: compression.unlzma([lzma_filter(properties, folder.size, container)]),
        _LZMA2: lambda: compression.unlzma([lzma2_filter(properties, folder.size, container)]),
        bytes.fromhex("040108"): lambda: compression.inflate(compression.RAW),
        bytes.fromhex("040202"): lambda: compression.bunzip2,
        bytes.fromhex("04f71101"): lambda: compression.unzstd,
    }
    if method not in starts:
        raise unsupported(f"the compression method {method.hex()} is not read")
    return compression.pieces(starts[method](), *place)


def _filtered(pieces: Pieces, method: bytes, properties: bytes) -> Pieces:
    """Yield bytes as they were before a filter.

    The decoder wants LZMA2 behind its filters, so the bytes are handed to it as LZMA2 chunks that are not compressed.
    """
    if method == _DELTA:
        given = {"id": lzma.FILTER_DELTA, "dist": 1 + (properties[0] if properties else 0)}
    elif method in _BCJ:
        given = {"id": _BCJ[method]}
    else:
        raise unsupported(f"the filter {method.hex()} is not read")
    return _through(pieces, partial(lzma.LZMADecompressor, lzma.FORMAT_RAW, None, [given, _CHUNKS]))


_CHUNKS = {"id": lzma.FILTER_LZMA2, "dict_size": _LARGEST_CHUNK}


def _through(pieces: Pieces, start: Callable[[], lzma.LZMADecompressor]) -> Pieces:
    decompressor = start()
    kind, consumed = b"\1", 0  # the first chunk resets the dictionary
    for piece, consumed in pieces:
        for at in range(0, len(piece), _LARGEST_CHUNK):
            chunk = piece[at : at + _LARGEST_CHUNK]
            given = decompressor.decompress(kind + (len(chunk) - 1).to_bytes(2, "big") + chunk)
            kind = b"\2"
            if given:
                yield given, consumed
    given = decompressor.decompress(b"\0")
    if given:
        yield given, consumed
