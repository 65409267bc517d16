"""An implicit "wrong": the same person asks the same again, because the answer was not what they wanted. Pure.

Not everything that follows at once is one: "and now the kitchen light" goes on, "louder, louder" is meant twice. What
tells them apart is whether the first was understood, how alike the two sound, and what they have in common of what they
mean. After an answer without words, whatever follows says that it was wrong; or that it was not for the board. A
logistic function; `scripts/bench reasks --fit` fits it, on recordings that its figures are not measured with.
"""

import difflib
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from cloud.drift.facts import Facts
from cloud.outcomes.outcome import plain_words
from cloud.pronouncing.distance import apart
from cloud.pronouncing.phones import Phones
from protos import speech_pb2

WITHIN_S = 10.0
"""From the answer to the next first word: later, it is another matter."""

REPEAT_SHARE = 0.5
"""Of what two utterances mean: of 1,260 who went on with another order one in a hundred had so much in common, of 141
who asked again after an answer that had been understood, a third."""
BOARDS_MAX = 10_000
"""Whose last turn is remembered."""
WORDS_MAX = 30
"""Of an utterance, that are compared: an order has fewer, and time grows by more than the square of them."""
WORDS_LETTERS_MAX = 300
"""Of these words; who counts while somebody waits is never held up by a word that has no end."""

PhonesOf = Callable[[str], Sequence[Phones]]
"""How a text may be said."""

NO = (("no",), ("nope",), ("wrong",), ("i", "said"), ("i", "meant"), ("not", "that"))
"""Openings of who corrects."""
ON = (("and",), ("also",), ("now",), ("then",), ("another",), ("one", "more"), ("again",), ("more",), ("next",))
"""Openings of who goes on."""
OPENING = 3.0
"""What an opening is worth, a natural logarithm. By hand: no recording has them."""


class Turn(NamedTuple):
    """An utterance and its answer."""

    device_id: str
    asked_at_s: float
    """First word."""
    answered_at_s: float
    """Both by the same clock."""
    transcript: str
    intent: str | None = None
    slots: Mapping[str, str] = {}
    asked_back: bool = False
    """It was answered with "did you mean …?"."""
    confidence: float | None = None
    readings: Sequence[str] = ()
    """What else was heard in it."""
    goes_on: bool = False
    """It is the rest of long speech that was cut."""


class Evidence(NamedTuple):
    """What speaks for a re-ask, and against it; 0 or 1 but where it says otherwise."""

    first_empty: float
    first_not_understood: float
    """There were words, and they meant nothing."""
    asked_back: float
    unsure: float
    """Of a first that was understood: 1 less its confidence."""
    second_empty: float
    sound: float
    """How alike the two sound, 0 to 1."""
    letters: float
    """How alike they are written, word by word, 0 to 1."""
    was_a_reading: float
    """The second's words were heard in the first as well, and not taken."""
    same: float
    """Both were understood as the same: what was wrong with the first is wrong with the second, or neither is."""
    shared: float
    """Of what both mean, the share that is the same, 0 to 1."""


BIAS = -3.4
WEIGHTS = Evidence(
    first_empty=5.1,
    first_not_understood=2.0,
    asked_back=2.0,
    unsure=2.9,
    second_empty=1.0,
    sound=2.9,
    letters=-0.9,
    was_a_reading=2.0,
    same=-2.6,
    shared=2.1,
)
"""What no recording has (not understood, asked back, another reading) is as it was thought to be."""


def turn_of(facts: Facts, final: speech_pb2.Final, *, goes_on: bool = False) -> Turn | None:
    """Of an utterance that the log has; None: nobody knows when it was spoken, or it was sent later."""
    if facts.at_unix_us is None or facts.replayed:
        return None
    asked_at_s = facts.at_unix_us / 1e6
    took_ms = (facts.duration_ms or 0) + (facts.endpoint_to_final_ms or 0)
    return Turn(
        facts.device_id,
        asked_at_s,
        asked_at_s + took_ms / 1000,
        final.transcript,
        facts.intent,
        dict(final.intent.slots),
        bool(final.choices) and facts.intent is None,
        facts.confidence,
        tuple(other.transcript for other in final.alternatives),
        goes_on,
    )


