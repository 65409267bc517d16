"""Listens as the board does, but only while it is wanted: the board never hears itself speak (half-duplex), and nothing
is heard that nobody would take."""

from collections.abc import Callable, Sequence

from edge.speech.activation import Activation
from edge.speech.utterance_maker import JudgedBlock


class Hushed:
    """For `hear`; `wanted` is asked with each block, in the hearing thread."""

    def __init__(self, activation: Activation, wanted: Callable[[], bool]) -> None:
        self._activation = activation
        self._wanted = wanted
        self._is_hushed = False

    def admit(self, block: JudgedBlock) -> Sequence[JudgedBlock]:
        """While it is not wanted, nothing; what is running ends as muted."""
        if self._wanted():
            self._is_hushed = False
            return self._activation.admit(block)
        if not self._is_hushed:
            self._is_hushed = True
            self._activation.interrupted()
        return ()

    def heard_onset(self) -> None:
        self._activation.heard_onset()

    def heard_end(self) -> None:
        self._activation.heard_end()

    def interrupted(self) -> None:
        self._activation.interrupted()
