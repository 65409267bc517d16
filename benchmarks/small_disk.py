"""A small file system in memory, which fills up and becomes read-only; in a mount namespace."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.namespaces import run


class Disk:
    """A file system of its own at a folder, so many KiB; a context manager."""

    def __init__(self, folder: Path, kilobytes: int) -> None:
        self._folder = folder
        self._kilobytes = kilobytes
        self._ballast = folder / "ballast"

    def __enter__(self) -> "Disk":
        self._folder.mkdir(parents=True)
        run("mount", "-t", "tmpfs", "-o", f"size={self._kilobytes}k", "tmpfs", str(self._folder))
        return self

    def __exit__(self, *cause: object) -> None:
        run("umount", "--lazy", str(self._folder))

    @contextmanager
    def full(self) -> Iterator[None]:
        """Not a byte is left."""
        with self._ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        yield
        self._ballast.unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """As a worn-out SD card is at boot: nothing may be open for writing."""
        run("mount", "-o", "remount,ro", str(self._folder))
        yield
        run("mount", "-o", "remount,rw", str(self._folder))
