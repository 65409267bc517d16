"""Whose level is told: of one ear at a time, and of that a few a second. What is told costs as often as phones look on.

While it hears speech, an ear keeps its turn; the board's own microphone and phones often hear the same.
"""

LEVEL_S = 0.2
HELD_S = 1.0
"""So long after its last speech, or its last level, another ear may take its turn."""


class Loudness:
    """Asked from any thread; where two ask at once, one level more is told."""

    def __init__(self) -> None:
        self._ear: str | None = None
        self._told_s = float("-inf")
        self._speech_s = float("-inf")
        """When the ear whose turn it is heard speech last."""

    def is_told(self, ear: str, is_speech: bool, now_s: float) -> bool:
        """Whether the level of this block is; it counts as told then."""
        if ear != self._ear:
            if not self._may_take(is_speech, now_s):
                return False
            self._ear, self._speech_s = ear, float("-inf")
        if is_speech:
            self._speech_s = now_s
        if now_s - self._told_s < LEVEL_S:
            return False
        self._told_s = now_s
        return True

    def _may_take(self, is_speech: bool, now_s: float) -> bool:
        return now_s - self._told_s > HELD_S or (is_speech and now_s - self._speech_s > HELD_S)
