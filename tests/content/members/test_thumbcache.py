import pytest
from content.members.made import contents, found, picture, told
from content.members.makers import thumbnail_cache, thumbnail_record

JPEG, PNG, BMP = picture(), picture("PNG"), picture("BMP")


@pytest.mark.parametrize("version", [20, 21, 30, 31, 32])
def test_pictures_are_given_under_their_identifiers(version: int) -> None:
    data = thumbnail_cache(
        version,
        thumbnail_record(version, "a1b2c3d4e5f60718", JPEG),
        thumbnail_record(version, "0", b""),
        thumbnail_record(version, "1122334455667788", PNG, padding=2),
        thumbnail_record(version, "99", BMP),
    )
    assert contents(data) == {"a1b2c3d4e5f60718.jpg": JPEG, "1122334455667788.png": PNG, "99.bmp": BMP}


def test_a_damaged_record_costs_only_itself() -> None:
    broken = bytearray(thumbnail_record(32, "b", PNG))
    broken[4:8] = b"\xff" * 4
    data = thumbnail_cache(32, thumbnail_record(32, "a", JPEG), bytes(broken), thumbnail_record(32, "c", PNG))
    assert told(found(data)) == [("a.jpg", "", True), ("", "damaged", False), ("c.png", "", True)]
    lying = bytearray(thumbnail_record(32, "b", PNG))
    lying[16:20] = b"\xff" * 4
    assert told(found(thumbnail_cache(32, bytes(lying)))) == [("", "damaged", False)]


def test_an_unknown_version_is_told() -> None:
    assert told(found(thumbnail_cache(3))) == [("", "unsupported", False)]
