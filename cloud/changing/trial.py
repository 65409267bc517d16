"""A candidate's trial: its gates, filled from what is known of its answers, in the order in which that became known.

The shadow has a gate, of utterances that both heard; a canary has another, of boards that one of them answered, and
while it lasts the shadow's goes on with the other boards. Either may return the candidate; one that is worse nowhere is
returned with `return_alpha` at most by both together. Before a canary the shadow's gate lets it through; in a canary
only what the boards themselves showed does.
"""

import msgspec

from cloud.changing.compared import Usual
from cloud.changing.gate import Gate, Rules, Verdict
from cloud.changing.rollout import State
from cloud.changing.shadow_store import Comparison, ShadowStore

KNOWN_MIN = 500
"""Utterances in the shadow after which it is known which slices there are: fewer guards see more."""

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


class Trial:
    """Of one rollout."""

    def __init__(self, rollout: int, rules: Rules) -> None:
        of_shadow, self._of_canary = shared(rules)
        self.shadow = Gate(of_shadow)
        self.canary: Gate | None = None
        """None: there was none yet."""
        self.rollout = rollout
        self._usual = Usual()
        self._known = self._settled = 0
        """Numbers of what was taken last."""

    def read(self, store: ShadowStore, rows_max: int = -1) -> "Trial":
        """Takes what is new, so much of it (-1: all); itself."""
        for number, comparison in store.known(self.rollout, self._known, rows_max):
            self._known = number
            self._take(comparison)
        for number, comparison in store.settled(self.rollout, self._settled, rows_max):
            self._settled = number
            self._take(comparison)
        return self

    def verdict(self, state: State) -> Verdict:
        """By all that was read, of a candidate that is there now."""
        shadow = self.shadow.verdict()
        if state == "shadow" or shadow.decision == "return":
            return shadow
        if self.canary is None:
            return Verdict("go on", "No board of the canary has said anything yet.", shadow.figures)
        return self.canary.verdict()

    def _take(self, comparison: Comparison) -> None:
        if comparison.by == "both":
            self.shadow.take_pair(comparison.slices, comparison.candidate, comparison.served)
            if self.canary is None and comparison.served.error is not None:
                # What a board's errors usually are, by what served before: afterwards it would be of some boards only.
                self._usual.learn(comparison.key.device_id, comparison.served.error)
            return
        if self.canary is None:
            is_known = self.shadow.utterances >= KNOWN_MIN
            self.canary = Gate(self._of_canary, self.shadow.frequent_slices if is_known else ())
        by_candidate = comparison.by == "candidate"
        answered = comparison.candidate if by_candidate else comparison.served
        excess = self._usual.excess(comparison.key.device_id)
        self.canary.take(comparison.slices, answered, by_candidate=by_candidate, excess=excess)
