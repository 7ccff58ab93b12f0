import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from suite import absent

from triage.hashsets.protection.encrypted import decrypt
from triage.hashsets.protection.envelope import Secret, SecretKind, read_envelope
from triage.hashsets.protection.vault import Vault
from triage.model.errors import StoreError, UsageError

SECRET = Secret(SecretKind.KEY_FILE, bytes(range(64)))
OTHER = Secret(SecretKind.KEY_FILE, bytes(64))
SETS = {
    "big.hashset": b"an invented set, longer than a chunk " * 30_000,
    "empty.hashset": b"",
    "Zoë %2E.hashset": b"invented",
}
STORED = b"an invented set of another time"

# Does one thing with the library again and again, each time in a new process that is killed one step later: a step is
# a call that changes or opens a file, or a chunk. It ends when a process came to its end.
KILLER = """
import os, shutil, signal, sys
from pathlib import Path
from triage.hashsets.protection.envelope import Secret, SecretKind
from triage.hashsets.protection.vault import Vault

work, memory, what, ready = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4] == "unlocked"
secret, other = Secret(SecretKind.KEY_FILE, bytes(range(64))), Secret(SecretKind.KEY_FILE, bytes(64))
number, status = 0, None
while status != 0:
    number += 1
    shutil.copytree(work / "0", work / str(number))
    vault = Vault(work / str(number), [memory / str(number)])
    if ready:
        vault.unlock(secret)
    process = os.fork()
    if process == 0:
        left = number
        def step(event="open", *_):
            global left
            if event == "open" or event.startswith("os."):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(step)
        calls = {
            "unlock": lambda: vault.unlock(secret, lambda *_: step()),
            "lock": vault.lock,
            "store": lambda: vault.store(work / "new", "big.hashset", lambda *_: step()),
            "encrypt": lambda: vault.encrypt_existing(secret, lambda *_: step()),
            "secret": lambda: vault.change_secret(secret, other),
        }
        calls[what]()
        os._exit(0)
    status = os.waitpid(process, 0)[1]
    assert status in (0, signal.SIGKILL), status
print(number)
"""


@pytest.fixture
def in_memory() -> Iterator[Path]:
    shared = Path("/dev/shm")
    if not shared.is_dir():
        absent("a folder in memory")
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        yield Path(folder)


@pytest.fixture
def place(in_memory: Path) -> Path:
    return in_memory / "place"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    for name, content in SETS.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def vault(library: Path, place: Path) -> Vault:
    made = Vault.create(library, SECRET, [place])
    made.encrypt_existing(SECRET)
    return made


def contents(folder: Path | None) -> dict[str, bytes]:
    assert folder is not None
    return {path.name: path.read_bytes() for path in folder.glob("[!.]*")}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def decrypted(library: Path, name: str, secret: Secret = SECRET) -> bytes:
    key, _ = read_envelope(library).open(secret)
    return b"".join(decrypt(library / f"{name}.enc", key, name))


ENCRYPTED = sorted([*(f"{name}.enc" for name in SETS), "vault.json"])


def test_a_library_with_plain_sets_holds_encrypted_ones_only(library: Path, place: Path) -> None:
    vault = Vault.create(library, SECRET, [place])
    assert contents(library).keys() >= SETS.keys(), "nothing is touched before it is asked for"
    told: list[tuple[int, int]] = []
    assert vault.encrypt_existing(SECRET, lambda *numbers: told.append(numbers)) == tuple(sorted(SETS))
    assert names(library) == ENCRYPTED
    assert not any(b"invented" in content for content in contents(library).values())
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] == 2 * sum(map(len, SETS.values()))
    assert vault.encrypt_existing(SECRET) == ()


def test_unlocked_sets_are_the_ones_that_were_encrypted_and_private(vault: Vault, place: Path) -> None:
    told: list[tuple[int, int]] = []
    folder = vault.unlock(SECRET, lambda *numbers: told.append(numbers))
    assert contents(folder) == SETS
    assert vault.unlocked == folder == place / read_envelope(vault.folder).id
    assert place.stat().st_mode & 0o777 == folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert told[-1] == (sum(map(len, SETS.values())),) * 2


