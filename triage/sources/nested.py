"""Disk images that are files inside evidence: read by their bytes, for they have no path on this machine.

The formats are those of the readers beside this module. Only an image that is whole by itself is opened: what a
difference is the difference to, or the other parts of a split one, would have to be looked for beside it.
"""

from collections.abc import Callable

from triage.model.errors import EvidenceError
from triage.model.evidence import SourceInfo
from triage.model.runs import ByteRun
from triage.model.trouble import TroubleCode
from triage.sources.block_source import Blocks, BlockSource
from triage.sources.container_file import PLAUSIBLE_SIZE
from triage.sources.ewf import SIGNATURE_ENCRYPTED, EwfSource
from triage.sources.ewf2 import SIGNATURE as EWF2
from triage.sources.ewf_index import ChunkIndex
from triage.sources.ewf_layout import lay_out
from triage.sources.ewf_sections import HEADER_SIZE, segment_number
from triage.sources.ewf_sections import SIGNATURE as EWF
from triage.sources.ewf_set import read_set
from triage.sources.flat import FlatBlocks
from triage.sources.inner_file import ImageError, InnerBytes, InnerFile, InnerFiles
from triage.sources.qcow2 import Qcow2Blocks
from triage.sources.qcow2_header import MAGIC as QCOW
from triage.sources.qcow2_header import Feature, Header
from triage.sources.source import EvidenceSource
from triage.sources.udif import Chunks, Trailer, UdifBlocks
from triage.sources.vhd import DIFFERENCING, FIXED, SECTOR, DynamicHeader, Footer, VhdBlocks
from triage.sources.vhdx import VhdxBlocks
from triage.sources.vhdx_structure import SIGNATURE as VHDX
from triage.sources.vhdx_structure import Geometry, VhdxHeader
from triage.sources.vmdk_descriptor import Descriptor, is_descriptor
from triage.sources.vmdk_sparse import ESX, HOSTED, SE_SPARSE, SparseBlocks, SparseHeader

_QCOW_HEAD = 64 << 10
_DESCRIPTOR = 1 << 20
_VHD = b"conectix"
_VDI_AT, _VDI = 64, b"\x7f\x10\xda\xbe"
_FLAT = ("FLAT", "VMFS")


Opener = Callable[[InnerFile], EvidenceSource | None]


def open_nested(name: str, content: InnerBytes) -> EvidenceSource | None:
    """Return the disk in an image, or None for bytes of no format with a signature: they can be a raw image.

    Raises ImageError for an image that is encrypted, damaged at its root, not whole by itself, or of a kind not read.
    """
    file = InnerFile(name, content)
    try:
        opener = _opener(file.peek(0, SECTOR))
        return opener(file) if opener is not None else _by_tail(file)
    except ImageError:
        raise
    except (EvidenceError, OSError) as error:
        raise ImageError(TroubleCode.DAMAGED, f"disk image: {error}") from error


def open_raw_nested(name: str, content: InnerBytes) -> EvidenceSource:
    """Return the bytes of a file as those of a disk."""
    file = InnerFile(name, content)
    return _source(file, "raw", file.size, FlatBlocks(file))


def has_signature(head: bytes) -> bool:
    """Tell whether the first 512 bytes of a file are those of a disk image with a signature at its start."""
    return _opener(head[:SECTOR]) is not None


def _opener(head: bytes) -> Opener | None:
    if is_descriptor(head):
        return _descriptor
    if head[_VDI_AT : _VDI_AT + len(_VDI)] == _VDI:
        return _refusing("VirtualBox disk images (VDI)")
    if not head.startswith(_STARTS):
        return None  # by far the most
    return next(opener for signature, opener in _OPENERS.items() if head.startswith(signature))


def _by_tail(file: InnerFile) -> EvidenceSource | None:
    """Open what has its signature at the end."""
    tail = file.peek(file.size - SECTOR, SECTOR)
    trailer = Trailer.parse(tail)
    if trailer is not None:
        return _udif(file, trailer)
    if tail.endswith(b"cdsaencr"):
        raise ImageError(TroubleCode.ENCRYPTED, "the image is encrypted (FileVault disk image)")
    footer = Footer.parse(tail) or Footer.parse(tail[1:])
    return _vhd_by(file, footer) if footer is not None else None


def _refusing(what: str) -> Opener:
    def refuse(_file: InnerFile) -> EvidenceSource | None:
        raise ImageError(TroubleCode.UNSUPPORTED, f"{what} inside evidence are not read: export and examine by itself")

    return refuse


def _encrypted(method: str) -> Opener:
    def refuse(_file: InnerFile) -> EvidenceSource | None:
        raise ImageError(TroubleCode.ENCRYPTED, f"the image is encrypted ({method})")

    return refuse


def _apart(why: str) -> ImageError:
    text = f"{why}: only an image that is whole by itself is opened inside evidence; export it with the others"
    return ImageError(TroubleCode.UNSUPPORTED, text)


def _source(file: InnerFile, kind: str, size: int, blocks: Blocks, *troubles: str) -> EvidenceSource:
    if not 0 <= size <= PLAUSIBLE_SIZE:
        raise EvidenceError(f"damaged header: virtual size of {size} bytes")
    return BlockSource(SourceInfo(kind=kind, files=(str(file.path),), size=size, troubles=troubles), blocks)


