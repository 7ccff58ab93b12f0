import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from triage.model.errors import SourceError
from triage.sources.opening import open_source


def test_content_decides_not_the_name(tmp_path: Path, ewf_writer: Any, disk: bytes) -> None:
    named_raw = ewf_writer(per_segment=99).write(tmp_path / "a.E01", disk)[0].rename(tmp_path / "a.001")
    (tmp_path / "a.002").write_bytes(bytes(4096))
    assert open_source(named_raw).info.kind == "ewf"
    (tmp_path / "b.E01").write_bytes(bytes(4096))
    assert open_source(tmp_path / "b.E01").info.kind == "raw"
    (tmp_path / "c.001").write_bytes(bytes(4096))
    assert open_source(tmp_path / "c.001").info.kind == "raw"
    (tmp_path / "c.002").write_bytes(bytes(4096))
    assert open_source(tmp_path / "c.001").info.kind == "split-raw"
    assert open_source(tmp_path).info.kind == "folder"


def test_an_empty_file_opens_with_a_trouble(tmp_path: Path) -> None:
    (tmp_path / "d.E01").touch()
    info = open_source(tmp_path / "d.E01").info
    assert (info.kind, info.size, info.troubles) == ("raw", 0, ("the file is empty",))


def test_what_cannot_be_opened_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "tiny").write_bytes(b"hello")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for path, words in (
            (tmp_path / "missing.E01", "there is no such file"),
            (tmp_path / "tiny" / "x", "cannot be opened"),
            (tmp_path / "tiny", "too few for a disk image"),
            (tmp_path / "pipe", "pipe or socket"),
            (tmp_path / "socket", "pipe or socket"),
            (tmp_path / "loop", "cannot be opened"),
            (Path("/dev/null"), "character device"),
        ):
            with pytest.raises(SourceError, match=words) as raised:
                open_source(path)
            assert str(raised.value).startswith(f"{path}: ")
            assert "\n" not in str(raised.value)
            assert raised.value.exit_code == 3


def test_a_file_without_read_permission_is_one_clear_line(tmp_path: Path) -> None:
    if os.geteuid():
        path = tmp_path / "mine"
        path.write_bytes(bytes(4096))
        path.chmod(0)
        with pytest.raises(SourceError, match="may not be read"):
            open_source(path)
        return
    (tmp_path / "closed").write_bytes(bytes(4096))
    (tmp_path / "closed").chmod(0)
    program = (
        "import os, sys; from pathlib import Path\n"
        "from triage.sources.opening import open_source\n"
        "from triage.model.errors import SourceError\n"
        "os.chdir(sys.argv[1]); os.setuid(65534)\n"
        "try: open_source(Path('closed'))\n"
        "except SourceError as error: sys.exit(f'one line: {error}')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False)
    assert done.stderr == "one line: closed: may not be read: get read permission or run as its owner\n"


def test_nothing_beside_the_source_changes(tmp_path: Path, ewf_writer: Any, disk: bytes) -> None:
    paths = ewf_writer().write(tmp_path / "d.E01", disk)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    tmp_path.chmod(0o555)
    source = open_source(paths[0])
    assert source.read_at(0, len(disk)) == disk
    source.close()
    tmp_path.chmod(0o755)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()} == before
