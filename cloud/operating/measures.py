"""What an utterance was like, as plots show it: in words and units that people know. Pure."""

from collections.abc import Callable
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
SURE = Measure("Sure of the words, %", lambda one: _hundred(one.confidence), 20)
UNKNOWN = Measure("Words that the domain lacks, %", lambda one: _hundred(one.unknown_share), 5)
EMPTY = Measure("Without a word, %", lambda one: _hundred(one.was_empty), 10, is_share=True)
UNDERSTOOD = Measure("Understood as a command, %", lambda one: 100.0 * (one.intent is not None), 20, is_share=True)
ASKED_BACK = Measure("Asked back, %", lambda one: _above(one.choices_count), 10, is_share=True)
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
    "speakers": (LOUDNESS, WORDS, SURE, EMPTY),
    "words": (UNKNOWN, UNDERSTOOD, SURE, EMPTY),
    "intents": (UNDERSTOOD, SURE, EMPTY),
    "boards": (NOISE_FLOOR, *_CAME_OF_IT),
    "version": (SURE, UNDERSTOOD, EMPTY, ASKED_BACK, ANSWER_AFTER),
    "unknown": (NOISE_FLOOR, LOUDNESS, OVER_NOISE, SURE, UNDERSTOOD, EMPTY),
}
"""What shows each cause of cloud/drift/causes, and what came of it."""
OF_NOISE, OF_VOICE = frozenset({"noise"}), frozenset({"microphone", "speakers", "echo"})
"""Causes that a spectrum shows."""
