"""What the service is doing, for the page: read from another thread, and changed by none."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from cloud.metrics import Kept
from cloud.metrics import Workers as Pool
from cloud.operating.seams import Load, Workers


class Refusals(Protocol):
    """`cloud.metrics.Metrics`."""

    def refusals(self) -> Mapping[str, int]: ...


class ServiceLoad:
    """See `cloud.operating.seams.Running`. Each number is right; they may be of moments that lie some microseconds
    apart."""

    def __init__(
        self,
        pools: Sequence[Pool],
        log: Kept,
        metrics: Refusals,
        in_work: Callable[[], int],
        streams_max: int,
        ailments: Callable[[], Sequence[str]],
        shadow: Mapping[str, int],
    ) -> None:
        self._pools, self._log, self._metrics = pools, log, metrics
        self._in_work, self._streams_max, self._ailments, self._shadow = in_work, streams_max, ailments, shadow

    def load(self) -> Load:
        """As it is now."""
        return Load(
            [Workers(pool.name, len(pool.pids), pool.missing, pool.waiting) for pool in self._pools],
            self._in_work(),
            self._streams_max,
            self._metrics.refusals(),
            self._log.trouble,
            self._log.lost,
            self._ailments(),
            dict(self._shadow),
        )
