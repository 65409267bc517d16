"""A domain's phrases as single words of pocketsphinx: what each is called, and the words it stands for. Pure."""

from collections.abc import Iterator

from cloud.decoders import Word

JOINT = "_"
"""Begins a phrase's name and stands between its words; no word has one."""


def phrase_name(phrase: str) -> str:
    """What words with spaces between are called as one."""
    return JOINT + phrase.replace(" ", JOINT)


def words_in(word: Word) -> Iterator[Word]:
    """The words of a phrase, else the word itself. Each has a share of the time by its letters."""
    if not word.text.startswith(JOINT):
        yield word
        return
    texts = word.text.removeprefix(JOINT).split(JOINT)
    letters, before = sum(map(len, texts)), 0
    for text in texts:
        after = before + len(text)
        start_ms, end_ms = (
            word.start_ms + (word.end_ms - word.start_ms) * passed // letters for passed in (before, after)
        )
        yield Word(text, start_ms, end_ms)
        before = after
