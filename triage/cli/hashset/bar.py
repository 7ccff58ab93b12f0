"""How far a job on a hash set is: a bar on a terminal, a line every few seconds without one."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from triage.cli.output import console
from triage.cli.text import duration, safe, size

Show = Callable[[str, int, int], None]
"""Told the step, how much of it is done, and how much there is, 0 where that is not known: bytes, or rows to seal."""

_IN_ROWS = "sealing"
_LINE_SECONDS = 5.0
_REDRAWN_SECONDS = 0.1


@contextmanager
def shown(title: str) -> Iterator[Show]:
    """Yield a function that shows how far a job is."""
    if not sys.stderr.isatty():
        yield _line_every_few_seconds(title)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[amount]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console(stderr=True), refresh_per_second=1 / _REDRAWN_SECONDS) as bar:
        task = bar.add_task(safe(title), total=None, amount="")
        step_before = ""

        def show(step: str, done: int, whole: int) -> None:
            nonlocal step_before
            if step != step_before:
                bar.reset(task, description=safe(f"{title}: {step}"), total=whole or None)
                step_before = step
            bar.update(task, completed=done, total=whole or None, amount=_amount(step, done, whole))

        yield show


def _line_every_few_seconds(title: str) -> Show:
    began = last = time.monotonic()
    step_before = ""

    def show(step: str, done: int, whole: int) -> None:
        nonlocal began, last, step_before
        now = time.monotonic()
        if step != step_before:
            began, step_before = now, step
        if now - last > _LINE_SECONDS:
            last = now
            left = f", about {duration((now - began) * (whole - done) / done)} left" if done and whole else ""
            click.echo(safe(f"{title}: {step}{_amount(step, done, whole)}{left}"), err=True)

    return show


def _amount(step: str, done: int, whole: int) -> str:
    if not whole:
        return ""
    return f" {done:,} of {whole:,}" if step == _IN_ROWS else f" {size(done)} of {size(whole)}"
