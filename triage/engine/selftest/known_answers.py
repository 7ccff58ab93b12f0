"""Known answers: what a self-test examines, and what must come of it.

The files in `synthetic` are invented and small; `tests/make_known_answers.py` makes them and prints their answers. None
of these answers is made when the test runs. PDQ and pHash are what this software makes; that it makes what the authors
of PDQ and imagehash do is for its tests to show.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from triage.model.digest import Digests

FOLDER = Path(__file__).with_name("synthetic")


class Message(NamedTuple):
    """A message and its digests."""

    text: bytes
    digests: Digests


class Listed(NamedTuple):
    """A file as a file system lists it: bytes, whether it is allocated, and the SHA-256 of its content."""

    size: int
    allocated: bool
    sha256: str | None


# The MD5 of the first, second and fourth stand in RFC 1321, A.5; the SHA-1 and SHA-256 of the second, third and last in
# NIST's examples for FIPS 180-4. The others are what OpenSSL makes.
MESSAGES = (
    Message(
        b"",
        Digests(
            md5="d41d8cd98f00b204e9800998ecf8427e",
            sha1="da39a3ee5e6b4b0d3255bfef95601890afd80709",
            sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
    ),
    Message(
        b"abc",
        Digests(
            md5="900150983cd24fb0d6963f7d28e17f72",
            sha1="a9993e364706816aba3e25717850c26c9cd0d89d",
            sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
    ),
    Message(
        b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        Digests(
            md5="8215ef0796a20bcaaae116d3876c664a",
            sha1="84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            sha256="248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
    ),
    Message(
        b"1234567890" * 8,
        Digests(
            md5="57edf4a22be3c955ac49da2e2107b67a",
            sha1="50abf5706a150990a08b2c5ea40fa0e585554732",
            sha256="f371bc4a311f2b009eef952dd83ca80e2b60026c8e935592d0f9c308453c813e",
        ),
    ),
    Message(
        b"a" * 1_000_000,
        Digests(
            md5="7707d6ae4e027c70eea2a935c2296f21",
            sha1="34aa973cd4c4daa4f61eeb2bdbad27316534016f",
            sha256="cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        ),
    ),
)

MEDIA_TYPES = (
    (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
    (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "application/gzip"),  # this one and the next are asked of libmagic
    (b"bread, apples, tea\n", "text/plain"),
    (b"", "inode/x-empty"),
)

PICTURE = Digests(
    md5="25128550efd88b96e59059fc6946dbcc",
    sha1="c0bac7df386e7daf229d22f3122d9a8e67e81c0f",
    sha256="421e8e488d995023fc6c090b7da9c090d2104f2ce82031e5a87938120f06467b",
)
PDQ = "7a01d7075030ba11d04ec2e09afc70dbb9e333bd35fb39a3943a5d3b17880eb9"
PHASH = "874608eeae626e5e"
SCALE = 2
"""At which part of its sides the picture is decoded first."""

PDQ_RADIUS, PHASH_RADIUS = 31, 8
"""How many bits may differ where two pictures look the same."""

CATEGORY = "1"
"""What the set says of the picture."""

REGIONS = (("partition table 1", 512), ("gap 1", 3584), ("partition 1", 65536), ("gap 2", 12288))
FILE_SYSTEM = "fat12"
FILES: Mapping[str, Listed] = MappingProxyType(
    {
        "BREAD.TXT": Listed(1180, True, "ee2e2a6eae8273b203e7fb295959919906018505c30f58ffcbeddd739964fa21"),
        "GARDEN/APPLES.TXT": Listed(170, True, "f9b4b053d78d802473cdf475027ba1b61c7054c073687f7a6156fb1a007019e6"),
        "_LDTEA.TXT": Listed(665, False, "6643382f2452f0e790f8d41ac6c7ffe2e9daf76899cecb37fa7304ef4c27b69d"),
    }
)
"""By path; a deleted file has lost the first letter of its name."""

MEMBERS: Mapping[str, str] = MappingProxyType(
    {
        "list.txt": "20e5c54fc2a00d561b8481c659d3d4977de69752181a910117c1929c6a971fd7",
        "garden/seeds.txt": "696d6979164560643755d6a72b4a7db8331faeea0e1aa28ec1190ea1e577dcb0",
    }
)
"""The SHA-256 of each member of the archive, by its name."""


def path(name: str) -> Path:
    """Return where a file of the self-test is: `picture.jpg`, `archive.zip`, `disk.zlib` or `known.set`."""
    return FOLDER / name


def read(name: str) -> bytes:
    """Return the bytes of a file of the self-test. Raises OSError."""
    return path(name).read_bytes()
