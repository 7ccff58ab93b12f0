import base64
import io
import time
import zlib
from typing import Any

import numpy as np
import pytest
from content.members.made import contents, found, picture, told
from content.members.makers import image, pdf, stream
from PIL import Image

from triage.content.members.member import Budget, Member

JPEG = picture()
GREY = Image.linear_gradient("L").resize((40, 30))
COLOURS = Image.merge("RGB", [GREY, GREY.transpose(Image.Transpose.ROTATE_180), GREY.point(lambda value: value // 2)])


def opened(data: bytes) -> Image.Image:
    (member,) = found(data)
    assert isinstance(member, Member)
    assert member.obstacle is None
    assert member.content
    made = Image.open(io.BytesIO(bytes(member.content.whole())))
    made.load()
    return made


def same(one: Image.Image, other: Image.Image) -> bool:
    return np.array_equal(np.asarray(one.convert("RGB")), np.asarray(other.convert("RGB")))


def test_a_jpeg_is_given_as_it_was() -> None:
    data = pdf(b"<< /Type /Catalog >>", image(b"/ColorSpace /DeviceRGB /Filter /DCTDecode", JPEG))
    assert contents(data) == {"object-2.jpg": JPEG}


def test_a_jpeg_under_other_filters_is_given_as_it_was() -> None:
    hexed = base64.b16encode(zlib.compress(JPEG)) + b">"
    data = pdf(
        image(b"/Filter [/ASCIIHexDecode /Fl /DCT]", hexed),
        image(b"/Filter [/A85 /DCTDecode]", base64.a85encode(JPEG) + b"~>"),
    )
    assert contents(data) == {"object-1.jpg": JPEG, "object-2.jpg": JPEG}


@pytest.mark.parametrize(
    ("mode", "ending"), [("RGB", "jpg"), ("L", "jpg"), ("1", "tif"), ("CMYK", "jpg"), ("P", "jpg")]
)
def test_pictures_of_another_program(mode: str, ending: str) -> None:
    file = io.BytesIO()
    COLOURS.convert(mode).save(file, "PDF")
    (member,) = found(file.getvalue())
    assert isinstance(member, Member)
    assert member.obstacle is None
    assert member.name.endswith(ending) or mode == "P"
    assert member.content
    made = Image.open(io.BytesIO(bytes(member.content.whole())))
    assert made.size == (40, 30)
    expected = np.asarray(COLOURS.convert(mode).convert("RGB")).astype(int)
    assert np.abs(np.asarray(made.convert("RGB")).astype(int) - expected).mean() < 8


def test_a_jpeg_2000_is_given_as_it_was() -> None:
    file = io.BytesIO()
    COLOURS.save(file, "JPEG2000")
    assert contents(pdf(image(b"/Filter /JPXDecode", file.getvalue()))) == {"object-1.jp2": file.getvalue()}


@pytest.mark.parametrize(
    ("space", "mode"),
    [(b"/DeviceRGB", "RGB"), (b"/DeviceGray", "L"), (b"/DeviceCMYK", "CMYK"), (b"[/ICCBased 2 0 R]", "RGB")],
)
def test_samples_become_pictures(space: bytes, mode: str) -> None:
    expected = COLOURS.convert(mode)
    profile = stream(b"/N 3", b"no profile")
    for filters, data in ((b"/Filter /FlateDecode", zlib.compress(expected.tobytes())), (b"", expected.tobytes())):
        assert same(opened(pdf(image(b"/ColorSpace " + space + filters, data), profile)), expected)


def test_samples_under_a_predictor_become_a_png() -> None:
    rows = COLOURS.tobytes()
    filtered = b"".join(b"\0" + rows[at : at + 120] for at in range(0, len(rows), 120))
    parameters = b"/DecodeParms << /Predictor 15 /Colors 3 /BitsPerComponent 8 /Columns 40 >>"
    data = pdf(image(b"/ColorSpace /DeviceRGB /Filter /FlateDecode " + parameters, zlib.compress(filtered)))
    assert opened(data).format == "PNG"
    assert same(opened(data), COLOURS)


@pytest.mark.parametrize("in_stream", [True, False])
def test_palettes_are_read(in_stream: bool) -> None:
    indexed = COLOURS.convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
    palette = bytes(indexed.getpalette() or [])
    colours = b"2 0 R" if in_stream else b"<" + palette.hex().encode() + b">"
    space = b"/ColorSpace [/Indexed /DeviceRGB 255 " + colours + b"] /Filter /FlateDecode"
    data = pdf(image(space, zlib.compress(indexed.tobytes())), stream(b"", palette))
    assert same(opened(data), indexed)


def test_what_is_said_in_object_streams_is_known() -> None:
    inside = b"7 0 8 12 [/ICCBased 2 0 R]       11"
    packed = stream(
        b"/Type /ObjStm /N 2 /First 9 /Filter /FlateDecode", zlib.compress(b"7 0 8 15 " + b"/DeviceRGB     40")
    )
    assert inside
    about = b"/Type /XObject /Subtype /Image /Width 8 0 R /Height 30 /BitsPerComponent 8 /ColorSpace 7 0 R"
    assert same(opened(pdf(packed, stream(about, COLOURS.tobytes()))), COLOURS)


def test_attached_files_are_given() -> None:
    data = pdf(stream(b"/Type /EmbeddedFile /Filter /FlateDecode", zlib.compress(JPEG)))
    assert contents(data) == {"object-1": JPEG}


def test_an_encrypted_file_is_told() -> None:
    data = pdf(image(b"/Filter /DCTDecode", JPEG), trailer=b"<< /Root 1 0 R /Encrypt 9 0 R >>")
    assert told(found(data)) == [("", "encrypted", False)]
    table = stream(b"/Type /XRef /Encrypt << /V 4 >>", b"")
    assert told(found(pdf(image(b"/Filter /DCTDecode", JPEG), table, trailer=b"<< >>"))) == [("", "encrypted", False)]


@pytest.mark.parametrize("length", [b"3", b"99999999", b"9 0 R", b"/No"])
def test_a_wrong_length_is_found_out(length: bytes) -> None:
    about = b"/Subtype /Image /Width 40 /Height 30 /Filter /DCTDecode"
    assert contents(pdf(stream(about, JPEG, length))) == {"object-1.jpg": JPEG}


def test_pictures_of_earlier_revisions_and_cut_files_are_given() -> None:
    other = picture(colour="red")
    first, second = pdf(image(b"/Filter /DCTDecode", JPEG)), pdf(image(b"/Filter /DCTDecode", other))
    inside = found(first + second)
    assert [bytes(item.content.whole()) for item in inside if isinstance(item, Member) and item.content] == [
        JPEG,
        other,
    ]
    cut = found(first[:-400])
    assert told(cut) == [("object-1.jpg", "damaged", True)]


@pytest.mark.parametrize(
    "about",
    [
        b"/ColorSpace /DeviceRGB /Filter /JBIG2Decode",
        b"/ColorSpace [/DeviceN [/A /B] /DeviceCMYK 3 0 R] /Filter /FlateDecode",
        b"/ColorSpace /DeviceCMYK /Filter /FlateDecode /DecodeParms << /Predictor 15 /Colors 4 /Columns 40 >>",
        b"/Filter [/Unknown /DCTDecode]",
    ],
)
def test_what_is_not_read_is_told(about: bytes) -> None:
    assert [code for _, code, _ in told(found(pdf(image(about, zlib.compress(bytes(3600))))))] == ["unsupported"]


def test_zeros_without_end_are_cut_off() -> None:
    bomb = zlib.compress(bytes(60 << 20), 9)
    parts: list[Any] = [stream(b"/Type /EmbeddedFile /Filter /FlateDecode", bomb) for _ in range(2)]
    parts += [
        stream(b"/Type /ObjStm /N 5 /First 9 /Filter /FlateDecode", bomb),
        image(b"/Filter [/Fl /DCTDecode]", bomb),
    ]
    data = pdf(*parts, image(b"/ColorSpace /DeviceGray /Filter /FlateDecode", bomb))
    budget = Budget.of(len(data))
    before, start = budget.bytes, time.process_time()
    codes = [code for _, code, _ in told(found(data, budget=budget))]
    assert codes == ["limit"] * 4 + [""]
    assert before - budget.bytes < 70 << 20
    assert time.process_time() - start < 1


def test_hostile_nesting_and_strings_end() -> None:
    start = time.process_time()
    for body in (
        b"[" * 100_000,
        b"<</A" * 100_000,
        b"(" * 200_000,
        b"1 0 obj <<" * 50_000,
        b"% " * 100_000,
        b"1 0 obj (" * 50_000,
    ):
        assert found(pdf(body)) == []
    assert time.process_time() - start < 5
