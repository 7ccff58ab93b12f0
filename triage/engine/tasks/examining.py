"""Examining items: results are told often enough that a silence means the item in hand."""

from collections.abc import Iterator

from triage.engine.messages import ExamineItems, Results
from triage.engine.tasks.tools import Pace, Tools
from triage.model.item import Outcome
from triage.model.result import ItemResult
from triage.store.rows import item_of, result_row


def examined(request: ExamineItems, tools: Tools) -> Iterator[Results]:
    """Tell what became of items."""
    examiner = tools.examiner()
    items = [(number, item_of(row)) for number, row in request.items]
    if not all(item.direct for _, item in items):
        tools.evidence.open(request.volume)
    paths = {number: item.path for number, item in items}
    waiting: list[ItemResult] = []
    pace = Pace()
    for result in examiner.examine(items, request.volume, decode=request.failed is None):
        waiting.append(_as_failed(result, request.failed))
        if pace.is_due():
            # What was in hand is the item just finished: until the next one begins nothing hostile is touched.
            tools.rest()
            yield _results(waiting, in_hand=paths[result.item])
            waiting = []
    tools.rest()
    yield _results(waiting, in_hand="")


def _results(some: list[ItemResult], in_hand: str) -> Results:
    found = ((result.item, finding) for result in some for finding in result.findings)
    return Results(rows=tuple(map(result_row, some)), found=tuple(found), in_hand=in_hand)


def _as_failed(result: ItemResult, failed: tuple[Outcome, str] | None) -> ItemResult:
    """Return a result that was had without decoding under the outcome that decoding had."""
    if failed is None or result.outcome is not Outcome.EXAMINED:
        return result
    reason = "; ".join(filter(None, (f"decoding: {failed[1]}", result.reason)))
    return result._replace(outcome=failed[0], reason=reason)
