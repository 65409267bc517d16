"""What goes wrong with the words around a cut in speech that goes on: are they lost, or doubled?"""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jiwer

from benchmarks.accuracy import normalise

NEAR_WORDS = 2
"""Words on each side of a cut that count as near it."""


class Near(NamedTuple):
    """Words that were heard, and how many of them, or of those missing beside them, are wrong."""

    words: int
    wrong: int

    @property
    def rate(self) -> float:
        return self.wrong / self.words if self.words else 0.0


def near_and_far(text: str, utterances: Sequence[dict[str, Any]]) -> tuple[Near, Near]:
    """Of one file: near its cuts, and elsewhere. Word errors as a minimal alignment has them."""
    heard = [normalise(utterance["transcript"]).split() for utterance in utterances]
    ends = itertools.accumulate(map(len, heard))
    cuts = [end for end, utterance in zip(ends, utterances, strict=True) if utterance["end_reason"] == "max_length"]
    words = [word for said in heard for word in said]
    is_near = [any(-NEAR_WORDS <= at - cut < NEAR_WORDS for cut in cuts) for at in range(len(words) + 1)]
    wrong = [0, 0]
    for chunk in jiwer.process_words(normalise(text), " ".join(words)).alignments[0]:
        if chunk.type == "delete":
            wrong[is_near[chunk.hyp_start_idx]] += chunk.ref_end_idx - chunk.ref_start_idx
        elif chunk.type != "equal":
            for at in range(chunk.hyp_start_idx, chunk.hyp_end_idx):
                wrong[is_near[at]] += 1
    near = sum(is_near[:-1])
    return Near(near, wrong[1]), Near(len(words) - near, wrong[0])