def test_locking_leaves_nothing_in_memory(vault: Vault, place: Path) -> None:
    assert not vault.lock()
    vault.unlock(SECRET)
    assert vault.lock()
    assert vault.unlocked is None
    assert names(place) == []


def test_a_process_keeps_what_it_has_open(vault: Vault) -> None:
    with (vault.unlock(SECRET) / "big.hashset").open("rb") as file:
        vault.lock()
        assert file.read() == SETS["big.hashset"]


def test_a_wrong_secret_opens_nothing_even_if_it_is_unlocked(vault: Vault, place: Path) -> None:
    for _ in range(2):
        with pytest.raises(UsageError, match="the key file does not open this hash-set library"):
            vault.unlock(OTHER)
        with pytest.raises(UsageError, match="does not open"):
            vault.encrypt_existing(OTHER)
        with pytest.raises(UsageError, match="does not open"):
            vault.change_secret(OTHER, SECRET)
        vault.unlock(SECRET)
    assert len(names(place)) == 1


def test_a_folder_is_a_vault_once(vault: Vault, tmp_path: Path, place: Path) -> None:
    assert Vault.find(vault.folder, [place])
    assert Vault.find(tmp_path, [place]) is None
    assert Vault.find(tmp_path / "none", [place]) is None
    with pytest.raises(UsageError, match="is encrypted already"):
        Vault.create(vault.folder, OTHER, [place])
    assert contents(vault.unlock(SECRET)) == SETS


def test_encrypted_sets_without_their_envelope_are_no_empty_library(vault: Vault, place: Path) -> None:
    (vault.folder / "vault.json").unlink()
    for use in (Vault.find, lambda folder, places: Vault.create(folder, OTHER, places)):
        with pytest.raises(StoreError, match=r"vault\.json is missing: bring back a copy"):
            use(vault.folder, [place])


def test_secrets_are_changed_added_and_dropped(vault: Vault) -> None:
    passphrase = Secret.passphrase("a passphrase of the van")
    vault.add_secret(SECRET, passphrase)
    vault.change_secret(SECRET, OTHER)
    with pytest.raises(UsageError):
        vault.unlock(SECRET)
    vault.unlock(OTHER)
    vault.unlock(passphrase)
    vault.keep_only(OTHER)
    with pytest.raises(UsageError, match="the passphrase does not open"):
        vault.unlock(passphrase)
    assert contents(vault.unlock(OTHER)) == SETS


@pytest.mark.parametrize("damage", ["flip", "cut", "swap", "name"])
def test_one_damaged_set_is_named_and_nothing_is_unlocked(vault: Vault, place: Path, damage: str) -> None:
    big, zoe = (vault.folder / f"{name}.enc" for name in ("big.hashset", "Zoë %2E.hashset"))
    data = big.read_bytes()
    if damage == "flip":
        big.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif damage == "cut":
        big.write_bytes(data[:-1])
    elif damage == "swap":
        big.write_bytes(zoe.read_bytes())
    else:
        big.rename(vault.folder / "bigger.hashset.enc")
    with pytest.raises(StoreError, match=r"/big(ger)?\.hashset\.enc: the encrypted hash set is refused"):
        vault.unlock(SECRET)
    assert names(place) == []
    assert vault.unlocked is None


def test_sets_of_another_vault_are_refused(vault: Vault, tmp_path: Path, place: Path) -> None:
    other = Vault.create(tmp_path / "other", SECRET, [place])
    (vault.folder / "big.hashset.enc").rename(other.folder / "big.hashset.enc")
    with pytest.raises(StoreError, match="refused"):
        other.unlock(SECRET)


def test_a_folder_in_memory_without_proof_is_not_taken_for_the_library(vault: Vault) -> None:
    folder = vault.unlock(SECRET)
    (folder / ".key").write_bytes(bytes(32))
    assert vault.unlocked is None
    (folder / "foreign.hashset").write_bytes(b"foreign")
    assert contents(vault.unlock(SECRET)) == SETS
    (folder / ".key").unlink()
    assert vault.unlocked is None


