"""One exhibit examined: begun or resumed, run to its end or stopped, and concluded."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self, TextIO

from triage import __version__
from triage.analyzers.order import ANALYZERS
from triage.engine.messages import Opened, Setup
from triage.engine.plan import Plan, depth_of, identity
from triage.engine.run import Run, describe
from triage.engine.trace import write_trace
from triage.engine.workers.pool import WorkerPool
from triage.hashsets.hashset import HashSet
from triage.items.indicator_rules import IndicatorRule, load_rules
from triage.items.indicators import Indicators
from triage.items.keywords import Keywords
from triage.model.blocks import ASSURED_BYTES, ASSURED_CONFIDENCE, LEAST_DRAWN
from triage.model.custody import Payload
from triage.model.errors import SourceError, StoreError, UsageError
from triage.model.event import EndedBy, Event, Finished, Noted
from triage.model.evidence import SourceInfo
from triage.model.finding import SetKind
from triage.policy.block_bounds import blocks_needed
from triage.policy.policy import Policy
from triage.session.conclusion import conclude
from triage.session.host import RunClock, is_removable, lies_on, now
from triage.session.library import library_at
from triage.session.order import Order
from triage.store.case import Case, CaseReader
from triage.store.exhibits import ExhibitRecord, ExhibitState
from triage.store.log import CaseLog

__all__ = ["Examination", "Order", "open_case"]


class Examination:
    """A context manager. `resumed`: an earlier run began it; `finished`: nothing is left to do.

    `ended_by` is what ended the last run, a person unless the run says otherwise.
    """

    def __init__(self, order: Order, *, hold: Callable[[], bool] = lambda: False) -> None:
        """Open source, library and case, and store the plan. Raises SourceError, StoreError or UsageError.

        While `hold` says so, the run hands nothing new to its readers.
        """
        self._order = order
        self._hold = hold
        self._policy = Policy.load(order.policy)
        sets = library_at(order.library).open_all()
        rules, words = load_rules(order.indicators), _words(order)
        setup = _setup(order, sets, rules, words)
        self._samples_blocks = setup.depth.blocks and any(
            one.has_blocks for one in sets if one.identity.kind is SetKind.NOTABLE
        )
        with ExitStack() as undo:
            self._trace = _trace_file(order, undo)
            self._pool = undo.enter_context(closing(WorkerPool(setup, order.jobs)))
            opened = describe(self._pool)
            self._case = undo.enter_context(Case.open_or_create(order.case, when=now(), actor=order.actor))
            self._case.claim(order.exhibit)
            self.resumed = self._begin(opened.info, _plan(order, setup, opened, sets, self._policy))
            record = self._record()
            self._open = undo.pop_all()
        self.ended_by = EndedBy.REQUEST
        self.finished = record.state is ExhibitState.FINISHED
        self._clock = RunClock(record.seconds)
        self._log = CaseLog(order.case, order.exhibit)
        self._tiers_ended: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def events(self) -> Generator[Event]:
        """Run to the end and conclude; closing the generator stops the run, to be resumed by the same order."""
        if self.finished:
            return
        run = self._run()
        try:
            with closing(run.events()) as events:
                for event in events:
                    self._log.event(event, self._clock.seconds())
                    self._note(event)
                    yield event
        except StoreError:
            # What cannot be written cannot be concluded; the case stays as its last commit left it.
            raise
        except (GeneratorExit, KeyboardInterrupt):
            self._conclude()
            raise
        except BaseException:
            self.ended_by = EndedBy.ERROR
            self._conclude()
            raise
        finally:
            if self._trace is not None:
                write_trace(self._trace, run.spans)
        self._conclude()
        self.finished = self.ended_by is EndedBy.END

    def _note(self, event: Event) -> None:
        """Keep what the last entry in the ledger tells of the run."""
        match event:
            case Finished():
                self.ended_by = event.by
            case Noted(name="tier-ended"):
                self._tiers_ended[str(event.facts["tier"])] = int(event.facts["seconds"])

    def _run(self) -> Run:
        order = self._order
        return Run(
            self._case,
            order.exhibit,
            self._pool,
            self._clock,
            seed=bytes.fromhex(self._record().identity),
            verify=order.verify_source,
            removable=is_removable(order.source),
            stop=order.stop,
            hold=self._hold,
            draws=_draws if self._samples_blocks else None,
        )

    def _begin(self, info: SourceInfo, plan: Plan) -> bool:
        order, exhibits = self._order, self._case.exhibits
        record = exhibits.get(order.exhibit)
        if record is not None:
            _check_same(record, plan, order)
            if record.state is not ExhibitState.FINISHED:
                self._enter("examination.resumed", {"state": record.state.value})
            return True
        with self._case.transaction():
            exhibits.add(order.exhibit, info, plan.source, plan_text=plan.text(), plan_digest=plan.digest(), when=now())
            facts = {"plan": plan.digest(), "source": plan.source, "kind": info.kind, "size": info.size}
            facts |= {"policy": f"{self._policy.name} {self._policy.version}", "policy_digest": self._policy.digest()}
            self._enter("examination.planned", facts)
        return False

    def _conclude(self) -> None:
        """Account for every byte, recommend, and write both into case and ledger."""
        reference, exhibits = self._order.exhibit, self._case.exhibits
        ended_by = self.ended_by
        state = ExhibitState.FINISHED if ended_by is EndedBy.END else ExhibitState.STOPPED
        exhibits.set_seconds(reference, self._clock.seconds())
        judged = self._case.judgements.next_number()
        coverage, recommendation = conclude(self._case, self._record(), ended_by=ended_by)
        with self._case.transaction():
            if self._case.judgements.next_number() != judged:  # a candidate of this exhibit, maybe
                coverage, recommendation = conclude(self._case, self._record(), ended_by=ended_by)
            exhibits.set_state(reference, state, now(), ended_by=ended_by.value)
            exhibits.record_coverage(reference, coverage)
            exhibits.record_recommendation(reference, recommendation)
            facts = {
                "coverage": {kind.value: count for kind, count in coverage.bytes.items()},
                "items": dict(coverage.items),
                "ended_by": ended_by.value,
                "tiers_ended": self._tiers_ended,  # seconds since the examination began, over all runs
                "verdict": recommendation.verdict.value,
                "reasons": [reason.code for reason in recommendation.reasons],
            }
            self._enter(f"examination.{state.value}", facts)

    def _record(self) -> ExhibitRecord:
        record = self._case.exhibits.get(self._order.exhibit)
        assert record is not None
        return record

    def _enter(self, action: str, payload: Payload) -> None:
        self._case.ledger.append(
            when=now(), actor=self._order.actor, action=action, subject=self._order.exhibit, payload=payload
        )


def open_case(folder: Path) -> CaseReader:
    """Open a case for reading, also while an examination writes to it.

    Raises StoreError when there is none, or when its ledger does not verify.
    """
    case = CaseReader.open(folder)
    try:
        case.ledger.verify()
    except BaseException:
        case.close()
        raise
    return case


def _setup(order: Order, sets: tuple[HashSet, ...], rules: tuple[IndicatorRule, ...], words: tuple[str, ...]) -> Setup:
    _check_places(order)
    needs = frozenset[str]().union(*(opened.needs for opened in sets))
    depth = depth_of(order.profile, needs)
    return Setup(
        source=str(order.source.absolute()),
        set_files=tuple(str(opened.path) for opened in sets),
        sets=tuple(opened.identity for opened in sets),
        depth=depth,
        limits=order.limits,
        secrets=order.secrets,
        indicators=rules,
        keywords=words,
        searches=(depth.pictures or depth.videos) and any(opened.is_indexed for opened in sets),
        traced=order.trace is not None,
    )


def _words(order: Order) -> tuple[str, ...]:
    return () if order.keywords is None else Keywords.load(order.keywords).words


def _draws(blocks: int) -> int:
    """Return how many blocks are drawn: with 99 % confidence content of `ASSURED_BYTES` is met, however scattered.

    Of a small part more are drawn than that takes, for they cost no time.
    """
    return max(min(blocks, LEAST_DRAWN), blocks_needed(blocks, ASSURED_BYTES, ASSURED_CONFIDENCE))


def _trace_file(order: Order, undo: ExitStack) -> TextIO | None:
    """Make the file for the trace before anything is done: a run must not fail for it at its end.

    It has to be a new one: a name given by mistake could be that of the evidence.
    """
    path = order.trace
    if path is None:
        return None
    try:
        if path.resolve().is_relative_to(order.source.resolve()):
            raise UsageError(f"the trace {path} would lie inside the evidence; name another file", field="trace")
        return undo.enter_context(path.open("x", encoding="utf-8"))
    except FileExistsError as error:
        raise UsageError(f"{path} exists already; name a new file for the trace", field="trace") from error
    except OSError as error:
        text = f"the trace {path} cannot be written: {error.strerror}; name another file"
        raise UsageError(text, field="trace") from error


def _check_places(order: Order) -> None:
    try:
        source = order.source.resolve(strict=True)
    except FileNotFoundError as error:
        text = f"{order.source} does not exist; check the path, and that the device is plugged in"
        raise SourceError(text) from error
    except (OSError, RuntimeError) as error:
        raise SourceError(f"{order.source} cannot be reached: {_cause(error)}; check the path") from error
    try:
        case = order.case.resolve()
    except (OSError, RuntimeError) as error:
        text = f"{order.case} cannot be reached: {_cause(error)}; name another folder for the case"
        raise StoreError(text, field="case") from error
    if case.is_relative_to(source) or (source.is_block_device() and lies_on(case, source)):
        raise UsageError(
            f"the case {order.case} would lie inside the evidence {order.source}; name another folder for it",
            field="case",
        )


def _cause(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "a loop of symbolic links"


def _plan(order: Order, setup: Setup, opened: Opened, sets: tuple[HashSet, ...], policy: Policy) -> Plan:
    return Plan(
        version=__version__,
        source=identity(opened.info, opened.fingerprint),
        profile=order.profile,
        depth=setup.depth,
        analyzers=tuple((analyzer.name, analyzer.version) for analyzer in ANALYZERS),
        sets=setup.sets,
        sets_hold_pictures=any(opened.has_pdq or opened.has_phash for opened in sets),
        set_dates={opened.identity.digest: opened.header.meta.published or opened.header.meta.date for opened in sets},
        verify_source=order.verify_source,
        limits=order.limits,
        policy=policy.as_fields(),
        indicators=Indicators(setup.indicators, Keywords(setup.keywords)).digest,
        secrets=tuple(secret.kind.value for secret in order.secrets),
    )


def _check_same(record: ExhibitRecord, plan: Plan, order: Order) -> None:
    if record.identity != plan.source:
        raise SourceError(
            f"{order.source} is not the source that exhibit {order.exhibit} was begun with; "
            "give that source, or another reference",
            field="exhibit",
        )
    if record.plan_digest != plan.digest():
        raise UsageError(
            f"exhibit {order.exhibit} was begun with another profile, policy or version, "
            "other hash sets or other passwords; "
            "give the same to resume, or another reference",
            field="exhibit",
        )
