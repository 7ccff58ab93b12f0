"""What others put into a library, or do there at the same time: refused, named, and never waited for."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType

import pytest

from triage.hashsets import library as library_module
from triage.hashsets.categories import CategoryMaps
from triage.hashsets.compile import Destination, compile_records, compiling
from triage.hashsets.library import Library
from triage.hashsets.protection.envelope import Secret
from triage.hashsets.protection.signing import Signer, generate_key
from triage.hashsets.protection.vault import Vault
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.hashsets.sealing import SealedWriter
from triage.model.errors import DigiVanError, StoreError, UsageError
from triage.model.finding import SetKind

Member = Callable[[int], Record]


@pytest.fixture(autouse=True)
def _nothing_is_waited_for() -> Iterator[None]:
    def late(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def meta(name: str, version: str = "1") -> SetMeta:
    return SetMeta(name=name, version=version, kind=SetKind.NOTABLE, date="2026-01-02")


def put(library: Library, name: str, *records: Record, version: str = "1") -> Path:
    return compile_records(records, meta(name, version), Destination(library=library)).path


def made_in(folder: Path, name: str, *records: Record) -> Path:
    """Make a set as a file to be put into a library."""
    path = put(Library(folder / "beside"), name, *records).rename(folder / "made")
    shutil.rmtree(folder / "beside")
    return path


def test_of_two_makers_of_one_name_the_second_one_is_refused(library: Library, member: Member, tmp_path: Path) -> None:
    first, second = (made_in(tmp_path / str(number), "set", member(number)) for number in _folders(tmp_path))
    library.folder.mkdir()
    kept = library.put("set", first, (), before=None).read_bytes()
    with pytest.raises(StoreError, match="another set took this place meanwhile"):
        library.put("set", second, (), before=None)
    assert library.path_of("set").read_bytes() == kept
    present = library.header_of("set")
    library.remove("set")
    with pytest.raises(StoreError, match="another set took this place meanwhile"):
        library.put("set", second, (), before=present)
    assert library.sets() == ()


def _folders(folder: Path) -> list[int]:
    for number in (1, 2):
        (folder / str(number)).mkdir()
    return [1, 2]


def test_a_set_in_the_making_cannot_be_swept_and_goes_with_its_maker(library: Library, member: Member) -> None:
    with compiling("set", "1", Destination(library=library)):
        with pytest.raises(StoreError, match="a set is being made there"):
            library.sweep()
        (workshop,) = library.folder.glob(".*")
    library.sweep()
    put(library, "set", member(1))
    workshop.mkdir()
    (workshop / "set.partial").write_bytes(b"left by a kill")
    library.sweep()
    assert [path.name for path in library.folder.iterdir()] == ["set.hashset"]


def test_a_library_that_is_not_there_has_nothing_to_sweep(library: Library) -> None:
    library.sweep()
    assert not library.folder.exists()


def test_a_copy_under_another_name_is_refused_and_the_original_is_not(library: Library, member: Member) -> None:
    path = put(library, "set", member(1))
    shutil.copy(path, library.folder / "copy.hashset")
    copy, original = library.sets(verify=True)
    assert copy.problem is not None
    assert "it is the set 'set' under another name" in copy.problem
    assert (original.problem, original.header and original.header.meta.name) == (None, "set")
    with pytest.raises(StoreError, match=r"copy\.hashset.*under another name"):
        library.open_all()
    library.remove("copy")
    assert len(library.open_all()) == 1


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[2J", "x" * 300, "../set", "\u202eset"])
def test_a_hostile_name_in_a_header_refuses_that_set_alone(
    library: Library, member: Member, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    put(library, "good", member(1))
    finish = SealedWriter.finish
    with monkeypatch.context() as patched:
        patched.setattr(SealedWriter, "finish", lambda self, said, *more: finish(self, replace(said, name=name), *more))
        patched.setattr(library_module, "_is_named", lambda _path, _name: True)
        put(library, "evil", member(2))
    evil, good = library.sets(verify=True)
    assert evil.header is None
    assert evil.problem is not None
    assert evil.problem.isprintable()
    assert str(library.path_of("evil")) in evil.problem
    assert good.header is not None
    assert library.open("good").match is not None
    with pytest.raises(StoreError):
        library.open("evil")


def fifo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    return path


def test_a_pipe_in_the_place_of_a_set_is_refused_at_once(library: Library, member: Member) -> None:
    put(library, "good", member(1))
    fifo(library.folder / "pipe.hashset")
    good, pipe = library.sets(verify=True)
    assert (good.problem, pipe.header) == (None, None)
    assert pipe.problem is not None
    assert "not a regular file" in pipe.problem
    with pytest.raises(StoreError, match=r"pipe\.hashset"):
        library.open_all()
    with pytest.raises(StoreError, match=r"pipe\.hashset"):
        library.open("pipe")


@pytest.mark.parametrize(
    ("place", "ask"),
    [
        ("vault.json", lambda library: library.sets()),
        ("trusted/force.pem", lambda library: library.sets()),
        ("categories/own.toml", lambda library: CategoryMaps.load(library.folder)),
        ("key", lambda library: Secret.key_file(library.folder / "key")),
        ("key", lambda library: Signer.load(library.folder / "key")),
        ("key", lambda library: library.trust(library.folder / "key")),
        ("own.toml", lambda library: CategoryMaps.load(library.folder, named=library.folder / "own.toml")),
    ],
    ids=["vault", "trusted", "categories", "key file", "private key", "public key", "named categories"],
)
def test_a_pipe_in_the_place_of_any_other_file_is_refused_at_once(
    library: Library, place: str, ask: Callable[[Library], object]
) -> None:
    path = fifo(library.folder / place)
    with pytest.raises(DigiVanError) as caught:
        ask(library)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "None" not in str(caught.value)


@pytest.fixture
def public(tmp_path: Path) -> Path:
    generate_key(tmp_path / "force.key", tmp_path / "force.pem")
    return tmp_path / "force.pem"


def test_a_key_is_trusted_once_and_a_private_one_never(library: Library, public: Path, tmp_path: Path) -> None:
    library.trust(public)
    shutil.copy(public, tmp_path / "again.pem")
    with pytest.raises(UsageError, match="trusted already, as force"):
        library.trust(tmp_path / "again.pem")
    with pytest.raises(UsageError, match="it holds a private key"):
        library.trust(tmp_path / "force.key")
    both = tmp_path / "both.pem"
    both.write_bytes(public.read_bytes() + (tmp_path / "force.key").read_bytes())
    with pytest.raises(UsageError, match="it holds a private key"):
        library.trust(both)
    assert [path.name for path in (library.folder / "trusted").iterdir()] == ["force.pem"]


@pytest.mark.parametrize("when", ["mkstemp", "replace"])
def test_a_full_disc_leaves_no_half_of_a_key(
    library: Library, public: Path, member: Member, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    put(library, "set", member(1))

    def full(*_: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(tempfile if when == "mkstemp" else Path, when, full)
        with pytest.raises(StoreError, match="No space left"):
            library.trust(public)
    assert [path.name for path in library.folder.rglob("*") if path.is_file()] == ["set.hashset"]
    assert library.sets()[0].problem is None, "no set may be refused for half of a key"


def test_a_library_is_not_encrypted_while_a_set_is_made(tmp_path: Path, member: Member) -> None:
    """A maker that began before would leave its set in plain."""
    (tmp_path / "key").write_bytes(bytes(range(32)))
    secret = Secret.key_file(tmp_path / "key")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        library = Library(tmp_path / "library", (Path(memory),))
        put(library, "set", member(1))
        with compiling("late", "1", Destination(library=library)) as late:
            Vault.create(library.folder, secret, library.places)
            with pytest.raises(StoreError, match="locked"):
                late.seal(meta("late"))
    assert {path.name for path in library.folder.iterdir()} == {"vault.json", "set.hashset"}
