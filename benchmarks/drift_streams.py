"""Streams of facts as boards would send them, drawn from what was heard, with a change planted in them or none.

A day has seasons: a kiosk is busy in the morning and at noon, a household in the morning and in the evening, when
others speak than in daytime; weekends are otherwise. What lingers lingers: the same person says several things in a
row, and the room stays busy for half an hour. Facts are drawn with replacement from recordings and conditions.
"""

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from benchmarks.drift_heard import Heard
from benchmarks.drift_sounds import BASES, PLANTS, SLOW_PLANTS, Base
from cloud.drift.facts import Facts

MONDAY_US = 1_788_739_200_000_000
"""2026-09-07 00:00 UTC."""
HOUR_S = 3600.0
SLOW_UTTERANCES = 300

Draw = np.random.Generator
Course = Literal["sudden", "slow"]


class Habits(NamedTuple):
    """Of a kind of place."""

    utterances_a_day: float
    hours: tuple[int, int]
    """Open from and to."""
    busy: Callable[[float, bool], float]
    """Share of busy half hours, by the hour and whether it is a weekend."""
    in_a_row: float
    """Mean number of utterances of one person."""


def _busy_kiosk(hour: float, is_weekend: bool) -> float:
    return 0.3 if is_weekend else 0.7 if hour < 9 or 12 <= hour < 14 else 0.2


def _busy_household(hour: float, is_weekend: bool) -> float:
    return 0.4 if is_weekend else 0.6 if 7 <= hour < 9 or 18 <= hour < 20 else 0.1


HABITS = {
    "kiosk": Habits(60, (7, 19), _busy_kiosk, 1.3),
    "menu": Habits(60, (7, 19), _busy_kiosk, 1.3),
    "household": Habits(35, (7, 23), _busy_household, 2.5),
}

Pools = Mapping[str, Sequence[Heard]]
"""What was heard at a place, by condition."""


class Kind(NamedTuple):
    """Of a change."""

    name: str
    cause: str
    """The name of the cause that is right."""
    places: tuple[str, ...]
    courses: tuple[Course, ...] = ("sudden", "slow")


KINDS = (
    Kind("dishes", "noise", ("kiosk", "household")),
    Kind("tap", "noise", ("kiosk", "household"), ("sudden",)),
    Kind("bike", "noise", ("kiosk", "household"), ("sudden",)),
    Kind("gain", "gain", ("kiosk", "household")),
    Kind("low-pass", "microphone", ("kiosk", "household")),
    Kind("clipping", "clipping", ("kiosk", "household")),
    Kind("echo", "echo", ("kiosk", "household")),
    Kind("speakers", "speakers", ("household",)),
    Kind("faster", "speed", ("kiosk", "household")),
    Kind("intent", "intents", ("household",)),
    Kind("words", "words", ("menu",)),
)
NEW_INTENTS = ("stop", "go")
NEW_WORDS = ("mocha", "iced mocha")
NEW_SHARE = 0.3
"""Of the utterances after the change."""
TALK_SHARE = 0.08
"""Of a kiosk's utterances that are no orders."""


class Said(NamedTuple):
    """An utterance of a stream."""

    facts: Facts
    heard: Heard
    strength: float
    """Of the change by then, 0 to 1."""


class Visit(NamedTuple):
    """Somebody comes by."""

    hour: float
    is_busy: bool


