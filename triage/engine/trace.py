"""Where the time goes: spans of work, kept by every process and written as one trace at the end.

The format is the JSON of Chrome's trace viewer ("Trace Event Format": complete events, times in microseconds), which
Perfetto and speedscope open.
"""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TextIO


class Span(NamedTuple):
    """A piece of work: when it began on the machine's monotonic clock and how long it took, both in seconds."""

    name: str
    began: float
    seconds: float
    items: int = 0
    bytes: int = 0

    def __setstate__(self, state: object) -> None:
        """Refuse: all that a span is stands in the tuple."""
        raise TypeError("a span has no state")


class Trace:
    """Collects spans of one process; one that is off costs next to nothing."""

    def __init__(self, *, on: bool) -> None:
        self.on = on
        self._spans: list[Span] = []

    @contextmanager
    def span(self, name: str, items: int = 0, size: int = 0) -> Iterator[None]:
        """Measure what happens inside."""
        if not self.on:
            yield
            return
        began = time.monotonic()
        try:
            yield
        finally:
            self._spans.append(Span(name, began, time.monotonic() - began, items, size))

    def taken(self) -> tuple[Span, ...]:
        """Return the spans since the last call."""
        spans = tuple(self._spans)
        self._spans.clear()
        return spans


def write_trace(file: TextIO, spans: Iterable[tuple[int, Span]]) -> None:
    """Write spans, each with the number of its process, as one trace that begins at 0."""
    ordered = sorted(spans, key=lambda pair: pair[1].began)
    start = ordered[0][1].began if ordered else 0.0
    file.write('{"displayTimeUnit": "ms", "traceEvents": [\n')
    for number, (process, span) in enumerate(ordered):
        event = {
            "name": span.name,
            "ph": "X",
            "pid": process,
            "tid": process,
            "ts": round((span.began - start) * 1e6, 1),
            "dur": round(span.seconds * 1e6, 1),
            "args": {"items": span.items, "bytes": span.bytes},
        }
        file.write((",\n" if number else "") + json.dumps(event))
    file.write("\n]}\n")
