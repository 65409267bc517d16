"""A candidate's trial: its gates, filled from what is known of its answers, in the order in which that became known.

The shadow has a gate, of utterances that both heard; a canary has another, of boards that one of them answered, and
while it lasts the shadow's goes on with the other boards. Either may return the candidate; one that is worse nowhere is
returned with `return_alpha` at most by both together. Before a canary the shadow's gate lets it through; in a canary
only what the boards themselves showed does.
"""

from typing import NamedTuple

import msgspec

from cloud.changing.compared import Answered, Usual
from cloud.changing.gate import Gate, GateState, Rules, Verdict
from cloud.changing.rollout import State
from cloud.changing.shadow_store import Comparison, ShadowStore

KNOWN_MIN = 500
"""Utterances in the shadow after which it is known which slices there are: fewer guards see more."""

MADE_BY = 1
"""Another number when gates make something else of the same comparisons: what they knew is then read anew."""

UNKEPT_MAX = 1000
"""Rows: they are read in a fifth of a second, so much longer than that nobody waits for a verdict."""

SHADOW_PART = 1 / 6
"""Of `return_alpha`: an utterance that both heard tells so much more than two that others said each of, that the shadow
can do with little."""


def shared(rules: Rules) -> tuple[Rules, Rules]:
    """Of the shadow's gate, and the canary's."""
    in_shadow = rules.return_alpha * SHADOW_PART
    return (
        msgspec.structs.replace(rules, return_alpha=in_shadow),
        msgspec.structs.replace(rules, return_alpha=rules.return_alpha - in_shadow),
    )


class TrialState(NamedTuple):
    """All that one knows, in numbers; nobody's."""

    known: int
    settled: int
    canary_since: int | None
    shadow: GateState
    canary: GateState | None


class Trial:
    """Of one rollout."""

    def __init__(self, rollout: int, rules: Rules) -> None:
        of_shadow, self._of_canary = shared(rules)
        self.shadow = Gate(of_shadow)
        self.canary: Gate | None = None
        """None: there was none yet."""
        self.rollout = rollout
        self._usual = Usual()
        """What a board's errors usually are, by what served before: since a canary it would be of some boards only."""
        self._learnt = self._known = self._settled = 0
        """Numbers of what was taken last."""
        self._canary_since: int | None = None
        """Number of the first that is known of the canary."""
        self._unkept = 0
        """Rows read since what they told was kept."""

    def read(self, store: ShadowStore, rows_max: int = -1) -> "Trial":
        """Takes what is new, so much of it (-1: all); itself. It goes on where anybody was who read it."""
        if self._known == self._settled == 0 and (kept := store.trial(self.rollout, MADE_BY)) is not None:
            self._go_on(msgspec.msgpack.decode(kept, type=TrialState))
        for number, comparison in store.known(self.rollout, self._known, rows_max):
            self._known = number
            self._take(comparison, number)
        for settled, number, comparison in store.settled(self.rollout, self._settled, rows_max):
            if number > self._known:
                # What was known at once comes first, so that all is the same for whoever reads it, and however often.
                break
            self._learn(store)
            self._learnt = self._settled = settled
            self._settle(comparison, number)
        if self._unkept >= UNKEPT_MAX:
            self._unkept = 0
            state = msgspec.msgpack.encode(self._state())
            store.keep_trial(self.rollout, self._known, self._settled, MADE_BY, state)
        return self

    def verdict(self, state: State) -> Verdict:
        """By all that was read, of a candidate that is there now."""
        shadow = self.shadow.verdict()
        if state == "shadow" or shadow.decision == "return":
            return shadow
        if self.canary is None:
            return Verdict("go on", "No board of the canary has said anything yet.", shadow.figures)
        return self.canary.verdict()

    def _state(self) -> TrialState:
        canary = None if self.canary is None else self.canary.state()
        return TrialState(self._known, self._settled, self._canary_since, self.shadow.state(), canary)

    def _go_on(self, state: TrialState) -> None:
        self._known, self._settled, self._canary_since, shadow, canary = state
        self.shadow.go_on(shadow)
        if canary is not None:
            self.canary = Gate(self._of_canary)
            self.canary.go_on(canary)

    def _learn(self, store: ShadowStore) -> None:
        """Whose errors they were is not kept with the rest, as it may be forgotten: it is read again if it counts."""
        if self._learnt < self._settled:
            for device_id, errors, utterances in store.errors_of(self.rollout, self._settled, self._canary_since):
                self._usual.learn(device_id, errors, utterances)

    def _take(self, comparison: Comparison, number: int) -> None:
        """What was known of an utterance at once."""
        self._unkept += 1
        if comparison.by == "both":
            self.shadow.take_pair(comparison.slices, comparison.candidate, comparison.served)
            return
        if self.canary is None:
            self._canary_since = number
            is_known = self.shadow.utterances >= KNOWN_MIN
            self.canary = Gate(self._of_canary, self.shadow.frequent_slices if is_known else ())
        answered, by_candidate = _answered(comparison)
        self.canary.take(comparison.slices, answered, by_candidate=by_candidate)

    def _settle(self, comparison: Comparison, number: int) -> None:
        """Whether its answers were wrong."""
        self._unkept += 1
        device_id = comparison.key.device_id
        if comparison.by == "both":
            self.shadow.take_pair(comparison.slices, comparison.candidate, comparison.served, is_first=False)
            is_before = self._canary_since is None or number < self._canary_since
            if is_before and comparison.served.error is not None:
                self._usual.learn(device_id, comparison.served.error)
            return
        assert self.canary is not None, "what is known at once is read first"
        answered, by_candidate = _answered(comparison)
        excess = self._usual.excess(device_id)
        self.canary.take(comparison.slices, answered, by_candidate=by_candidate, excess=excess, is_first=False)


def _answered(comparison: Comparison) -> tuple[Answered, bool]:
    """What is known of an answer of one of two groups, and whether it is the candidate's."""
    by_candidate = comparison.by == "candidate"
    return (comparison.candidate if by_candidate else comparison.served), by_candidate
