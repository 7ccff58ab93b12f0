"""Disk images inside evidence: a virtual machine, a backup, an E01 on a suspect's disk, an ISO in an archive.

Their file systems are listed and their files read; free space inside them is not searched.
"""

from collections.abc import Iterator
from contextlib import closing

from triage.content.content import Content
from triage.content.members.member import Budget
from triage.filesystems.recognition import Recognition, recognise
from triage.items.evidence import Evidence
from triage.items.inner_volumes import InnerVolume, Inside, grafted_trouble
from triage.model.item import Item
from triage.model.runs import total
from triage.model.secret import Secrets
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.inner_file import ImageError
from triage.sources.nested import has_signature, open_nested, open_raw_nested
from triage.sources.watched import WatchedSource
from triage.volumes.locked import detect
from triage.volumes.partition_tables import survey
from triage.volumes.signatures import file_system_at
from triage.volumes.volume import Volume

_BY_TAIL = (".vhd", ".dmg", ".cdr")
_RAW = (".img", ".dd", ".raw", ".iso", ".bin", ".ima", ".vfd", ".flp", ".001", ".udf", ".vmdk", *_BY_TAIL)
_LEAST = 64 << 10
"""A smaller file is no raw image; the boot sectors that systems keep as files are smaller."""

_LVM = (512, b"LABELONE")
_SIGNS = (
    (510, b"\x55\xaa"),
    (1080, b"\x53\xef"),
    (0, b"XFSB"),
    (0, b"LUKS\xba\xbe"),
    (32, b"NXSB"),
    (1024, b"H+\0\4"),
    (1024, b"HX\0\5"),
    _LVM,
)


def may_be_image(item: Item, head: bytes) -> bool:
    """Tell by the name and the first 4,096 bytes of a file whether it is worth being asked for a disk image."""
    if has_signature(head) or item.path.lower().endswith(_BY_TAIL):
        return True
    if item.size < _LEAST:
        return False
    return _named(item) or any(head.startswith(sign, offset) for offset, sign in _SIGNS)


def image_files(item: Item, content: Content, evidence: Evidence, budget: Budget) -> Inside:
    """Yield the files in the disk image that a file is, if it is one, and what kept us from some of them.

    Bytes of no format with a signature are a raw image only where a partition table, a file system or an encrypted
    volume begins in them; by the mark of a boot sector alone, only where a file system could be opened.
    """
    name = item.path.rpartition("/")[2]
    try:
        opened = open_nested(name, content)
    except ImageError as error:
        yield Trouble(address=item.address, code=error.code, text=str(error))
        return
    source = WatchedSource(opened or open_raw_nested(name, content), on_read=evidence.source.on_read)
    with closing(source):
        for text in source.info.troubles:
            yield Trouble(address=item.address, code=TroubleCode.DAMAGED, text=text)
        if opened is not None:
            yield from _disk(item, source, evidence.secrets, budget, is_certain=True)
        elif _is_disk(source):
            yield from _disk(item, source, evidence.secrets, budget, is_certain=_is_certain(item, source))
        yield from _unread(item, source, budget)


def _named(item: Item) -> bool:
    return item.path.lower().endswith(_RAW)


def _is_certain(item: Item, source: WatchedSource) -> bool:
    return _named(item) or detect(source) is not None or _is_lvm(source)


def _is_disk(source: WatchedSource) -> bool:
    if file_system_at(source, 0) is not None or detect(source) is not None or _is_lvm(source):
        return True
    return any(region.scheme != "none" for region in survey(source).regions)


def _is_lvm(source: WatchedSource) -> bool:
    offset, label = _LVM
    return source.read_at(offset, len(label)) == label


def _disk(item: Item, source: WatchedSource, secrets: Secrets, budget: Budget, *, is_certain: bool) -> Inside:
    """Yield the files of all volumes; where nothing is certain yet, trouble waits for a file system to be opened."""
    surveyed = survey(source)
    volumes = [region for region in surveyed.regions if region.is_volume]
    waiting = [grafted_trouble(item, trouble) for trouble in surveyed.troubles]
    for region in volumes:
        found = recognise(Volume(source, region.run), secrets)
        waiting += [grafted_trouble(item, trouble) for trouble in found.troubles]
        is_certain = is_certain or found.filesystem is not None
        if is_certain:
            yield from waiting
            waiting = []
        path = f"{item.path}/{region.name}" if len(volumes) > 1 else item.path
        yield from _volume(item, path, source, found, budget)
    if is_certain:
        yield from waiting


def _volume(item: Item, path: str, source: WatchedSource, found: Recognition, budget: Budget) -> Inside:
    if found.filesystem is None:
        return
    with closing(found.filesystem) as filesystem:
        inner = InnerVolume(container=item, path=path, source=source, filesystem=filesystem, budget=budget)
        yield from inner.files()


def _unread(item: Item, source: WatchedSource, budget: Budget) -> Iterator[Trouble]:
    bad = source.unreadable_runs()
    if bad:
        text = f"{total(each.run for each in bad)} bytes of the disk image cannot be read: {bad[0].reason}"
        code = TroubleCode.LIMIT if budget.bytes < 0 else TroubleCode.UNREADABLE
        yield Trouble(address=item.address, code=code, text=text)
