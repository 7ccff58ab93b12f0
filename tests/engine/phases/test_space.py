"""Where bytes lie among spans: what explains a block covers all of it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from triage.engine.phases.space import inside
from triage.store.spans import merge

PAIRS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


@given(PAIRS, st.lists(st.integers(0, 60), max_size=8), st.integers(1, 9))
def test_bytes_lie_inside_where_one_span_covers_them_all(
    pairs: list[tuple[int, int]], offsets: list[int], length: int
) -> None:
    spans = merge([np.array(pairs, np.int64).reshape(-1, 2)])
    covered = {byte for start, end in pairs for byte in range(start, end)}
    wanted = [all(at + step in covered for step in range(length)) for at in offsets]
    assert inside(np.array(offsets, np.int64), length, spans).tolist() == wanted
