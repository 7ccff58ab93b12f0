import subprocess
import sys
from pathlib import Path

from ui.household import Household

_STUBBORN = """
import os, signal, time
os.setsid()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(flush=True)
time.sleep(60)
"""


def test_a_process_that_left_its_session_is_found_by_its_mark_ended_and_told(tmp_path: Path) -> None:
    household = Household(f"MARK={tmp_path}")
    with subprocess.Popen(
        [sys.executable, "-c", _STUBBORN], env={"MARK": str(tmp_path)}, stdout=subprocess.PIPE
    ) as stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        stubborn.terminate()
        left = household.end(seconds=0.1)
    assert left.keys() == {stubborn.pid}
    assert "os.setsid()" in left[stubborn.pid]
    assert household.members() == {}


def test_a_process_without_the_mark_is_known_by_its_session(tmp_path: Path) -> None:
    household = Household(f"MARK={tmp_path}")
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        assert household.members() == {}
        household.sessions.add(other.pid)
        assert household.end(seconds=0.0).keys() == {other.pid}
    assert household.end() == {}
