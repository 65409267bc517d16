"""Facts of utterances that nobody said: a board with its people, its room and its days, to test what watches facts.

Real recordings have drift_lab; this takes milliseconds. What may change is a function from one utterance's numbers to
others, see CHANGES.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np

from cloud.drift.causes.noise_shapes import SHAPES
from cloud.drift.facts import Facts
from cloud.drift.shape import BANDS

MONDAY_US = 1_788_739_200_000_000
"""2026-09-07 00:00 UTC."""
DAY_US = 86_400_000_000
INTENTS = ("lights_on", "lights_off", "timer_start", "weather")
INTENT_SHARES = (0.4, 0.3, 0.2, 0.1)

Numbers = dict[str, Any]
Changed = Callable[[Numbers], Numbers]


def louder_noise(rise_db: float, shape: str = "dishes") -> Changed:
    """A noise of that shape on top of the room's."""

    def change(one: Numbers) -> Numbers:
        floor_db = one["noise_floor_dbfs"] + rise_db
        # Powers add up.
        added = 10 ** (one["noise_floor_dbfs"] / 10) * (10 ** (rise_db / 10) - 1)
        powers = np.power(10.0, np.array(one["noise_bands_db"]) / 10) + added * np.power(
            10.0, np.array(SHAPES[shape]) / 10
        )
        noise = list(10 * np.log10(powers))
        return one | {
            "noise_floor_dbfs": floor_db,
            "snr_db": one["level_dbfs"] - floor_db,
            "noise_bands_db": noise,
            "fall_db_per_s": one["fall_db_per_s"] - 8 * rise_db,
        }

    return change


def gain(by_db: float) -> Changed:
    """All louder or quieter."""

    def change(one: Numbers) -> Numbers:
        moved = {name: one[name] + by_db for name in ("level_dbfs", "noise_floor_dbfs", "peak_dbfs")}
        bands = {name: [db + by_db for db in one[name]] for name in ("noise_bands_db", "speech_bands_db")}
        return one | moved | bands

    return change


def covered(one: Numbers) -> Numbers:
    """A cloth over the microphone."""
    lost = [0.0] * 11 + [-4.0, -8.0, -12.0, -14.0, -15.0]
    return one | {
        name: [a + b for a, b in zip(one[name], lost, strict=True)] for name in ("speech_bands_db", "noise_bands_db")
    }


def clipped(one: Numbers) -> Numbers:
    """Shouted into."""
    return gain(15)(one) | {"clipped_share": 0.02, "peak_dbfs": 0.0}


def echoing(one: Numbers) -> Numbers:
    """A bathroom."""
    spread = [db - 2 for db in one["band_spread_db"]]
    return one | {"fall_db_per_s": one["fall_db_per_s"] * 0.5, "band_spread_db": spread}


def hurried(one: Numbers) -> Numbers:
    """Spoken 1.3 times as fast."""
    return one | {
        "words_per_s": one["words_per_s"] * 1.3,
        "syllables_per_s": one["syllables_per_s"] * 1.3,
        "speech_ms": round(one["speech_ms"] / 1.3),
    }


def new_intent(one: Numbers) -> Numbers:
    """Every third utterance asks for something new."""
    return one | {"intent": "blinds_down"} if one["number"] % 3 == 0 else one


def new_words(one: Numbers) -> Numbers:
    """Half of the utterances have words that the domain lacks."""
    return one | {"unknown_share": 0.25, "intent": None} if one["number"] % 2 == 0 else one


def new_model(one: Numbers) -> Numbers:
    """Another model, which understands less."""
    return one | {"model": "en-us 6.0", "confidence": one["confidence"] * 0.6}


CHANGES: dict[str, Changed] = {
    "noise": louder_noise(10),
    "gain": gain(-12),
    "microphone": covered,
    "clipping": clipped,
    "echo": echoing,
    "speed": hurried,
    "intents": new_intent,
    "words": new_words,
    "version": new_model,
}
"""By the name of the cause."""


