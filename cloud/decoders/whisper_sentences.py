"""What Whisper makes of a sound if it must be one of a domain's sentences: a beam search whose every step is allowed.

Its scores are those of Whisper itself, so that a sentence's share of what Whisper would say freely tells how well it
fits.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tokenizers

from cloud.building.bundle import OPEN_MAX, read_bundle
from cloud.decoders import Sentence
from cloud.decoders.spelling import Tokens
from cloud.decoders.token_paths import Frontier, TokenPaths
from cloud.decoders.whisper_decoder import Floats, Memory, WhisperDecoder, load_decoder
from common.errors import EngineError

BEAM = 8
"""Readings that are followed at a time."""

TEXT_END = "<|endoftext|>"
STOPS = (".", "?", "!")
"""What may stand after a sentence."""

TOKEN_BONUS = 1.2
"""What a token more is worth, a natural logarithm. In noise an end is cheaper than hard words: of 151 orders at 12 dB
six lost their end. Only for the choice; scores stay Whisper's own."""

TOKENS_MAX = 60
"""Of a sentence."""


class Found(NamedTuple):
    """A sentence of the domain, as tokens."""

    tokens: Tokens
    log_probability: float
    """Of all its tokens and its end, natural logarithm."""

    @property
    def rank(self) -> float:
        return self.log_probability + TOKEN_BONUS * len(self.tokens)


class Followed(NamedTuple):
    """The beginning of a sentence."""

    tokens: Tokens
    log_probability: float
    frontier: Frontier


def best_sentences(
    decoder: WhisperDecoder,
    memory: list[Memory],
    prompt: Sequence[int],
    paths: TokenPaths,
    ends: Sequence[int],
    *,
    beam: int = BEAM,
    log_probability_min: float = -math.inf,
) -> list[Found]:
    """The likeliest sentences of the paths, the best first; what is less likely than `log_probability_min` is not
    followed. `ends`: tokens that may stand after a sentence, such as a stop or the end of the text."""
    state = decoder.begin(memory, prompt)
    followed = [Followed((), 0.0, paths.start())]
    done: list[Found] = []
    while followed and (length := len(followed[0].tokens)) < TOKENS_MAX:
        steps: list[tuple[float, int, int, Frontier]] = []
        for number, reading in enumerate(followed):
            likely = state.log_probabilities[number]
            for token, step in paths.next(reading.frontier, first=not reading.tokens).items():
                score = reading.log_probability + float(likely[token]) - step.cost
                if score >= log_probability_min:
                    steps.append((score, number, token, step.frontier))
            if reading.tokens and paths.is_final(reading.frontier):
                end = np.logaddexp.reduce(likely[list(ends)])
                done.append(Found(reading.tokens, reading.log_probability + float(end)))
        done = sorted(done, key=lambda found: -found.rank)[:beam]
        # Whatever goes on hardly gets better.
        least = done[-1].rank - TOKEN_BONUS * (length + 1) if len(done) == beam else -np.inf
        steps = [step for step in sorted(steps, key=lambda step: -step[0])[:beam] if step[0] > least]
        if steps:
            state = decoder.step(
                memory, state, [number for _, number, _, _ in steps], [token for *_, token, _ in steps]
            )
        followed = [Followed((*followed[n].tokens, token), score, frontier) for score, n, token, frontier in steps]
    return done


def token_id(tokens: tokenizers.Tokenizer, token: str) -> int:
    """The number of a token that every Whisper model has. EngineError if this one has not."""
    number = tokens.token_to_id(token)
    if number is None:
        raise EngineError(f"The tokenizer does not know {token}: it is not Whisper's.")
    return int(number)


def ends(tokens: tokenizers.Tokenizer) -> list[int]:
    """The tokens that may stand after a sentence, the end of the text first."""
    stops = [tokens.encode(stop, add_special_tokens=False).ids[0] for stop in STOPS]
    return [token_id(tokens, TEXT_END), *stops]


class SentenceReader:
    """Reads what was encoded as sentences of domains. The decoder is loaded when the first domain with any comes."""

    def __init__(self, folder: Path, tokens: tokenizers.Tokenizer) -> None:
        self._folder = folder
        self._tokens = tokens
        self._ends = ends(tokens)
        self._decoder: WhisperDecoder | None = None
        self._paths: OrderedDict[str, TokenPaths | None] = OrderedDict()

    def read(
        self, encoded: Floats, bundle: str, prompt: Sequence[int], log_probability_min: float
    ) -> tuple[Sentence, ...]:
        """The likeliest sentences of a bundle's domain for (positions, width) after that prompt; none where it has
        none, or none is so likely."""
        paths = self.paths(bundle)
        if paths is None or self._decoder is None:
            return ()
        found = best_sentences(
            self._decoder,
            self._decoder.memory(encoded),
            prompt,
            paths,
            self._ends,
            log_probability_min=log_probability_min,
        )
        scores: dict[str, float] = {}
        for one in found:
            # One sentence written in two ways is as likely as both together.
            text = " ".join(paths.words(one.tokens)).lower()
            scores[text] = float(np.logaddexp(one.log_probability, scores.get(text, -np.inf)))
        return tuple(Sentence(text, score) for text, score in sorted(scores.items(), key=lambda pair: -pair[1]))

    def paths(self, bundle: str) -> TokenPaths | None:
        """The bundle's sentences as tokens, ready for use. None where it has none."""
        if bundle not in self._paths:
            known = read_bundle(Path(bundle)) if bundle else None
            self._paths[bundle] = TokenPaths(known.network, self._tokenise) if known and known.blocks else None
            if self._paths[bundle] is not None and self._decoder is None:
                self._decoder = load_decoder(self._folder)
            if len(self._paths) > OPEN_MAX:
                self._paths.popitem(last=False)
        paths = self._paths[bundle]
        self._paths.move_to_end(bundle)
        if paths is not None:
            # A long list is spelled out once.
            paths.next(paths.start(), first=True)
        return paths

    def _tokenise(self, text: str) -> list[int]:
        return list(self._tokens.encode(text, add_special_tokens=False).ids)
