"""From facts to a recommendation: a pure function, so that it can be made again from the case alone.

The order of the rules is the order of the reasons. A digest match in a notable set, or a candidate that a person
confirmed, indicates seizure whatever else is unknown. Without one, anything unknown leaves the result not determined.
Only an examination that ran to its end and met nothing unknown indicates return, and it says what it did not look at.
"""

from collections.abc import Callable, Iterator

from triage.model.coverage import CoverageClass
from triage.model.event import EndedBy
from triage.model.finding import SetKind
from triage.model.item import Outcome
from triage.model.matches import SetMatches
from triage.model.recommendation import Reason, Recommendation, Verdict
from triage.model.trouble import TroubleCode
from triage.policy.facts import Facts
from triage.policy.sampling import told
from triage.policy.wording import amount, counted, listed

Rule = Callable[[Facts], Iterator[Reason]]

_READ = frozenset({"read", "empty"})
_NAMED = frozenset({"encrypted", "ambiguous", "no-file-system"})
_ENDED_BY = {
    EndedBy.END: "",
    EndedBy.REQUEST: " (stopped on request)",
    EndedBy.TIME_LIMIT: " (the time limit was reached)",
    EndedBy.ENOUGH_FOUND: " (enough was found)",
    EndedBy.ERROR: " (an error ended it)",
}


def recommend(facts: Facts) -> Recommendation:
    """Return the verdict that the facts indicate, and every reason, weightiest first."""
    matched = _reasons(_INDICATING, facts)
    unknown = _reasons(_UNKNOWN, facts)
    if matched:
        verdict = Verdict.SEIZE_INDICATED
    elif unknown:
        verdict = Verdict.NOT_DETERMINED
    else:
        verdict = Verdict.RETURN_INDICATED
    return Recommendation(verdict=verdict, reasons=(*matched, *unknown, *_reasons(_STATED, facts)))


def _reasons(rules: tuple[Rule, ...], facts: Facts) -> tuple[Reason, ...]:
    return tuple(reason for rule in rules for reason in rule(facts))


def _notable_match(facts: Facts) -> Iterator[Reason]:
    for match in facts.matches:
        if match.exact:
            items = counted(match.exact, "item") + _deleted(match)
            yield Reason(code="notable-match", text=f"{items} with a digest that is in {_set(match)}.")


def _candidate_confirmed(facts: Facts) -> Iterator[Reason]:
    for match in facts.matches:
        if match.confirmed:
            pictures = counted(match.confirmed, "perceptual candidate")
            yield Reason(code="candidate-confirmed", text=f"{pictures} of {_set(match)}, confirmed by a person.")


def _candidate_unconfirmed(facts: Facts) -> Iterator[Reason]:
    for match in facts.matches:
        if match.unconfirmed:
            pictures = counted(match.unconfirmed, "perceptual candidate")
            yield Reason(
                code="candidate-unconfirmed",
                text=f"{pictures} near to {_set(match)}; a person must confirm or reject each one.",
            )


def _encrypted(facts: Facts) -> Iterator[Reason]:
    parts = _volumes(facts, "encrypted")
    if facts.source_encrypted is not None:
        parts.insert(0, f"the source itself ({facts.source_encrypted})")
    parts += _items(facts, Outcome.ENCRYPTED) + _bytes(facts, CoverageClass.ENCRYPTED)
    yield from _unknown(TroubleCode.ENCRYPTED, "Encrypted and therefore not read", parts, facts)


def _unsupported(facts: Facts) -> Iterator[Reason]:
    others = sum(number for state, number in facts.volumes.items() if state not in _READ | _NAMED)
    parts = [counted(others, "volume")] if others else []
    parts += _bytes(facts, CoverageClass.UNSUPPORTED)
    yield from _unknown(TroubleCode.UNSUPPORTED, "In a form that this software cannot read", parts, facts)


def _ambiguous(facts: Facts) -> Iterator[Reason]:
    lead = "Readable as more than one file system, so that the content is uncertain"
    yield from _unknown(TroubleCode.AMBIGUOUS, lead, _volumes(facts, "ambiguous"), facts)


def _no_file_system(facts: Facts) -> Iterator[Reason]:
    parts = _volumes(facts, "no-file-system")
    yield from _unknown(TroubleCode.NO_FILE_SYSTEM, "Without a known file system, content unknown", parts, facts)


def _unreadable(facts: Facts) -> Iterator[Reason]:
    parts = _items(facts, Outcome.UNREADABLE) + _bytes(facts, CoverageClass.UNREADABLE)
    yield from _unknown(TroubleCode.UNREADABLE, "Could not be read", parts, facts)


