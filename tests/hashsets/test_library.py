"""The library: one file a set, whole or not there, whoever works on it at the same time and whatever stops them."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.hashsets.compile import Destination, compile_records
from triage.hashsets.hashset import HashSet
from triage.hashsets.library import Library
from triage.hashsets.naming import set_name
from triage.hashsets.protection.envelope import Secret
from triage.hashsets.protection.signing import Signer, generate_key
from triage.hashsets.protection.vault import Vault
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.model.digest import Digests
from triage.model.errors import StoreError, UsageError
from triage.model.finding import SetKind

Member = Callable[[int], Record]


def meta(name: str, version: str = "1") -> SetMeta:
    return SetMeta(name=name, version=version, kind=SetKind.NOTABLE, date="2026-01-02")


def put(library: Library, name: str, *records: Record, version: str = "1", signer: Signer | None = None) -> Path:
    return compile_records(records, meta(name, version), Destination(library=library, signer=signer)).path


def names(library: Library) -> list[str]:
    return [listing.header.meta.name for listing in library.sets(verify=True) if listing.header]


def test_a_library_that_is_not_there_is_empty(tmp_path: Path) -> None:
    library = Library(tmp_path / "none" / "yet")
    assert library.sets() == ()
    assert library.open_all() == ()
    assert library.size() == 0
    assert not library.folder.exists()


def test_sets_come_in_the_order_of_their_file_names(library: Library, member: Member) -> None:
    for name in ["zeta", "Alpha", "m 2", "日本"]:
        put(library, name, member(1))
    assert names(library) == ["Alpha", "m 2", "zeta", "日本"]
    assert [opened.identity.name for opened in library.open_all()] == names(library)


@pytest.mark.parametrize(
    "name", ["../../etc/x", "a/b", ".", "..", ".hidden", "a\\b", "a:b%2F", "x.hashset", "'; --", ".making-x", "trusted"]
)
def test_a_name_never_leaves_the_folder(library: Library, member: Member, name: str) -> None:
    path = put(library, name, member(1))
    assert path.parent == library.folder
    assert path == library.path_of(name)
    assert names(library) == [name]


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(NAMES, NAMES)
def test_any_two_names_lie_in_two_files_or_are_refused(one: str, other: str) -> None:
    library = Library(Path("library"))
    stems = []
    for name in (one, other):
        try:
            path = library.path_of(name)
        except UsageError as error:
            assert "\n" not in str(error)  # noqa: PT017 - some names are fine
            return
        assert path.parent == library.folder
        assert not path.name.startswith(".")
        assert len(os.fsencode(path.name)) < 256
        stems.append(path.name.removesuffix(".hashset"))
    assert (stems[0] == stems[1]) == (set_name(one) == set_name(other))


def test_different_names_lie_in_different_files(library: Library) -> None:
    different = ["a/b", "a%2Fb", "a.b", "a%2Eb", "a b", "a_b", "A b"]
    assert len({library.path_of(name) for name in different}) == len(different)


def test_one_name_in_two_unicode_spellings_is_one_set(library: Library, member: Member) -> None:
    put(library, "Zo\u00eb", member(1))
    put(library, " Zoe\u0308 ", member(1), version="2")
    assert names(library) == ["Zo\u00eb"]
    assert library.open("Zoe\u0308").identity.version == "2"


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "a\0b", "a\u2028b", "\udcff", "x" * 201, "ß" * 101, "\x1b[31m"])
def test_what_is_no_name_is_wrong_usage(library: Library, name: str) -> None:
    with pytest.raises(UsageError):
        library.path_of(name)


def test_a_newer_version_takes_the_place_and_names_the_older(library: Library, member: Member) -> None:
    old = compile_records([member(1)], meta("set", "1"), Destination(library=library))
    still_open = library.open_all()[0]
    new = compile_records([member(2)], meta("set", "2"), Destination(library=library))
    assert old.replaced is None
    assert new.replaced is not None
    assert new.replaced.identity == old.header.identity
    assert [opened.identity.version for opened in library.open_all()] == ["2"]
    md5 = member(1).md5
    assert md5
    assert still_open.match(Digests(md5=md5.hex())), "a run keeps the version it opened"


def test_an_unreadable_set_is_listed_and_stops_a_run(library: Library, member: Member) -> None:
    put(library, "good", member(1))
    library.path_of("bad").write_bytes(b"not a set")
    bad, good = library.sets()
    assert bad.header is None
    assert bad.problem is not None
    assert "not a sealed hash set" in bad.problem
    assert good.header is not None
    with pytest.raises(StoreError, match="bad"):
        library.open_all()
    assert library.open("good").identity.name == "good"
    library.remove("bad")
    assert names(library) == ["good"]


def test_other_files_in_the_folder_are_no_sets(library: Library, member: Member) -> None:
    put(library, "good", member(1))
    (library.folder / ".import-abc.partial").write_bytes(b"left by a kill")
    (library.folder / "notes.txt").write_text("x")
    (library.folder / ".hidden.hashset").write_text("x")
    assert len(library.sets()) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device"), RuntimeError])
def test_nothing_is_left_behind_and_the_old_set_stays(library: Library, member: Member, error: BaseException) -> None:
    kept = put(library, "set", member(1))
    before = kept.read_bytes()

    def failing() -> Iterator[Record]:
        yield member(2)
        raise error

    with pytest.raises((KeyboardInterrupt, StoreError, RuntimeError)):
        compile_records(failing(), meta("set", "2"), Destination(library=library))
    assert list(library.folder.iterdir()) == [kept]
    assert kept.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path, member: Member) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="Not a directory") as caught:
        put(Library(tmp_path / "file" / "library"), "set", member(1))
    assert str(tmp_path / "file") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_library_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match=r"file.*Not a directory"):
        Library(tmp_path / "file").sets()


def test_a_new_set_is_for_its_owner_alone(library: Library, member: Member, tmp_path: Path) -> None:
    path = put(library, "set", member(1))
    assert path.stat().st_mode & 0o777 == 0o600
    generate_key(tmp_path / "private", tmp_path / "public.pem")
    library.seal("set", Signer.load(tmp_path / "private"))
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_set_that_is_not_there_is_wrong_usage(library: Library, member: Member) -> None:
    put(library, "set", member(1))
    for ask in (library.open, library.remove, library.listing, library.existing):
        with pytest.raises(UsageError, match="no such hash set"):
            ask("other")


def _put_one(folder: Path, name: str, number: int) -> str:
    """Make a set; for another process."""
    records = [Record(md5=(number * 1000 + place).to_bytes(16)) for place in range(1, 200)]
    return compile_records(records, meta(name, str(number)), Destination(library=Library(folder))).header.digest


def test_many_processes_make_sets_at_once(library: Library) -> None:
    with ProcessPoolExecutor(6, get_context("fork")) as pool:
        same = [pool.submit(_put_one, library.folder, "same", number) for number in range(1, 25)]
        errors = [job.exception() for job in same]
    digests = [job.result() for job, error in zip(same, errors, strict=True) if error is None]
    lost = [str(error) for error in errors if error is not None]
    assert all("another set took this place meanwhile" in text for text in lost)
    (kept,) = library.open_all()
    assert kept.identity.digest in digests
    assert [path.name for path in library.folder.iterdir()] == ["same.hashset"]


WORKING = """
import sys
from pathlib import Path
from triage.hashsets.library import Library
with Library(Path(sys.argv[1])).workshop() as place:
    (place / "set.partial").write_bytes(b"half a set")
    print(place, flush=True)
    sys.stdin.read()
