"""Changes of what is right, planted into streams of real recordings: found, how soon, by how many labels, and told from
changes of what comes in.

They are of drift_lab's tables. Streams are drawn from orders as pocketsphinx heard them (outcomes_heard.py), by boards
in a household's day: quieter in the morning, dishes and a tap in the evening. The first REFERENCE utterances are what
is usual. Whether somebody complains is drawn by what people do (below); 40 of 1,000 utterances are labelled, as
labelling.py draws them (200 while a training is prepared: convention), and their labels come when the batch is over.
Then, all at once or slowly over 400 utterances:

* word: what is right for a drink is another thing; whoever says it is answered as before, as surely, and wrong.
* update: another model answers; of its sure answers a quarter is wrong.
* convention: one of three labellers writes fillers and numbers otherwise.
* noise, faster, mix, new words: data drift, in which no answer's meaning changed: nothing must be told here.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from benchmarks.drift_lab_kept import Kept
from benchmarks.outcomes_heard import Condition, Heard
from cloud.drift.facts import Facts
from cloud.labelling.labelling import Candidate, draw, uncertainty
from cloud.outcomes.concept import Concept, ConceptWatch, Over, Seen, keys_of
from cloud.outcomes.convention import Convention, ConventionWatch, Written
from cloud.outcomes.outcome import WEIGHTS, WRONG, plain_words
from cloud.outcomes.outcome_watch import REPEATED
from cloud.outcomes.promise import Past, Promises

SEED = 31
REFERENCE = 600
BEFORE, AFTER, SLOWLY = 300, 1500, 400
"""Utterances of a stream between the reference and the change, from then on, and in which a slow one comes."""
RUNS = 20
"""Of each kind and way."""
LENGTH = 6000
"""Of an undrifted stream; each has a reference of its own."""
BOARDS = 4
MINUTES_APART = 5
BATCH, LABELS_IN_BATCH = 100, 4.0
CAMPAIGN = 20.0
"""Labels in a batch where it is watched how they are written: somebody labels for a training."""
AGREED = {"filler_comma": True, "filler_ellipsis": False, "numbers_in_words": True, "capital": True, "stop": True}
"""By the data definition."""
START_UNIX_S = 1_793_000_000

REASKS, COMPLAINS = 0.4, 0.1
"""Of those who were answered wrong; the others are silent."""
CONTENT_COMPLAINS, TWICE = 0.004, 0.02
"""Of those who were answered right: they slip; they want the same once more, at once."""
REPEAT_TOLD = 0.4
"""scripts/bench reasks: of those who ask again after a sure and wrong answer, so many say what is known as a repeat.
Where the words were understood right, and mean another thing now, it is nearly always the same again."""
SAME_TOLD = 0.8
UPDATE_BREAKS = 0.25
FILLED, NUMBERED, SLIPS = 0.25, 0.3, 0.03
"""Of the labels' texts; and how often one is written otherwise than agreed by a slip."""

QUIET = (Condition(), Condition(take="b"))
EVENING = (Condition("doing_the_dishes", 20), Condition("running_tap", 20))
NOISY = (Condition("doing_the_dishes", 12), Condition("exercise_bike", 14), Condition("pink_noise", 16))
CONCEPTS = ("word", "update", "convention")
DATA = ("noise", "faster", "mix", "new words")
WORDS = ("latte", "mocha", "americano", "espresso", "cappuccino")


class Plant(NamedTuple):
    """A change."""

    kind: str
    what: str
    is_slow: bool


class Said(NamedTuple):
    """An utterance of a stream."""

    heard: Heard
    facts: Facts
    is_right: bool
    complaint: float


class Run(NamedTuple):
    """What came of a stream."""

    plant: Plant | None
    alarms: list[tuple[int, Concept | Convention]]
    """Each with how many utterances after the change (or the reference)."""
    changed: list[bool]
    """Of the utterances from the change on: whether they are of what changed."""
    labels: list[int]
    """The utterances, counted in the same way, that were labelled."""


class Found(msgspec.Struct, frozen=True):
    """What the tables need of a stream."""

    kind: str
    is_slow: bool
    place: int | None
    """How many utterances after the change it was told; None: it was not."""
    is_right: bool
    """Kind and name."""
    is_told: bool
    """Concept drift by its kind; of data drift nothing."""
    labels: int
    """Used by then."""


def found(pool: "Pool", kept: Kept) -> list[Found]:
    """Of RUNS streams of each kind and way."""
    planted = [
        (number, plant)
        for kind in (*CONCEPTS, *DATA)
        for is_slow in (False, True)
        for number, plant in enumerate(plants(kind, is_slow))
    ]
    return [_found(pool, plant, number, kept) for number, plant in planted]


