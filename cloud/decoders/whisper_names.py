"""Which names of a catalogue Whisper may have heard: any few words, a name, any few words.

A beam search, like that of whisper_sentences.py. What stands around the name is what Whisper itself finds likeliest;
only the name is held to the catalogue's.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tokenizers

from cloud.building.bundle import OPEN_MAX, Bundle, read_bundle
from cloud.decoders import Name
from cloud.decoders.name_spotting import NameSpotting, phones_in
from cloud.decoders.name_table import Ended, NameTable, Node, name_table
from cloud.decoders.phone_ear import PhoneEar, phone_ear
from cloud.decoders.spelling import Tokens
from cloud.decoders.whisper_decoder import Floats, Memory, WhisperDecoder, load_decoder
from cloud.finding.sounding import Sounding
from cloud.finding.words import FILLERS
from cloud.pronouncing.pronouncer import Pronouncer
from cloud.understanding.written import spoken_words

BEAM, BEAM_FEW, FEW = 24, 12, 5_000
"""Readings that are followed at a time, beside those with no name yet; half of them find as many of up to so many
names: of 36 titles among 3,500 both 0.97."""

BEHIND_MAX = 12.0
"""A reading that is so much less likely than the best one of its length is given up, a natural logarithm. Of 38 places
among 20,000, in quiet and noise, what won was never further behind than 5.1; with 8 one of 13 was second no more."""

SOUNDING_MAX = 300
"""Names that sound like one part of what was heard, and are listened for."""

SPOTTED_MAX = 200
"""Names that fit the phones that were heard best, and are listened for."""

SPOTTED, SPOTTED_COST_MAX = 0.6, 12.0
"""How much of what a name's phones fit worse than the best one's is taken from how likely it is, and the most that they
may."""

BEFORE_MAX = 8
"""Words before a name."""

PLAIN, AGREES = 0.99, 3.0
"""Words that are so much like a name, and phones that fit it hardly worse than any other, a natural logarithm: that
name was said, and its words find it."""

UNFIT, MUCH_ELSE = 0.95, 3
"""Nobody named anything where the best name fits so badly, by the phone, and so many other words were said that are no
fillers: of 20 sentences of other things 14, of 36 titles in sentences none."""

PRIOR = 0.5
"""How much of what people would write anyway is taken from what is heard (McDermott et al. 2019, "A density ratio
approach to language model fusion in end-to-end automatic speech recognition"): rare names are heard, not expected."""

LETTER = 0.5
"""How much likelier a name is for each of its letters, a natural logarithm: long names have more that could fail."""

BEFORE_IT, AFTER_IT = 1.0, 2.0
"""How much less likely a name is for each word before it that is no filler, and for each word behind it, natural
logarithms."""

NAMES_MAX = 20
"""Names that are told."""

SPACE = "Ġ"
"""How the vocabulary writes a space."""

TOKENS_MAX = 40
"""Of all that is said."""

FREE = 3
"""Readings among them that have no name yet."""

LONGER_MAX = 6
"""Tokens by which a reading with a name may be longer than the one without."""

BEFORE, WITHIN, AFTER = range(3)


class Vocabulary(NamedTuple):
    """What a recogniser's tokens are."""

    ends: Sequence[int]
    """They may stand behind all that is said: a stop, the end of the text."""
    begins_word: npt.NDArray[np.bool_]
    """By token, whether a word begins with it; so many tokens are text, the first ones."""


class Named(NamedTuple):
    """A name that may have been said."""

    name: str
    before: Tokens
    after: Tokens
    """What was said around it."""
    score: float
    """A natural logarithm."""


class _Reading(NamedTuple):
    """The beginning of what may have been said."""

    score: float
    tokens: Tokens
    part: int
    table: NameTable | None
    """Of the names that may begin here, or of the one within which it is."""
    node: Node | None = None
    """Where in it; None: before a name."""
    words: int = 0
    """Before the name, so far."""
    name_at: tuple[int, int] = (0, 0)
    """Where the name begins and ends."""
    names: tuple[Ended, ...] = ()
    likely: float = 0.0
    """Of the likeliest name that it may become; in its score already."""


class _Step(NamedTuple):
    """A reading with one more token."""

    row: int
    """Of the reading that it goes on from."""
    reading: _Reading


def best_names(
    decoder: WhisperDecoder,
    memory: list[Memory],
    prompt: Sequence[int],
    tables: Mapping[int, NameTable],
    vocabulary: Vocabulary,
    *,
    beam: int = BEAM,
    prior: float = PRIOR,
) -> list[Named]:
    """The likeliest ways to hear a name, the likeliest first; a name may be there several times. `tables`: by the
    number of words before it, the names that may begin there."""
    state = decoder.begin(memory, prompt, deaf=True)
    search = _Search(tables, vocabulary, beam)
    readings = [_Reading(0.0, (), BEFORE, tables.get(0))]
    done: list[Named] = []
    longest = TOKENS_MAX
    while readings and len(readings[0].tokens) < longest:
        hears, expects = np.split(state.log_probabilities, 2)
        free: list[_Step] = []
        named: list[_Step] = []
        for row, reading in enumerate(readings):
            if reading.part == BEFORE:
                free += search.free(reading, row, hears[row], FREE)
            if reading.part == WITHIN and (names := search.ended(reading)):
                done += search.done(names, hears[row])
                named += search.free(names, row, hears[row], 1)
            if reading.part == AFTER:
                done += search.done(reading, hears[row])
                named += search.free(reading, row, hears[row], 1)
            else:
                named += search.within(reading, row, hears[row] - prior * expects[row])
        free = _best(free, FREE)
        if free and free[0].reading.tokens[-1] in vocabulary.ends:
            longest = min(longest, len(free[0].reading.tokens) + LONGER_MAX)
        least = max((one.score for one in done), default=-np.inf) - BEHIND_MAX
        # Behind a name nothing makes a reading likelier.
        named = [step for step in named if step.reading.part != AFTER or step.reading.score >= least]
        steps = [step for step in free if step.reading.tokens[-1] not in vocabulary.ends] + _near(_best(named, beam))
        readings = [step.reading for step in steps]
        if steps:
            parents = [step.row for step in steps] + [step.row + len(hears) for step in steps]
            tokens = [reading.tokens[-1] for reading in readings]
            state = decoder.step(memory, state, parents, tokens * 2, [True] * len(tokens) + [False] * len(tokens))
    return sorted(done, key=lambda named: -named.score)


def _best(steps: list[_Step], most: int) -> list[_Step]:
    return sorted(steps, key=lambda step: -step.reading.score)[:most]


def _near(steps: list[_Step]) -> list[_Step]:
    """Those that are not far behind the first, which is the likeliest."""
    return [step for step in steps if step.reading.score >= steps[0].reading.score - BEHIND_MAX]


class _Search(NamedTuple):
    """How readings go on."""

    tables: Mapping[int, NameTable]
    vocabulary: Vocabulary
    beam: int

    def free(self, reading: _Reading, row: int, hears: Floats, most: int) -> Iterator[_Step]:
        """The likeliest ways on without a name; at the start and behind a name another word begins."""
        scores = hears[: len(self.vocabulary.begins_word)]
        if not reading.tokens or reading.name_at[1] == len(reading.tokens):
            scores = np.where(self.vocabulary.begins_word, scores, -np.inf)
        tokens = np.argpartition(-scores, most)[:most].tolist()
        if reading.part == BEFORE and reading.tokens:
            tokens.append(self.vocabulary.ends[0])
        for token in tokens:
            if reading.part == BEFORE or token not in self.vocabulary.ends:
                words = reading.words + int(self._begins(token))
                its = reading._replace(
                    score=reading.score + float(hears[token]),
                    tokens=(*reading.tokens, token),
                    words=words,
                    table=self.tables.get(words) if reading.part == BEFORE else None,
                )
                yield _Step(row, its)

    def within(self, reading: _Reading, row: int, surprise: Floats) -> Iterator[_Step]:
        """The likeliest ways on into names."""
        if reading.table is None:
            return
        ways = reading.table.next(reading.node or reading.table.start)
        scores = surprise[ways.tokens] + ways.likely - reading.likely
        best = np.argpartition(-scores, self.beam)[: self.beam] if len(scores) > self.beam else range(len(scores))
        begins = len(reading.tokens) if reading.node is None else reading.name_at[0]
        depth = reading.node.depth + 1 if reading.node else 1
        for at in best:
            its = reading._replace(
                score=reading.score + float(scores[at]),
                tokens=(*reading.tokens, int(ways.tokens[at])),
                part=WITHIN,
                node=Node(int(ways.firsts[at]), int(ways.ends[at]), depth),
                name_at=(begins, 0),
                likely=float(ways.likely[at]),
            )
            yield _Step(row, its)

    def ended(self, reading: _Reading) -> _Reading | None:
        """The same as one behind its name, if it may end here."""
        names = reading.table.ended(reading.node) if reading.table and reading.node else []
        if not names:
            return None
        likely = max(one.likely for one in names)
        return reading._replace(
            score=reading.score + likely - reading.likely,
            part=AFTER,
            name_at=(reading.name_at[0], len(reading.tokens)),
            names=tuple(names),
            likely=likely,
        )

    def done(self, reading: _Reading, hears: Floats) -> Iterator[Named]:
        """What was said, if it ends here."""
        score = reading.score + float(np.logaddexp.reduce(hears[list(self.vocabulary.ends)])) - reading.likely
        before, after = reading.tokens[: reading.name_at[0]], reading.tokens[reading.name_at[1] :]
        for one in reading.names:
            yield Named(one.name, before, after, score + one.likely)

    def _begins(self, token: int) -> bool:
        """Whether another word begins with it."""
        return token < len(self.vocabulary.begins_word) and bool(self.vocabulary.begins_word[token])


def outside(before: str, after: str) -> float:
    """How much less likely a name is for what stands around it."""
    matters = sum(word not in FILLERS for word in spoken_words(before))
    return BEFORE_IT * matters + AFTER_IT * len(spoken_words(after))


class Listening:
    """The names of a domain by how they are written and by how they sound."""

    def __init__(self, bundle: Bundle, tokenise: Callable[[list[str]], list[list[int]]], ear: PhoneEar | None) -> None:
        """`ear`: None where none fits the weights."""
        self.table = name_table(list(bundle.names), tokenise)
        self._likely = np.array([LETTER * len(name) for name in bundle.names], np.float32)
        self._ear = ear
        self._spotting = NameSpotting(list(bundle.names.values()))
        self._sounding = Sounding(bundle.names, Pronouncer())
        self._numbers = {name: number for number, name in enumerate(bundle.names)}

    def __len__(self) -> int:
        return len(self._numbers)

    def among(self, heard: str, encoded: Floats) -> dict[int, NameTable]:
        """By the number of words before it, the names that may begin there: those that sound like what was `heard`
        there, and those that fit the phones in (positions, width) without padding, wherever those are. None where a
        name is all that was heard, which its words find, and where much else was said and no name fits."""
        like = self._sounding.like(heard, SOUNDING_MAX)
        sounding: dict[int, list[int]] = {}
        for one in like:
            sounding.setdefault(one.before, []).append(self._numbers[one.name])
        if self._ear is None:
            return {before: self._only(names, self._likely) for before, names in sounding.items()}
        phones = self._ear.hear(encoded)
        costs = self._spotting.costs(phones)
        named = [self._numbers[one.name] for one in like if one.likeness >= PLAIN and not one.beside]
        is_plain = bool(named) and costs[named].min() <= costs.min() + AGREES
        is_none = costs.min() > UNFIT * phones_in(phones) and all(one.beside >= MUCH_ELSE for one in like[:1])
        if is_plain or is_none:
            return {}
        likely = self._likely - SPOTTED * np.minimum(costs - costs.min(), SPOTTED_COST_MAX)
        most = min(SPOTTED_MAX, len(costs))
        fitting = np.argpartition(costs, most - 1)[:most].tolist()
        anywhere = self._only(fitting, likely)
        return {
            before: self._only(fitting + sounding[before], likely) if before in sounding else anywhere
            for before in range(BEFORE_MAX + 1)
        }

    def _only(self, names: list[int], likely: Floats) -> NameTable:
        there = np.full(len(likely), -np.inf, np.float32)
        there[names] = likely[names]
        return self.table.among(there)


class NameReader:
    """Reads what was encoded as names of large catalogues."""

    def __init__(self, folder: Path, tokens: tokenizers.Tokenizer, prompt: Sequence[int], ends: Sequence[int]) -> None:
        self._folder = folder
        self._tokens = tokens
        self._prompt = prompt
        texts = range(ends[0])
        begins = (tokens.id_to_token(token) or "" for token in texts)
        self._vocabulary = Vocabulary(ends, np.fromiter((text.startswith(SPACE) for text in begins), np.bool_))
        self._listening: OrderedDict[str, Listening | None] = OrderedDict()

    def read(self, memory: Callable[[], list[Memory]], spoken: Floats, heard: str, bundle: str) -> tuple[Name, ...]:
        """The likeliest names of a bundle's domain in what the decoder looks up of (positions, width) without padding,
        which say what was `heard`; none where the domain's network has them all."""
        listening = self.listening(bundle)
        if listening is None:
            return ()
        decoder = load_decoder(self._folder)
        tables = listening.among(heard, spoken)
        if not tables:
            return ()
        found: dict[str, Name] = {}
        beam = BEAM_FEW if len(listening) <= FEW else BEAM
        for named in best_names(decoder, memory(), self._prompt, tables, self._vocabulary, beam=beam):
            before, after = self._text(named.before), self._text(named.after)
            said = " ".join(f"{before} {named.name}{after}".split())
            score = named.score - outside(before, after)
            if named.name not in found or score > found[named.name].score:
                found[named.name] = Name(named.name, said, score)
        return tuple(sorted(found.values(), key=lambda name: -name.score))[:NAMES_MAX]

    def listening(self, bundle: str) -> "Listening | None":
        """What listens for the bundle's names, ready for use."""
        if bundle not in self._listening:
            known = read_bundle(Path(bundle)) if bundle else None
            self._listening[bundle] = (
                Listening(known, self._tokenise, phone_ear(self._folder.name)) if known and known.names else None
            )
            if len(self._listening) > OPEN_MAX:
                self._listening.popitem(last=False)
        self._listening.move_to_end(bundle)
        return self._listening[bundle]

    def _tokenise(self, texts: list[str]) -> list[list[int]]:
        return [list(one.ids) for one in self._tokens.encode_batch(texts, add_special_tokens=False)]

    def _text(self, tokens: Tokens) -> str:
        return str(self._tokens.decode(list(tokens)))
