"""Files that nobody but their owner may read, and that are whole after a power cut: keys, codes, lists of both."""

import contextlib
import os
import tempfile
from pathlib import Path

DIRECTORY_MODE = 0o700


def private_directory(directory: Path) -> Path:
    """Makes a directory that is its owner's alone; what root makes goes to whoever has the one above. OSError."""
    if not directory.is_dir():
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
        _give_to_neighbour(directory, directory.parent)
    directory.chmod(DIRECTORY_MODE)
    return directory


def write_private(file: Path, content: bytes) -> None:
    """Replaces the file's content: all of it or nothing, mode 0600, on the disk when this returns. OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        _give_to_neighbour(Path(name), file.parent)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_directory(file.parent)


def make_private(file: Path) -> None:
    """An empty file where there is none, mode 0600, for a library that opens it by its name. OSError."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    _give_to_neighbour(file, file.parent)


def sync_directory(directory: Path) -> None:
    """What was renamed in it stays so after a power cut."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def stamp(file: Path) -> tuple[int, int] | None:
    """Changes whenever `write_private` does; None where there is no file."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _give_to_neighbour(path: Path, neighbour: Path) -> None:
    """A command that root types makes files for a service that runs as somebody else."""
    if os.geteuid() == 0:
        owner = neighbour.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
