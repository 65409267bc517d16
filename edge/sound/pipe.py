"""A pipe, read as it comes, by somebody who may be told to stop."""

import os
import select
import threading
from collections.abc import Iterator
from typing import IO

READ_BYTES = 65_536

_POLL_MS = 200


class Pipe:
    """The bytes of a descriptor; they end when the writer ends, or soon after `closed` is set."""

    def __init__(self, descriptor: int, closed: threading.Event) -> None:
        self._descriptor = descriptor
        self._closed = closed
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def read(self, size: int = READ_BYTES) -> bytes:
        """What is there, at least one byte, waited for; b"" at the end. OSError if it cannot be read."""
        while not self._closed.is_set():
            if self._poll.poll(_POLL_MS):
                return os.read(self._descriptor, size)
        return b""

    def fill(self, size: int) -> bytes:
        """Exactly `size` bytes, less only at the end."""
        found = b""
        while len(found) < size and (more := self.read(size - len(found))):
            found += more
        return found

    def pieces(self, head: bytes = b"") -> Iterator[bytes]:
        """`head`, then the rest as it comes."""
        piece = head or self.read()
        while piece:
            yield piece
            piece = self.read()

    def spool(self, file: IO[bytes], head: bytes, bytes_max: int) -> bool:
        """Writes `head` and the rest to `file`; False if that is more than `bytes_max`."""
        count = 0
        for piece in self.pieces(head):
            count += len(piece)
            if count > bytes_max:
                return False
            file.write(piece)
        file.flush()
        return True
