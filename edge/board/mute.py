"""What mutes the board: its owner's word, which outlives restarts, or a switch.

What is kept is a file that is there or is not: no power cut leaves half of it, and no restart opens a microphone.
"""

import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from common.errors import ParrotletError

logger = logging.getLogger(__name__)

FILE_NAME = "muted"


class Mutable(Protocol):
    """Whatever hears."""

    def mute(self) -> None: ...

    def unmute(self) -> None: ...


class Mute:
    """For any thread. The ear is muted from the beginning, if it was so before."""

    def __init__(self, ear: Mutable, directory: Path | None = None) -> None:
        """`directory` holds what outlives restarts; None: nothing does."""
        self._ear = ear
        self._file = directory / FILE_NAME if directory else None
        self._lock = threading.Lock()
        self._wanted = False
        self._switched = False
        self.kept = True
        """Whether a restart will find it as it is now."""
        try:
            self._wanted = self._file is not None and self._file.exists()
        except OSError as error:
            self.kept = False
            logger.warning("%s: whether the board was muted cannot be read (%s)", self._file, error.strerror)
        if self._wanted:
            self._follow()

    @property
    def by(self) -> Literal["command", "switch"] | None:
        """What mutes the board; None: nothing does."""
        if self._switched:
            return "switch"
        return "command" if self._wanted else None

    def mute(self) -> Mapping[str, Any]:
        """By its owner's word. A board that cannot write is muted all the same, until it is started again."""
        with self._lock:
            self._wanted = True
            # The ear first: it does not wait for a disk.
            self._follow()
            self._keep()
        return {}

    def unmute(self) -> Mapping[str, Any]:
        """Takes the word back. ParrotletError, a sentence, if the switch still mutes."""
        with self._lock:
            self._wanted = False
            self._keep()
            if self._switched:
                raise ParrotletError("The board is muted by its switch; turn that.")
            self._follow()
        return {}

    def toggle(self) -> None:
        """ParrotletError, a sentence, if the switch mutes."""
        if self.by:
            self.unmute()
        else:
            self.mute()

    def switch(self, on: bool) -> None:
        """As the switch stands now."""
        with self._lock:
            self._switched = on
            self._follow()

    def _follow(self) -> None:
        if self.by:
            self._ear.mute()
            logger.info("muted by %s", self.by)
        else:
            self._ear.unmute()
            logger.info("no longer muted")

    def _keep(self) -> None:
        if self._file is None:
            return
        try:
            if self._wanted:
                self._file.touch(mode=0o600)
            else:
                self._file.unlink(missing_ok=True)
            _sync(self._file.parent)
            self.kept = True
        except OSError as error:
            self.kept = False
            logger.warning("%s: %s; a restart will not know whether the board is muted", self._file, error.strerror)


def _sync(directory: Path) -> None:
    """What its files are called now is on the disk afterwards."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
