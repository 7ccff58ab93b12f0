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
- `text`: the texts end to end in UTF-8, `text_end`: where each ends; text number 1 is the first
"""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from triage.hashsets.record import DIGEST_BYTES

KEY_BYTES = 8

Column = NDArray[Any]
Columns = Mapping[str, Column]

WORDS: Mapping[str, int] = {"pdq": 4, "phash": 1}
"""The perceptual hashes and how many 64-bit words each has."""

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
