"""`triage console`: the console in this terminal, or in a browser on this machine."""

import signal
from pathlib import Path

import click


@click.command()
@click.option(
    "--case", type=click.Path(path_type=Path), default=Path("case"), show_default=True, help="folder of the case"
)
@click.option("--library", type=click.Path(path_type=Path), help="folder of the hash-set library")
@click.option(
    "--serve",
    type=click.IntRange(0, 65535),
    is_flag=False,
    flag_value=8391,
    metavar="[PORT]",
    help="show it in a browser on this machine instead; the address is printed once (0: any free port)",
)
def console(*, case: Path, library: Path | None, serve: int | None) -> None:
    """Examine several devices at once, look at findings and decide, in one window.

    The case is made by the first arrival. Everything the console does, the other commands do as well.

    \b
    Examples:
      triage console --case ./case
      triage console --case ./case --serve
    """  # noqa: D301 - \b is click's mark for text that must not be re-wrapped
    if serve is not None:
        from triage.ui.serving import serve_console  # noqa: PLC0415 - heavy to load, and help must come at once

        serve_console(case, library, serve)
        return
    from triage.session.host import person  # noqa: PLC0415 - as above
    from triage.ui.app import Console  # noqa: PLC0415 - as above
    from triage.ui.graphics import ask  # noqa: PLC0415 - as above

    application = Console(case, actor=person(), library=library)
    application.graphics = ask()  # here and nowhere else: a terminal that is asked again answers into the keys
    try:
        application.run()
    finally:
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # a second one would cut short what is being concluded
        application.close()
    if application.return_code:
        click.get_current_context().exit(application.return_code)
