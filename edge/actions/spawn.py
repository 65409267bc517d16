"""A program that is started without a shell, in a group of its own, with little of ours: see posix_spawn(3).

`subprocess` would hand on the signals that the daemon holds back, so that nothing but SIGKILL could end what it starts.
"""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
"""All that a program is told besides its arguments."""

OUR_OWN_FROM = 3
"""Descriptors below are standard ones."""


def spawn(arguments: Sequence[str]) -> tuple[int, int]:
    """Its process id, which is also its group's, and a pipe of what it writes. OSError if it cannot be started."""
    ours, its = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        os.set_blocking(its, True)
        pid = os.posix_spawn(
            arguments[0],
            list(arguments),
            ENVIRONMENT,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, its, 1),
                (os.POSIX_SPAWN_DUP2, its, 2),
                *((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in _inheritable()),
            ],
            setpgroup=0,
            setsigmask=(),
            setsigdef=[number for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP)],
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(its)
    return pid, ours


def end_group(pid: int, number: signal.Signals) -> None:
    """Only before the program is waited for: after that its id may be another's."""
    with suppress(ProcessLookupError):
        os.killpg(pid, number)


def _inheritable() -> list[int]:
    """What C libraries have open and would hand on, such as the microphone."""
    found = []
    for descriptor in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208 - names are all that is wanted.
        # One of them was the folder's own.
        with suppress(OSError):
            if descriptor >= OUR_OWN_FROM and os.get_inheritable(descriptor):
                found.append(descriptor)
    return found
