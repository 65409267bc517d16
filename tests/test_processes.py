"""What works on several cores ends with whoever started it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import pytest

from common.errors import DataError
from models.processes import processes

LONG = """
import os, time
from models.processes import processes

with processes(1) as pool:
    pool.submit(os.getpid).result()
    waiting = [pool.submit(time.sleep, 600) for _ in range(4)]
    print("begun", flush=True)
    waiting[0].result()
"""


def interrupted(child: "subprocess.Popen[str]") -> None:
    """As a terminal does it: to all processes of the group."""
    os.killpg(child.pid, signal.SIGINT)


def killed(child: "subprocess.Popen[str]") -> None:
    child.kill()


@pytest.mark.parametrize("end", [interrupted, killed])
def test_nothing_outlives_who_started_it(end: Callable[["subprocess.Popen[str]"], None]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        end(child)
        try:
            # Its processes have the same pipes: these close with the last of them.
            errors = child.communicate(timeout=60)[1]
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            raise
    assert errors.count("Traceback") == (end is interrupted)


def test_a_process_that_dies_is_told_in_a_sentence() -> None:
    with pytest.raises(DataError, match="too little memory"), processes(1) as pool:
        pool.submit(os._exit, 1).result()


def test_each_is_prepared() -> None:
    with processes(1, os.umask, 0o123) as pool:
        assert isinstance(pool, ProcessPoolExecutor)
        assert pool.submit(os.umask, 0).result() == 0o123
