"""What a set tells of itself: which words have a capital of their own, and which sentences are questions."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from models.labels.writing import begins_sentence, without_marks, words

CASED = re.compile(r"[A-Za-zÀ-ɏ][\w'’]*")
SEEN_MIN = 5
"""So often something must have been written before its way counts as usual."""
SHARE_MIN = 0.9


class Usage(NamedTuple):
    """Counts over a set's texts, each different text once."""

    inside_large: Counter[str]
    """Words (small letters) by how often they stand within a sentence with a capital."""
    inside_small: Counter[str]
    questions: Counter[str]
    """Openings (two words) by how many end with a question mark."""
    ended: Counter[str]
    """Openings by how many end with any mark."""

    def is_name(self, word: str) -> bool:
        """Whether a word has its capital also within a sentence, as far as this set tells."""
        return self.inside_large[word.lower()] > self.inside_small[word.lower()]

    def ending(self, text: str) -> str | None:
        """The mark that texts with this opening end with; None if that is not plain."""
        begins = opening(text)
        if (count := self.ended[begins]) < SEEN_MIN:
            return None
        share = self.questions[begins] / count
        return "?" if share >= SHARE_MIN else "." if share <= 1 - SHARE_MIN else None


def usage_of(texts: Iterable[str]) -> Usage:
    """Of all different texts of a set."""
    usage = Usage(Counter(), Counter(), Counter(), Counter())
    for text in set(texts):
        plain = without_marks(text)
        if end := plain.rstrip(" \"”')")[-1:]:
            begins = opening(text)
            usage.ended[begins] += end in ".!?"
            usage.questions[begins] += end == "?"
        found = list(CASED.finditer(plain))
        # Texts that are all capitals, or a capital a word, tell nothing of names.
        if sum(match[0][0].isupper() for match in found) * 2 > len(found) > 2:
            continue
        for match in found:
            if not begins_sentence(plain, match.start()):
                counts = usage.inside_large if match[0][0].isupper() else usage.inside_small
                counts[match[0].lower()] += 1
    return usage


def opening(text: str) -> str:
    """Its first two words."""
    return " ".join(words(text[:60])[:2])
