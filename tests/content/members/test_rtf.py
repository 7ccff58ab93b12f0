"""Pictures and objects in Rich Text documents."""

from content.members.made import compound, contents, found, picture, told

JPEG, PNG = picture(), picture("PNG")


def lines(data: bytes) -> bytes:
    digits = data.hex().encode()
    return b"\n".join(digits[at : at + 120] for at in range(0, len(digits), 120))


def test_pictures_are_given_as_they_were() -> None:
    data = (
        rb"{\rtf1\ansi Text {\*\shppict{\pict{\*\picprop\shplid1{\sp{\sn a}{\sv 1}}}\picw9\jpegblip "
        + lines(JPEG)
        + rb"}} more {\pict\pngblip\bin%d " % len(PNG)
        + PNG
        + rb"}{\pict\wmetafile8 0100090000}}"
    )
    assert contents(data) == {"pict-1.jpg": JPEG, "pict-2.png": PNG}


def test_objects_are_given_from_their_compound_file_on() -> None:
    stored = compound({"Data": bytes(5000) + JPEG})
    data = rb"{\rtf1{\object\objemb{\*\objdata " + lines(bytes(30) + stored) + rb"}{\result text}}}"
    assert contents(data) == {"objdata-1.ole": stored}


def test_digits_that_break_off_are_told() -> None:
    data = rb"{\rtf1{\pict\jpegblip " + lines(JPEG) + b"xyz}}"
    assert told(found(data)) == [("pict-1.jpg", "damaged", True)]
    assert found(rb"{\rtf1 no \picture, {\pict") == []
