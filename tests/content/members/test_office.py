import struct

import pytest
from content.members.made import Tree, compound, contents, found, picture, told
from content.members.makers import thumbs_db

from triage.content.members.member import Member, Obstacle

JPEG, PNG = picture(side=200), picture("PNG", side=100)
SMALL = picture(side=24)


def blip(kind: int, data: bytes, identifiers: int = 1) -> bytes:
    """Return a picture in Office's record: [MS-ODRAW] 2.2.27."""
    body = bytes(range(16)) * identifiers + b"\xff" + data
    return struct.pack("<HHI", 0x46A0, kind, len(body)) + body


def record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def test_pictures_of_a_presentation_are_given() -> None:
    pictures = blip(0xF01D, JPEG) + blip(0xF01E, PNG, 2) + blip(0xF01D, SMALL)
    data = compound({"PowerPoint Document": bytes(5000), "Pictures": pictures, "Current User": bytes(30)})
    assert contents(data) == {"Pictures/1.jpg": JPEG, "Pictures/2.png": PNG, "Pictures/3.jpg": SMALL}


def test_pictures_of_a_text_are_found_by_their_signatures() -> None:
    data = compound({"WordDocument": bytes(6000), "Data": b"\1" * 68 + JPEG + bytes(99) + PNG + b"\2" * 5000})
    assert contents(data) == {"Data/1.jpg": JPEG, "Data/2.png": PNG}


def test_pictures_of_a_workbook_are_put_together() -> None:
    drawings = b"\0" * 50 + blip(0xF01E, PNG) + blip(0xF01D, JPEG)
    parts = [drawings[at : at + 1000] for at in range(0, len(drawings), 1000)]
    records = [
        record(0x809, bytes(16)),
        record(0xEB, parts[0]),
        *(record(0x3C, part) for part in parts[1:]),
        record(0x0A, b""),
    ]
    assert len(parts) > 2
    assert contents(compound({"Workbook": b"".join(records)})) == {"Workbook/1.png": PNG, "Workbook/2.jpg": JPEG}


def test_an_allocation_table_larger_than_the_header_names_is_read() -> None:
    assert contents(compound({"Data": bytes(17 << 20) + JPEG})) == {"Data/1.jpg": JPEG}


def test_embedded_files_are_given() -> None:
    package = (
        b"\2\0a.jpg\0C:\\a.jpg\0\0\0\3\0" + struct.pack("<I", 9) + b"C:\\a.jpg\0" + struct.pack("<I", len(JPEG)) + JPEG
    )
    native = struct.pack("<I", len(package)) + package
    data = compound({"ObjectPool": {"_1": {"\x01Ole10Native": native}, "_2": {"Package": b"PK\3\4 and so on"}}})
    assert contents(data) == {"ObjectPool/_1/\x01Ole10Native/a.jpg": JPEG, "ObjectPool/_2/Package": b"PK\3\4 and so on"}


@pytest.mark.parametrize(
    "tree",
    [
        {"EncryptedPackage": bytes(100), "EncryptionInfo": bytes(100)},
        {"WordDocument": bytes(10) + b"\0\1" + bytes(100)},
        {"Current User": bytes(12) + struct.pack("<I", 0xF3D1C4DF) + bytes(10)},
        {"Workbook": record(0x809, bytes(16)) + record(0x2F, bytes(54))},
    ],
)
def test_encrypted_documents_are_told(tree: dict[str, bytes]) -> None:
    assert [item.code for item in found(compound({**tree})) if isinstance(item, Obstacle)] == ["encrypted"]


def test_attachments_of_a_message_are_given() -> None:
    def attachment(name: str, data: bytes) -> Tree:
        return {"__substg1.0_3707001F": name.encode("utf-16-le"), "__substg1.0_37010102": data}

    inner: Tree = {"__properties_version1.0": bytes(32), "__attach_version1.0_#00000000": attachment("b.png", PNG)}
    data = compound({
        "__properties_version1.0": bytes(32),
        "__substg1.0_1000001F": "hello".encode("utf-16-le"),
        "__attach_version1.0_#00000000": attachment("ä.jpg", JPEG),
        "__attach_version1.0_#00000001": {"__substg1.0_3701000D": inner},
    })  # fmt: skip
    assert contents(data) == {"ä.jpg": JPEG, "b.png": PNG}


def test_the_catalogue_of_a_thumbs_db_names_its_pictures() -> None:
    data = thumbs_db({"holiday.jpg": (1, JPEG), "garden.jpg": (12, SMALL)})
    assert contents(data) == {"holiday.jpg": JPEG, "garden.jpg": SMALL}
    assert [item.modified for item in found(data) if isinstance(item, Member)] == [10**9, 10**9]


def test_a_thumbs_db_without_a_catalogue_is_known_too() -> None:
    data = compound({"256_a1b2c3d4e5f60718": bytes(24) + JPEG, "96_a1b2c3d4e5f60718": bytes(24) + b"unknown"})
    assert told(found(data)) == [("256_a1b2c3d4e5f60718", "", True), ("96_a1b2c3d4e5f60718", "unsupported", False)]


def test_pictures_cut_short_are_told() -> None:
    data = compound({"Data": bytes(5000) + JPEG[:-500]})
    assert told(found(data)) == [("Data/1.jpg", "damaged", True)]
    whole = compound({"Data": bytes(5000) + PNG + JPEG})
    assert ("", "damaged", False) in told(found(whole[: 512 * 8] + whole[-1024:]))


def test_chains_in_circles_end() -> None:
    data = bytearray(compound({"Data": JPEG * 3, "other": bytes(5000)}))
    table = len(data) - 512
    for number in range(40):
        struct.pack_into("<I", data, table + 4 * number, number // 2)
    assert all(item.obstacle is None or item.obstacle for item in found(bytes(data)) if isinstance(item, Member))


def test_streams_that_the_directory_does_not_lead_to_are_found() -> None:
    data = compound({"first": b"a", "Data": bytes(5000) + PNG})
    at = data.index("first".encode("utf-16-le")) + 72
    assert contents(data[:at] + b"\xff" * 4 + data[at + 4 :]) == {"(lost)/Data/1.png": PNG}
