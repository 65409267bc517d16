"""What the decoder hears of words that voices say: which word of many, and which of its pronunciations."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pocketsphinx
import soxr

from cloud.pronouncing.phones import Phones, names
from models.synthesis.engine import Engine, Manner, Voice

RATE_HZ = 16_000
SILENCE = np.zeros(RATE_HZ // 4, np.int16)
TOGETHER = 50
"""Words that a voice is given at once: what it is given has a time limit."""

Pcm = npt.NDArray[np.int16]


class Heard(NamedTuple):
    """Of what a voice said."""

    word: str
    """Of those that could have been said; empty: none."""
    variant: int
    """Which of its pronunciations."""


class Ear:
    """A decoder that knows so many words and no others, one of them at a time."""

    def __init__(self, words: Mapping[str, Sequence[Phones]]) -> None:
        self._decoder = pocketsphinx.Decoder(loglevel="FATAL", lm=None, bestpath=False, fwdflat=False)
        # Names of its own: what is in the decoder's dictionary has pronunciations there.
        self._meant: dict[str, Heard] = {}
        for number, (word, variants) in enumerate(words.items()):
            for variant, phones in enumerate(variants):
                name = f"w{number}v{variant}"
                self._meant[name] = Heard(word, variant)
                self._decoder.add_word(name, names(phones), False)
        grammar = f"#JSGF V1.0; grammar words; public <word> = {' | '.join(self._meant)} ;"
        self._decoder.add_jsgf_string("words", grammar)
        self._decoder.activate_search("words")

    def hear(self, pcm: Pcm) -> Heard:
        """`pcm`: 16 kHz, silence around it."""
        self._decoder.start_utt()
        self._decoder.process_raw(pcm.tobytes(), full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return self._meant.get(found.hypstr if found else "", Heard("", 0))


def say(engine: Engine, voice: Voice, words: Sequence[str]) -> dict[str, Pcm]:
    """The words that this voice can say, as `Ear` hears them."""
    said = {}
    for start in range(0, len(words), TOGETHER):
        some = words[start : start + TOGETHER]
        for word, spoken in zip(some, engine.say(voice, Manner(), some), strict=True):
            if not isinstance(spoken, str) and len(spoken.sound):
                sound = soxr.resample(spoken.sound, spoken.rate_hz, RATE_HZ)
                said[word] = np.concatenate([SILENCE, sound, SILENCE])
    return said
