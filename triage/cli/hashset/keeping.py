"""`triage hashset remove`, and what protects a library: keys, seals, encryption."""

import sys
from functools import partial
from pathlib import Path

import click

from triage.cli.hashset import options
from triage.cli.hashset.bar import shown
from triage.cli.parameters import PLACE
from triage.cli.stopping import stoppable
from triage.cli.text import safe

_ASK_KEY = partial(options.ask_secret, variable="DIGIVAN_KEY_PASSPHRASE")
_ASK_LIBRARY = partial(options.ask_secret, variable="DIGIVAN_LIBRARY_PASSPHRASE")
_ASK_NEW = partial(options.ask_secret, variable="DIGIVAN_NEW_PASSPHRASE", confirm=True)
_NOT_PLAIN = "each set is whole, encrypted or not: run the same command again to end the work"


@click.command()
@click.argument("name", type=options.SET_NAME)
@options.LIBRARY
@click.option("--yes", is_flag=True, help="do not ask")
def remove(name: str, library: Path | None, yes: bool) -> None:
    """Take the set NAME out of the library for good. On a terminal it is asked first."""
    from triage.session import library as sets  # noqa: PLC0415 - heavy to load, and help must come at once

    sets.require(name, library)
    if not yes and sys.stdin.isatty():
        click.confirm(safe(f"Remove the hash set {name}?"), abort=True, err=True)
    sets.remove(name, library)
    click.echo(safe(f"{name} removed"))


@click.command()
@click.argument("private", type=PLACE)
@click.argument("public", type=PLACE)
@click.option("--passphrase", is_flag=True, help="ask for a passphrase that protects the private key")
def key(private: Path, public: Path, passphrase: bool) -> None:
    """Make a pair of keys that seal sets, in two new files: PRIVATE stays in the lab, PUBLIC goes on every machine."""
    from triage.session import protection  # noqa: PLC0415 - heavy to load, and help must come at once

    words = _ASK_KEY(f"passphrase of {private}", confirm=True) if passphrase else None
    click.echo(safe(f"{public}: fingerprint {protection.make_key(private, public, words)}"))


@click.command()
@click.argument("public", type=PLACE)
@options.LIBRARY
def trust(public: Path, library: Path | None) -> None:
    """Let the library use only sets sealed by the key in the file PUBLIC, or by another that is trusted."""
    from triage.session import library as sets  # noqa: PLC0415 - heavy to load, and help must come at once
    from triage.session import protection  # noqa: PLC0415 - as above

    state = protection.trust(public, library)
    click.echo(safe(f"trusted: {state.name} ({state.fingerprint}); compare the fingerprint over another channel"))
    refused = [entry for entry in sets.listing(library) if entry.problem is not None]
    for entry in refused:
        click.echo(safe(f"refused from now on: {entry.problem}"), err=True)


@click.command()
@click.argument("name", type=options.SET_NAME)
@click.option("--key", type=PLACE, required=True, envvar="DIGIVAN_SIGNING_KEY", help="private key that seals the set")
@options.LIBRARY
def seal(name: str, key: Path, library: Path | None) -> None:
    """Put a seal on the set NAME, after every byte of it was verified."""
    from triage.session import protection  # noqa: PLC0415 - heavy to load, and help must come at once

    signer = protection.signer(key, _ASK_KEY)
    assert signer is not None
    with stoppable("the set is as it was"):
        state = protection.seal(name, signer, library)
    click.echo(safe(f"{name}: {state}"))


@click.command()
@options.KEY_FILE
@options.LIBRARY
def encrypt(key_file: Path | None, library: Path | None) -> None:
    """Encrypt the library where it lies; a set is used from memory then, after `triage hashset unlock`.

    The secret is a passphrase (asked for, or in $DIGIVAN_LIBRARY_PASSPHRASE) or a key file. Without it the sets are
    lost.
    """
    from triage.session import protection  # noqa: PLC0415 - heavy to load, and help must come at once

    secret = protection.secret_of(key_file, partial(_ASK_LIBRARY, confirm=True))
    with stoppable(_NOT_PLAIN), shown("encrypting") as progress:
        names = protection.encrypt(secret, library, partial(progress, "sets"))
    count = "1 hash set" if len(names) == 1 else f"{len(names)} hash sets"
    click.echo(f"{count} encrypted; triage hashset unlock opens the library")


@click.command()
@options.KEY_FILE
@options.LIBRARY
def unlock(key_file: Path | None, library: Path | None) -> None:
    """Open an encrypted library, at the start of a shift: decrypt every set into memory."""
    from triage.session import protection  # noqa: PLC0415 - heavy to load, and help must come at once

    secret = protection.secret_of(key_file, _ASK_LIBRARY)
    with stoppable("the library is locked"), shown("unlocking") as progress:
        folder = protection.unlock(secret, library, partial(progress, "sets"))
    click.echo(safe(f"unlocked in {folder}; triage hashset lock closes it"))


@click.command()
@options.LIBRARY
def lock(library: Path | None) -> None:
    """Close an encrypted library: remove everything of it from memory."""
    from triage.session import protection  # noqa: PLC0415 - heavy to load, and help must come at once

    click.echo("locked" if protection.lock(library) else "it was locked already")


@click.command()
@click.argument("what", type=click.Choice(["change", "add", "keep-only"]))
@options.KEY_FILE
@click.option("--new-key-file", type=PLACE, help="file that is to open the library, in place of a new passphrase")
@options.LIBRARY
def secret(what: str, key_file: Path | None, new_key_file: Path | None, library: Path | None) -> None:
    """Change the secret of an encrypted library, add one more, or keep only this one.

    The present secret is a passphrase (asked for or in $DIGIVAN_LIBRARY_PASSPHRASE) or --key-file, the new one a
    passphrase ($DIGIVAN_NEW_PASSPHRASE) or --new-key-file.
    """
    from triage.session import protection  # noqa: PLC0415 - heavy to load, and help must come at once

    known = protection.secret_of(key_file, _ASK_LIBRARY)
    change = protection.SecretChange(what)
    new = None
    if change is not protection.SecretChange.KEEP_ONLY:
        new = protection.secret_of(new_key_file, _ASK_NEW, "new passphrase of the library")
    protection.change_secret(change, known, new, library)
    click.echo("done: the sets themselves were not touched")
