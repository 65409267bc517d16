"""What can be made again goes when nobody needs it, and never from under somebody who has just found it."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud.building import unused
from cloud.building.unused import UNUSED_S_MIN, clean, is_there

NOW_S = 1_800_000_000.0


def old(path: Path) -> Path:
    """Something that was used long ago."""
    path.write_text("built")
    os.utime(path, (0, 0))
    return path


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_what_is_needed_or_was_used_lately_stays_and_the_rest_goes(tmp_path: Path) -> None:
    for name in ("needed", "unneeded", ".unneeded.half"):
        old(tmp_path / name)
    for name in ("copy", ".copying"):
        (tmp_path / name).mkdir()
        old(tmp_path / name / "file")
        os.utime(tmp_path / name, (0, 0))
    os.utime(old(tmp_path / "lately"), (NOW_S - UNUSED_S_MIN + 1,) * 2)
    clean(tmp_path, {"needed", "gone already"}, NOW_S)
    assert names(tmp_path) == {"needed", "lately"}
    # It is needed until now, and a day longer.
    clean(tmp_path, (), time.time() + UNUSED_S_MIN - 60)
    assert "needed" in names(tmp_path)
    clean(tmp_path, (), NOW_S + 2 * UNUSED_S_MIN)
    assert names(tmp_path) == set()
    clean(tmp_path / "nowhere", (), NOW_S)


def test_what_is_found_is_used_now(tmp_path: Path) -> None:
    file = old(tmp_path / "file")
    assert is_there(file)
    assert not is_there(tmp_path / "other") and not is_there(tmp_path / "nowhere" / "file")
    clean(tmp_path, (), time.time())
    assert names(tmp_path) == {"file"}


def test_a_command_of_another_user_finds_what_it_cannot_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(unused.os, "utime", refused)
    assert is_there(tmp_path) and not is_there(tmp_path / "other")


def locked_out(directory: Path, how: int) -> bool:
    """Whether another process cannot have this lock now."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_nobody_finds_what_is_being_erased_and_nobody_erases_what_is_being_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = old(tmp_path / "file")
    seen: list[bool] = []

    def watched(do: Callable[..., object], how: int) -> Callable[..., object]:
        return lambda *given: (seen.append(locked_out(tmp_path, how)), do(*given))

    with monkeypatch.context() as patch:
        patch.setattr(unused.os, "utime", watched(os.utime, fcntl.LOCK_EX))
        assert is_there(file)
    assert not locked_out(tmp_path, fcntl.LOCK_EX)
    os.utime(file, (0, 0))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", watched(Path.unlink, fcntl.LOCK_SH))
        clean(tmp_path, (), NOW_S)
    assert seen == [True, True] and not file.exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from cloud.building.unused import clean

class Needed(set):
    count = 0
    def __contains__(self, name):
        self.count += 1
        if self.count == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return False

clean(Path(sys.argv[1]), Needed(), 1.8e9)
"""


def test_who_is_killed_in_the_middle_leaves_no_lock_and_the_rest_to_the_next(tmp_path: Path) -> None:
    for number in range(5):
        old(tmp_path / str(number))
    died = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 3
    first = min(names(tmp_path))
    assert is_there(tmp_path / first)
    clean(tmp_path, (), time.time())
    assert names(tmp_path) == {first}
