"""Custody events: a chain that shows every change."""

from dataclasses import replace

import pytest

from triage.model.custody import FIRST, CustodyEvent


def event(after: CustodyEvent | None) -> CustodyEvent:
    return CustodyEvent.after(
        after, when="2026-03-14T09:26:52Z", actor="A", action="case.created", subject="X", payload={"b": 1, "a": "é"}
    )


def test_each_event_is_linked_to_the_one_before() -> None:
    first = event(None)
    second = event(first)
    assert (first.sequence, first.previous) == (1, FIRST)
    assert (second.sequence, second.previous) == (2, first.digest)
    assert first.payload == '{"a":"é","b":1}'


@pytest.mark.parametrize("field", ["when", "actor", "action", "subject", "payload", "previous"])
def test_a_changed_field_is_noticed(field: str) -> None:
    sound = event(None)
    assert sound.is_sound()
    assert not replace(sound, **{field: "changed"}).is_sound()  # type: ignore[arg-type]
