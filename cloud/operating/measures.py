"""What an utterance was like, as plots show it: in words and units that people know. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from cloud.drift.facts import Facts


class Measure(NamedTuple):
    """A number of an utterance."""

    title: str
    """With its unit."""
    of: Callable[[Facts], float | None]
    """None: it was not measured."""
    span: float
    """An axis spans so much at least: less is no difference."""
    is_share: bool = False
    """Per cent: of a day's few utterances it says nothing."""


def _hundred(share: float | bool | None) -> float | None:
    return None if share is None else 100.0 * share


def _above(count: int | None) -> float | None:
    return None if count is None else 100.0 * (count > 0)


NOISE_FLOOR = Measure("Noise floor, dBFS", lambda one: one.noise_floor_dbfs, 10)
OVER_NOISE = Measure("Speech over noise, dB", lambda one: one.snr_db, 10)
LOUDNESS = Measure("Loudness of speech, dBFS", lambda one: one.level_dbfs, 10)
CLIPPED = Measure("Clipped samples, %", lambda one: _hundred(one.clipped_share), 1)
FALL = Measure("How fast sound dies away, dB a second", lambda one: one.fall_db_per_s, 20)
WORDS = Measure("Words a second", lambda one: one.words_per_s, 1)
SYLLABLES = Measure("Syllables a second", lambda one: one.syllables_per_s, 1)
PITCH = Measure("Pitch of the voice, Hz", lambda one: one.pitch_hz, 40)
SURE = Measure("Sure of the words, %", lambda one: _hundred(one.confidence), 20)
UNKNOWN = Measure("Words that the domain lacks, %", lambda one: _hundred(one.unknown_share), 5)
EMPTY = Measure("Without a word, %", lambda one: _hundred(one.was_empty), 10, is_share=True)
UNDERSTOOD = Measure("Understood as a command, %", lambda one: 100.0 * (one.intent is not None), 20, is_share=True)
ASKED_BACK = Measure("Asked back, %", lambda one: _above(one.choices_count), 10, is_share=True)
FOUND = Measure("With a result, %", lambda one: _above(one.results_count), 10, is_share=True)
SPEECH = Measure("Length of speech, s", lambda one: None if one.speech_ms is None else one.speech_ms / 1000, 1)
SPEECH_SHARE = Measure("Share of speech, %", lambda one: _hundred(one.speech_share), 10)
SILENCE_BEFORE = Measure(
    "Silence before, minutes", lambda one: None if one.silence_before_s is None else one.silence_before_s / 60, 10
)
LEAD = Measure("Lead over the next reading, %", lambda one: _hundred(one.margin), 20)
CUT = Measure(
    "Ended by no pause, %",
    lambda one: None if one.end_reason is None else 100.0 * (one.end_reason != "endpoint"),
    10,
    is_share=True,
)
BROKEN = Measure(
    "With sound lost, %",
    lambda one: None if one.overruns is None and one.gaps is None else 100.0 * bool(one.overruns or one.gaps),
    10,
    is_share=True,
)
ANSWER_AFTER = Measure(
    "Answer after, seconds",
    lambda one: None if one.replayed or one.endpoint_to_final_ms is None else one.endpoint_to_final_ms / 1000,
    1,
)

_CAME_OF_IT = (OVER_NOISE, SURE, EMPTY)

OF_CAUSES: dict[str, tuple[Measure, ...]] = {
    "noise": (NOISE_FLOOR, *_CAME_OF_IT),
    "gain": (LOUDNESS, *_CAME_OF_IT),
    "distance": (LOUDNESS, *_CAME_OF_IT),
    "microphone": (LOUDNESS, *_CAME_OF_IT),
    "clipping": (CLIPPED, LOUDNESS, *_CAME_OF_IT),
    "echo": (FALL, *_CAME_OF_IT),
    "speed": (WORDS, SYLLABLES, SURE, EMPTY),
    "speakers": (PITCH, LOUDNESS, WORDS, SURE, EMPTY),
    "words": (UNKNOWN, UNDERSTOOD, SURE, EMPTY),
    "intents": (UNDERSTOOD, SURE, EMPTY),
    "boards": (NOISE_FLOOR, *_CAME_OF_IT),
    "version": (SURE, UNDERSTOOD, EMPTY, ASKED_BACK, ANSWER_AFTER),
    "unknown": (NOISE_FLOOR, LOUDNESS, OVER_NOISE, SURE, UNDERSTOOD, EMPTY),
}
"""What shows each cause of cloud/drift/causes, and what came of it."""
OF_FEATURES: dict[str, Measure] = {
    "level": LOUDNESS,
    "noise_floor": NOISE_FLOOR,
    "snr": OVER_NOISE,
    "clipped": CLIPPED,
    "fall": FALL,
    "syllables": SYLLABLES,
    "words": WORDS,
    "speech": SPEECH,
    "speech_share": SPEECH_SHARE,
    "silence_before": SILENCE_BEFORE,
    "pitch": PITCH,
    "confidence": SURE,
    "margin": LEAD,
    "unknown_words": UNKNOWN,
    "empty": EMPTY,
    "understood": UNDERSTOOD,
    "asked_back": ASKED_BACK,
    "found": FOUND,
    "cut": CUT,
    "broken": BROKEN,
}
"""What shows each feature of cloud/drift/features.py that people have a word for."""
OF_NOISE, OF_VOICE = frozenset({"noise"}), frozenset({"microphone", "speakers", "echo"})
"""Causes that a spectrum shows."""


def measures_of(cause: str, moved: Sequence[str] = ()) -> tuple[Measure, ...]:
    """What shows a cause, and what came of it; first of all the features that moved where no cause explains it."""
    named = [OF_FEATURES[name] for name in moved if name in OF_FEATURES]
    return tuple(dict.fromkeys([*named, *OF_CAUSES.get(cause, ())]))
