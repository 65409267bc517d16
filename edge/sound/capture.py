"""The microphone: a device that is opened, watched, and opened again.

The callback only puts what it is given into a bounded queue. Everything else, reopening included, happens in the
thread that iterates over `Microphone.blocks`.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Generator, Iterator
from enum import StrEnum
from typing import Literal

import numpy as np

from common.errors import MicrophoneError
from edge import settings as edge_settings
from edge.sound.port_audio import PERIOD_MS, PortAudio
from edge.sound.resampler import Resampler
from edge.sound.sound_device import Backend, DeviceAbsentError, Line, open_line
from edge.sound.sound_queue import SoundQueue
from edge.sound.source import Block, Cutter, Interruption, Samples
from edge.sound.zeros import ZeroWatch

QUEUE_MS = 4_000

_POLL_S = 0.25
_CLOSE_S_MAX = 2.0
_WAIT_S = 60.0

log = logging.getLogger(__name__)


class State(StrEnum):
    """What the microphone is doing."""

    OPENING = "opening"
    OPEN = "open"
    ABSENT = "absent"
    """Not there, or not usable; it is tried again and again."""
    MUTED = "muted"
    """Closed, because its owner wants it so."""
    CLOSED = "closed"


class Microphone:
    """A source that never ends by itself: a device that went away is opened again when it is back.

    `state`, `fresh_s`, `overruns`, `mute`, `unmute` and `close` are for any thread, `blocks` for one.
    """

    def __init__(
        self,
        settings: edge_settings.Microphone,
        *,
        must_exist: bool = False,
        backend: Callable[[], Backend] = PortAudio,
        clock: Callable[[], float] = time.monotonic,
        silent_s_max: float = 5.0,
        pause_s_min: float = 0.5,
    ) -> None:
        """`must_exist`: a device that cannot be opened at first is an error and not waited for. `silent_s_max`: an
        open device that delivers nothing for so long is given up; `pause_s_min`: first pause before it is tried again.
        """
        self.name = settings.device or "default microphone"
        self.state = State.OPENING
        self.rate_hz: int | None = None
        """At which the device was last opened."""
        self._settings = settings
        self._must_exist = must_exist
        self._backend = backend
        self._clock = clock
        self._silent_s_max = silent_s_max
        self._pause_s_min = pause_s_min
        self._sound = SoundQueue(QUEUE_MS // PERIOD_MS)
        self._zeros = ZeroWatch(clock)
        self._fresh_at_s = self._read_at_s = clock()
        self._complaint = ""
        self._muted = False
        self._closed = False
        # Set whenever _muted or _closed changes. A line that is open ends then, whatever has changed.
        self._changed = threading.Event()

    @property
    def overruns(self) -> int:
        """Times that sound was lost, since the beginning."""
        return self._sound.overruns

    @property
    def all_zeros(self) -> bool:
        """Whether nothing else has come for seconds: no fault of ours, so the device stays open."""
        return self.state is State.OPEN and self._zeros.all_zeros

    def fresh_s(self) -> float:
        """Seconds since the last sound came, or since the device began to be opened; of use if OPENING or OPEN."""
        return self._clock() - self._fresh_at_s

    def unread_s(self) -> float:
        """Seconds since anybody came for sound; of use if OPEN. A thread that hears no more is noticed by it."""
        return self._clock() - self._read_at_s

    def mute(self) -> None:
        """The device will be closed, `state` says when it is; no block heard after this call is delivered."""
        self._muted = True
        self._changed.set()

    def unmute(self) -> None:
        if self._muted:
            self._muted = False
            self._changed.set()

    def close(self) -> None:
        """Ends `blocks` soon. May be called twice."""
        self._closed = True
        self._changed.set()

    def blocks(self) -> Iterator[Block | Interruption]:
        """Blocks while the device is there, one Interruption when it is gone or muted; ends only by `close`.

        MicrophoneError if PyAudio is missing, if the device hangs and cannot even be closed, or by `must_exist`.
        """
        pauses = self._pauses()
        try:
            while True:
                # What changes from here on is seen by the waits below, what changed before by these two lines.
                self._changed.clear()
                if self._closed:
                    return
                if self._muted:
                    self.state = State.MUTED
                    self._changed.wait(_WAIT_S)
                    continue
                line = self._open()
                if line is not None and (yield from self._listen(line)):
                    pauses = self._pauses()
                if not self._changed.is_set():
                    self.state = State.ABSENT
                    self._changed.wait(next(pauses))
        finally:
            self.state = State.CLOSED

    def _open(self) -> Line | None:
        """The wanted device, open; None if it cannot be had now."""
        self.state = State.OPENING
        self._fresh_at_s = self._read_at_s = self._clock()
        self._sound.clear()
        backend: Backend | None = None
        try:
            backend = self._backend()
            line = open_line(backend, self._settings.device, self._hear)
        except DeviceAbsentError as error:
            if backend is not None:
                backend.close()
            if self._must_exist:
                raise
            if str(error) != self._complaint:
                log.warning("microphone: %s It is tried again and again.", error)
            self._complaint = str(error)
            return None
        self._must_exist = False
        self._complaint = ""
        self.name, self.rate_hz, self.state = line.device.name, line.rate_hz, State.OPEN
        log.info("microphone %s: open at %d Hz, %d channels", self.name, line.rate_hz, line.channels)
        return line

    def _hear(self, pcm: bytes, lost_before: bool) -> None:
        """The callback."""
        self._fresh_at_s = self._clock()
        self._sound.put(pcm, lost_before)

    def _listen(self, line: Line) -> Generator[Block | Interruption, None, bool]:
        """What an open device delivers until it is gone or something changes; whether that was anything."""
        heard = False
        try:
            for block in self._heard(line):
                yield block
                heard = True
        finally:
            self._release(line)
        if self._closed:
            return heard
        cause: Literal["muted", "lost"] = "muted" if self._changed.is_set() else "lost"
        self.state = State.MUTED if self._muted else State.ABSENT
        log.log(logging.INFO if cause == "muted" else logging.WARNING, "microphone %s: %s", self.name, cause)
        if heard:
            yield Interruption(cause)
        return heard

    def _heard(self, line: Line) -> Iterator[Block]:
        resampler, cutter, overruns = Resampler(line.rate_hz), Cutter(), 0
        self._zeros.reset()
        while not self._changed.is_set():
            self._read_at_s = self._clock()
            piece = self._sound.get(_POLL_S)
            if piece is None:
                if self.fresh_s() >= self._silent_s_max or not line.stream.is_alive():
                    return
                continue
            overruns += piece.overruns
            for samples in cutter.push(resampler.push(_mono(piece.pcm, line.channels))):
                if self._changed.is_set():
                    return
                self._zeros.push(samples, self.name)
                yield Block(samples, overruns)
                overruns = 0

    def _release(self, line: Line) -> None:
        # A sound server that hangs keeps whoever closes a stream of it, forever; so may libpulse 16 when its server is
        # killed in the midst of a read. Nothing in this process can undo that.
        closer = threading.Thread(target=line.close, name="microphone-closer", daemon=True)
        closer.start()
        closer.join(_CLOSE_S_MAX)
        if closer.is_alive() and not self._closed:
            raise MicrophoneError(f"{self.name}: it hangs and cannot be closed; this program must be started again.")

    def _pauses(self) -> Iterator[float]:
        """Seconds between tries: each twice the one before, up to the owner's limit, and up to a quarter shorter so
        that boards which lost the same thing at once do not come back at once."""
        pause_s = self._pause_s_min
        while True:
            yield pause_s * random.uniform(0.75, 1.0)
            pause_s = min(2 * pause_s, self._settings.reopen_s_max)


def _mono(pcm: bytes, channels: int) -> Samples:
    """Mean of interleaved channels."""
    samples = np.frombuffer(pcm, "<i2").astype(np.int16, copy=False)
    if channels == 1:
        return samples
    mixed: Samples = samples.reshape(-1, channels).mean(axis=1).astype(np.int16)
    return mixed
