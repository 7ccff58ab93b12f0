"""`triage hashset`: make, ask, keep and protect hash sets."""

import click

from triage.cli.hashset.asking import list_, lookup, show, verify
from triage.cli.hashset.keeping import encrypt, key, lock, remove, seal, secret, trust, unlock
from triage.cli.hashset.making import build, import_, update


@click.group()
def hashset() -> None:
    """Make, import and look into hash sets. A library is a folder of sealed files, one a set.

    \b
    A first set, from what a publisher gives, from files at hand, and what became of it:
      triage hashset import vics-2026-11.json --name national --set-version 2026-11
      triage hashset build known-pictures/ --name station
      triage hashset list
    """  # noqa: D301 - \b is click's mark for text that must not be re-wrapped


for command in (
    import_,
    build,
    update,
    list_,
    show,
    lookup,
    verify,
    remove,
    key,
    trust,
    seal,
    encrypt,
    unlock,
    lock,
    secret,
):
    hashset.add_command(command)
