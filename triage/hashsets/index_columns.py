"""The columns of the index over perceptual hashes, where there are enough of them to need one."""

from collections.abc import Iterator

from triage.hashsets import multi_index
from triage.hashsets.columns import Column
from triage.hashsets.sealing import SealedWriter


def write_index(writer: SealedWriter, name: str, words: Column) -> None:
    """Write `{name}_ids` and `{name}_offsets` for sorted hashes of shape (k, words), chunk by chunk."""
    scheme = multi_index.plan(len(words), words.shape[1])
    if scheme is None:
        return
    offsets: list[Column] = []

    def ids() -> Iterator[Column]:
        for chunk_offsets, chunk_ids in multi_index.build(words, scheme):
            offsets.append(chunk_offsets)
            yield chunk_ids

    writer.column(f"{name}_ids", ids())
    writer.column(f"{name}_offsets", offsets)