"""


def working(library: Library) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that is at work in the library, and return it with its workshop."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKING, library.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def test_the_workshop_of_a_killed_process_is_swept_and_that_of_a_living_one_stays(
    library: Library, member: Member
) -> None:
    (killed, left), (living, at_work) = working(library), working(library)
    with killed, living:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert (left / "set.partial").exists()
        assert names(library) == []
        put(library, "set", member(1))
        assert not left.exists()
        assert (at_work / "set.partial").exists()
        assert at_work.stat().st_mode & 0o777 == 0o700
        living.communicate()
    assert living.returncode == 0
    assert [path.name for path in library.folder.iterdir()] == ["set.hashset"]


def test_what_vanishes_while_it_is_swept_is_no_trouble(
    library: Library, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process ends its work between the listing of the folder and the look at its workshop."""
    put(library, "set", member(1))
    glob = Path.glob
    gone = library.folder / ".making-gone"
    monkeypatch.setattr(Path, "glob", lambda self, pattern: [*glob(self, pattern), gone])
    put(library, "other", member(2))
    assert names(library) == ["other", "set"]


def test_a_file_in_the_name_of_a_workshop_does_not_stop_the_library(library: Library, member: Member) -> None:
    library.folder.mkdir()
    (library.folder / ".making-file").write_text("x")
    (library.folder / ".making-link").symlink_to(library.folder / "none")
    put(library, "set", member(1))
    assert names(library) == ["set"]


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    generate_key(tmp_path / "force.key", tmp_path / "force.pem")
    return Signer.load(tmp_path / "force.key")


def test_with_a_trusted_key_only_its_seals_count(
    library: Library, member: Member, tmp_path: Path, signer: Signer
) -> None:
    put(library, "before", member(1))
    state = library.trust(tmp_path / "force.pem")
    assert state.name == "force"
    (refused,) = library.sets()
    assert refused.problem is not None
    assert "carries no seal" in refused.problem
    with pytest.raises(StoreError, match="carries no seal"):
        library.open_all()
    with pytest.raises(UsageError, match="--key"):
        put(library, "unsealed", member(2))
    generate_key(tmp_path / "stranger.key", tmp_path / "stranger.pem")
    with pytest.raises(UsageError, match="give the --key of a trusted signer"):
        put(library, "foreign", member(2), signer=Signer.load(tmp_path / "stranger.key"))
    assert [path.name for path in library.paths()] == ["before.hashset"]
    assert str(library.seal("before", signer)) == str(state)
    put(library, "sealed", member(2), signer=signer)
    assert [listing.seal for listing in library.sets(verify=True)] == [state, state]
    assert [path.name for path in library.folder.glob(".*")] == []


