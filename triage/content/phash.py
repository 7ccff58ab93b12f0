"""pHash, the 64-bit perceptual hash of the imagehash library, which some published sets carry."""

import imagehash
from PIL import Image

_SIDE = 8


def phash(picture: Image.Image) -> str:
    """Return 16 hexadecimal digits: 64 bits, row by row, the most significant first, as imagehash prints them."""
    return str(imagehash.phash(picture, hash_size=_SIDE))
