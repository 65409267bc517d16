"""Chooses between the engines' hypotheses of one utterance. Any engine may be missing.

The rules, the first that fits:

1. A sentence of the domain's grammar, heard without a doubt, is the answer. Nobody need be waited for.
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

ALTERNATIVES_MAX = 10

NOTHING_SAID = frozenset({"no_speech", "ghost"})
"""Doubts of an engine that believes there was no speech."""

WORTHLESS = NOTHING_SAID | {"length", "repetition", "out_of_grammar"}
"""Doubts that make a reading unfit even as an alternative."""


def decides_alone(hypothesis: Hypothesis, *, under_grammar: bool) -> bool:
    """Whether a hypothesis is the answer whatever other engines will say. `under_grammar`: one of them may yet find a
    sentence of the domain's grammar."""
    first = hypothesis.by_grammar if under_grammar else hypothesis.engine == "whisper"
    return first and _is_trusted(hypothesis)


def choose(hypotheses: Sequence[Hypothesis]) -> Hypothesis:
    """The answer: one of the hypotheses (at least one), emptied where the rules say so, with the other readings merged
    into its alternatives."""
    whisper = next((each for each in hypotheses if each.engine == "whisper"), None)
    others = [each for each in hypotheses if each is not whisper]
    for other in others:
        if decides_alone(other, under_grammar=True):
            return _with_alternatives(other, hypotheses)
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
    distinct: dict[str, Alternative] = {}
    for reading in readings:
        distinct.setdefault(_spoken(reading.transcript), reading)
    for known in ("", _spoken(chosen.transcript)):
        distinct.pop(known, None)
    return msgspec.structs.replace(chosen, alternatives=tuple(distinct.values())[:ALTERNATIVES_MAX])


def _spoken(transcript: str) -> str:
    """A reading as it sounds: engines differ in capitals and stops."""
    return " ".join(re.findall(r"[\w']+", transcript.casefold()))
