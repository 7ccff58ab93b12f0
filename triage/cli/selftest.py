"""`triage selftest`: whether this machine gives known answers."""

import sys

import click

from triage.cli.output import console
from triage.cli.rows import JSON
from triage.cli.text import json_line, safe

_FAILED = 6


@click.command()
@JSON
def selftest(*, as_json: bool) -> int:
    """Try every ability on known material: digests, media types, pictures, archives, a file system, comparison.

    Every examination begins with the same. Nothing is written, and no evidence is needed. Exit code 6: something
    differs from the known answers, and this machine must not examine evidence.
    """
    from triage.session.selftest import self_test  # noqa: PLC0415 - heavy to load, and help must come at once

    result = self_test()
    if as_json:
        checks = [{"name": check.name, "passed": check.passed, "text": check.text} for check in result.checks]
        sys.stdout.write(json_line({"passed": result.passed, "checks": checks}) + "\n")
    else:
        out = console()
        for check in result.checks:
            out.print(f"{'passed' if check.passed else 'FAILED'}  {check.name}: {safe(check.text)}")
        out.print(f"The self-test {'passed' if result.passed else 'failed'}.")
    return 0 if result.passed else _FAILED
