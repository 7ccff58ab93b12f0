"""Looking at embedded pictures: a look says where to begin and nothing else, so that trouble is no news."""

from collections.abc import Iterator

from triage.engine.learning.pictures import PictureDesk
from triage.engine.messages import LookAtItems, Looked
from triage.engine.tasks.tools import Pace, Tools
from triage.items.evidence import Evidence
from triage.model.errors import StoreError
from triage.model.item import Item
from triage.model.runs import ByteRun
from triage.store.rows import item_of


def looked(request: LookAtItems, tools: Tools) -> Iterator[Looked]:
    """Tell which items hold an embedded picture that looks like a known one."""
    pictures = tools.examiner().learner.teller.pictures
    waiting: list[tuple[int, bool | None]] = []
    pace = Pace()
    for number, row in request.items:
        if pace.is_due():
            yield _seen(waiting)
            waiting = []
        tools.begin(number)
        with tools.trace.span("first look", 1):
            waiting.append((number, _glimpsed(pictures, tools.evidence, item_of(row), request.volume)))
    tools.rest()
    yield _seen(waiting)


def _glimpsed(pictures: PictureDesk, evidence: Evidence, item: Item, volume: ByteRun) -> bool | None:
    try:
        return pictures.glimpse(evidence.content(item, volume))
    except StoreError:
        raise
    except Exception:  # noqa: BLE001 - hostile bytes: the item is examined in its turn all the same
        return None


def _seen(items: list[tuple[int, bool | None]]) -> Looked:
    return Looked(
        items=tuple(number for number, _ in items),
        near=tuple(number for number, near in items if near),
        pictures=sum(near is not None for _, near in items),
    )