def turn_now(device_id: str, asked_at_s: float, answered_at_s: float, final: speech_pb2.Final) -> Turn:
    """Of an utterance that was answered just now."""
    is_understood = final.HasField("intent")
    return Turn(
        device_id,
        asked_at_s,
        answered_at_s,
        final.transcript,
        final.intent.name if is_understood else None,
        dict(final.intent.slots),
        bool(final.choices) and not is_understood,
        final.confidence if final.HasField("confidence") else None,
        tuple(other.transcript for other in final.alternatives),
    )


def repeats(first: Turn, second: Turn) -> bool:
    """Whether both were understood as nearly the same. "Louder" is meant so; of most things it is rare."""
    return _shared(first, second) >= REPEAT_SHARE


class Followed(NamedTuple):
    """What an utterance says of the one before."""

    utterance_id: str
    """Of the one before."""
    probability: float
    """That it was wrong."""
    is_repeated: bool


class Conversations:
    """The last turn of each board."""

    def __init__(self, phones_of: PhonesOf | None = None) -> None:
        self._phones_of = phones_of
        self._last: OrderedDict[str, tuple[str, Turn]] = OrderedDict()

    def push(self, utterance_id: str, turn: Turn) -> "Followed | None":
        """What this says of the board's utterance before; None: nothing."""
        before = self._last.pop(turn.device_id, None)
        self._last[turn.device_id] = utterance_id, turn
        if len(self._last) > BOARDS_MAX:
            self._last.popitem(last=False)
        if before is None or (probability := reask(before[1], turn, self._phones_of)) is None:
            return None
        return Followed(before[0], probability, repeats(before[1], turn))


def reask(first: Turn, second: Turn, phones_of: PhonesOf | None = None) -> float | None:
    """Probability that `first` was wrong, since `second` follows; None: it does not, or is no turn of its own.

    `phones_of`: how words sound; None: their letters have to do.
    """
    gap_s = second.asked_at_s - first.answered_at_s
    if first.device_id != second.device_id or second.goes_on or not 0 <= gap_s <= WITHIN_S:
        return None
    weighed = sum(weight * value for weight, value in zip(WEIGHTS, evidence(first, second, phones_of), strict=True))
    return 1 / (1 + math.exp(-(BIAS + weighed + _opening(second.transcript))))


def evidence(first: Turn, second: Turn, phones_of: PhonesOf | None = None) -> Evidence:
    """Of two turns of one board, one soon after the other."""
    ones, others = _compared(first.transcript), _compared(second.transcript)
    is_understood, is_same = first.intent is not None, False
    if first.intent is not None and first.intent == second.intent:
        is_same = first.slots == second.slots
    sound = letters = 0.0
    if ones and others:
        letters = difflib.SequenceMatcher(None, ones, others, autojunk=False).ratio()
        sound = _sound(" ".join(ones), " ".join(others), phones_of)
    return Evidence(
        first_empty=float(not ones),
        first_not_understood=float(bool(ones) and not is_understood and not first.asked_back),
        asked_back=float(first.asked_back),
        unsure=1 - (first.confidence if first.confidence is not None else 1.0) if is_understood else 0.0,
        second_empty=float(not others),
        sound=sound,
        letters=letters,
        was_a_reading=float(bool(others) and any(_compared(reading) == others for reading in first.readings)),
        same=float(is_same),
        shared=0.0 if is_same else _shared(first, second),
    )


def _compared(transcript: str) -> list[str]:
    """Words of it."""
    return plain_words(transcript[:WORDS_LETTERS_MAX])[:WORDS_MAX]


def _sound(one: str, other: str, phones_of: PhonesOf | None) -> float:
    if one == other:
        return 1.0
    if phones_of is None:
        return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()
    ones, others = phones_of(one), phones_of(other)
    if not ones or not others:
        return 0.0
    longest = max(len(ones[0]), len(others[0]))
    # Nothing in common is about half a phone apart for each phone.
    return max(0.0, 1 - 2 * apart(ones, others) / longest)


def _shared(first: Turn, second: Turn) -> float:
    if first.intent is None or first.intent != second.intent:
        return 0.0
    names = first.slots.keys() | second.slots.keys()
    both = sum(first.slots.get(name) == second.slots.get(name) for name in names)
    return both / len(names) if names else 1.0


def _opening(transcript: str) -> float:
    words = tuple(_compared(transcript))
    if any(words[: len(opening)] == opening for opening in NO) and len(words) > 1:
        return OPENING
    return -OPENING if any(words[: len(opening)] == opening for opening in ON) else 0.0
