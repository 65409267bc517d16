"""What a second of speech costs an engine, learned from what it did: nobody is let in who would be kept waiting.

A slow board, a busy machine and a large grammar all show in it. Costs are seconds of a worker for a second of speech.
"""

from collections.abc import Iterable

UNKNOWN_SHARE = 0.1
UNKNOWN_S = 10.0
"""What is believed before anything was heard, and how many seconds of speech it weighs."""

REMEMBERED_S = 60.0
"""Of speech, by weight: older experience fades."""


class Load:
    """By kind of speech, such as a domain."""

    def __init__(self) -> None:
        self._worked_s: dict[str, float] = {}
        self._speech_s: dict[str, float] = {}

    def learn(self, kind: str, worked_s: float, speech_s: float) -> None:
        """An utterance of so much speech took a worker so long."""
        kept = max(0.0, 1 - speech_s / REMEMBERED_S)
        self._worked_s[kind] = kept * self._worked_s.get(kind, UNKNOWN_SHARE * UNKNOWN_S) + worked_s
        self._speech_s[kind] = kept * self._speech_s.get(kind, UNKNOWN_S) + speech_s

    def share(self, kind: str) -> float:
        """Of a worker's time, for somebody who speaks all the time."""
        if not self._speech_s.get(kind):
            return UNKNOWN_SHARE
        return self._worked_s[kind] / self._speech_s[kind]

    def total(self, kinds: Iterable[str]) -> float:
        """Workers that these utterances keep busy."""
        return sum(map(self.share, kinds))
