"""What a sealed set stores: columns of `n` records and, by hash, of the `k` members that carry it.

Every integer is little-endian, every column in one order that does not depend on that of the records read.

- `present`: (n,) which hashes a record carries, a sum of `record.HASH_BITS`; `record.VARIANT` marks an altered copy
- `size`: (n,) bytes, -1 where not told
- `label`: (n,) the row of the label table that belongs to the record
- `md5_key`, `sha1_key`, `sha256_key`: (k,) the first 8 bytes of each digest as a big-endian number, sorted
- `md5_rest`, ...: (k,) the bytes after them; `md5_record`, ...: (k,) the record of each
- `md5_table`, ...: where each value of their leading bits starts (`exact.prefix_table`), empty without members
- `pdq`: (k, 4) and `phash`: (k, 1) hashes as words, the most significant first, sorted; `pdq_record`, `phash_record`
- `pdq_offsets`, `pdq_ids`, `phash_offsets`, `phash_ids`: the index of `multi_index.py`, empty for a small set
- `label_category`, `label_grade`, `label_series`: for each label the number of a text, 0 for none; `label_flags`
- `block_key`, `block_rest`, `block_table`, `block_record`: as of `md5`, of the whole blocks of members that were files
  at hand, each block as often as it occurs; `block_index`: (k,) the number of each in its file, from 0 on
- `frame`: (k, 4), `frame_record`, `frame_offsets`, `frame_ids`: as of `pdq`, of the frames of members that are videos;
  `frame_time`: (k,) the milliseconds of each from the start of its video
- `text`: the texts end to end in UTF-8, `text_end`: where each ends; text number 1 is the first
"""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from triage.hashsets.record import DIGEST_BYTES
from triage.model.blocks import BLOCK_DIGEST_BYTES

KEY_BYTES = 8

Column = NDArray[Any]
Columns = Mapping[str, Column]

KEYED: Mapping[str, int] = {**DIGEST_BYTES, "block": BLOCK_DIGEST_BYTES}
"""What is looked up by a sorted key, with its length in bytes."""

WORDS: Mapping[str, int] = {"pdq": 4, "phash": 1}
"""The perceptual hashes and how many 64-bit words each has."""

INDEXED: Mapping[str, int] = {**WORDS, "frame": WORDS["pdq"]}
"""What is looked up within a radius, with its 64-bit words."""

COLUMN_TYPES: Mapping[str, str] = {
    "present": "u1",
    "size": "<i8",
    "label": "<u4",
    **{f"{name}_key": "<u8" for name in DIGEST_BYTES},
    **{f"{name}_rest": f"S{length - KEY_BYTES}" for name, length in DIGEST_BYTES.items()},
    **{f"{name}_table": "<u4" for name in DIGEST_BYTES},
    **dict.fromkeys(WORDS, "<u8"),
    **{f"{name}_record": "<u4" for name in (*DIGEST_BYTES, *WORDS)},
    **{f"{name}_{part}": "<u4" for name in WORDS for part in ("offsets", "ids")},
    **dict.fromkeys(("label_category", "label_grade", "label_series"), "<u4"),
    "label_flags": "u1",
    "text_end": "<u8",
    "text": "u1",
}

BLOCK_COLUMN_TYPES: Mapping[str, str] = {
    "block_key": "<u8",
    "block_rest": f"S{BLOCK_DIGEST_BYTES - KEY_BYTES}",
    "block_table": "<u4",
    "block_record": "<u4",
    "block_index": "<u4",
}
"""The columns that only a set with hashes of blocks has."""

FRAME_COLUMN_TYPES: Mapping[str, str] = {
    "frame": "<u8",
    "frame_record": "<u4",
    "frame_offsets": "<u4",
    "frame_ids": "<u4",
    "frame_time": "<u4",
}
"""The columns that only a set with frames of videos has."""

ALL_TYPES: Mapping[str, str] = {**COLUMN_TYPES, **BLOCK_COLUMN_TYPES, **FRAME_COLUMN_TYPES}


def column_types(*, blocks: bool, frames: bool) -> Mapping[str, str]:
    """Return the columns of a set with or without blocks and frames."""
    return {**COLUMN_TYPES, **(BLOCK_COLUMN_TYPES if blocks else {}), **(FRAME_COLUMN_TYPES if frames else {})}
