"""pHash, the 64-bit perceptual hash of the imagehash library, which some published sets carry."""

import imagehash
from PIL import Image

_SIDE = 8
_SMALL = (4 * _SIDE, 4 * _SIDE)  # what imagehash itself makes of a picture before anything else

_TURNS = (
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
)


def phashes(picture: Image.Image) -> tuple[str, ...]:
    """Return the hash of a picture and of its turns and mirrors, in the order of PDQ's variants.

    Each has 16 hexadecimal digits: 64 bits, row by row, the most significant first, as imagehash prints them. The first
    is imagehash's own to the bit; the others are taken of the small picture turned, and at most 2 bits from the hash of
    the large one turned.
    """
    small = picture.convert("L").resize(_SMALL, Image.Resampling.LANCZOS)
    turned = (small, *(small.transpose(turn) for turn in _TURNS))
    return tuple(str(imagehash.phash(variant, hash_size=_SIDE)) for variant in turned)