def _source_incomplete(facts: Facts) -> Iterator[Reason]:
    for trouble in facts.source_troubles:
        yield Reason(code="source-incomplete", text=f"Known when the source was opened: {trouble}")


def _damaged(facts: Facts) -> Iterator[Reason]:
    yield from _unknown(TroubleCode.DAMAGED, "Structures of the file system are damaged", [], facts)


def _crashed(facts: Facts) -> Iterator[Reason]:
    parts = _items(facts, Outcome.CRASHED)
    yield from _unknown(TroubleCode.CRASHED, "Could not be examined because a reader failed on it", parts, facts)


def _timed_out(facts: Facts) -> Iterator[Reason]:
    parts = _items(facts, Outcome.TIMED_OUT)
    yield from _unknown(TroubleCode.TIMED_OUT, "Not examined within the time allowed", parts, facts)


def _limit(facts: Facts) -> Iterator[Reason]:
    parts = _number(facts.limited_items)
    yield from _unknown(TroubleCode.LIMIT, "Left out because a limit was reached", parts, facts)


def _pictures_undecodable(facts: Facts) -> Iterator[Reason]:
    undecodable, damaged = facts.undecodable_pictures, facts.damaged_pictures
    parts = [counted(undecodable, "picture") + " not at all"] if undecodable else []
    parts += [counted(damaged, "picture") + " only in part, because of damage"] if damaged else []
    if parts and facts.sets_hold_pictures:
        yield Reason(
            code="pictures-undecodable",
            text=f"Could not be decoded, so that no comparison by appearance is certain: {listed(parts)}.",
        )


def _stopped_early(facts: Facts) -> Iterator[Reason]:
    if _stopped(facts):
        left = counted(_not_reached(facts), "listed item")
        yield Reason(
            code="stopped-early",
            text=f"The examination did not run to its end{_ENDED_BY[facts.ended_by]}; {left} not reached.",
        )


def _not_examined(facts: Facts) -> Iterator[Reason]:
    parts = _bytes(facts, CoverageClass.NOT_EXAMINED)
    if parts:
        yield Reason(code="not-examined", text=f"Content of files that was not examined: {listed(parts)}.")


def _no_hash_set(facts: Facts) -> Iterator[Reason]:
    if not any(loaded.kind is SetKind.NOTABLE for loaded in facts.sets):
        yield Reason(code="no-hash-set", text="No notable hash set was loaded, so that nothing could be matched.")


def _pictures_not_compared(facts: Facts) -> Iterator[Reason]:
    if facts.sets_hold_pictures and not facts.pictures_compared:
        yield Reason(
            code="pictures-not-compared",
            text=f"The profile {facts.profile} does not compare pictures by appearance, although a loaded hash set "
            "holds perceptual hashes.",
        )


def _nothing_examined(facts: Facts) -> Iterator[Reason]:
    if not facts.files_examined:
        yield Reason(code="nothing-examined", text="No file was examined.")


def _looked_at(facts: Facts) -> Iterator[Reason]:
    account = facts.coverage.bytes
    looked = account.get(CoverageClass.EXAMINED, 0) + account.get(CoverageClass.UNALLOCATED_EXAMINED, 0)
    sets = [f"{loaded.name} {loaded.version}".rstrip() for loaded in facts.sets if loaded.kind is SetKind.NOTABLE]
    against = f" against {listed(sets)}" if sets else ""
    yield Reason(
        code="looked-at",
        text=f"Examined with the profile {facts.profile}{against}: {counted(facts.files_examined, 'file')}, "
        f"{amount(looked)} of {amount(facts.coverage.size)}.",
    )


def _bound(facts: Facts) -> Iterator[Reason]:
    said = list(told(facts.strata)) if _stopped(facts) else []
    if not said:
        return
    for clause in said:
        yield Reason(code="bound", text=f"Stopped early: {clause}.")
    yield Reason(
        code="bound",
        text="Those numbers are of listed files with the name of a picture and of matches with the loaded sets, "
        "unjudged candidates included; each bound holds by itself.",
    )


def _skipped(facts: Facts) -> Iterator[Reason]:
    by_size, known = facts.skipped_by_size, facts.skipped_known
    others = facts.coverage.items.get(Outcome.SKIPPED, 0) - by_size - known
    rules = (
        ("a limit", others, CoverageClass.SKIPPED),
        ("a size that is in no loaded set", by_size, CoverageClass.SKIPPED_BY_SIZE),
        ("a known file, not decoded", known, CoverageClass.SKIPPED_KNOWN),
    )
    said = [
        f"{rule}: {listed(parts)}" for rule, items, kind in rules if (parts := _number(items) + _bytes(facts, kind))
    ]
    if said:
        yield Reason(code="skipped-by-rule", text=f"Skipped by a rule of the profile: {'; '.join(said)}.")


