"""Control groups of a container's own, that limits of its units count: where this machine has the old kind (version 1),
systemd-nspawn shows them read-only, and systemd in it limits nothing.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
KINDS = ("memory", "pids")

UNLOCKED = " && ".join((*(f"mount -o remount,bind,rw {_ROOT / kind}" for kind in KINDS), "systemctl daemon-reexec"))
"""What is done in the booted container, that its systemd sees them."""


@contextmanager
def own_groups() -> Iterator[Sequence[Path]]:
    """Groups for one container, empty again when it ends; none where there are none to have."""
    groups = [_ROOT / kind / f"parrotlet-{os.getpid()}" for kind in KINDS]
    if not all((group.parent / "cgroup.procs").exists() for group in groups):
        yield ()
        return
    for group in groups:
        group.mkdir()
    try:
        yield groups
    finally:
        for group in groups:
            inner = sorted((folder for folder in group.rglob("*") if folder.is_dir()), reverse=True)
            for folder in (*inner, group):
                # One that is still in use is left to whoever uses it.
                with suppress(OSError):
                    folder.rmdir()


def within(groups: Sequence[Path], command: Sequence[str]) -> list[str]:
    """The command, started in these groups."""
    enter = "".join(f"echo $$ >{group}/cgroup.procs; " for group in groups)
    return ["sh", "-c", f'{enter}exec "$@"', "sh", *command]
