"""Reading in bulk against reading one by one: the same records and the same report, whatever the file and the chunk."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic.published import InMemory, placed
from synthetic.vics import BLOCK, TRAP_EVERY, TRAPS, Publication

from triage.hashsets.formats.reader import Published
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.vics import vics_json
from triage.hashsets.formats.vics.json_stream import CHUNK_BYTES
from triage.hashsets.formats.vics.media import MEMBERS, records_of
from triage.hashsets.formats.vics.vics_json import VICS, read_vics
from triage.hashsets.record import Record
from triage.model.errors import SourceError

CHUNKS = (1, 7, 300, 5000, CHUNK_BYTES)
WHOLE_ROUND = len(TRAPS) * TRAP_EVERY

Outcome = tuple[list[tuple[int, Record]], list[Any]] | str


def told(report: ReadReport) -> list[Any]:
    tallies = [
        [(reason, tally.count, tally.places) for reason, tally in counted.items()]
        for counted in (report.skipped, report.bad_values)
    ]
    return [report.rows, report.used, report.place, report.region, report.notes, *tallies]


def in_bulk(published: Published, chunk: int) -> Outcome:
    report = ReadReport("set.json", unit="record")
    try:
        return placed(read_vics(published, report, chunk=chunk)), told(report)
    except SourceError as error:
        return str(error)


def one_by_one(published: Published) -> Outcome:
    report = ReadReport("set.json", unit="record")
    try:
        return list(_records(published, report)), told(report)
    except SourceError as error:
        return str(error)


def _records(published: Published, report: ReadReport) -> Iterator[tuple[int, Record]]:
    for run in vics_json._runs(published, report, CHUNK_BYTES, lambda _text: None):
        last = report.place
        for report.place, media in enumerate(run, start=last - len(run) + 1):
            for record in records_of(media, report):
                yield report.place, record


@pytest.mark.parametrize("chunk", CHUNKS[2:])
@pytest.mark.parametrize(
    "publication",
    [
        Publication(records=2 * WHOLE_ROUND, traps=True, pdq=0.5),
        Publication(records=WHOLE_ROUND, traps=True, media_per_case=90, version="1.3"),
        Publication(records=WHOLE_ROUND, traps=True, encoding="utf-16", region="UK"),
        Publication(records=WHOLE_ROUND, traps=True, encoding="utf-8-sig", context_last=True),
    ],
    ids=["set", "cases", "utf-16", "context last"],
)
def test_a_file_of_every_trap_reads_the_same_in_bulk_and_tells_what_was_put_in(
    publication: Publication, chunk: int, tmp_path: Path
) -> None:
    path = tmp_path / "set.json"
    account = publication.write(path)
    outcome = in_bulk(Published(path), chunk)
    assert outcome == one_by_one(Published(path))
    assert not isinstance(outcome, str)
    records, (rows, used, place, region, notes, skipped, dropped) = outcome
    assert (rows, used, place, len(records)) == (
        account.rows,
        account.used,
        account.rows,
        account.used + account.further,
    )
    assert region == ("Default" if publication.version == "1.3" else publication.region)
    assert {reason: count for reason, count, _ in skipped} == account.skipped
    assert {reason: count for reason, count, _ in dropped} == account.dropped
    assert sum(record.category == "0" for _, record in records) == account.not_notable
    assert not notes


def test_the_records_do_not_depend_on_the_files_they_are_divided_over(tmp_path: Path) -> None:
    publication = Publication(records=BLOCK + 2000, traps=True)
    paths = [tmp_path / f"{number}.json" for number in range(4)]
    account = publication.write(paths[0])
    assert publication.write(*paths[1:]) == account
    assert account.repeats > 0
    whole, *parts = ([record for _, record in placed(VICS.read(Published(path), ReadReport("")))] for path in paths)
    assert [record for part in parts for record in part] == whole
    assert replace(publication, seed=2).write(paths[1]).skipped == account.skipped
    assert paths[1].read_bytes() != paths[0].read_bytes()


SCALARS: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, 1, -1, 1.0, "", " ", "1", "true", "x", "ab" * 16, "AB" * 20, "é\ud800", 2**70, 10**18, 1e300]
)
ALTERNATIVES = st.fixed_dictionaries(
    {"HashName": st.sampled_from(["PDQ", "pHash", "SHA256", "MD5", "SHA-1", "PhotoDNA", None, 3]),
     "HashValue": st.sampled_from(["0f" * 32, "0" * 64, "00ff" * 4, "ab" * 16, "AB" * 16, "cd" * 16, "ab" * 20,
                                   "f" * 40, "ab" * 32, "", " ", None, 0, 4])}
)  # fmt: skip
VALUES = st.one_of(SCALARS, st.lists(SCALARS | ALTERNATIVES, max_size=3), st.dictionaries(st.text(max_size=3), SCALARS))
RECORDS = st.dictionaries(st.sampled_from([*MEMBERS, "MediaID", "Other"]), VALUES | st.lists(ALTERNATIVES), max_size=6)
TRAP_TEXTS = st.sampled_from([trap.text.encode(errors="replace").decode() for trap in TRAPS]).map(
    lambda text: text.replace("@id", "1")
)
LAYOUTS: st.SearchStrategy[dict[str, Any]] = st.sampled_from([{}, {"indent": 1}, {"separators": (",", ":")}])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw a file, alike at first, so that there is something to take in bulk, and odd behind."""
    layout = draw(LAYOUTS)
    plain = [json.dumps({"MediaID": row, "MD5": f"{row:032X}", "Category": row % 3}, **layout) for row in range(24)]
    odd = draw(st.lists(st.one_of(RECORDS.map(lambda record: json.dumps(record, **layout)), TRAP_TEXTS), max_size=12))
    elements = plain + [element for one, other in zip(odd, plain, strict=False) for element in (one, other, other)]
    return '{"value":[' + draw(st.sampled_from([",", " ,\n "])).join(elements) + "]}"


@given(texts(), st.sampled_from(CHUNKS))
def test_whatever_is_among_the_records_reads_the_same_in_bulk(text: str, chunk: int) -> None:
    published = InMemory(text)
    assert in_bulk(published, chunk) == one_by_one(published)


@given(texts(), st.sampled_from(CHUNKS), st.integers(0, 10**6), st.binary(max_size=3))
def test_a_damaged_file_reads_the_same_in_bulk(text: str, chunk: int, at: int, damage: bytes) -> None:
    content = text.encode()
    at %= len(content)
    published = InMemory(content[:at] + damage + content[at + 1 :])
    assert in_bulk(published, chunk) == one_by_one(published)
