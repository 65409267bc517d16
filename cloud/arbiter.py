"""Chooses between the engines' hypotheses of one utterance. Any engine may be missing.

The rules, the first that fits:

1. A sentence of the domain that was understood, sure enough to act, is the answer.
2. Whisper's words, without a doubt, are the answer.
3. Whisper heard no speech, or only the ghost phrases that it makes of noise: nothing was said, whatever words
   pocketsphinx finds in the noise.
4. Whisper doubts its words for another reason: pocketsphinx's are the answer, if it has any that it does not doubt.
5. Whisper is missing: pocketsphinx's words are the answer, unless its own guards call them worthless.
6. Nothing is left: the answer is empty.

What another engine read becomes an alternative, unless nothing was said or its own guards call it worthless.
"""

import re
from collections.abc import Sequence

import msgspec

from cloud.decoders import Alternative, Hypothesis
from cloud.understanding.understand import Outcome, Understood
from cloud.understanding.written import spoken_words

ALTERNATIVES_MAX = 10

NOTHING_SAID = frozenset({"no_speech", "ghost"})
"""Doubts of an engine that believes there was no speech."""

WORTHLESS = NOTHING_SAID | {"length", "repetition"}
"""Doubts that make a reading unfit even as an alternative."""


SURE_ALONE = 0.93
"""Least confidence at which an engine's sentence is the answer though another engine could still tell better. Of 198
orders that pocketsphinx was so sure of, quiet and noisy, 0.975 were right; of those in quiet all."""


def decides_alone(hypothesis: Hypothesis, outcome: Outcome, *, has_commands: bool) -> bool:
    """Whether the answer is there whatever other engines will say. `has_commands`: they may yet hear one."""
    if outcome.understood is not None:
        return outcome.understood.confidence >= SURE_ALONE
    return not has_commands and hypothesis.engine == "whisper" and _is_trusted(hypothesis)


def choose(hypotheses: Sequence[Hypothesis], outcome: Outcome) -> Hypothesis:
    """The answer: one of the hypotheses (at least one), emptied where the rules say so, with the other readings merged
    into its alternatives."""
    if outcome.understood is not None:
        return _with_alternatives(_understood(outcome.understood, hypotheses), hypotheses)
    # What was no sentence of the domain is none among other readings, either.
    hypotheses = [msgspec.structs.replace(each, sentences=()) for each in hypotheses]
    whisper = next((each for each in hypotheses if each.engine == "whisper"), None)
    others = [each for each in hypotheses if each is not whisper]
    if whisper is None:
        alone = others[0]
        return _emptied(alone) if WORTHLESS.intersection(alone.doubts) else _with_alternatives(alone, others)
    if _is_trusted(whisper):
        return _with_alternatives(whisper, hypotheses)
    if not whisper.transcript or NOTHING_SAID.intersection(whisper.doubts):
        return _emptied(whisper)
    for other in others:
        if _is_trusted(other):
            return _with_alternatives(other, hypotheses)
    return _with_alternatives(_emptied(whisper), hypotheses)


def _understood(understood: Understood, hypotheses: Sequence[Hypothesis]) -> Hypothesis:
    """What was understood, as the engine heard it that did; the words' times where any engine has them."""
    heard = next(each for each in hypotheses if each.engine == understood.engine)
    if _is_trusted(heard) and not understood.block.intent:
        # Who names something may say more than its name.
        return heard
    if _is_trusted(heard) and spoken_words(heard.transcript) == understood.text.split():
        # As it is written, with capitals, digits and stops.
        return msgspec.structs.replace(heard, confidence=understood.confidence)
    same = [one for each in hypotheses for one in each.sentences if one.text == understood.text]
    return msgspec.structs.replace(
        heard,
        transcript=understood.text,
        confidence=understood.confidence,
        words=next((one.words for one in same if one.words), ()),
        doubts=(),
    )


def _is_trusted(hypothesis: Hypothesis) -> bool:
    return bool(hypothesis.transcript) and not hypothesis.doubts


def _emptied(hypothesis: Hypothesis) -> Hypothesis:
    return msgspec.structs.replace(hypothesis, transcript="", confidence=None, words=(), alternatives=())


def _with_alternatives(chosen: Hypothesis, hypotheses: Sequence[Hypothesis]) -> Hypothesis:
    """Each engine's best reading comes before anybody's second best."""
    offered = [each for each in hypotheses if not WORTHLESS.intersection(each.doubts)]
    readings = [Alternative(each.transcript, each.confidence, each.engine) for each in offered]
    readings += chosen.alternatives
    readings += [second for each in offered for second in each.alternatives]
    if chosen.sentences:
        # Something was understood; what else of the domain was heard is as good as other words.
        readings += [Alternative(one.text, None, each.engine) for each in offered for one in each.sentences]
    distinct: dict[str, Alternative] = {}
    for reading in readings:
        distinct.setdefault(_spoken(reading.transcript), reading)
    for known in ("", _spoken(chosen.transcript)):
        distinct.pop(known, None)
    return msgspec.structs.replace(chosen, alternatives=tuple(distinct.values())[:ALTERNATIVES_MAX])


def _spoken(transcript: str) -> str:
    """A reading as it sounds: engines differ in capitals and stops."""
    return " ".join(re.findall(r"[\w']+", transcript.casefold()))
