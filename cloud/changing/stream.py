"""What a gate knows of one measure in one slice. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from cloud.changing.compared import REACH, Divided
from cloud.changing.evidence import Bet, Interval


class StreamState(NamedTuple):
    """All of it, in numbers."""

    bets: list[list[float]]
    interval: list[float]
    pairs: int
    unlike: float
    served: int
    served_sum: float
    candidates: int
    divided: tuple[list[float], list[float], list[int]]


class Stream:
    """Of differences between the candidate and what serves; of each less is better."""

    def __init__(self, bound: float, asked: float | None) -> None:
        """The candidate is worse above `bound`, and good enough below `asked`; None: that is not asked."""
        self.asked = asked
        self.interval = Interval(reach=REACH)
        self.worse = Bet(bound, above=True)
        self.good_enough = None if asked is None else Bet(asked, above=False)
        self.pairs, self.unlike = 0, 0.0
        """Utterances that both heard, and of how many just one was right."""
        self.served, self.served_sum = 0, 0.0
        self.candidates = 0
        """Utterances of boards that one of them answered."""
        self._divided = Divided()

    def take_pair(self, difference: float) -> None:
        """Of an utterance that both heard."""
        self.pairs, self.unlike = self.pairs + 1, self.unlike + abs(difference)
        self.interval.take(difference)
        for bet in self._bets():
            bet.take(difference)

    def take(self, value: float, *, by_candidate: bool) -> None:
        """Of an utterance that one of them answered."""
        if by_candidate:
            self.candidates += 1
        else:
            self.served, self.served_sum = self.served + 1, self.served_sum + value
        if (groups := self._divided.take(value, by_candidate=by_candidate)) is not None:
            candidates, served = groups
            self.interval.take(sum(candidates) / len(candidates) - sum(served) / len(served))
            for bet in self._bets():
                bet.take_groups(candidates, served)

    def state(self) -> StreamState:
        """All that it knows, for `go_on`."""
        return StreamState(
            [bet.state() for bet in self._bets()],
            self.interval.state(),
            *(self.pairs, self.unlike, self.served, self.served_sum, self.candidates),
            self._divided.state(),
        )

    def go_on(self, state: StreamState) -> None:
        """As if it had taken what made that state."""
        bets, interval, self.pairs, self.unlike, self.served, self.served_sum, self.candidates, divided = state
        for bet, its_state in zip(self._bets(), bets, strict=True):
            bet.go_on(its_state)
        self.interval.go_on(interval)
        self._divided.go_on(divided)

    def _bets(self) -> Iterator[Bet]:
        yield self.worse
        if self.good_enough is not None:
            yield self.good_enough
