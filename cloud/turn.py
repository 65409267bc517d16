"""Whether the speaker is done, from the words before a pause. Pure.

What speaks for more: a word that wants another after it ("for", "the"), a number that may want its unit, a letter that
is spelled, a filler, a comma. A sentence of the grammar is whole; so is open speech of which nothing speaks for more.
"""

import re

from cloud.decoders import Hypothesis
from protos import speech_pb2

WANTS_MORE = frozenset(
    {
        *("a", "about", "an", "and", "as", "at", "because", "between", "but", "by", "can", "could", "do", "does"),
        *("every", "for", "from", "her", "his", "how", "i", "i'm", "if", "in", "into", "is", "it's", "like", "may"),
        *("my", "no", "of", "on", "or", "our", "play", "please", "set", "should", "some", "than", "that", "the"),
        *("their", "then", "there's", "to", "was", "what", "what's", "when", "where", "which", "who", "will"),
        *("with", "without", "would", "your"),
        *("ah", "er", "erm", "hm", "hmm", "mm", "uh", "um", "well"),
    }
)
"""Words that hardly end a sentence."""

NUMBERS = frozenset(
    {
        *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
        *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty"),
        *("forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand", "point", "double"),
    }
)

WORDS_MIN = 2
"""One word may be the beginning of anything."""

_WORD = re.compile(r"[\w']+")


def completeness(hypothesis: Hypothesis, *, understood: bool, open_speech: bool) -> "speech_pb2.Completeness":
    """What the words up to a pause say about what follows. `understood`: they are a sentence of the domain;
    `open_speech`: they need not be one."""
    words = _WORD.findall(hypothesis.transcript.lower())
    if hypothesis.doubts or not words:
        return speech_pb2.COMPLETENESS_UNSPECIFIED
    if understood:
        return speech_pb2.COMPLETENESS_COMPLETE
    last = words[-1]
    if last in WANTS_MORE or last in NUMBERS or last.isdigit() or len(last) == 1 or _trails_off(hypothesis.transcript):
        return speech_pb2.COMPLETENESS_UNFINISHED
    if not open_speech or len(words) < WORDS_MIN:
        return speech_pb2.COMPLETENESS_UNSPECIFIED
    return speech_pb2.COMPLETENESS_COMPLETE


def _trails_off(transcript: str) -> bool:
    """Whether whoever wrote it left the sentence open."""
    return transcript.rstrip().endswith((",", "-", "...", "…", ":", ";"))
