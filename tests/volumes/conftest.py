"""Files of the corpus as sources of plain bytes."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .plain import Opened


@pytest.fixture
def opened() -> Iterator[Callable[..., Opened]]:
    """Return a function that opens a file, or `size` bytes of it from `start` on."""
    sources: list[Opened] = []

    def opening(path: Path, start: int = 0, size: int | None = None) -> Opened:
        descriptor = os.open(path, os.O_RDONLY)
        length = path.stat().st_size - start if size is None else size
        sources.append(Opened(path, descriptor, start, length))
        return sources[-1]

    yield opening
    for source in sources:
        source.close()
