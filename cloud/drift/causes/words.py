"""New words: what people say and the domain does not know, how it may be written and said, and what to add."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from cloud.drift.causes.cause import Cause, Plot, bounded, since, who
from cloud.drift.change import Change

SHARE_MIN, SHARE_SURE = 0.03, 0.06
WORDS_MAX = 5
TIMES_MIN = 3
"""A word that was said so often is no slip of the engine."""
LETTERS_MIN = 3


class Pronounces(Protocol):
    """Says words; cloud/pronouncing/pronouncer.py does."""

    def __call__(self, words: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Phones of each word, and where they come from."""


def rising(transcripts: Iterable[str], knows_word: Callable[[str], bool]) -> tuple[tuple[str, int], ...]:
    """Words that the domain lacks and several utterances have, the commonest first."""
    counts: Counter[str] = Counter()
    for transcript in transcripts:
        words = {word.strip(".,!?;:\"'") for word in transcript.lower().split()}
        counts.update(word for word in words if len(word) >= LETTERS_MIN and word.isalpha() and not knows_word(word))
    return tuple((word, count) for word, count in counts.most_common(WORDS_MAX) if count >= TIMES_MIN)


def find(change: Change, pronounces: Pronounces | None = None) -> Cause | None:
    """None where no more words are unknown than were."""
    effect = change.effect("unknown_words")
    if effect.difference < SHARE_MIN:
        return None
    said = pronounces(word for word, _ in change.new_words) if pronounces and change.new_words else {}
    named = ", ".join(f"“{word}” ({count} times)" for word, count in change.new_words)
    what = f": {named}" if named else ""
    return Cause(
        "words",
        bounded(effect.difference / SHARE_SURE, 1.4),
        f"{who(change)}: {100 * effect.after:.0f} % of the words are none that the domain knows {since(change)}, "
        f"before {100 * effect.before:.0f} %{what}.",
        _advice(change, said),
        {"unknown_share": round(effect.after, 3), "before_share": round(effect.before, 3)}
        | {f"times_{word}": float(count) for word, count in change.new_words},
        Plot("shares", "words"),
    )


def _advice(change: Change, said: dict[str, tuple[str, str]]) -> str:
    if not change.new_words:
        return "Look at what they are: `parrotlet-cloud log query`."
    lines = [f"{word}  {said[word][0]}" for word, _ in change.new_words if word in said]
    lexicon = f" lexicon.txt: {'; '.join(lines)}." if lines else ""
    words = ", ".join(word for word, _ in change.new_words)
    return f"Add to a list of the domain's commands.yaml, or as aliases of entries: {words}.{lexicon}"
