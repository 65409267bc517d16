"""How often strangers may try: few times at once, then slowly; each by its address, and all together."""

import time
from collections.abc import Callable

BURST_EACH, BURST_ALL = 5, 20
EVERY_S_EACH, EVERY_S_ALL = 12.0, 1.0
"""A further try is earned in so many seconds."""
PEERS_MAX = 1000
"""Addresses that are remembered; of more, the one that tried longest ago is forgotten, and the bound of all holds."""


class _Bucket:
    """Tries that are left, a burst at most."""

    def __init__(self, burst: int, every_s: float, now_s: float) -> None:
        self._burst, self._every_s = burst, every_s
        self._left, self._at_s = float(burst), now_s

    def take(self, now_s: float) -> bool:
        self._left = min(self._burst, self._left + (now_s - self._at_s) / self._every_s)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Tries:
    """Counts them."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._all = _Bucket(BURST_ALL, EVERY_S_ALL, monotonic_s())
        self._peers: dict[str, _Bucket] = {}

    def may(self, peer: str) -> bool:
        """Whether this peer may try now; counted if so."""
        now_s = self._monotonic_s()
        bucket = self._peers.pop(peer, None) or _Bucket(BURST_EACH, EVERY_S_EACH, now_s)
        # The newest stand last.
        self._peers[peer] = bucket
        while len(self._peers) > PEERS_MAX:
            del self._peers[next(iter(self._peers))]
        return bucket.take(now_s) and self._all.take(now_s)