def _unallocated(facts: Facts) -> Iterator[Reason]:
    parts = _bytes(facts, CoverageClass.UNALLOCATED_NOT_EXAMINED)
    if parts:
        yield Reason(
            code="unallocated-not-examined",
            text=f"Space that belongs to no listed file was not examined and may hold deleted content: {parts[0]}.",
        )


def _not_searched(facts: Facts) -> Iterator[Reason]:
    lead = "Deleted files without a name were not all looked for"
    yield from _unknown(TroubleCode.NOT_SEARCHED, lead, [], facts)


def _outside(facts: Facts) -> Iterator[Reason]:
    parts = _bytes(facts, CoverageClass.OUTSIDE_PARTITIONS)
    if parts:
        yield Reason(code="outside-partitions", text=f"Space outside any partition was not examined: {parts[0]}.")


def _pictures_not_comparable(facts: Facts) -> Iterator[Reason]:
    if facts.incomparable_pictures and facts.sets_hold_pictures:
        pictures = counted(facts.incomparable_pictures, "picture")
        yield Reason(
            code="pictures-not-comparable",
            text=f"Too small, too flat or of too low a quality to be compared by appearance: {pictures}.",
        )


def _whole_files_only(_: Facts) -> Iterator[Reason]:
    yield Reason(
        code="whole-files-only",
        text="Archives, documents, mails, databases and videos were digested as whole files; nothing inside them was "
        "looked at.",
    )


def _known_material_only(_: Facts) -> Iterator[Reason]:
    yield Reason(
        code="known-material-only",
        text="Hash sets find only material that is already known; material that is in no loaded set is not found.",
    )


_INDICATING: tuple[Rule, ...] = (_notable_match, _candidate_confirmed)
_UNKNOWN: tuple[Rule, ...] = (
    _candidate_unconfirmed,
    _encrypted,
    _unsupported,
    _ambiguous,
    _no_file_system,
    _unreadable,
    _source_incomplete,
    _damaged,
    _crashed,
    _timed_out,
    _stopped_early,
    _limit,
    _not_examined,
    _no_hash_set,
    _pictures_not_compared,
    _pictures_undecodable,
    _nothing_examined,
)
_STATED: tuple[Rule, ...] = (
    _looked_at,
    _bound,
    _skipped,
    _pictures_not_comparable,
    _unallocated,
    _not_searched,
    _outside,
    _whole_files_only,
    _known_material_only,
)


def _set(match: SetMatches) -> str:
    version = f", version {match.set.version}" if match.set.version else ""
    category = f", category {match.category}" if match.category else ""
    return f"the hash set {match.set.name}{version}{category}"


def _deleted(match: SetMatches) -> str:
    """Return what is to be said of deleted items among the exact matches."""
    number = match.exact_deleted
    if not number:
        return ""
    deleted = "deleted" if match.exact == 1 else f"{number:,} of them deleted"
    return f" ({deleted})"


def _volumes(facts: Facts, state: str) -> list[str]:
    number = facts.volumes.get(state, 0)
    return [counted(number, "volume")] if number else []


def _items(facts: Facts, outcome: Outcome) -> list[str]:
    return _number(facts.coverage.items.get(outcome, 0))


def _number(items: int) -> list[str]:
    return [counted(items, "item")] if items > 0 else []


def _stopped(facts: Facts) -> bool:
    return not facts.finished or facts.ended_by is not EndedBy.END or bool(_not_reached(facts))


def _not_reached(facts: Facts) -> int:
    return facts.coverage.items.get(Outcome.NOT_REACHED, 0)


def _bytes(facts: Facts, name: CoverageClass) -> list[str]:
    number = facts.coverage.bytes.get(name, 0)
    return [amount(number)] if number else []


def _unknown(code: TroubleCode, lead: str, parts: list[str], facts: Facts) -> Iterator[Reason]:
    """Yield one reason when there is anything of the kind: volumes, items, bytes, or recorded trouble."""
    recorded = facts.troubles.get(code, 0)
    if recorded:
        parts = [*parts, counted(recorded, "recorded trouble")]
    if parts:
        yield Reason(code=code.value, text=f"{lead}: {listed(parts)}.")
