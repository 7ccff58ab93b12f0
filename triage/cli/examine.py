"""`triage examine`: one source into a case, with live progress."""

import os
import sys
from contextlib import closing
from pathlib import Path

import click

from triage.cli.parameters import DURATION, PLACE, TEXT
from triage.cli.progress import progress_view
from triage.cli.report import show_result
from triage.cli.secrets import given
from triage.cli.stopping import Stopped, stoppable
from triage.cli.text import json_line
from triage.engine.plan import Profile
from triage.model.errors import SourceError, UsageError
from triage.model.event import EndedBy
from triage.model.item import printable

_LIMITS = {
    EndedBy.TIME_LIMIT: "stopped because the time limit is reached",
    EndedBy.ENOUGH_FOUND: "stopped because enough is found",
}


def default_exhibit(source: Path) -> str:
    """Return the reference used when none is given: the source's own name.

    Raises UsageError for a block device, whose name is that of a slot and not of the thing in it.
    """
    try:
        if source.is_block_device():
            raise UsageError(f"{source} names a slot, not the device in it; give the device's reference with --exhibit")
        return printable(source.name or Path.cwd().name) or "exhibit"
    except OSError as error:
        raise SourceError(f"{source} cannot be found: {error.strerror}; name the source by its full path") from error


@click.command()
@click.argument("source", type=PLACE)
@click.option("--case", type=PLACE, default=Path("case"), show_default=True, help="folder of the case")
@click.option("--exhibit", type=TEXT, help="reference such as ABC/1 [default: the source's name]")
@click.option(
    "--profile",
    type=click.Choice([profile.value for profile in Profile]),
    default=Profile.SCENE.value,
    show_default=True,
    help="exact: digests of every file; scene: pictures, videos, archives and a sample of blocks compared as well, "
    "known software and files over 1 MiB of a size that no set holds left out; full: nothing left out, thumbnails, "
    "shadow copies and all free space searched",
)
@click.option("--jobs", type=click.IntRange(1, 64), help="worker processes [default: processor cores]")
@click.option("--library", type=PLACE, help="folder of the hash sets")
@click.option(
    "--policy",
    type=TEXT,
    default="uk-scene",
    show_default=True,
    help="what a result may rest on: uk-scene, uk-lab, strict, or a TOML file",
)
@click.option("--unlock", is_flag=True, help="ask for passwords and recovery keys of encrypted volumes; none is stored")
@click.option("--unlock-file", type=PLACE, multiple=True, metavar="FILE", help="read them from a text file, one a line")
@click.option("--unlock-key", type=PLACE, multiple=True, metavar="FILE", help="a key file: a .BEK, or one of LUKS")
@click.option("--indicators", type=PLACE, metavar="FILE", help="a force's own table of telling names (TOML)")
@click.option("--keywords", type=PLACE, metavar="FILE", help="a force's own words to look for in names, one a line")
@click.option("--verify-source", is_flag=True, help="first compare the whole source with the digests it claims (E01)")
@click.option(
    "--time-limit", type=DURATION, metavar="TIME", help="stop a run after so long, such as 20m or 1h30m; resumable"
)
@click.option("--enough", type=click.IntRange(1), metavar="N", help="stop when the exhibit has N findings; resumable")
@click.option(
    "--profile-run",
    type=PLACE,
    metavar="FILE",
    help="write a trace of where the time went to a new file (Perfetto opens it)",
)
@click.option("--json", "as_json", is_flag=True, help="print one JSON object in place of the report")
def examine(
    *,
    source: Path,
    case: Path,
    exhibit: str | None,
    profile: str,
    jobs: int | None,
    library: Path | None,
    policy: str,
    unlock: bool,
    unlock_file: tuple[Path, ...],
    unlock_key: tuple[Path, ...],
    indicators: Path | None,
    keywords: Path | None,
    verify_source: bool,
    time_limit: float | None,
    enough: int | None,
    profile_run: Path | None,
    as_json: bool,
) -> None:
    """Examine SOURCE (disk image, block device or folder) into a case; SOURCE is only ever read.

    Images are recognised by content: raw, split raw, E01/Ex01, VMDK, VHD, VHDX, QCOW2, DMG; name the first file of a
    set. An examination that was stopped or killed goes on where it was when the same command is given again.

    \b
    Examples:
      triage examine suspect.E01 --case ./case --exhibit ABC/1
      triage examine /dev/sdb --case ./case --exhibit ABC/2 --profile exact
    """  # noqa: D301 - \b is click's mark for text that must not be re-wrapped
    from triage.session.host import ready_workers  # noqa: PLC0415 - light, and first: both load at the same time

    ready_workers(pictures=profile != Profile.EXACT)
    from triage.engine.plan import Stop  # noqa: PLC0415 - heavy to load, and help must come at once
    from triage.session import library as sets  # noqa: PLC0415 - as above
    from triage.session.examination import Examination, Order  # noqa: PLC0415 - as above

    order = Order(
        source=source,
        case=case,
        exhibit=exhibit or default_exhibit(source),
        profile=Profile(profile),
        jobs=jobs or os.cpu_count() or 1,
        library=library,
        policy=policy,
        secrets=given(asked=unlock, lists=unlock_file, keys=unlock_key),
        indicators=indicators,
        keywords=keywords,
        verify_source=verify_source,
        stop=Stop(seconds=time_limit, findings=enough),
        trace=profile_run,
    )
    with (
        stoppable("everything found so far is kept: run the same command again to resume"),
        Examination(order) as examination,
    ):
        warnings = () if examination.finished else sets.warnings(library)
        view = progress_view(order.exhibit, warnings, resumed=examination.resumed, finished=examination.finished)
        with view, closing(examination.events()) as events:
            for event in events:
                view.show(event)
    _print(case, order.exhibit, as_json=as_json)
    if not examination.finished:
        raise Stopped(f"{_LIMITS[examination.ended_by]}; repeat the command to go on")


def _print(case: Path, exhibit: str, *, as_json: bool) -> None:
    from triage.session.examination import open_case  # noqa: PLC0415 - heavy to load, and help must come at once

    with open_case(case) as reader:
        result = reader.queries.summary(exhibit)
        if as_json:
            sys.stdout.write(json_line(result) + "\n")
        else:
            show_result(result, reader.queries.findings(exhibit))
