"""Opening containers: each member is learnt as an item is, and told with its outcome."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from triage.content.content import Content
from triage.engine.messages import Members, OpenContainers
from triage.engine.tasks.tools import Pace, Tools
from triage.items.expansion import Intact, Reach, expand
from triage.items.indicators_content import is_asked, told_by
from triage.model.finding import Finding
from triage.model.indication import Indication
from triage.model.item import Item
from triage.model.placing import Placed
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble
from triage.store.rows import Row, item_of, member_row

_MOST = 1024
_NO_PLACE = Placed(0, 0)  # a member has its outcome when it is told, and never waits


def opened(request: OpenContainers, tools: Tools) -> Iterator[Members]:
    """Tell what is in each container, a few members at a time."""
    for number, row in request.items:
        tools.begin(number)
        yield from _members(number, item_of(row), request.volume, tools)
    tools.rest()


@dataclass(slots=True)
class _Some:
    """Some members of a container, gathered for one message; `first` is the position of the first among them all."""

    container: int
    first: int = 0
    rows: list[Row] = field(default_factory=list)
    found: list[tuple[int, Finding]] = field(default_factory=list)
    indications: list[Indication] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    in_hand: str = ""

    def ask(self, item: Item, content: Content) -> None:
        """Gather what a file tells of accounts or devices."""
        for entry in told_by(item, content):
            if isinstance(entry, Trouble):
                self.troubles.append(entry)
            else:
                self.indications.append(entry)

    def told(self, *, ended: bool, whole: bool) -> Members:
        return Members(
            container=self.container,
            first=self.first,
            rows=tuple(self.rows),
            found=tuple(self.found),
            told=tuple(self.indications),
            troubles=tuple(self.troubles),
            ended=ended,
            whole=whole,
            in_hand=self.in_hand,
        )


def _members(number: int, container: Item, volume: ByteRun, tools: Tools) -> Iterator[Members]:
    examiner = tools.examiner()
    depth = tools.setup.depth
    reach = Reach(thumbnails=depth.thumbnails, images=True, shadows=depth.shadows)
    content = tools.evidence.content(container, volume)
    some, pace = _Some(number), Pace()
    if is_asked(container):
        some.ask(container, Intact(content, tools.evidence.source))
    whole = not some.troubles
    kind = examiner.learner.teller.type_of(content.head())
    entries = expand(tools.evidence, container, content, kind, volume, reach)
    for entry in examiner.examine_members(entries):
        if isinstance(entry, Trouble):
            some.troubles.append(entry)
            whole = False
        else:
            item, result = entry
            some.found += [(len(some.rows), finding) for finding in result.findings]
            some.rows.append(member_row(item, _NO_PLACE, result))
            some.in_hand = item.path
        if pace.is_due() or len(some.rows) >= _MOST:
            yield some.told(ended=False, whole=False)
            some = _Some(number, some.first + len(some.rows))
    yield some.told(ended=True, whole=whole)
