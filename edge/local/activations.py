"""What decides that the board listens, as the settings have it."""

from collections.abc import Callable

from edge.asking import wire
from edge.settings import EdgeSettings
from edge.speech.activation import Activation, Always, Button
from edge.speech.wake import Wake


def open_activation(settings: EdgeSettings, *, eager: Callable[[], bool] = lambda: False) -> Activation:
    """ModelError if there is no such wake word. `eager`: whether it is to be heard rather once too often now."""
    window_s = settings.activation.window_s
    match settings.activation.mode:
        case "always":
            return Always()
        case "button":
            return Button(window_s)
        case "wake":
            from edge.local.wake_words import open_wake_word  # Its libraries are not for a board without one.

            return Wake(open_wake_word(settings, wire.feature_spec(settings.cloud)), window_s, eager=eager)
