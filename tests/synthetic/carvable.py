"""One small file of every format that is carved, made by Pillow and pillow-heif, and films built box by box."""

import io
import struct
from typing import Any

import numpy as np
import pillow_heif
from images.pictures import scene
from PIL import Image

from synthetic.photographs import with_thumbnail

pillow_heif.register_heif_opener()


def files(seed: int, size: tuple[int, int] = (240, 180), film: int = 70_000) -> dict[str, tuple[bytes, str]]:
    """Return files by a name with their media types; pictures of (width, height), films of so many bytes of frames."""
    picture = scene(seed, size)
    frames = [scene(seed + number, (size[0] // 2, size[1] // 2)) for number in range(3)]
    noise = np.random.default_rng(seed).bytes(film)
    return {
        "baseline": (saved(picture, "JPEG", quality=85), "image/jpeg"),
        "progressive": (saved(picture, "JPEG", progressive=True), "image/jpeg"),
        "grey": (saved(picture.convert("L"), "JPEG", optimize=True), "image/jpeg"),
        "restarts": (saved(picture, "JPEG", restart_marker_blocks=4), "image/jpeg"),
        "thumbnail": (with_thumbnail(picture), "image/jpeg"),
        "png": (saved(picture, "PNG"), "image/png"),
        "palette": (saved(picture.convert("P"), "PNG"), "image/png"),
        "gif": (saved(picture.convert("P"), "GIF"), "image/gif"),
        "animated": (saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), "image/gif"),
        "lossy": (saved(picture, "WEBP", quality=80), "image/webp"),
        "lossless": (saved(picture, "WEBP", lossless=True), "image/webp"),
        "moving": (saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]), "image/webp"),
        "extended": (saved(picture, "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"), "image/webp"),
        "bmp": (saved(picture, "BMP"), "image/bmp"),
        "bits": (saved(picture.convert("1"), "BMP"), "image/bmp"),
        "heic": (saved(picture, "HEIF", quality=60), "image/heic"),
        "avif": (saved(picture, "AVIF", quality=60, speed=10), "image/avif"),
        "mp4": (mp4(noise), "video/mp4"),
        "streamed": (mp4(noise, first=b"moov"), "video/mp4"),
        "long": (mp4(noise, long=True), "video/mp4"),
        "fragmented": (fragmented(noise), "video/mp4"),
        "mov": (mp4(noise, brand=b"qt  "), "video/quicktime"),
        "avi": (avi(noise), "video/x-msvideo"),
        "opendml": (avi(noise) + riff(b"AVIX", chunk(b"LIST", b"movi" + chunk(b"00dc", noise))), "video/x-msvideo"),
    }


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the picture as a file of Pillow's kind."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def box(kind: bytes, data: bytes, *, long: bool = False) -> bytes:
    """Return a box of an ISO base media file; `long`: with a size of 64 bits."""
    if long:
        return struct.pack(">I4sQ", 1, kind, 16 + len(data)) + data
    return struct.pack(">I4s", 8 + len(data), kind) + data


def mp4(frames: bytes, *, brand: bytes = b"isom", first: bytes = b"mdat", long: bool = False) -> bytes:
    """Return a film without a track: file type, data and description, either of these first, and free room."""
    parts = {b"mdat": box(b"mdat", frames, long=long), b"moov": _description()}
    head = box(b"ftyp", brand + bytes(4) + brand + b"mp42")
    rest = b"".join(part for kind, part in parts.items() if kind != first)
    return head + box(b"free", bytes(8)) + parts[first] + rest


def fragmented(frames: bytes) -> bytes:
    """Return a film in two fragments, each with a description of its own."""
    half = len(frames) // 2
    parts = [box(b"moof", box(b"mfhd", bytes(8))) + box(b"mdat", part) for part in (frames[:half], frames[half:])]
    return box(b"ftyp", b"dash" + bytes(4) + b"iso6") + _description() + b"".join(parts)


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk of a RIFF file, filled up to an even length."""
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def riff(kind: bytes, *chunks: bytes) -> bytes:
    """Return a RIFF file of a type."""
    return chunk(b"RIFF", kind + b"".join(chunks))


def avi(frames: bytes) -> bytes:
    """Return a film of one frame with an index."""
    headers = chunk(b"LIST", b"hdrl" + chunk(b"avih", bytes(56)))
    movie = chunk(b"LIST", b"movi" + chunk(b"00dc", frames))
    return riff(b"AVI ", headers, chunk(b"JUNK", bytes(33)), movie, chunk(b"idx1", bytes(16)))


def _description() -> bytes:
    return box(b"moov", box(b"mvhd", bytes(100)) + box(b"trak", box(b"tkhd", bytes(84))) + box(b"udta", b""))
