"""How often who may: so many at once, then so many a second; and guesses, which wait longer and longer."""

import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

PEERS_MAX = 1000
"""Who is remembered by name; of more, who came longest ago is forgotten, and the bound of all together holds."""

EACH_MAX, ALL_MAX = 5, 20
"""Wrong guesses of one address, and of all, after which they wait."""
WAIT_S, WAIT_S_MAX = 60.0, 3600.0
"""The first wait; each further one is twice as long."""
FORGIVEN_S = 3600.0
"""Who has not guessed wrong for so long begins anew."""

T = TypeVar("T")
Monotonic = Callable[[], float]


class Rate(NamedTuple):
    """A burst at once, and then so many a second."""

    burst: int
    per_s: float


class _Bucket:
    def __init__(self, rate: Rate, now_s: float) -> None:
        self._rate = rate
        self._left, self._at_s = float(rate.burst), now_s

    def wait_s(self, now_s: float) -> float:
        """Takes one; how long until there is one where there is none."""
        self._left = min(self._rate.burst, self._left + (now_s - self._at_s) * self._rate.per_s)
        self._at_s = now_s
        if self._left < 1:
            return (1 - self._left) / self._rate.per_s
        self._left -= 1
        return 0.0


class _Remembered(Generic[T]):
    """One of something for each peer; the newest stand last."""

    def __init__(self) -> None:
        self._peers: dict[str, T] = {}

    def of(self, peer: str, new: Callable[[], T]) -> T:
        if (found := self._peers.pop(peer, None)) is None:
            found = new()
        self._peers[peer] = found
        while len(self._peers) > PEERS_MAX:
            del self._peers[next(iter(self._peers))]
        return found


class Rates:
    """Of each peer by its name, and of all of them together where `all_` is given."""

    def __init__(self, each: Rate, all_: Rate | None = None, monotonic_s: Monotonic = time.monotonic) -> None:
        self._each, self._monotonic_s = each, monotonic_s
        self._all = _Bucket(all_, monotonic_s()) if all_ else None
        self._peers = _Remembered[_Bucket]()

    def wait_s(self, peer: str) -> float:
        """0.0: it may, and is counted. Else how long until it may."""
        now_s = self._monotonic_s()
        wait_s = self._peers.of(peer, lambda: _Bucket(self._each, now_s)).wait_s(now_s)
        if wait_s or self._all is None:
            return wait_s
        return self._all.wait_s(now_s)


class _Guesser:
    def __init__(self, guesses_max: int) -> None:
        self._guesses_max = guesses_max
        self._wrong_at_s: list[float] = []
        self._waits = 0
        self.until_s = 0.0

    def wrong(self, now_s: float) -> None:
        if self._wrong_at_s and now_s - max(self._wrong_at_s[-1], self.until_s) > FORGIVEN_S:
            self._waits = 0
        self._wrong_at_s = [at_s for at_s in self._wrong_at_s if now_s - at_s < WAIT_S] + [now_s]
        if len(self._wrong_at_s) >= self._guesses_max or self._waits:
            self.until_s = now_s + min(WAIT_S * 2**self._waits, WAIT_S_MAX)
            self._waits = min(self._waits + 1, 10)


class Guesses:
    """Wrong ones: a few in a minute, then one after each wait, which doubles."""

    def __init__(self, monotonic_s: Monotonic = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._all = _Guesser(ALL_MAX)
        self._peers = _Remembered[_Guesser]()

    def wait_s(self, peer: str) -> float:
        """How long this peer has to wait before it may guess again; 0.0: it may."""
        until_s = max(self._all.until_s, self._of(peer).until_s)
        return max(0.0, until_s - self._monotonic_s())

    def wrong(self, peer: str) -> None:
        """It guessed, and was wrong."""
        now_s = self._monotonic_s()
        self._of(peer).wrong(now_s)
        self._all.wrong(now_s)

    def _of(self, peer: str) -> _Guesser:
        return self._peers.of(peer, lambda: _Guesser(EACH_MAX))
