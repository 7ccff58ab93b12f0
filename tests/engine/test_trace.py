"""The trace of where the time went: what the viewers of the Trace Event Format open."""

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from suite import Demo

from triage.engine.trace import Span, Trace, write_trace
from triage.model.errors import UsageError
from triage.session.examination import Examination, Order


def written(spans: list[tuple[int, Span]]) -> dict[str, Any]:
    file = io.StringIO()
    write_trace(file, spans)
    read: dict[str, Any] = json.loads(file.getvalue())
    return read


def test_a_trace_is_a_json_object_of_complete_events_from_0_on() -> None:
    late = Span('a "quoted"\nname', began=1000.5, seconds=0.25, items=3, bytes=4096)
    early = Span("first", began=1000.0, seconds=2.0)
    trace = written([(7, late), (8, early)])
    assert set(trace) == {"displayTimeUnit", "traceEvents"}
    assert trace["displayTimeUnit"] in {"ms", "ns"}
    nothing = {"items": 0, "bytes": 0}
    assert trace["traceEvents"] == [
        {"name": "first", "ph": "X", "pid": 8, "tid": 8, "ts": 0.0, "dur": 2e6, "args": nothing},
        {
            "name": 'a "quoted"\nname',
            "ph": "X",
            "pid": 7,
            "tid": 7,
            "ts": 500_000.0,
            "dur": 250_000.0,
            "args": {"items": 3, "bytes": 4096},
        },
    ]


def test_a_trace_of_nothing_is_a_trace() -> None:
    assert written([])["traceEvents"] == []


def test_spans_are_kept_until_they_are_taken_also_of_what_failed() -> None:
    trace = Trace(on=True)
    before = time.monotonic()
    with trace.span("outer", 2, 300), trace.span("inner"):
        time.sleep(0.01)
    with pytest.raises(ZeroDivisionError), trace.span("failed"):
        _ = 1 / 0
    inner, outer, failed = trace.taken()
    assert [span.name for span in (inner, outer, failed)] == ["inner", "outer", "failed"]
    assert (outer.items, outer.bytes, inner.items, inner.bytes) == (2, 300, 0, 0)
    assert before <= outer.began <= inner.began <= failed.began <= time.monotonic()
    assert 0.01 <= inner.seconds <= outer.seconds
    assert trace.taken() == ()


def test_a_trace_that_is_off_keeps_nothing() -> None:
    trace = Trace(on=False)
    with trace.span("work"):
        pass
    assert trace.taken() == ()


def test_an_examination_writes_where_the_time_of_the_run_and_of_its_workers_went(demo: Demo, tmp_path: Path) -> None:
    target = tmp_path / "trace.json"
    order = Order(source=demo.image, case=tmp_path / "case", exhibit="A/1", library=demo.library, jobs=2, trace=target)
    began = time.monotonic()
    with Examination(order) as examination:
        list(examination.events())
    passed = (time.monotonic() - began) * 1e6
    events = json.loads(target.read_text())["traceEvents"]
    by_process: dict[int, set[str]] = {}
    for event in events:
        by_process.setdefault(event["pid"], set()).add(event["name"])
    (run,) = (names for names in by_process.values() if "choose" in names)
    assert {"choose", "take Results", "take Done"} <= run
    workers = set[str]().union(*(names for names in by_process.values() if names is not run))
    assert {"recognise", "walk", "read", "digest", "look up", "picture"} <= workers
    assert not workers & run
    assert min(event["ts"] for event in events) == 0
    assert all(event["ts"] + event["dur"] <= passed for event in events)
    digested = sum(event["args"]["items"] for event in events if event["name"] == "digest")
    assert digested >= 40


def test_a_trace_that_cannot_be_written_is_refused_before_anything_is_done(demo: Demo, tmp_path: Path) -> None:
    target = tmp_path / "nowhere" / "trace.json"
    with pytest.raises(UsageError, match=r"the trace .* cannot be written: No such file or directory"):
        Examination(Order(source=demo.known, case=tmp_path / "case", exhibit="A/1", trace=target))
    assert not (tmp_path / "case").exists()
