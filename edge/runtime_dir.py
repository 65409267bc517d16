"""Where the daemon's socket lies: one rule for the daemon and for those who talk to it."""

import os
import stat
from pathlib import Path

from common.errors import SettingsError
from common.settings import Loaded
from edge.settings import EdgeSettings


def candidates(loaded: Loaded[EdgeSettings]) -> list[Path]:
    """Directories to look in, in order: the one that was set; where none was, the system's and then the user's own."""
    given = loaded.settings.device.runtime_dir
    return [given] if loaded.origins["device.runtime_dir"] != "default" else [given, _own()]


def usable(loaded: Loaded[EdgeSettings]) -> Path:
    """The first candidate that this user can write to, made if need be. SettingsError, a sentence, if there is none."""
    causes = []
    for directory in candidates(loaded):
        try:
            _make(directory)
            return directory
        except OSError as error:
            causes.append(f"{directory}: {error.strerror}")
    raise SettingsError(f"There is no place for the control socket ({'; '.join(causes)}); set device.runtime_dir.")


def _own() -> Path:
    session = os.environ.get("XDG_RUNTIME_DIR")
    return Path(session) / "parrotlet-edge" if session else Path(f"/tmp/parrotlet-edge-{os.getuid()}")


def _make(directory: Path) -> None:
    """OSError if it cannot be made, not be written to, or is not safe to use."""
    own = directory == _own()
    directory.mkdir(mode=0o700 if own else 0o755, parents=True, exist_ok=True)
    status = directory.lstat()
    # Everybody may make directories in /tmp: only one that is ours alone will do.
    if own and not (stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077):
        raise PermissionError(0, "belongs to others too")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise PermissionError(0, "not writable")