class MadeBoard:
    """A board; draws on and on."""

    def __init__(self, name: str = "kitchen-2", seed: int = 1, people: int = 3, a_day: int = 40) -> None:
        self._name = name
        self._draw = np.random.default_rng(seed)
        self._intonation = np.random.default_rng([seed, 1])
        self._people = [self._draw.standard_normal(BANDS) * 3 for _ in range(people)]
        self._a_day = a_day
        self._person = 0
        self._number = 0

    def new_people(self) -> None:
        """Others live there now."""
        self._people = [self._draw.standard_normal(BANDS) * 3 for _ in self._people]

    def facts(self, count: int, change: Changed = lambda one: one) -> Iterator[Facts]:
        """The next utterances."""
        for _ in range(count):
            numbers = change(self._numbers())
            self._number += 1
            known = {name: value for name, value in numbers.items() if name != "number"}
            yield msgspec.convert(_plain(known), Facts)

    def _numbers(self) -> Numbers:
        draw, number = self._draw, self._number
        day, hour = number // self._a_day, 7 + 16 * (number % self._a_day) / self._a_day
        # The same person says several things.
        if draw.random() < 0.4:
            self._person = int(draw.integers(len(self._people)))
        # Mornings and evenings are louder.
        floor_db = -60 + 6 * (hour < 9 or hour > 18) + 2 * draw.standard_normal()
        level_db = -30 + 3 * draw.standard_normal() + self._people[self._person][0] / 3
        speech_ms = int(np.clip(1800 * np.exp(0.3 * draw.standard_normal()), 500, 6000))
        words = max(1, round(speech_ms * 2.6 / 1000 + draw.standard_normal()))
        return {
            "number": number,
            "device_id": self._name,
            "utterance_id": f"{self._name}-{number}",
            "at_unix_us": MONDAY_US + day * DAY_US + round(hour * 3.6e9),
            "engine": "pocketsphinx",
            "model": "en-us 5.1.1",
            "service_version": "0.9.0",
            "level_dbfs": level_db,
            "peak_dbfs": level_db + 15,
            "noise_floor_dbfs": floor_db,
            "snr_db": level_db - floor_db,
            "clipped_share": 0.0,
            "overruns": 0,
            "gaps": 0,
            "duration_ms": speech_ms + 900,
            "speech_ms": speech_ms,
            "speech_share": speech_ms / (speech_ms + 900),
            "end_reason": "endpoint",
            "noise_bands_db": list(floor_db + np.array(SHAPES["pink"]) + draw.standard_normal(BANDS)),
            "speech_bands_db": list(level_db + self._people[self._person] + 2 * draw.standard_normal(BANDS)),
            "band_spread_db": list(9 + 0.5 * draw.standard_normal(BANDS)),
            "syllables_per_s": 4 + 0.6 * draw.standard_normal(),
            "pitch_hz": 160 * 2 ** (self._people[self._person][1] / 8 + 0.1 * self._intonation.standard_normal()),
            "fall_db_per_s": 280 + 25 * draw.standard_normal(),
            "word_count": words,
            "words_per_s": words * 1000 / speech_ms,
            "unknown_share": 0.0 if draw.random() < 0.95 else 0.2,
            "intent": str(draw.choice(INTENTS, p=INTENT_SHARES)) if draw.random() < 0.9 else None,
            "confidence": float(np.clip(0.9 + 0.07 * draw.standard_normal(), 0.05, 0.99)),
            "results_count": 1,
            "choices_count": 0,
            "was_empty": False,
        }


def _plain(numbers: Numbers) -> Numbers:
    """Without numpy's own numbers."""
    return {
        name: [float(one) for one in value]
        if isinstance(value, list)
        else value.item()
        if isinstance(value, np.generic)
        else value
        for name, value in numbers.items()
    }
