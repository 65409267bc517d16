"""Forced alignment: pocketsphinx finds where known words lie in sound, and whether fillers lie between them.

Huggins-Daines et al. 2006. The only file of models/ that imports pocketsphinx.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pocketsphinx

from common.errors import EngineError

FRAMES_PER_S = 100
Pcm = npt.NDArray[np.int16]
SPOKEN_FILLERS = ("um", "uh", "er", "hmm")
WORD = re.compile(r"[a-z'\-.]+")


class Place(NamedTuple):
    """A word, or a filler between words, by frames of 10 ms."""

    word: str
    first: int
    last: int


class Aligner:
    """EngineError if the model cannot be loaded. Used from one thread."""

    def __init__(self) -> None:
        try:
            self._decoder = pocketsphinx.Decoder(
                loglevel="FATAL", lm=None, bestpath=False, fwdflat=False, beam=1e-80, wbeam=1e-60, pbeam=1e-80
            )
        except RuntimeError as error:
            raise EngineError(f"pocketsphinx's model cannot be loaded: {error}.") from error

    def knows(self, word: str) -> bool:
        """Whether it has a pronunciation."""
        return bool(WORD.fullmatch(word)) and self._decoder.lookup_word(word) is not None

    def align(self, pcm: Pcm, words: Sequence[str], *, fillers: bool) -> list[Place] | None:
        """Where the words lie, with fillers where they fit if `fillers`; None if they do not fit the sound.

        `pcm`: 16 kHz. All words must be known.
        """
        between = f"[ {' | '.join(SPOKEN_FILLERS)} ]" if fillers else ""
        line = " ".join(f"{between} {word}" for word in words) + f" {between}"
        decoder = self._decoder
        decoder.add_jsgf_string("words", f"#JSGF V1.0; grammar words; public <words> = {line} ;")
        decoder.activate_search("words")
        decoder.start_utt()
        decoder.process_raw(pcm.tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        places = [
            Place(segment.word.partition("(")[0], segment.start_frame, segment.end_frame)
            for segment in (decoder.seg() if found is not None else ())
        ]
        # Null arcs of the grammar have no word, and silence is nobody's.
        places = [place for place in places if place.word and place.word[0] not in "<["]
        return places if [place.word for place in places if place.word not in SPOKEN_FILLERS] == [*words] else None
