"""Typing slips: a rare word that is in no dictionary and one keystroke from a usual one.

Words one edit apart share one of the forms that they have with a letter left out (Garbe's symmetric deletion), so that
nobody compares each with each.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

RARE_MAX = 2
"""Who mistypes does not do it the same way often."""
USUAL_MIN = 3
USUAL_TIMES = 4
"""A word is meant if it is as usual as that, and so many times as usual as the slip."""
LENGTH_MIN = 3
"""Shorter words are one edit from everything."""


class Slip(NamedTuple):
    written: str
    meant: str
    """The most usual word that is one edit away."""
    sure: bool
    """Whether no other word could have been meant."""


def slips(counts: Mapping[str, int], known: Collection[str], names: Collection[str] = ()) -> Iterator[Slip]:
    """Of words (small letters, with how often each is in the set) those that are likely slips.

    `known`: words of a dictionary, never slips. `names`: words with a capital of their own.
    """
    usual = {word for word, count in counts.items() if count >= USUAL_MIN and len(word) >= LENGTH_MIN}
    near: defaultdict[str, list[str]] = defaultdict(list)
    for word in usual:
        for form in shortened(word):
            near[form].append(word)
    common = Counter(dict(counts))
    for word, count in counts.items():
        if count > RARE_MAX or len(word) < LENGTH_MIN or _is_known(word, known) or not word.replace("'", "").isalpha():
            continue
        found = {other for form in shortened(word) for other in near.get(form, ()) if is_one_edit(word, other)}
        meant = sorted(
            (other for other in found if counts[other] >= USUAL_TIMES * count and not _inflects(word, other)),
            key=lambda other: (-common[other], other),
        )
        if meant:
            yield Slip(word, meant[0], sure=len(meant) == 1 and word not in names)


def shortened(word: str) -> set[str]:
    """The word, and all forms of it with one letter left out."""
    return {word} | {word[:at] + word[at + 1 :] for at in range(len(word))}


def is_one_edit(one: str, other: str) -> bool:
    """Whether a letter more, a letter less, another letter or two letters swapped lie between them."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    if len(one) > len(other):
        one, other = other, one
    at = next((at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right), len(one))
    if len(one) < len(other):
        return one[at:] == other[at + 1 :]
    swapped = one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    return swapped or one[at + 1 :] == other[at + 1 :]


def _is_known(word: str, known: Collection[str]) -> bool:
    return word in known or (word.endswith("'s") and word[:-2] in known) or (word.endswith("s'") and word[:-1] in known)


def _inflects(word: str, other: str) -> bool:
    """ "Timers" is no slip of "timer", whatever the dictionary lacks."""
    return word in (other + "s", other + "'s", other + "d") and other.isalpha()
