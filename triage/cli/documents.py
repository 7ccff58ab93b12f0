"""`triage documents`: the return receipt, the seizure label and the continuity sheet of an exhibit, as PDF."""

from pathlib import Path

import click

from triage.cli.parameters import PLACE
from triage.cli.rows import CASE, CSV, JSONL, ONE_EXHIBIT, writer


@click.command()
@CASE
@ONE_EXHIBIT
@click.option("--out", type=PLACE, required=True, metavar="DIR", help="folder for the documents, made when it is new")
@click.option("--print", "printed", is_flag=True, help="send them to the printer of this machine as well")
@JSONL
@CSV
def documents(case: Path, exhibit: str, out: Path, *, printed: bool, jsonl: bool, as_csv: bool) -> None:
    """Make the documents that go with an exhibit as it stands, as PDF.

    An exhibit that is returned has a return receipt, one that is seized or referred a label; every one has a continuity
    sheet. Each making and printing is a custody event. The same case gives the same document, byte by byte; nothing is
    overwritten.

    \b
    Example:
      triage documents --exhibit ABC/1 --out papers --print
    """  # noqa: D301 - \b is click's mark for text that must not be re-wrapped
    from triage.session.documents import documents_for, print_file, write  # noqa: PLC0415 - heavy to load, and help must come at once

    show = writer(("title", "file", "printed"), jsonl=jsonl, as_csv=as_csv)
    rows = []
    for document in documents_for(case, exhibit):
        path = write(case, exhibit, document, out)
        if printed:
            print_file(case, exhibit, path)
        told = {"exhibit": exhibit, "kind": document.kind.value, "title": document.title}
        rows.append({**told, "file": str(path), "printed": printed})
    show(rows, several=False)