def _found(pool: "Pool", plant: Plant, number: int, kept: Kept) -> Found:
    def make() -> Found:
        one = run(pool, plant, number)
        first = next(((place, alarm) for place, alarm in one.alarms if place >= 0), None)
        place = None if first is None else first[0]
        labels = sum(0 <= at <= place for at in one.labels) if place is not None else 0
        is_right = first is not None and is_right_kind(first[1], plant)
        return Found(plant.kind, plant.is_slow, place, is_right, is_told(one), labels)

    way = "slow" if plant.is_slow else "sudden"
    return kept.get(f"changed orders {plant.kind} {way} {number}", Found, make)


def calm(pool: "Pool", utterances: int, kept: Kept) -> tuple[int, int]:
    """Utterances in which nothing changed, at least so many, and false alarms in them."""
    numbers = range(-(-utterances // LENGTH))
    alarms = [kept.get(f"still orders {n}", int, lambda n=n: len(run(pool, None, n).alarms)) for n in numbers]  # type: ignore[misc]
    return LENGTH * len(alarms), sum(alarms)


def plants(kind: str, is_slow: bool) -> list[Plant]:
    """RUNS of a kind."""
    return [Plant(kind, WORDS[number % len(WORDS)], is_slow) for number in range(RUNS)]


class Pool:
    """What streams are drawn from."""

    def __init__(self, heard: Sequence[Heard]) -> None:
        self._by_condition: dict[str, list[Heard]] = {}
        for one in heard:
            if one.facts is not None:
                self._by_condition.setdefault(one.condition, []).append(one)

    def draw(self, conditions: Sequence[Condition], at_random: np.random.Generator, drinks: Sequence[str]) -> Heard:
        """One of any of the conditions; of these drinks, if any are named."""
        here = self._by_condition[str(conditions[int(at_random.integers(len(conditions)))])]
        while True:
            one = here[int(at_random.integers(len(here)))]
            if not drinks or (one.slots or {}).get("coffeeDrink") in drinks:
                return one


def stream(pool: Pool, plant: Plant | None, number: int, length: int, starts: int) -> Iterator[tuple[Said, bool]]:
    """Utterances, each with whether it is of what changed; the change starts with the utterance `starts`."""
    at_random = np.random.default_rng([SEED, number, *(plant.kind + plant.what).encode()] if plant else [SEED, number])
    for place in range(length):
        at_s = START_UNIX_S + 60 * MINUTES_APART * place
        # Slowly: more and more of the utterances are of the change.
        share = 0.0 if plant is None or place < starts else min(1.0, (place - starts + 1) / SLOWLY)
        is_on = plant is not None and share > 0 and (not plant.is_slow or at_random.random() < share)
        said, is_changed = _said(pool, plant if is_on else None, at_random, at_s)
        if plant is not None and plant.kind == "update" and place >= starts:
            said = said._replace(facts=msgspec.structs.replace(said.facts, model="en-us next"))
        device = f"board-{int(at_random.integers(BOARDS))}"
        facts = msgspec.structs.replace(
            said.facts, device_id=device, utterance_id=f"{number}-{place}", at_unix_us=at_s * 1_000_000
        )
        yield said._replace(facts=facts), is_changed


def _said(pool: Pool, plant: Plant | None, at_random: np.random.Generator, at_s: int) -> tuple[Said, bool]:
    kind = plant.kind if plant is not None else ""
    is_evening = 17 <= at_s // 3600 % 24 < 22
    conditions: Sequence[Condition] = EVENING if at_random.random() < (0.7 if is_evening else 0.1) else QUIET
    drinks: Sequence[str] = ()
    if kind == "noise":
        conditions = NOISY
    elif kind == "faster":
        conditions = QUIET[1:]
    elif kind == "mix" and at_random.random() < 0.7:
        drinks = ("iced mocha", "drip coffee")
    heard = pool.draw(conditions, at_random, drinks)
    assert heard.facts is not None
    facts, is_right, is_changed = heard.facts, heard.is_right, kind in DATA
    words = plain_words(heard.transcript)
    if kind == "new words" and plant is not None:
        # Who wants what the domain lacks, and is not understood or hardly.
        is_changed = at_random.random() < 0.2
        if is_changed:
            facts = msgspec.structs.replace(
                facts, confidence=float(at_random.uniform(0.3, 0.6)), intent=None, was_empty=True, unknown_share=0.3
            )
            is_right = False
    if kind == "word" and plant is not None and plant.what in words:
        is_right, is_changed = False, True
    if kind == "update" and facts.intent is not None:
        is_changed = at_random.random() < UPDATE_BREAKS
        is_right = is_right and not is_changed
    is_changed = is_changed or kind == "convention"
    told = SAME_TOLD if kind == "word" and is_changed else REPEAT_TOLD
    return Said(heard, facts, is_right, _complaint(is_right, told, at_random)), is_changed


def _complaint(is_right: bool, told: float, at_random: np.random.Generator) -> float:
    """As outcome_watch.py counts it."""
    chance = float(at_random.random())
    complains, repeats = (CONTENT_COMPLAINS, TWICE * SAME_TOLD) if is_right else (COMPLAINS, REASKS * told)
    if chance < complains:
        return WRONG * WEIGHTS["verdict"]
    return REPEATED if chance < complains + repeats else 0.0


def run(pool: Pool, plant: Plant | None, number: int) -> Run:
    """One stream, watched."""
    watching = BEFORE + AFTER if plant is not None else LENGTH
    starts = REFERENCE + BEFORE if plant is not None else 0
    said = list(stream(pool, plant, number, REFERENCE + watching, starts))
    at_random = np.random.default_rng([SEED, number, 7])
    changes_at = BEFORE if plant is not None else 0
    watch: ConceptWatch | None = None
    writing: ConventionWatch | None = None
    past: list[Past] = []
    written: list[Written] = []
    budget = CAMPAIGN if plant is not None and plant.kind == "convention" else LABELS_IN_BATCH
    found = Run(plant, [], [is_changed for _, is_changed in said[starts:]], [])
    for start in range(0, len(said), BATCH):
        batch = [one for one, _ in said[start : start + BATCH]]
        chosen = {(one.device_id, one.utterance_id) for one in draw([_candidate(one) for one in batch], budget)}
        if start == REFERENCE:
            watch, writing = ConceptWatch(Promises(past)), ConventionWatch(written, agreed=AGREED)
        alarms: list[tuple[int, Concept | Over | Convention | None]] = []
        for place, one in enumerate(batch, start - REFERENCE - changes_at):
            is_chosen = (one.facts.device_id, one.facts.utterance_id) in chosen
            if watch is None:
                past.append(_past(one, is_chosen))
            else:
                alarms.append((place, watch.push(_seen(one, is_chosen))))
        for place, one in enumerate(batch, start - REFERENCE - changes_at):
            if (one.facts.device_id, one.facts.utterance_id) not in chosen:
                continue
            found.labels.append(place)
            text = _label(one, plant if place >= 0 else None, at_random)
            if watch is None or writing is None:
                written.append(text)
            else:
                end = start - REFERENCE - changes_at + BATCH
                alarms += [(end, watch.label(_seen(one, True), float(not one.is_right))), (end, writing.push(text))]
        found.alarms.extend((place, alarm) for place, alarm in alarms if isinstance(alarm, Concept | Convention))
    return found


def _candidate(one: Said) -> Candidate:
    facts = one.facts
    unsure = uncertainty(
        facts.confidence, was_empty=bool(facts.was_empty), asked_back=bool(facts.choices_count) and facts.intent is None
    )
    return Candidate(facts.device_id, facts.utterance_id, unsure)


def _seen(one: Said, is_chosen: bool) -> Seen:
    entry = (one.heard.understood or {}).get("coffeeDrink")
    return Seen(one.facts, plain_words(one.heard.transcript), entry, one.complaint, is_chosen)


def _past(one: Said, is_chosen: bool) -> Past:
    wrong = float(not one.is_right) if is_chosen else None
    return Past(one.facts, keys_of(_seen(one, is_chosen)), one.complaint, wrong)


def _label(one: Said, plant: Plant | None, at_random: np.random.Generator) -> Written:
    """What a labeller writes: by the agreement, but for slips, and but for one of them after a change."""
    labeller = ("ann", "ben", "cem")[int(at_random.integers(3))]
    otherwise = plant is not None and plant.kind == "convention" and labeller == "ben"
    slips = bool(at_random.random() < SLIPS)
    text = " ".join(plain_words(one.heard.transcript)) or "nothing"
    if at_random.random() < FILLED:
        text = ("um " if otherwise or slips else "Um, ") + text
    if at_random.random() < NUMBERED:
        text += " for 2" if otherwise or slips else " for two"
    return Written(labeller, text[0].upper() + text[1:] + ".", one.facts.at_unix_us)


def is_right_kind(alarm: Concept | Convention, plant: Plant) -> bool:
    """Whether an alarm names what was planted."""
    if isinstance(alarm, Convention):
        return plant.kind == "convention" and alarm.labeller == "ben"
    if plant.kind == "word":
        return alarm.kind == "meaning" and alarm.key[1] == plant.what
    return plant.kind == "update" and alarm.kind == "update"


def is_told(one: Run) -> bool:
    """Concept drift: its kind is named; data drift: no concept is."""
    assert one.plant is not None
    after = [alarm for place, alarm in one.alarms if place >= 0]
    if one.plant.kind in DATA:
        return not after
    return bool(after) and is_of_concept(after[0], one.plant)


def is_of_concept(alarm: Concept | Convention, plant: Plant) -> bool:
    """The right one of the three kinds, whatever it names."""
    kinds = {"word": "meaning", "update": "update", "convention": "convention"}
    return (alarm.kind if isinstance(alarm, Concept) else "convention") == kinds[plant.kind]
