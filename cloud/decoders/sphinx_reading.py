"""One reading of an utterance by a pocketsphinx decoder: cepstra in, words and their score out."""

import math
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from cloud.decoders import Word
from cloud.decoders.cepstral_mean import CepstralMean
from cloud.decoders.sphinx_features import CEPSTRA, Cepstra
from cloud.decoders.sphinx_phrases import words_in

PIECE_FRAMES = 5
"""What pocketsphinx is given at a time: with 8 and more its general model finds no words, 20 crash the process."""

FRAME_MS = 10

LOG_BASE = 1.0001
"""Of pocketsphinx's scores."""

NO_WORD = frozenset("<[+(")
"""What names of silence, noises and a grammar's empty steps begin with."""

_VARIANT = re.compile(r"\(\d+\)$")


class Reading:
    """Feeds a decoder with one utterance, and gives it back when it is closed."""

    def __init__(self, decoder: Any, mean: CepstralMean, give_back: Callable[[Any], None]) -> None:
        """`decoder`: a pocketsphinx.Decoder between utterances."""
        self._decoder = decoder
        self._mean = mean
        self._give_back = give_back
        self._pending: Cepstra = np.empty((0, CEPSTRA), np.float32)
        self._ended = False
        self._closed = False
        decoder.start_utt()

    def feed(self, cepstra: Cepstra) -> None:
        """Takes the next frames, any number of them."""
        pending = np.concatenate([self._pending, cepstra])
        whole = len(pending) - len(pending) % PIECE_FRAMES
        for start in range(0, whole, PIECE_FRAMES):
            self._process(pending[start : start + PIECE_FRAMES])
        self._pending = pending[whole:]

    def end(self) -> None:
        """Everything was fed."""
        if len(self._pending):
            self._process(self._pending)
        self._ended = True
        self._decoder.end_utt()

    def words(self) -> list[Word]:
        """The best words so far, without silence and noises; at the end none if they are no sentence of the grammar."""
        segments = (
            Word(_VARIANT.sub("", segment.word), segment.start_frame * FRAME_MS, (segment.end_frame + 1) * FRAME_MS)
            for segment in self._segments()
        )
        return [word for segment in segments for word in words_in(segment)]

    def score(self) -> float:
        """Of the words' frames, the mean logarithm (base 1.0001) of their likelihood beside that of the frame's best
        state; 0 without words."""
        segments = self._segments()
        frames = sum(segment.end_frame - segment.start_frame + 1 for segment in segments)
        likelihoods = (max(segment.ascore, sys.float_info.min) for segment in segments)
        return sum(map(math.log, likelihoods)) / math.log(LOG_BASE) / frames if frames else 0.0

    def close(self) -> None:
        """Must be called; may be called twice. Nothing else may be called after it."""
        if not self._closed:
            self._closed = True
            if not self._ended:
                self._give_up()
            self._give_back(self._decoder)

    def _give_up(self) -> None:
        """Ends the utterance without its second pass, which is most of what an end takes."""
        if self._decoder.config["fwdflat"]:
            # A second pass reads the features again. With a new buffer it finds them gone, and the end says so.
            self._decoder.reinit_feat()
            with suppress(RuntimeError):
                self._decoder.end_utt()
        else:
            self._decoder.end_utt()

    def _process(self, cepstra: Cepstra) -> None:
        self._mean.update(cepstra)
        # Said again before each piece, so that pocketsphinx never moves it by itself.
        self._decoder.set_cmn(",".join(f"{value:.3f}" for value in self._mean.value))
        self._decoder.process_cep(cepstra.tobytes(), False, False)

    def _segments(self) -> list[Any]:
        if self._decoder.hyp() is None:
            return []
        return [segment for segment in self._decoder.seg() if segment.word[0] not in NO_WORD]


def transcript(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)
