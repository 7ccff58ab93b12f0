import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from suite import absent

from triage.hashsets.protection.memory import choose_place, memory_places, require_private
from triage.model.errors import StoreError

ON_PROC = Path("/proc/self/fd")  # a real folder, closed to others and not in memory


@pytest.fixture
def in_memory() -> Iterator[Path]:
    shared = Path("/dev/shm")
    if not shared.is_dir():
        absent("a folder in memory")
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        yield Path(folder)


def test_the_users_own_runtime_folder_comes_first() -> None:
    shared = Path("/dev/shm/digivan-1000")
    assert memory_places("/run/user/1000", 1000) == (Path("/run/user/1000/digivan"), shared)
    assert memory_places(None, 1000) == memory_places("", 1000) == (shared,)


def test_a_place_in_memory_is_made_private(in_memory: Path) -> None:
    place = choose_place([in_memory / "place"], 1000)
    assert place.stat().st_mode & 0o777 == 0o700
    assert choose_place([place], 1000) == place


def test_a_place_that_is_not_in_memory_is_passed_over_and_refused_alone(in_memory: Path) -> None:
    good = in_memory / "place"
    assert choose_place([ON_PROC / "place", in_memory / "none" / "place", good], 0) == good
    with pytest.raises(StoreError, match=r"/proc/self/fd/place: it is not in memory \(tmpfs\): free some memory"):
        choose_place([ON_PROC / "place"], 0)
    with pytest.raises(StoreError, match=r"/proc/self/fd: .* unlocked: it is not in memory \(tmpfs\): remove it"):
        require_private(ON_PROC)


def test_too_little_memory_says_how_much_is_needed_and_free(in_memory: Path) -> None:
    with pytest.raises(StoreError, match=r"place: 1,099,511,627,776 MiB are needed, [\d,]+ MiB are free: free some"):
        choose_place([in_memory / "place"], 1 << 60)
    assert not (in_memory / "place").exists()


def test_a_link_is_refused(in_memory: Path) -> None:
    (in_memory / "real").mkdir(mode=0o700)
    (in_memory / "place").symlink_to(in_memory / "real")
    with pytest.raises(StoreError, match="place: hash sets cannot lie there unlocked: it is a link or a file"):
        choose_place([in_memory / "place"], 0)


def test_a_folder_that_others_may_enter_is_refused(in_memory: Path) -> None:
    for mode in (0o710, 0o701, 0o740, 0o777):
        (in_memory / "place").mkdir(exist_ok=True)
        (in_memory / "place").chmod(mode)
        with pytest.raises(StoreError, match="other users may enter it"):
            choose_place([in_memory / "place"], 0)


def test_a_folder_of_another_user_is_refused(in_memory: Path) -> None:
    if os.geteuid() != 0:
        absent("the right to give a folder to another user")
    (in_memory / "place").mkdir(mode=0o700)
    os.chown(in_memory / "place", 12345, 12345)
    with pytest.raises(StoreError, match="it belongs to another user"):
        choose_place([in_memory / "place"], 0)
