"""Stand-ins for what makes sound, with the same interface."""

import threading
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from common.errors import LoudspeakerError
from edge.sound.source import Samples

WAIT_S = 10.0


class FakeLoudspeaker:
    """Keeps what it is given; plays at once, or until it is let go on or stopped."""

    def __init__(self, *, holds: bool = False, fault: str = "") -> None:
        self.calls: list[str] = []
        self.played: list[int] = []
        """Samples of each sound that was played."""
        self.stopped = 0
        self.begun = threading.Event()
        self.goes_on = threading.Event()
        self.fault = fault
        if not holds:
            self.goes_on.set()
        self._changed = threading.Condition()

    def prepare(self) -> None:
        self.calls.append("prepare")

    def rest(self) -> None:
        self.calls.append("rest")

    def play(self, sound: Iterable[Samples], began: Callable[[], None]) -> None:
        if self.fault:
            raise LoudspeakerError(self.fault)
        count = 0
        for samples in sound:
            if not count:
                began()
                self.begun.set()
                assert self.goes_on.wait(WAIT_S)
            count += samples.size
        with self._changed:
            if count:
                self.played.append(count)
            self._changed.notify_all()

    def stop(self) -> None:
        self.stopped += 1
        if self.begun.is_set():
            self.goes_on.set()

    def wait_for(self, sounds: int) -> None:
        """Until so many were played."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.played) >= sounds, WAIT_S)


class FakeVoice:
    """Says a sample for each character."""

    def __init__(self, fault: str = "") -> None:
        self.said: list[str] = []
        self.stopped = 0
        self._fault = fault

    def speak(self, text: str) -> Iterator[Samples]:
        if self._fault:
            raise LoudspeakerError(self._fault)
        self.said.append(text)
        yield np.ones(len(text), np.int16)

    def stop(self) -> None:
        self.stopped += 1
