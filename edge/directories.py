"""Where the daemon's files lie: one rule for the daemon and for the commands that look for them.

What was set is taken. Where nothing was set, the system's directory is, if this user may write there; else the user's
own, so that a board is tried out without root.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from common.errors import SettingsError
from common.settings import Loaded
from edge.settings import EdgeSettings


class Purpose(NamedTuple):
    """Of a directory."""

    setting: str
    holds: str
    """What lies in it, as a person calls it."""
    own: Callable[[], Path]
    """The user's own."""


def candidates(loaded: Loaded[EdgeSettings], purpose: Purpose) -> list[Path]:
    """Directories to look in, in order."""
    given = _given(loaded, purpose)
    return [given] if loaded.origins[purpose.setting] != "default" else [given, purpose.own()]


def found(loaded: Loaded[EdgeSettings], purpose: Purpose, name: str) -> Path | None:
    """The file of that name, in the first candidate that has one; None: none has, or shows it to this user."""
    return next(filter(_exists, (directory / name for directory in candidates(loaded, purpose))), None)


def usable(loaded: Loaded[EdgeSettings], purpose: Purpose) -> Path:
    """The first candidate that this user can write to, made if need be. SettingsError, a sentence, if there is none."""
    causes = []
    for directory in candidates(loaded, purpose):
        try:
            _make(directory, is_own=directory == purpose.own())
            return directory
        except OSError as error:
            causes.append(f"{directory}: {error.strerror}")
    raise SettingsError(f"There is no place for {purpose.holds} ({'; '.join(causes)}); set {purpose.setting}.")


def of_the_daemon(loaded: Loaded[EdgeSettings], purpose: Purpose, command: str) -> Path:
    """The usable candidate, where it is the one that a daemon looks in too. SettingsError if this user's would be
    another, which says to type `command` with sudo."""
    place, first = usable(loaded, purpose), _given(loaded, purpose)
    if place != first and os.path.lexists(first):
        raise SettingsError(f"{first} is where the board's daemon looks, and not yours: sudo parrotlet-edge {command}")
    return place


def hoped_for(loaded: Loaded[EdgeSettings], purpose: Purpose) -> Path:
    """The usable candidate; where there is none, the first: a disk that takes nothing now may do so later."""
    try:
        return usable(loaded, purpose)
    except SettingsError:
        return candidates(loaded, purpose)[0]


def _given(loaded: Loaded[EdgeSettings], purpose: Purpose) -> Path:
    given: Path = getattr(loaded.settings.device, purpose.setting.removeprefix("device."))
    return given


def _own_runtime() -> Path:
    session = os.environ.get("XDG_RUNTIME_DIR")
    return Path(session) / "parrotlet-edge" if session else Path(f"/tmp/parrotlet-edge-{os.getuid()}")


def _own_state() -> Path:
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local/state") / "parrotlet-edge"


RUNTIME = Purpose("device.runtime_dir", "the control socket", _own_runtime)
"""Gone after a restart of the machine."""

STATE = Purpose("device.state_dir", "what the board keeps", _own_state)
"""Outlives restarts: what was said and not answered yet, keys, whether the board is muted."""


def _make(directory: Path, *, is_own: bool) -> None:
    """OSError if it cannot be made, not be written to, or is not safe to use."""
    directory.mkdir(mode=0o700 if is_own else 0o755, parents=True, exist_ok=True)
    status = directory.lstat()
    # Everybody may make directories in /tmp: only one that is ours alone will do.
    if is_own and not (stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077):
        raise PermissionError(0, "belongs to others too")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise PermissionError(0, "not writable")


def _exists(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:
        return False