def test_an_unsafe_folder_in_memory_is_refused(vault: Vault, place: Path) -> None:
    folder = vault.unlock(SECRET)
    uses: tuple[Callable[[], object], ...] = (lambda: vault.unlocked, lambda: vault.unlock(SECRET), vault.lock)
    for path in (folder, place):
        path.chmod(0o755)
        for use in uses:
            with pytest.raises(StoreError, match="other users may enter it: remove it"):
                use()
        path.chmod(0o700)
    folder.rename(place / "elsewhere")
    folder.symlink_to(place / "elsewhere")
    for use in uses:
        with pytest.raises(StoreError, match="it is a link"):
            use()


def test_no_place_in_memory_is_an_error_and_not_a_disk(vault: Vault) -> None:
    on_proc = Vault(vault.folder, [Path("/proc/self/place")])
    with pytest.raises(StoreError, match=r"/proc/self/place: it is not in memory \(tmpfs\)"):
        on_proc.unlock(SECRET)


def test_a_stored_set_is_in_the_library_and_in_memory(vault: Vault) -> None:
    folder = vault.unlock(SECRET)
    for name in ("big.hashset", "new.hashset"):
        made = folder / ".made"
        made.write_bytes(STORED)
        vault.store(made, name)
        made.rename(folder / name)
        assert decrypted(vault.folder, name) == STORED
    assert vault.unlocked == folder
    vault.lock()
    assert contents(vault.unlock(SECRET)) == SETS | {"big.hashset": STORED, "new.hashset": STORED}


def test_nothing_is_stored_in_a_locked_library_or_under_no_name(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(STORED)
    with pytest.raises(UsageError, match="library is locked: unlock it"):
        vault.store(tmp_path / "new", "new.hashset")
    vault.unlock(SECRET)
    for name in ("new", "../new.hashset", ".hashset", "vault.json"):
        with pytest.raises(UsageError, match="is not the name of a set file"):
            vault.store(tmp_path / "new", name)
    assert names(vault.folder) == ENCRYPTED


def test_a_removed_set_is_gone_from_both_places(vault: Vault) -> None:
    folder = vault.unlock(SECRET)
    vault.remove("big.hashset")
    assert "big.hashset" not in names(folder)
    assert vault.unlocked == folder
    vault.lock()
    vault.remove("empty.hashset")
    assert contents(vault.unlock(SECRET)).keys() == {"Zoë %2E.hashset"}
    with pytest.raises(UsageError, match=r"big\.hashset\.enc is not there"):
        vault.remove("big.hashset")


def test_a_library_that_changed_since_is_not_used_as_it_was(vault: Vault) -> None:
    folder = vault.unlock(SECRET)
    big = vault.folder / "big.hashset.enc"
    changes: tuple[Callable[[], object], ...] = ((folder / "big.hashset").unlink, big.touch)
    for change in changes:
        change()
        with pytest.raises(StoreError, match=r"not those of the library: big\.hashset is missing or another: unlock"):
            _ = vault.unlocked
        assert vault.unlock(SECRET) == folder
        assert contents(vault.unlocked) == SETS


def test_a_plain_set_in_an_encrypted_library_is_not_passed_over(vault: Vault) -> None:
    vault.unlock(SECRET)
    (vault.folder / "big.hashset").write_bytes(STORED)
    with pytest.raises(StoreError, match=r"big\.hashset lies unencrypted in an encrypted library"):
        _ = vault.unlocked
    with pytest.raises(StoreError, match="lies unencrypted"):
        vault.unlock(SECRET)
    vault.encrypt_existing(SECRET)
    assert contents(vault.unlock(SECRET)) == SETS | {"big.hashset": STORED}


def test_plain_bytes_that_would_stay_behind_stop_the_encryption(library: Path, place: Path) -> None:
    vault = Vault.create(library, SECRET, [place])
    (library / "second").hardlink_to(library / "big.hashset")
    with pytest.raises(StoreError, match=r"big\.hashset is a link, or has another name besides"):
        vault.encrypt_existing(SECRET)
    (library / "big.hashset").unlink()
    (library / "big.hashset").symlink_to("second")
    with pytest.raises(StoreError, match=r"big\.hashset is a link"):
        vault.encrypt_existing(SECRET)
    (library / "second").rename(library / "big.hashset")
    (library / ".making-x").write_bytes(b"half a set")
    with pytest.raises(StoreError, match=r"\.making-x is a set in plain"):
        vault.encrypt_existing(SECRET)
    (library / ".making-x").unlink()
    vault.encrypt_existing(SECRET)
    assert names(library) == ENCRYPTED


def test_a_plain_set_that_changes_meanwhile_is_not_removed(library: Path, place: Path, tmp_path: Path) -> None:
    vault = Vault.create(library, SECRET, [place])
    newer = tmp_path / "newer"
    newer.write_bytes(STORED)

    def replace(done: int, _: int) -> None:
        if done > 1000 and newer.exists():
            newer.rename(library / "big.hashset")

    with pytest.raises(StoreError, match=r"big\.hashset changed while it was encrypted"):
        vault.encrypt_existing(SECRET, replace)
    assert (library / "big.hashset").read_bytes() == STORED
    vault.encrypt_existing(SECRET)
    assert contents(vault.unlock(SECRET))["big.hashset"] == STORED


def test_several_that_unlock_at_once_decrypt_once(vault: Vault, place: Path) -> None:
    told: list[int] = []
    start = threading.Barrier(4)

    def unlock(_: int) -> Path:
        start.wait()
        return Vault(vault.folder, [place]).unlock(SECRET, lambda done, _: told.append(done))

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(unlock, range(4)))) == 1
    assert len(told) == 4, "one decryption of four chunks"
    assert contents(vault.unlocked) == SETS


