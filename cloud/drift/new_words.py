"""Words that a domain lacks and that more and more people say, each word for itself. Pure.

A share of unknown words says little: talk that was never meant for the domain has many. One word that keeps coming back
says much. Each has wagers that it is said in so large a share of utterances now, summed over all beginnings (Shiryaev
and Roberts, as in detector.py), and divided by the number of words that might have been it. Who is not understood says
it again: a word counts once in ten minutes of a board.
"""

from collections.abc import Container, Iterable
from typing import NamedTuple

import msgspec

LEARN = 200
"""Utterances until it is known which unknown words are usual."""
SHARES = (0.04, 0.12, 0.35)
WORDS_MAX = 400
"""Of more, those that were said longest ago are forgotten."""
SITTING_US = 600_000_000
TIMES_MIN = 4
EVIDENCE_MAX = 1e280


class Rising(NamedTuple):
    """A word."""

    word: str
    times: int
    """Since it began."""
    utterances: int
    began_at_unix_us: int | None
    """When it was first said."""
    boards: tuple[str, ...]
    """That heard it."""
    usual_share: float


class Heard(msgspec.Struct):
    """Of one word."""

    evidence: list[float]
    until: int
    """The number of the utterance that the evidence is of."""
    first: int
    first_at_unix_us: int | None
    times: int = 0
    usual: int = 0
    """How often it was said while that was learnt."""
    sittings: dict[str, int] = {}
    """When it was last said to each board."""
    was_told: bool = False


class NewWordsState(msgspec.Struct):
    """As it is kept."""

    utterances: int = 0
    heard: dict[str, Heard] = {}


class NewWords:
    """Of one domain."""

    def __init__(self, run_length: float, state: NewWordsState | None = None) -> None:
        self._run_length = run_length
        self.state = state or NewWordsState()

    def push(self, board: str, at_unix_us: int | None, unknown: Iterable[str]) -> list[Rising]:
        """The words of an utterance that the domain lacks, in small letters; those that rise and were not told yet."""
        state = self.state
        state.utterances += 1
        found = []
        for word in dict.fromkeys(unknown):
            heard = self._heard(word, at_unix_us)
            if not self._is_another_sitting(heard, board, at_unix_us):
                continue
            if state.utterances <= LEARN:
                heard.usual += 1
                continue
            self._say(heard)
            if self._rises(heard):
                heard.was_told = True
                since = state.utterances - heard.first
                share = heard.usual / LEARN
                boards = tuple(heard.sittings)
                found.append(Rising(word, heard.times, since, heard.first_at_unix_us, boards, share))
        return found

    def forget(self, board: str, but: Container[str] = ()) -> None:
        """Erases the words that only this board heard, and that it heard the others; all but some."""
        for word, heard in list(self.state.heard.items()):
            if word in but:
                continue
            heard.sittings.pop(board, None)
            if not heard.sittings:
                del self.state.heard[word]

    def _heard(self, word: str, at_unix_us: int | None) -> Heard:
        """It, as the one that was said last."""
        number = self.state.utterances
        heard = self.state.heard.pop(word, None)
        if heard is None or (number > LEARN and not heard.times):
            usual = heard.usual if heard is not None else 0
            heard = Heard([0.0] * len(SHARES), number - 1, number, at_unix_us, usual=usual, sittings={})
        self.state.heard[word] = heard
        if len(self.state.heard) > WORDS_MAX:
            del self.state.heard[next(iter(self.state.heard))]
        return heard

    def _is_another_sitting(self, heard: Heard, board: str, at_unix_us: int | None) -> bool:
        at = at_unix_us or 0
        last = heard.sittings.get(board)
        heard.sittings[board] = at
        return last is None or at - last >= SITTING_US

    def _say(self, heard: Heard) -> None:
        """Said now, and not since."""
        usual = (heard.usual + 1) / (LEARN + 2)
        unsaid = self.state.utterances - heard.until - 1
        heard.until = self.state.utterances
        heard.times += 1
        for number, wanted in enumerate(SHARES):
            share = max(wanted, 2 * usual)
            lost = (1 - share) / (1 - usual)
            # So many steps of (evidence + 1) * lost at once.
            evidence = heard.evidence[number] * lost**unsaid + lost * (1 - lost**unsaid) / (1 - lost)
            # The first time says that there is such a word, and no more.
            gain = share / usual if heard.times > 1 else 1.0
            heard.evidence[number] = min((evidence + 1) * gain, EVIDENCE_MAX)

    def _rises(self, heard: Heard) -> bool:
        among = max(10, len(self.state.heard))
        evidence = sum(heard.evidence) / len(SHARES) / among
        return not heard.was_told and heard.times >= TIMES_MIN and evidence >= self._run_length