class Stream:
    """Of one board; draws on and on."""

    def __init__(
        self,
        place: str,
        pools: Pools,
        seed: int,
        kind: Kind | None = None,
        course: Course = "sudden",
        begins: int = 0,
    ) -> None:
        """`begins`: number of the utterance with which the change begins."""
        self._place, self._pools, self._kind, self._course, self._begins = place, pools, kind, course, begins
        self._draw = np.random.default_rng(seed)
        self._name = f"{place}-{seed}"
        self._people, self._others = self._cast()
        understood = [one for one in pools["quiet"] if one.facts is not None and one.facts.unknown_share == 0]
        self._known = {word for one in understood for word in one.transcript.lower().split()}
        self._by = {
            condition: _by_person(one for one in heard if one.facts is not None) for condition, heard in pools.items()
        }
        self._number, self._day = 0, -1
        self._visits: list[Visit] = []
        """Of the day, the next one last."""
        self._person, self._left, self._at_s = "", 0, 0.0

    def knows_word(self, word: str) -> bool:
        """Whether it is said in what is usual at that place, as far as its domain understood it."""
        return word in self._known

    def fork(self, kind: Kind, course: Course, begins: int) -> "Stream":
        """The same stream, of which something else becomes than of this one."""
        other = copy.copy(self)
        other._draw, other._visits = copy.deepcopy(self._draw), list(self._visits)
        other._kind, other._course, other._begins = kind, course, begins
        return other

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> Said:
        while not self._left:
            self._visit()
        said = self._say(self._person, self._base, self._number, self._at_s)
        self._number += 1
        self._left -= 1
        self._at_s += float(self._draw.uniform(8, 60))
        return said

    def _visit(self) -> None:
        """Somebody comes, and will say something."""
        while not self._visits:
            self._day += 1
            self._visits = self._day_of(self._day)
        visit = self._visits.pop()
        self._base: Base = "busy" if visit.is_busy else "quiet"
        self._at_s = self._day * 86_400 + visit.hour * HOUR_S
        self._person = self._somebody(visit.hour, self._strength(self._number))
        self._left = int(self._draw.geometric(1 / HABITS[self._place].in_a_row))

    def _day_of(self, day: int) -> "list[Visit]":
        habits, is_weekend = HABITS[self._place], day % 7 >= 5
        rate = habits.utterances_a_day * (0.6 if is_weekend else 1.0) / habits.in_a_row
        hours = np.sort(self._draw.uniform(*habits.hours, self._draw.poisson(rate))).tolist()
        busy = {
            half: self._draw.random() < habits.busy(half / 2, is_weekend)
            for half in sorted({int(2 * hour) for hour in hours})
        }
        return [Visit(hour, bool(busy[int(2 * hour)])) for hour in reversed(hours)]

    def _say(self, person: str, base: Base, number: int, at_s: float) -> Said:
        strength = self._strength(number)
        condition = self._condition(base, strength)
        heard = self._choose(self._by[condition][person], strength)
        assert heard.facts is not None
        facts = msgspec.structs.replace(
            heard.facts,
            device_id=self._name,
            utterance_id=f"{self._name}-{number}",
            at_unix_us=MONDAY_US + round(at_s * 1e6),
        )
        return Said(facts, heard, strength)

    def _strength(self, number: int) -> float:
        if self._kind is None or number < self._begins:
            return 0.0
        return 1.0 if self._course == "sudden" else min(1.0, (number - self._begins + 1) / SLOW_UTTERANCES)

    def _condition(self, base: Base, strength: float) -> str:
        """Of a slow change a half comes first, now and then, then always, then the whole."""
        if self._kind is None or self._kind.name not in PLANTS or not strength:
            return base
        plant = self._kind.name
        if self._course == "sudden" or self._draw.random() < 2 * strength - 1:
            return f"{base}-{plant}-1"
        if strength >= 0.5 or self._draw.random() < 2 * strength:
            return f"busy-{plant}-0.5" if base == "busy" else self._between(plant)
        return base

    def _between(self, plant: str) -> str:
        """In the quiet room there is no half: now the whole, now nothing of it."""
        return f"quiet-{plant}-1" if self._draw.random() < 0.5 else "quiet"

    def _somebody(self, hour: float, strength: float) -> str:
        if not self._people[0]:
            return ""
        are_new = self._kind is not None and self._kind.name == "speakers" and self._draw.random() < strength
        people = self._others if are_new else self._people
        evening = (0.1, 0.3, 0.6)
        return people[int(self._draw.choice(3, p=evening if hour >= 18 else (0.6, 0.3, 0.1)))]

    def _choose(self, said: Sequence[Heard], strength: float) -> Heard:
        """One of what a person said; what is new is not said before."""
        new = {"household": NEW_INTENTS, "menu": NEW_WORDS}.get(self._place, ())
        if self._kind is None or self._kind.name not in ("intent", "words"):
            # What is new elsewhere is usual here, but for the menu, which never has it.
            new = new if self._place == "menu" else ()
            strength = 0.0
        is_new = bool(new) and self._draw.random() < NEW_SHARE * strength
        is_talk = self._place != "household" and not is_new and self._draw.random() < TALK_SHARE
        wanted = [
            one
            for one in said
            if (one.label in new) == is_new and (self._place == "household" or (one.label == "other") == is_talk)
        ]
        return wanted[int(self._draw.integers(len(wanted)))] if wanted else said[int(self._draw.integers(len(said)))]

    def _cast(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Three people, and three others."""
        people = sorted({one.speaker for one in self._pools["quiet"]}) if self._place == "household" else [""]
        if len(people) < 6:
            return ("", "", ""), ("", "", "")
        chosen = self._draw.permutation(people)[:6].tolist()
        return tuple(chosen[:3]), tuple(chosen[3:])


def _by_person(heard: Iterator[Heard]) -> dict[str, list[Heard]]:
    found: dict[str, list[Heard]] = defaultdict(list)
    for one in heard:
        found[one.speaker if one.speaker and one.name.startswith("commands/") else ""].append(one)
    return found


__all__ = ["BASES", "KINDS", "SLOW_PLANTS", "Course", "Kind", "Said", "Stream"]
