"""A small file of JSON that several processes read and change: the commands that an owner types, and who serves."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from common.errors import IdentityError
from common.private_files import stamp, write_private

S = TypeVar("S", bound=msgspec.Struct)


class Record(Generic[S]):
    """What one file holds, as a struct; where there is no file, what the struct's defaults are."""

    def __init__(self, file: Path, kind: type[S]) -> None:
        self._file = file
        self._kind = kind
        self._stamp: tuple[int, int] | None = None
        self._read: S | None = None

    def read(self) -> S:
        """What it holds now; not to be changed. The file is opened only when it is another one. IdentityError."""
        now = stamp(self._file)
        if self._read is None or now != self._stamp:
            self._read, self._stamp = self._parsed(), now
        return self._read

    @contextmanager
    def change(self) -> Iterator[S]:
        """What it holds, to be changed by nobody else meanwhile; written when left without an error. IdentityError."""
        try:
            with _locked(self._file.parent):
                content = self._parsed()
                before = msgspec.json.encode(content)
                yield content
                after = msgspec.json.encode(content)
                if after != before:
                    write_private(self._file, msgspec.json.format(after, indent=1) + b"\n")
        except OSError as error:
            raise IdentityError(f"{self._file} cannot be changed: {_why(error)}.") from error

    def _parsed(self) -> S:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=self._kind)
        except FileNotFoundError:
            return self._kind()
        except OSError as error:
            raise IdentityError(f"{self._file} cannot be read: {_why(error)}.") from error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise IdentityError(
                f"{self._file} is not what it should be ({error}); restore it from a backup."
            ) from error


def _why(error: OSError) -> str:
    return f"{error.strerror}; try sudo" if isinstance(error, PermissionError) else str(error.strerror)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """The folder itself is the lock, for a file of root's could not be opened by the service."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