def test_a_key_that_is_trusted_already_does_no_harm(
    library: Library, member: Member, tmp_path: Path, signer: Signer
) -> None:
    library.trust(tmp_path / "force.pem")
    put(library, "set", member(1), signer=signer)
    (tmp_path / "same.pem").write_bytes((tmp_path / "force.pem").read_bytes())
    with pytest.raises(UsageError):
        library.trust(tmp_path / "same.pem")
    with pytest.raises(UsageError, match="is there already"):
        library.trust(tmp_path / "force.pem")
    assert names(library) == ["set"], "a library must stay usable after a mistake"


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_key_is_never_trusted(library: Library, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.pem").write_bytes(content)
    with pytest.raises(UsageError):
        library.trust(tmp_path / "bad.pem")
    assert not library.trusted.names


def test_a_seal_is_never_put_on_damage(library: Library, member: Member, signer: Signer) -> None:
    path = put(library, "set", member(1))
    content = bytearray(path.read_bytes())
    content[192] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match="not what was sealed"):
        library.seal("set", signer)
    assert path.read_bytes() == content


@pytest.fixture
def secret(tmp_path: Path) -> Secret:
    """Return a key file: passphrases are slow by design."""
    (tmp_path / "key").write_bytes(bytes(range(32)))
    return Secret.key_file(tmp_path / "key")


@pytest.fixture
def memory() -> Iterator[Path]:
    """Give a place in memory, where an encrypted library may lie unlocked."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def test_an_encrypted_library_is_used_while_it_is_unlocked(
    tmp_path: Path, memory: Path, member: Member, secret: Secret
) -> None:
    library = Library(tmp_path / "library", (memory,))
    put(library, "first", member(1))
    vault = Vault.create(library.folder, secret, (memory,))
    vault.encrypt_existing(secret)
    for use in (library.sets, library.open_all, lambda: library.open("first"), lambda: put(library, "x", member(2))):
        with pytest.raises(StoreError, match="locked"):
            use()
    vault.unlock(secret)
    assert names(library) == ["first"]
    path = put(library, "second", member(2))
    assert path.is_relative_to(memory)
    put(library, "first", member(3), version="2")
    held = {entry.name for entry in library.folder.iterdir()}
    assert {name for name in held if "hashset" in name} == {"first.hashset.enc", "second.hashset.enc"}
    assert not [name for name in held if name.startswith(".making")]
    record = member(2)
    assert record.md5
    stored = b"".join(entry.read_bytes() for entry in library.folder.iterdir() if entry.is_file())
    assert record.md5[8:] not in stored
    vault.lock()
    assert not [entry for entry in memory.rglob("*") if entry.is_file()]
    with pytest.raises(StoreError, match="locked"):
        library.sets()
    vault.unlock(secret)
    assert [opened.identity.version for opened in library.open_all()] == ["2", "1"]
    library.remove("first")
    assert names(library) == ["second"]
    assert not (library.folder / "first.hashset.enc").exists()


def test_an_encrypted_set_is_sealed_where_it_lies(
    tmp_path: Path, memory: Path, member: Member, signer: Signer, secret: Secret
) -> None:
    library = Library(tmp_path / "library", (memory,))
    vault = Vault.create(library.folder, secret, (memory,))
    vault.unlock(secret)
    put(library, "set", member(1))
    library.trust(tmp_path / "force.pem")
    library.seal("set", signer)
    vault.lock()
    vault.unlock(secret)
    (listing,) = library.sets(verify=True)
    assert "sealed by force" in str(listing.seal)


def test_what_a_kill_left_in_plain_is_no_part_of_an_encrypted_library(
    tmp_path: Path, memory: Path, member: Member, secret: Secret
) -> None:
    library = Library(tmp_path / "library", (memory,))
    put(library, "set", member(1))
    process, left = working(library)
    with process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    library.sweep()
    assert not left.exists()
    process, left = working(library)
    vault = Vault.create(library.folder, secret, (memory,))
    with process:
        with pytest.raises(StoreError, match="in plain"):
            vault.encrypt_existing(secret)
        process.communicate()
    assert vault.encrypt_existing(secret) == ("set.hashset",)
    assert {entry.name for entry in library.folder.iterdir()} == {"vault.json", "set.hashset.enc"}


def test_a_set_can_be_opened_by_its_path(library: Library, member: Member) -> None:
    assert HashSet.open(put(library, "set", member(1))).identity.name == "set"
