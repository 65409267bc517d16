"""New words: what people say and the domain does not know, how it may be written and said, and what to add."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from cloud.drift.causes.cause import Cause, Plot, bounded, since, who
from cloud.drift.change import Change, Effect
from cloud.drift.new_words import Rising

SHARE_MIN, SHARE_SURE = 0.03, 0.06
WORDS_MAX = 5
TIMES_MIN = 3
"""A word that was said so often is no slip of the engine."""
LETTERS_MIN = 3
GUESSED = ("letters", "parts", "guess")
"""Of pronouncer.SOURCES, what nobody wrote."""


class Pronounces(Protocol):
    """Says words; cloud/pronouncing/pronouncer.py does."""

    def __call__(self, words: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Phones of each word, and where they come from."""


def rising(transcripts: Iterable[str], knows_word: Callable[[str], bool]) -> tuple[tuple[str, int], ...]:
    """Words that the domain lacks and several utterances have, the commonest first."""
    counts: Counter[str] = Counter()
    for transcript in transcripts:
        counts.update(set(unknown_in(transcript, knows_word)))
    return tuple((word, count) for word, count in counts.most_common(WORDS_MAX) if count >= TIMES_MIN)


def unknown_in(transcript: str, knows_word: Callable[[str], bool]) -> list[str]:
    """Words of a transcript that the domain lacks; numbers and single letters are none."""
    words = (word.strip(".,!?;:\"'") for word in transcript.lower().split())
    return [word for word in words if len(word) >= LETTERS_MIN and word.isalpha() and not knows_word(word)]


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


def change_of(rising: Rising, told_at_unix_us: int | None, together: str) -> Change:
    """What differs where one word rises. `together`: the stream's name where several boards heard it."""
    is_board = len(rising.boards) == 1
    after = rising.times / max(rising.utterances, rising.times)
    return Change(
        stream=rising.boards[0] if is_board else together,
        is_board=is_board,
        began_at_unix_us=rising.began_at_unix_us,
        told_at_unix_us=told_at_unix_us,
        utterances=rising.utterances,
        suspect="unknown_words",
        evidence=0.0,
        effects={"unknown_words": Effect(round(rising.usual_share, 4), round(after, 4), 0.0)},
        shifts={},
        noise_before_db=(),
        noise_after_db=(),
        voice_before_db=(),
        voice_after_db=(),
        spread_change_db=(),
        intents_before={},
        intents_after={},
        versions=(),
        new_words=((rising.word, rising.times),),
    )


def cause_of(change: Change, pronounces: Pronounces | None = None) -> Cause:
    """Of a change that `change_of` made."""
    word, times = change.new_words[0]
    before = change.effect("unknown_words").before
    usual = f"before in {100 * before:.0f} % of all" if before else "before never"
    said = pronounces([word]) if pronounces else {}
    return Cause(
        "words",
        1.0,
        f"{who(change)}: “{word}” {times} times in {change.utterances} utterances {since(change)}, {usual}; the domain "
        "does not know it.",
        _advice(change, said),
        {"times": float(times), "utterances": float(change.utterances), "share_before": before},
        Plot("shares", "words"),
    )


def _advice(change: Change, said: dict[str, tuple[str, str]]) -> str:
    if not change.new_words:
        return "Look at what they are: `parrotlet-cloud log query`."
    lines = [_line(word, *said[word]) for word, _ in change.new_words if word in said]
    lexicon = f" lexicon.txt: {'; '.join(lines)}." if lines else ""
    words = ", ".join(word for word, _ in change.new_words)
    return f"Add to a list of the domain's commands.yaml, or as aliases of entries: {words}.{lexicon}"


def _line(word: str, phones: str, source: str) -> str:
    return f"{word}  {phones}{' (guessed)' if source in GUESSED else ''}"
