"""A microphone that sends nothing but zeros: a switch on it is off, or it is broken. No room is so quiet."""

import logging
import time
from collections.abc import Callable

from edge.sound.source import BLOCK_MS, Samples

ZEROS_S_MIN = 5.0
"""Shorter ones are the pauses of a sound server that starts, or of a noise gate."""

TELL_AGAIN_S = 3600.0
"""Some sound servers send zeros whenever it is quiet: they do not fill the log."""

logger = logging.getLogger(__name__)


class ZeroWatch:
    """Looks at each block of one microphone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._blocks = 0
        self._told_at_s = float("-inf")
        self._told = False

    @property
    def all_zeros(self) -> bool:
        """Whether nothing else has come of late."""
        return self._blocks * BLOCK_MS >= ZEROS_S_MIN * 1000

    def push(self, samples: Samples, name: str) -> None:
        """Takes a block of the microphone that is called so."""
        if not samples.any():
            self._blocks += 1
            if self.all_zeros and not self._told and self._clock() - self._told_at_s >= TELL_AGAIN_S:
                self._told, self._told_at_s = True, self._clock()
                logger.warning("microphone %s sends nothing but zeros: a switch on it is off, or it is broken", name)
            return
        self._blocks = 0
        if self._told:
            self._told = False
            logger.info("microphone %s: there is sound again", name)

    def reset(self) -> None:
        """Another stretch of sound begins."""
        self._blocks = 0
