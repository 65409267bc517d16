"""What Whisper makes of a sound if it must be one of a domain's sentences: a beam search whose every step is allowed.

Its scores are those of Whisper itself, so that a sentence's share of what Whisper would say freely tells how well it
fits.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tokenizers

from cloud.building.bundle import OPEN_MAX, read_bundle
from cloud.decoders import Sentence
from cloud.decoders.spelling import Tokens
from cloud.decoders.token_paths import Frontier, TokenPaths
from cloud.decoders.whisper_decoder import Memory, WhisperDecoder, load_decoder
from cloud.understanding.block import Block
from cloud.understanding.parse import parse
from common.errors import EngineError

BEAM = 8
"""Readings that are followed at a time."""

BEHIND_MAX = 10.0
"""A reading that is so much less likely than the best one is given up, a natural logarithm."""

READY_MAX = 1000
"""Places in a domain's sentences that are known before anybody speaks: of `home` a second of CPU and 30 MB, without
which its first utterances take up to half a second longer each."""

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
        steps = sorted(steps, key=lambda step: -step[0])[:beam]
        steps = [step for step in steps if step[0] > max(least, steps[0][0] - BEHIND_MAX)]
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


class Domain(NamedTuple):
    """The sentences of one."""

    paths: TokenPaths
    blocks: Sequence[Block]

    def knows(self, words: Sequence[str]) -> bool:
        """Whether these words (lower case) are one of them."""
        meanings = parse(self.paths.following, words)
        return any(self.blocks[meaning.block].takes(meaning.slots) for meaning in meanings)


class SentenceReader:
    """Reads what was encoded as sentences of domains. The decoder is loaded when the first domain with any comes."""

    def __init__(self, folder: Path, tokens: tokenizers.Tokenizer) -> None:
        self._folder = folder
        self._tokens = tokens
        self._ends = ends(tokens)
        self._decoder: WhisperDecoder | None = None
        self._domains: OrderedDict[str, Domain | None] = OrderedDict()

    def knows(self, words: Sequence[str], bundle: str) -> bool:
        """Whether these words (lower case) are a sentence of a bundle's domain."""
        domain = self.domain(bundle)
        return domain is not None and domain.knows(words)

    def read(
        self, memory: Callable[[], list[Memory]], bundle: str, prompt: Sequence[int], log_probability_min: float
    ) -> tuple[Sentence, ...]:
        """The likeliest sentences of a bundle's domain in what the decoder looks up, after that prompt; none where it
        has none, or none is so likely."""
        domain = self.domain(bundle)
        if domain is None or self._decoder is None:
            return ()
        paths = domain.paths
        found = best_sentences(
            self._decoder,
            memory(),
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

    def prepare(self, bundle: str) -> None:
        """Makes ready what the sentences of a bundle's domain mostly begin with."""
        if (domain := self.domain(bundle)) is not None:
            domain.paths.prepare(READY_MAX)

    def domain(self, bundle: str) -> Domain | None:
        """The bundle's sentences, ready for use. None where it has none."""
        if bundle not in self._domains:
            known = read_bundle(Path(bundle)) if bundle else None
            self._domains[bundle] = (
                Domain(TokenPaths(known.network, self._tokenise), known.blocks) if known and known.blocks else None
            )
            if self._domains[bundle] is not None and self._decoder is None:
                self._decoder = load_decoder(self._folder)
            if len(self._domains) > OPEN_MAX:
                self._domains.popitem(last=False)
        domain = self._domains[bundle]
        self._domains.move_to_end(bundle)
        if domain is not None:
            # A long list is spelled out once.
            domain.paths.next(domain.paths.start(), first=True)
        return domain

    def _tokenise(self, text: str) -> list[int]:
        return list(self._tokens.encode(text, add_special_tokens=False).ids)
