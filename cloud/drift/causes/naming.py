"""Which causes explain a change, the likeliest first."""

from collections.abc import Callable

from cloud.drift.causes import (
    boards,
    clipping,
    echo,
    gain,
    intents,
    microphone,
    noise,
    speakers,
    speed,
    unknown,
    version,
    words,
)
from cloud.drift.causes.cause import Cause
from cloud.drift.change import Change

FIT_MIN = 0.3
TOLD_MAX = 3

CAUSES: tuple[Callable[[Change], Cause | None], ...] = (
    version.find,
    boards.find,
    clipping.find,
    noise.find,
    gain.find,
    microphone.find,
    echo.find,
    intents.find,
    speed.find,
    speakers.find,
)


EXPLAINS: dict[str, frozenset[str]] = {
    cause: frozenset(features.split())
    for cause, features in {
        "clipping": "clipped level noise_floor",
        "noise": "noise_floor noise_tilt noise_hump snr fall band_spread strange_voice voice_top voice_low",
        "gain": "level noise_floor clipped",
        "distance": "level snr fall",
        "microphone": "voice_top voice_low noise_tilt noise_hump strange_voice band_spread level",
        "echo": "fall band_spread speech_share strange_voice",
        "intents": "rare_intent understood empty found",
        "speed": "words syllables slowness speech speech_share strange_voice",
        "speakers": "strange_voice voice_top voice_low level pitch syllables band_spread slowness",
        "words": "unknown_words understood empty rare_intent confidence",
        "boards": "rare_board",
    }.items()
}
"""The features that a cause moves first."""


def explained(change: Change) -> float:
    """The best fit of a cause that explains why its suspect moved, of all features; 0: none does. Another version may
    move any."""
    tried = [*(find(change) for find in CAUSES), words.find(change)]
    fits = [
        cause.fit
        for cause in tried
        if cause is not None and (cause.name == "version" or change.suspect in EXPLAINS[cause.name])
    ]
    return max(fits, default=0.0)


def causes_of(change: Change, pronounces: words.Pronounces | None = None) -> list[Cause]:
    """At least one: where nothing fits, what moved most is told as it is. `pronounces` says new words."""
    tried = [*(find(change) for find in CAUSES), words.find(change, pronounces)]
    found = [cause for cause in tried if cause is not None and cause.fit >= FIT_MIN]
    return sorted(found, key=lambda cause: -cause.fit)[:TOLD_MAX] or [unknown.cause_of(change)]
