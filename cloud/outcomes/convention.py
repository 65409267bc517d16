"""Labels that are written by another agreement than before: fillers, digits, capitals, stops; by labeller. Pure.

A label says what was spoken and how it is written. If one of the people who label writes "um" otherwise from Tuesday
on, nothing about speech has changed, and a model that learns from both learns noise. Each labeller's writing is watched
mark by mark against how all wrote until then (wager.py); a mark is only looked for where it could be.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from cloud.outcomes.outcome import FILLERS
from cloud.outcomes.wager import Wager
from cloud.understanding.written import spoken_words

RUN_LENGTH = 4000.0
"""Labels without a change in which one false alarm is to be expected at most."""
LABELS_MIN = 20
"""Of fewer nobody knows how all write."""
LABELLERS_MAX = 64
OTHERS_MAX, USUAL = 0.3, 0.05
"""A mark that more than so many labels lack has no agreement; at least so many are thought to lack it by mistake."""

MARKS = {
    "filler_comma": 'writes fillers with a comma ("Um, hello")',
    "filler_ellipsis": 'writes fillers with an ellipsis ("Um… hello")',
    "numbers_in_words": "writes numbers in words",
    "capital": "begins with a capital",
    "stop": "ends with a stop",
    "straight": "writes straight apostrophes",
}

_FILLER = re.compile(rf"\b(?:{'|'.join(sorted(FILLERS, key=len, reverse=True))})\b(?P<after>\s*(?:,|…|\.\.\.)?)", re.I)
# Without "one", which is mostly none.
_NUMBERS = {spoken_words(str(number))[0] for number in (*range(2, 20), *range(20, 100, 10))} | {"hundred", "thousand"}


class Convention(msgspec.Struct, frozen=True):
    """A labeller who writes otherwise."""

    labeller: str
    mark: str
    """One of MARKS."""
    since_unix_us: int | None
    labels: int
    """Since then, where the mark could be."""
    others: int
    """Of them, written otherwise."""
    usually: float
    """How many of all labels were, before."""
    does: bool
    """Whether the agreement is to write the mark."""
    example: str

    @property
    def cause(self) -> str:
        """The same for the same cause."""
        return f"convention-{self.labeller}-{self.mark}"

    @property
    def words(self) -> list[str]:
        """That people said and the sentence has."""
        return [self.example]

    def sentence(self) -> str:
        """For a person: what, by what evidence, and what to do."""
        agreed = MARKS[self.mark] if self.does else "not: " + MARKS[self.mark]
        return (
            f"{self.labeller} labels by another agreement: {self.others} of the last {self.labels} labels, such as "
            f'"{self.example}", {100 * self.usually:.0f} % of all before; agreed is that one {agreed}. What people say '
            f"has not changed. Ask {self.labeller}, and keep these labels out of training until parrotlet-models fix "
            f"has put them right."
        )


class Written(NamedTuple):
    """A label's text."""

    labeller: str
    text: str
    at_unix_us: int | None = None


def marks(text: str) -> dict[str, bool]:
    """How a text is written, by MARKS; without those that it has no place for."""
    found: dict[str, bool] = {}
    stripped = text.strip()
    if not stripped:
        return found
    if (filler := _FILLER.search(stripped)) is not None and filler.end() < len(stripped):
        after = filler["after"].strip()
        found["filler_comma"] = after == ","
        found["filler_ellipsis"] = after in ("…", "...")
    has_digits = re.search(r"\d", stripped) is not None
    if has_digits or _NUMBERS.intersection(spoken_words(stripped)):
        found["numbers_in_words"] = not has_digits
    if (letter := next((sign for sign in stripped if sign.isalpha()), None)) is not None:
        found["capital"] = letter.isupper()
    if stripped[-1] != "]":
        found["stop"] = stripped[-1] in ".?!…"
    if "'" in stripped or "’" in stripped:
        found["straight"] = "’" not in stripped
    return found


def agreed_of(definition: Mapping[str, Any]) -> dict[str, bool]:
    """What a data definition (data-definition.toml, as tomllib reads it) says of MARKS; without those that it leaves
    free."""

    def write(section: str) -> str:
        return str(definition.get(section, {}).get("write", ""))

    agreed: dict[str, bool] = {}
    if write("fillers") in ("comma", "ellipsis", "bare"):
        agreed |= {"filler_comma": write("fillers") == "comma", "filler_ellipsis": write("fillers") == "ellipsis"}
    for section, mark, values in (
        ("numbers", "numbers_in_words", {"words": True, "digits": False}),
        ("punctuation", "stop", {"sentence": True, "none": False}),
        ("letter_case", "capital", {"sentence": True, "upper": True, "lower": False}),
        ("contractions", "straight", {"as_spoken": True}),
    ):
        if write(section) in values:
            agreed[mark] = values[write(section)]
    return agreed


class ConventionWatch:
    """Of all who label."""

    def __init__(self, before: Iterable[Written], *, agreed: Mapping[str, bool] | None = None) -> None:
        """`before`: labels from when all was well. `agreed`: what the data definition says of marks; else what most
        wrote."""
        self._agreed = dict(agreed or {})
        self._shares: dict[str, float] = {}
        """Of the labels before, those that are written otherwise than agreed."""
        seen: dict[str, list[bool]] = {mark: [] for mark in self._agreed}
        for one in before:
            for mark, does in marks(one.text).items():
                seen.setdefault(mark, []).append(does)
        for mark, each in seen.items():
            self._learn(mark, each)
        self._wagers: dict[tuple[str, str], Wager] = {}
        self._others: dict[tuple[str, str], list[Written]] = {}
        self._starts: dict[tuple[str, str], int] = {}

    def push(self, label: Written) -> Convention | None:
        """The next label."""
        found: Convention | None = None
        for mark, does in marks(label.text).items():
            if mark not in self._shares:
                continue
            key = label.labeller, mark
            if key not in self._wagers and len(self._wagers) >= LABELLERS_MAX * len(MARKS):
                continue
            wager = self._wagers.setdefault(key, Wager())
            otherwise = does != self._agreed[mark]
            self._follow(key, label, wager.times, otherwise=otherwise)
            wager.push(float(otherwise), max(self._shares[mark], USUAL))
            if wager.evidence >= RUN_LENGTH * len(self._shares) and found is None:
                found = self._told(key)
                wager.reset()
                self._others.pop(key, None)
        return found

    def _learn(self, mark: str, each: Sequence[bool]) -> None:
        if len(each) < LABELS_MIN and mark not in self._agreed:
            return
        does = self._agreed.setdefault(mark, 2 * sum(each) > len(each))
        share = sum(one != does for one in each) / max(1, len(each))
        if share <= OTHERS_MAX:
            self._shares[mark] = share

    def _follow(self, key: tuple[str, str], label: Written, times: int, *, otherwise: bool) -> None:
        """Keeps those that are otherwise, from the first after which most are."""
        others = self._others.setdefault(key, [])
        if otherwise:
            if not others:
                self._starts[key] = times
            others.append(label)
        elif others and 2 * len(others) < times - self._starts[key]:
            others.clear()

    def _told(self, key: tuple[str, str]) -> Convention:
        labeller, mark = key
        others = self._others[key]
        return Convention(
            labeller=labeller,
            mark=mark,
            since_unix_us=others[0].at_unix_us,
            labels=self._wagers[key].times - self._starts[key],
            others=len(others),
            usually=round(self._shares[mark], 3),
            does=self._agreed[mark],
            example=others[-1].text,
        )
