"""What a decision has to state. The examiner decides; these rules see that the record of it can be answered for.

They follow the practice of England and Wales: whoever returns a device says what was not looked at; whoever keeps one
says by which power and why that was necessary and proportionate (PACE 1984 ss. 19 and 22), and, where it goes away to
be looked into, why that was not practicable on the spot (CJPA 2001 s. 50).
"""

import unicodedata
from collections.abc import Mapping, Sequence

from triage.model.decision import Decided, Statement
from triage.model.errors import UsageError
from triage.model.recommendation import Reason, Recommendation, Verdict

# What speaks for seizure and what was done; every other reason, those of later versions included, limits the result.
_NO_LIMITATION = frozenset({"notable-match", "candidate-confirmed", "looked-at"})
_AGAINST = {
    Decided.RETURN: frozenset({Verdict.SEIZE_INDICATED, Verdict.NOT_DETERMINED}),
    Decided.SEIZE: frozenset({Verdict.RETURN_INDICATED}),
    Decided.REFER: frozenset[Verdict](),
}
_EXPECTED = {
    Decided.RETURN: (),
    Decided.SEIZE: ("power", "necessity"),
    Decided.REFER: ("power", "necessity", "practicability"),
}


def is_against(verdict: Decided, recommended: Verdict) -> bool:
    """Tell whether a decision goes against a recommendation; to refer an exhibit to the laboratory never does."""
    return recommended in _AGAINST[verdict]


def limitations(recommendation: Recommendation) -> tuple[Reason, ...]:
    """Return the reasons that say what the result does not know or does not cover."""
    return tuple(reason for reason in recommendation.reasons if reason.code not in _NO_LIMITATION)


def codes_of(reasons: Sequence[Reason]) -> list[str]:
    """Return the codes of some reasons, each once, in their order."""
    return list(dict.fromkeys(reason.code for reason in reasons))


def must_acknowledge(verdict: Decided) -> bool:
    """Tell whether every limitation has to be acknowledged: what is handed back is not looked at again."""
    return verdict is Decided.RETURN


def unacknowledged(codes: Sequence[str], recommendation: Recommendation) -> tuple[Reason, ...]:
    """Return the limitations that none of the codes names."""
    return tuple(reason for reason in limitations(recommendation) if reason.code not in codes)


def not_stated(verdict: Decided, said: Mapping[str, object]) -> tuple[str, ...]:
    """Return which of `power`, `necessity` and `practicability` a decision of this kind should state and does not."""
    return tuple(name for name in _EXPECTED[verdict] if said[name] is None)


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are written alike but for case, blanks and the forms that Unicode has for a letter."""
    return _plain(one) == _plain(other)


def check_text(text: str, what: str) -> None:
    """Raise UsageError for a text that nobody could read: nothing but blanks and marks, or not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{what} is not UTF-8; write it again") from error
    if not any(character.isalnum() for character in text):
        raise UsageError(f"{what} has no letter or digit; write it out")


def check_statement(statement: Statement, recommendation: Recommendation) -> None:
    """Raise UsageError for a decision that lacks what its verdict, or its going against the recommendation, asks for.

    Nothing else is asked of it: what `not_stated` names is recorded as not stated.
    """
    _check_texts(statement)
    _check_second(statement, recommendation.verdict)
    _check_acknowledged(statement, recommendation)


def _check_texts(statement: Statement) -> None:
    texts = {
        "the examiner's name": statement.examiner,
        "the reason": statement.reason,
        "the power": statement.power,
        "the necessity": statement.necessity,
        "the practicability": statement.practicability,
        "the second person's name": statement.second,
        "the second person's reason": statement.second_reason,
    }
    for what, text in texts.items():
        if text is not None:
            check_text(text, what)


def _check_second(statement: Statement, recommended: Verdict) -> None:
    name, reason = statement.second, statement.second_reason
    if (name is None) != (reason is None):
        raise UsageError("a second person is a name and a reason; give both", field="second")
    if name is not None and same_person(name, statement.examiner):
        raise UsageError(
            f"{name} cannot be examiner and second person at once; give the name of somebody else", field="second"
        )
    if name is None and is_against(statement.verdict, recommended):
        raise UsageError(
            f"to {statement.verdict} is against the recommendation ({recommended}); a second person has to stand for "
            "it: give the name and the reason of that person, or refer the exhibit to the laboratory",
            field="second",
        )


def _check_acknowledged(statement: Statement, recommendation: Recommendation) -> None:
    standing = codes_of(limitations(recommendation))
    for code in statement.acknowledged:
        if code not in standing:
            held = ", ".join(standing) or "none"
            raise UsageError(f"{code} is no limitation of this recommendation; its limitations are: {held}")
    left = codes_of(unacknowledged(statement.acknowledged, recommendation))
    if left and statement.acknowledged and must_acknowledge(statement.verdict):
        raise UsageError(
            f"a return acknowledges everything that was not looked at, or nothing; left out: {', '.join(left)}; read "
            "the reasons of the recommendation, then acknowledge these as well",
            field="acknowledged",
        )


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(character for character in folded if unicodedata.category(character) != "Cf")
    return " ".join(seen.split())