def killed(what: str, library: Path, memory: Path, *, unlocked: bool = False) -> Iterator[Vault]:
    """Yield the library as each kill left it; the last one was not killed."""
    work = library.parent / "work"
    work.mkdir()
    library.rename(work / "0")
    (work / "new").write_bytes(STORED)
    command: list[str | Path] = [sys.executable, "-c", KILLER, work, memory, what, "unlocked" if unlocked else "locked"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    count = int(done.stdout)
    assert count > 5, "it was killed at many points"
    for number in range(1, count + 1):
        yield Vault(work / str(number), [memory / str(number)])


def test_sets_are_whole_in_one_form_whenever_encrypting_is_killed(library: Path, in_memory: Path) -> None:
    Vault.create(library, SECRET, [in_memory / "0"])
    for vault in killed("encrypt", library, in_memory):
        for name, content in SETS.items():
            plain = vault.folder / name
            assert (plain.read_bytes() if plain.exists() else decrypted(vault.folder, name)) == content
        vault.encrypt_existing(SECRET)
        vault.encrypt_existing(SECRET)
        assert contents(vault.unlock(SECRET)) == SETS
        assert names(vault.folder) == ENCRYPTED


def test_a_killed_unlock_is_no_unlocked_library_and_is_done_again(vault: Vault, in_memory: Path) -> None:
    for after in killed("unlock", vault.folder, in_memory):
        folder = after.unlocked
        assert folder is None or contents(folder) == SETS
        assert contents(after.unlock(SECRET)) == SETS
        assert after.lock()
        assert names(in_memory / after.folder.name) == []


def test_a_killed_lock_is_done_again(vault: Vault, in_memory: Path) -> None:
    for after in killed("lock", vault.folder, in_memory, unlocked=True):
        folder = after.unlocked
        assert folder is None or contents(folder) == SETS
        after.lock()
        assert names(in_memory / after.folder.name) == []


def test_a_killed_store_leaves_the_old_set_or_the_new_one(vault: Vault, in_memory: Path) -> None:
    seen = set()
    for after in killed("store", vault.folder, in_memory, unlocked=True):
        seen.add(decrypted(after.folder, "big.hashset"))
        assert contents(after.unlock(SECRET)).keys() == SETS.keys()
    assert seen == {SETS["big.hashset"], STORED}


def test_a_killed_change_of_secret_leaves_the_old_one_or_the_new_one(vault: Vault, in_memory: Path) -> None:
    for after in killed("secret", vault.folder, in_memory):
        envelope = read_envelope(after.folder)
        assert sum(envelope.slots[0].unwrap(secret, envelope.id) is not None for secret in (SECRET, OTHER)) == 1
