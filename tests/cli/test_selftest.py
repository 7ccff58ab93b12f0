"""`triage selftest` as a user meets it."""

import json

import pytest
from click.testing import CliRunner
from suite import Triage

from triage.cli.selftest import selftest
from triage.engine.selftest import known_answers
from triage.engine.selftest.checks import CHECKS


def test_the_command_tells_every_check_and_ends_well(triage: Triage) -> None:
    ran = triage("selftest")
    assert (ran.code, ran.err) == (0, "")
    expected = [f"passed  {name}: as known" for name in CHECKS]
    assert ran.out.splitlines() == [*expected, "The self-test passed."]


def test_a_failure_ends_with_its_own_code_and_says_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_answers, "PDQ_RADIUS", 40)
    ran = CliRunner().invoke(selftest, [], standalone_mode=False)
    assert ran.return_value == 6
    *checks, last = ran.output.splitlines()
    assert [line.split(maxsplit=1)[0] for line in checks] == ["passed"] * 7 + ["FAILED"]
    assert checks[-1] == "FAILED  comparison by appearance: matches of a pdq 40 bits away: [], not [40]"
    assert last == "The self-test failed."
    as_json = CliRunner().invoke(selftest, ["--json"], standalone_mode=False)
    assert as_json.return_value == 6
    told = json.loads(as_json.output)
    assert told["passed"] is False
    assert [check["name"] for check in told["checks"] if not check["passed"]] == ["comparison by appearance"]
