"""Whether a candidate may serve: better on the whole, and worse nowhere that is guarded. Pure.

Looked at after every utterance, for as long as one likes, the gate keeps two promises, both ever:
a candidate that is worse by `slice_margin` in any guarded slice, or not better on the whole, is promoted with
probability `promote_alpha` at most (all claims against it must fall, so that none needs a correction); and one that is
worse nowhere is returned with `return_alpha` at most (any claim may, so that they share that probability). A candidate
has two gates in its life, which share that once more: trial.py.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from cloud.changing import needed
from cloud.changing.compared import MEASURES, Answered, by_slice, paired
from cloud.changing.stream import Stream, StreamState

Decision = Literal["promote", "return", "go on"]

RETURN_SHARES: Mapping[str, float] = {"error": 0.9, "slow": 0.05, "rejected": 0.05}
"""How the measures share `return_alpha`."""

USUAL_ERROR, USUAL_UNLIKE, USUAL_WEIGHT = 0.1, 0.1, 50
"""Errors of what serves, and utterances of which just one of both is right, before anything is known; so many
utterances are weighed by them."""

LOG_MAX = 100.0
"""Wealth beyond that is as good as infinite."""


class Rules(msgspec.Struct, frozen=True):
    """What an owner asks of a candidate. Margins are differences of shares: 0.05 is 5 of 100 utterances."""

    margin: float = 0.0
    """A candidate may err so much more; 0: it must be better."""
    slice_margin: float = 0.05
    """It must be shown not to err so much more, over the margin, in any guarded slice."""
    slow_margin: float = 0.05
    rejected_margin: float = 0.05
    """So many more answers may come late, or to nothing."""
    promote_alpha: float = 0.01
    return_alpha: float = 0.03
    slices_max: int = 16
    """Guarded; where they are not named, those that come first."""
    slice_share_min: float = 0.02
    """Of the utterances: a slice with fewer is not waited for, but may have the candidate returned."""

    def bound(self, measure: str) -> float:
        """The candidate is worse where its difference is above."""
        return {"error": self.margin, "slow": self.slow_margin, "rejected": self.rejected_margin}[measure]

    def asked(self, measure: str, name: str) -> float | None:
        """It is good enough in a slice where its difference is below; None: that is not asked."""
        if name == "":
            return self.bound(measure)
        # Of the slices, only errors are waited for: else the rarest would hold up all.
        return self.bound(measure) + self.slice_margin if measure == "error" else None


class Figure(msgspec.Struct, frozen=True):
    """What is known of one measure in one slice; the whole is the slice ""."""

    measure: str
    slice: str
    comparisons: int
    difference: float
    """Of the candidate to what serves, its mean; less is better."""
    low: float
    high: float
    """Where it lies, with 95 %, whenever one looks."""
    worse: float
    """How near it is to being worse: 1 is there."""
    good_enough: float | None
    """How near it is to what promotion asks; None: nothing is asked of it."""


class Verdict(NamedTuple):
    """What is to be done now, and why, a sentence."""

    decision: Decision
    why: str
    figures: tuple[Figure, ...]


class GateState(NamedTuple):
    """All that one knows, in numbers."""

    named: tuple[str, ...]
    utterances: int
    utterances_of: dict[str, int]
    streams: list[tuple[str, str, StreamState]]


class Gate:
    """Of one candidate in one of its phases."""

    def __init__(self, rules: Rules, slices: Sequence[str] = ()) -> None:
        """`slices` are all that are guarded, where they are known beforehand: fewer are found sooner."""
        self.rules = rules
        self._named = tuple(slices)
        self._streams: dict[tuple[str, str], Stream] = {}
        self.utterances = 0
        self._utterances_of: dict[str, int] = {}

    @property
    def slices(self) -> tuple[str, ...]:
        """Those that are guarded."""
        return self._named or tuple(self._utterances_of)

    @property
    def frequent_slices(self) -> tuple[str, ...]:
        """Those that may be waited for."""
        return tuple(name for name in self.slices if self._is_frequent(name))

    def take_pair(self, slices: Sequence[str], candidate: Answered, served: Answered, *, is_first: bool = True) -> None:
        """The candidate and what serves heard the same utterance, which is of these slices; not `is_first`: of which
        something was taken before."""
        for measure, name, difference in by_slice(self._guarded(slices, is_first), paired(candidate, served)):
            self._stream(measure, name).take_pair(difference)

    def take(
        self,
        slices: Sequence[str],
        answered: Answered,
        *,
        by_candidate: bool,
        excess: float = 0.0,
        is_first: bool = True,
    ) -> None:
        """One of them answered an utterance of these slices, and the other did not hear it. `excess` is how much more
        than others' this board's errors were before, -0.25 to 0.25."""
        for measure, name, value in by_slice(self._guarded(slices, is_first), answered.measured()):
            less = excess if measure == "error" else 0.0
            self._stream(measure, name).take(value - less, by_candidate=by_candidate)

    def state(self) -> GateState:
        """All that it knows, for `go_on`."""
        streams = [(*key, stream.state()) for key, stream in self._streams.items()]
        return GateState(self._named, self.utterances, self._utterances_of, streams)

    def go_on(self, state: GateState) -> None:
        """As if it, with the same rules, had taken what made that state."""
        self._named, self.utterances, self._utterances_of, streams = state
        for measure, name, its_state in streams:
            self._stream(measure, name).go_on(its_state)

    def verdict(self) -> Verdict:
        """By all that was taken so far."""
        figures = self.figures()
        decision, why = self._decide(figures)
        return Verdict(decision, why, figures)

    def figures(self) -> tuple[Figure, ...]:
        """The whole first, then the slices by name."""
        keys = sorted(self._streams, key=lambda key: (key[1] != "", MEASURES.index(key[0]), key[1]))
        return tuple(self._figure(measure, name) for measure, name in keys)

    @property
    def worse(self) -> float:
        """How near the candidate is to being returned: 1 is there. All who bet that it is worse put together."""
        wealth = 1 - sum(self._stake(measure) for measure, _ in self._streams)
        for (measure, _), stream in self._streams.items():
            wealth += self._stake(measure) * math.exp(min(stream.worse.log_wealth, LOG_MAX))
        return math.log(wealth) / math.log(1 / self.rules.return_alpha)

    def return_log_threshold(self, measure: str) -> float:
        """What the wealth of who bets on one slice alone must reach, a natural logarithm."""
        return math.log(1 / (self.rules.return_alpha * self._stake(measure)))

    @property
    def promote_log_threshold(self) -> float:
        """What the wealth against each claim of promotion must reach, a natural logarithm."""
        return math.log(1 / self.rules.promote_alpha)

    def needed(self, difference: float, name: str = "", *, share: float = 1.0) -> int:
        """Utterances, of all that the candidate hears or answers, that it takes to be 90 % sure to see that its errors
        differ by so much in a slice, at the rates up to now: to return it where it errs more, to let it through where
        less. `share` is that of the slice where nothing was said in it yet."""
        stream = self._streams.get(("error", name)) or self._new("error", name)
        if name and self._utterances_of.get(name):
            share = self._utterances_of[name] / self.utterances
        bound = self.rules.bound("error")
        level = self.return_log_threshold("error")
        if difference <= bound:
            assert stream.asked is not None
            bound, level = stream.asked, self.promote_log_threshold
        if stream.candidates:
            error = (USUAL_ERROR * USUAL_WEIGHT + stream.served_sum) / (USUAL_WEIGHT + stream.served)
            answered = stream.candidates / (stream.candidates + stream.served)
            count = needed.of_groups(level, bound=bound, difference=difference, error=error, share=answered)
        else:
            unlike = (USUAL_UNLIKE * USUAL_WEIGHT + stream.unlike) / (USUAL_WEIGHT + stream.pairs)
            count = needed.of_pairs(level, bound=bound, difference=difference, unlike=unlike)
        return min(needed.NEVER, round(count / share))

    def _stake(self, measure: str) -> float:
        """Of all that is bet on "worse", what is bet on one slice."""
        return RETURN_SHARES[measure] / (1 + (len(self._named) or self.rules.slices_max))

    def _decide(self, figures: Sequence[Figure]) -> tuple[Decision, str]:
        if self.worse >= 1:
            worst = max(figures, key=lambda figure: figure.worse)
            return "return", f"The candidate is worse, most in {told(worst)}."
        missing = [
            figure
            for figure in figures
            if figure.good_enough is not None and figure.good_enough < 1 and self._is_waited_for(figure.slice)
        ]
        if not any(figure.measure == "error" for figure in figures):
            return "go on", "Of no utterance it is known whether both were right."
        unseen = [name for name in self._named if not self._utterances_of.get(name)]
        if unseen:
            return "go on", f"Nothing was said of the guarded slice {unseen[0]} yet."
        if missing:
            least = min(missing, key=lambda figure: figure.good_enough or 0)
            return "go on", f"Of what is asked, {len(missing)} are not shown yet; the least: {told(least)}."
        whole = next(figure for figure in figures if (figure.measure, figure.slice) == ("error", ""))
        return "promote", f"The candidate is good enough everywhere, on the whole: {told(whole)}."

    def _is_waited_for(self, name: str) -> bool:
        return name == "" or name in self._named or self._is_frequent(name)

    def _is_frequent(self, name: str) -> bool:
        return self._utterances_of.get(name, 0) >= self.rules.slice_share_min * max(1, self.utterances)

    def _figure(self, measure: str, name: str) -> Figure:
        stream = self._streams[measure, name]
        low, high = stream.interval.bounds
        good_enough = stream.good_enough
        return Figure(
            measure,
            name,
            stream.interval.count,
            stream.interval.mean,
            low,
            high,
            worse=max(0.0, stream.worse.log_wealth / self.return_log_threshold(measure)),
            good_enough=None if good_enough is None else max(0.0, good_enough.log_wealth / self.promote_log_threshold),
        )

    def _guarded(self, slices: Sequence[str], is_first: bool) -> tuple[str, ...]:
        """Those of an utterance's slices that are guarded; the utterance counts, once."""
        self.utterances += is_first
        known = self._named or self._utterances_of
        room = is_first and not self._named
        guarded = []
        for name in slices:
            if name in known or (room and len(self._utterances_of) < self.rules.slices_max):
                self._utterances_of[name] = self._utterances_of.get(name, 0) + is_first
                guarded.append(name)
        return tuple(guarded)

    def _stream(self, measure: str, name: str) -> Stream:
        key = measure, name
        if key not in self._streams:
            self._streams[key] = self._new(measure, name)
        return self._streams[key]

    def _new(self, measure: str, name: str) -> Stream:
        return Stream(self.rules.bound(measure), self.rules.asked(measure, name))


def told(figure: Figure) -> str:
    """In words, in points of a hundred."""
    where = f" in {figure.slice}" if figure.slice else ""
    low, high = max(-1.0, figure.low), min(1.0, figure.high)
    return (
        f"{figure.measure}{where} {100 * figure.difference:+.1f} points "
        f"({100 * low:+.1f} to {100 * high:+.1f}) by {figure.comparisons} comparisons"
    )
