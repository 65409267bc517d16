"""Another version of something on that day."""

from cloud.drift.causes.cause import Cause, Plot, bounded, since, who
from cloud.drift.change import Change

WHAT = {
    "edge_version": "the board's software",
    "local_model_version": "the board's own model",
    "vad": "the board's gate",
    "service_version": "the service",
    "engine": "the engine",
    "model": "the model",
    "domain_version": "the domain",
}
OF_THE_SOUND = ("edge_version", "vad")
"""What may change how things sound; the others only change answers."""
SOUND = ("level", "noise_floor", "noise_tilt", "voice_top", "voice_low", "fall", "clipped", "strange_voice")
SOUND_SCORE = 1.0


def find(change: Change) -> Cause | None:
    """None where all are what they were."""
    if not change.versions:
        return None
    sounds_changed = max(abs(change.effect(name).score) for name in SOUND) > SOUND_SCORE
    # Another model explains no noise.
    explains = not sounds_changed or any(one.what in OF_THE_SOUND for one in change.versions)
    told = ", ".join(f"{WHAT[one.what]} went from {one.before} to {one.after}" for one in change.versions)
    confidence = change.effect("confidence")
    understood = change.effect("understood")
    return Cause(
        "version",
        bounded(1.5 if explains else 0.4),
        f"{who(change)}: answers changed {since(change)}, when {told}: "
        f"understood {100 * understood.before:.0f} % → {100 * understood.after:.0f} %.",
        "Compare the two on the same utterances: `parrotlet-cloud models shadow`; go back if the old one is better.",
        {"confidence_change_logits": round(confidence.difference, 2), "understood_after": round(understood.after, 3)},
        Plot("feature", change.suspect),
    )