def _qcow2(file: InnerFile) -> EvidenceSource:
    header = Header.parse(file.peek(0, _QCOW_HEAD))
    if header.crypt_method:
        raise ImageError(TroubleCode.ENCRYPTED, "the QCOW2 image is encrypted")
    if header.backing_file is not None or header.features & Feature.DATA_FILE:
        raise _apart("a QCOW2 image over another file")
    troubles = ["the image is marked as corrupt"] if header.features & Feature.CORRUPT else []
    if header.snapshots:
        troubles.append(f"internal snapshots are not examined: {header.snapshots}")
    return _source(file, "qcow2", header.size, Qcow2Blocks(file, file, header), *troubles)


def _vmdk(file: InnerFile) -> EvidenceSource:
    header = SparseHeader.read(file)
    text = file.read_up_to(header.descriptor[0], min(header.descriptor[1], _DESCRIPTOR))
    descriptor = Descriptor.parse(text)
    if descriptor is not None and descriptor.is_delta:
        raise _apart("a VMDK image that is the difference to another")
    if descriptor is None or len(descriptor.extents) != 1:
        raise _apart("one extent of a VMDK image in several")
    return _source(file, "vmdk", header.capacity, SparseBlocks(file, header))


def _descriptor(file: InnerFile) -> None:
    """Refuse a descriptor, but for that of one flat extent: this is a raw image, opened by itself."""
    found = Descriptor.parse(file.read_up_to(0, _DESCRIPTOR))
    if found is None or found.is_delta or [extent.kind in _FLAT for extent in found.extents] != [True]:
        raise _apart("a VMDK descriptor whose disk lies in other files")


def _vhdx(file: InnerFile) -> EvidenceSource:
    header, geometry = VhdxHeader.read(file), Geometry.read(file)
    if geometry.parent is not None:
        raise _apart("a VHDX image that is the difference to another")
    troubles = ("the log was not written back to the disk: its last changes are not seen here",) if header.dirty else ()
    return _source(file, "vhdx", geometry.size, VhdxBlocks(file, geometry), *troubles)


def _vhd(file: InnerFile) -> EvidenceSource:
    footer = Footer.parse(file.peek(0, SECTOR))
    if footer is None:
        raise EvidenceError("the file ends inside the header")
    return _vhd_by(file, footer)


def _vhd_by(file: InnerFile, footer: Footer) -> EvidenceSource:
    if not footer.usable:
        raise EvidenceError("damaged footer of a VHD image")
    if footer.kind == DIFFERENCING:
        raise _apart("a VHD image that is the difference to another")
    if footer.kind == FIXED:
        return _source(file, "vhd", footer.size, FlatBlocks(file))
    header = DynamicHeader.read(file, footer.header_offset)
    return _source(file, "vhd", footer.size, VhdBlocks(file, header, by_sector=False))


def _udif(file: InnerFile, trailer: Trailer) -> EvidenceSource:
    if trailer.segments > 1:
        raise _apart(f"one of {trailer.segments} segments of a DMG image")
    return _source(file, "dmg", trailer.size, UdifBlocks(file, Chunks.read(file, trailer)))


def _ewf(file: InnerFile) -> EvidenceSource:
    files, path = InnerFiles(file.content), file.path
    if segment_number(files.read(path, 0, HEADER_SIZE)) != 1:
        raise _apart("a later segment of an EWF image")
    found = read_set(files, path, 1, {1: path})
    if not found.closed:
        raise _apart("the first of several segments of an EWF image")
    geometry = found.geometry
    if geometry is None:
        raise EvidenceError("the section with the size of the disk is lost")
    layout = lay_out(files, found.stretches, geometry, closed=True)
    info = SourceInfo(kind="ewf", files=(str(path),), size=geometry.size, troubles=found.troubles)
    source = EwfSource(info, files, ChunkIndex(files, layout, geometry.chunk_size), geometry)
    units = [(first, end - first, geometry.chunk_size, reason) for first, end, reason in layout.lost]
    units += [(*error, geometry.sector_size, "the acquisition could not read these sectors") for error in found.errors]
    for first, count, unit, reason in units:
        start, end = min(first * unit, geometry.size), min((first + count) * unit, geometry.size)
        source.record(ByteRun(start, end - start), reason)
    return source


_OPENERS: dict[bytes, Opener] = {
    EWF: _ewf,
    EWF2: _refusing("Ex01 images"),
    b"LVF\x09\x0d\x0a\xff\0": _refusing("logical evidence files (L01)"),
    b"LEF2\r\n\x81\0": _refusing("logical evidence files (Lx01)"),
    b"ADSEGMENTEDFILE\0": _refusing("AccessData logical images (AD1)"),
    b"AFF10\r\n\0": _refusing("AFF images"),
    b"sprs\0\0\0\3": _refusing("sparse disk images of macOS"),
    SE_SPARSE: _refusing("SE sparse extents of VMDK"),
    SIGNATURE_ENCRYPTED: _encrypted("AD encryption"),
    b"encrcdsa": _encrypted("FileVault disk image"),
    HOSTED: _vmdk,
    ESX: _vmdk,
    QCOW: _qcow2,
    VHDX: _vhdx,
    _VHD: _vhd,
}
_STARTS = tuple(_OPENERS)
