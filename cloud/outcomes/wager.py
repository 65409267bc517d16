"""Whether something happens more often than promised, looked at after each time, for ever. Pure.

An e-detector of the Shiryaev-Roberts kind (Shin, Ramdas and Rinaldo 2024) on wagers on a bounded mean (Waudby-Smith and
Ramdas 2024): for each of several odds, money is put on the event at its promised probability, anew at each time. While
no event is likelier than promised, the sum of all wagers that were begun is, in expectation, at most the number of
times; so it passes N after N times on the average at the soonest, however often somebody looks.
"""

import math

ODDS = (3.0, 10.0, 40.0)
"""How many times as likely as promised a wager has it: a little, and mostly."""
EVIDENCE_MAX = 1e200
LOGARITHM_MAX = 400.0


class Wager:
    """Of one key."""

    def __init__(self) -> None:
        self.times = 0
        self._sums = [0.0] * len(ODDS)
        self._products = [0.0] * len(ODDS)

    @property
    def evidence(self) -> float:
        """To be compared with the number of times after which it may be wrong once."""
        return sum(self._sums) / len(ODDS)

    def push(self, happened: float, promised: float) -> None:
        """`happened`: 0 to 1; `promised`: the most that its mean should be, more than 0 and less than 1."""
        self.times += 1
        for number, odds in enumerate(ODDS):
            gained = gain(happened, promised, odds)
            self._sums[number] = min((self._sums[number] + 1) * math.exp(gained), EVIDENCE_MAX)
            self._products[number] = min(self._products[number] + gained, LOGARITHM_MAX)

    @property
    def since_start(self) -> float:
        """Of the wagers that were begun with the first time: while the promise holds, it ever comes to N in one of N
        cases at most (Ville 1939)."""
        return sum(map(math.exp, self._products)) / len(ODDS)

    def reset(self) -> None:
        """Begins anew: what is now, is known."""
        self._sums = [0.0] * len(ODDS)


def gain(happened: float, promised: float, odds: float) -> float:
    """The logarithm of what a wager gains: at most 0 in the mean while what is promised holds."""
    likely = odds * promised / (1 - promised + odds * promised)
    stake = (likely - promised) / (promised * (1 - promised))
    return math.log(1 + stake * (happened - promised))
