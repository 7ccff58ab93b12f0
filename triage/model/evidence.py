"""What is known of a piece of evidence before anything in it is examined."""

from dataclasses import dataclass

from triage.model.runs import ByteRun


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo:
    """Identity of an opened source.

    `kind` is one word: raw, split-raw, ewf, ewf2, vmdk, vhd, vhdx, qcow2, dmg, device, folder. `files` are the paths
    in reading order. `stored_digests` are the (algorithm, hex) pairs that the container claims for its content.
    `troubles` are one-line facts known at opening (a missing segment, an absent parent, a cut file). `encrypted`
    names the method where the container itself is encrypted.
    """

    kind: str
    files: tuple[str, ...]
    size: int
    sector_size: int = 512
    stored_digests: tuple[tuple[str, str], ...] = ()
    troubles: tuple[str, ...] = ()
    encrypted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableRun:
    """Bytes of a source that could not be read, and why; the reader was given zeros in their place."""

    run: ByteRun
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One stretch of a source: a partition, a partition table, or a gap between partitions.

    The regions of a source tile it: sorted, without overlap, from 0 to its size. `scheme` is mbr, gpt, apm, bsd or
    none. `name` is unique within the source, for example `partition 1`, `gap 2`, `partition table`.
    """

    run: ByteRun
    name: str
    scheme: str
    is_volume: bool
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeReport:
    """What became of one volume: its file system if one was opened, else why not.

    `file_system` is the kind (ntfs, fat16, ext4, ...). `state` is one of `read`, `encrypted`, `unsupported`,
    `ambiguous`, `no-file-system`, `empty` (all bytes zero). `text` is one line for a person.
    `listed` says that every name in it was listed. `block_size` is the allocation unit of the file system in bytes, 1
    where it is not known.
    """

    region: Region
    state: str
    file_system: str | None = None
    text: str = ""
    listed: bool = False
    block_size: int = 1
