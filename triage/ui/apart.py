"""Work that loads what the console does without, and would hold up its screens: done in a process of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from triage.model.errors import DigiVanError, StoreError
from triage.model.selftest import SelfTest

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRow:
    """One file of the hash-set library, in words; `age_days` is None where nobody said of which day it is."""

    name: str
    version: str = ""
    kind: str = ""
    published: str = ""
    age_days: int | None = None
    old: bool = False
    records: int = 0
    seal: str = ""
    problem: str = ""
    verified: bool = False


class Apart:
    """One process, started by the first call; a call made while another runs waits for it."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def call(self, function: Callable[..., _Result], *given: object) -> _Result:
        """Return what a function of a module returns; its errors are raised here, StoreError where the process died."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, function, *given)
        except BrokenProcessPool as error:
            self._pool = None
            raise StoreError("the process that was to do this ended before its time; try again") from error

    def close(self) -> None:
        """Let the process end; what it does at the moment is waited for, what it was to do is not."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def hash_sets(library: Path | None, verify: bool) -> tuple[str, list[SetRow]]:
    """Return the folder of the library and its sets; with `verify` every byte of them is read. Raises StoreError."""
    from triage.session import library as sets  # noqa: PLC0415 - heavy, and wanted only in a process of its own

    held = sets.library_at(library)
    entries = sets.verify((), library) if verify else iter(sets.listing(library))
    rows = []
    for entry in entries:
        header = entry.header
        if header is None:
            rows.append(SetRow(name=entry.path.name, problem=entry.problem or "", verified=entry.verified))
            continue
        age = sets.age_days(header.meta)
        rows.append(
            SetRow(
                name=header.meta.name,
                version=header.meta.version,
                kind=header.meta.kind.value,
                published=header.meta.published or header.meta.date,
                age_days=age,
                old=age is None or age < -1 or age > sets.OLD_DAYS,
                records=header.counts.get("records", 0),
                seal=str(entry.seal) if entry.seal is not None else "",
                problem=entry.problem or "",
                verified=entry.verified,
            )
        )
    return str(held.folder), rows


def self_test() -> SelfTest:
    """Return how the self-test goes on this machine."""
    from triage.session.selftest import self_test as test  # noqa: PLC0415 - as above

    return test()


def verify_ledger(case: Path) -> str:
    """Walk the whole ledger of a case and return what is wrong with it, the empty text where nothing is."""
    from triage.session.examination import open_case  # noqa: PLC0415 - as above

    try:
        open_case(case).close()
    except DigiVanError as error:
        return str(error)
    return ""
