"""What a light shows; a board without one has no more of it than these names."""

from enum import StrEnum


class Doing(StrEnum):
    """What the board does, for who stands before it."""

    IDLE = "idle"
    LISTENING = "listening"
    """Awake, or somebody speaks to it."""
    THINKING = "thinking"
    """An answer is awaited."""
    SPEAKING = "speaking"
    """It makes a sound."""
    MUTED = "muted"
    OFFLINE = "offline"
    """No service is there."""
    ERROR = "error"
    """It is not well, or has no microphone."""
