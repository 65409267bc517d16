"""Brings quiet speech to where an acoustic model and its floor expect speech to be. Loud speech stays as it is.

The gain follows from the loudest frame so far, so that it only ever falls, and from nothing but the utterance's own
frames, so that what is read again is read the same. An utterance starts with what was there before its onset; the first
frames wait until some of the speech is there, or the room before it would be taken for speech. Loud speech waits for
nothing: it is known by a frame.
"""

import numpy as np

from cloud.decoders.sphinx_features import FILTERS, Floats

WAIT_FRAMES = 80
"""Longest wait, of which a board sends 520 ms at once at an onset. Speech that is loud enough ends it."""

SPEECH_LOUDNESS = 13.0
"""Of the loudest frame, the mean natural logarithm of its filters' power. Utterances of recordings as they come have
12.5 to 18.3 (nine in ten), those of speakers at -30 dBFS 13 to 15, at -50 dBFS 8.5 to 10.7."""

GAIN_MAX = 7.0
"""30 dB."""


class SpeechGain:
    """The gain of one utterance as it goes on."""

    def __init__(self) -> None:
        self._loudest = -np.inf
        self._waiting: Floats | None = np.empty((0, FILTERS))
        """None: they wait no longer."""

    def push(self, log_filters: Floats) -> Floats:
        """Takes the next (frames, FILTERS) natural logarithms of power; returns those that are ready, with the gain."""
        if self._waiting is None:
            return self._raised(log_filters)
        self._waiting = np.concatenate([self._waiting, log_filters])
        start, rest = self._waiting[:WAIT_FRAMES], self._waiting[WAIT_FRAMES:]
        if len(start) < WAIT_FRAMES and start.mean(axis=1).max(initial=-np.inf) < SPEECH_LOUDNESS:
            return self._waiting[:0]
        self._waiting = None
        return np.concatenate([self._start(start), self._raised(rest)])

    def flush(self) -> Floats:
        """Everything was pushed: what still waits."""
        waiting, self._waiting = self._waiting, None
        return np.empty((0, FILTERS)) if waiting is None else self._start(waiting)

    def _start(self, log_filters: Floats) -> Floats:
        """The first frames, all with one gain."""
        if len(log_filters):
            self._loudest = float(log_filters.mean(axis=1).max())
        return log_filters + self._gain(self._loudest)

    def _raised(self, log_filters: Floats) -> Floats:
        """Frames that follow, each with the gain of the loudest up to itself."""
        if not len(log_filters):
            return log_filters
        loudest = np.maximum.accumulate(np.append(self._loudest, log_filters.mean(axis=1)))[1:]
        self._loudest = float(loudest[-1])
        raised: Floats = log_filters + self._gain(loudest)[:, np.newaxis]
        return raised

    @staticmethod
    def _gain(loudest: Floats | float) -> Floats:
        gain: Floats = np.clip(SPEECH_LOUDNESS - np.asarray(loudest), 0, GAIN_MAX)
        return gain
