"""What the daemon says of itself, in the text format that Prometheus reads."""

import time
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

Said = Mapping[str, Any]
"""See Board.status."""


def metrics_text(said: Said, unix_s: float | None = None) -> str:
    """`unix_s`: now, by the board's clock."""
    registry = CollectorRegistry()
    registry.register(_Families(list(_metrics(said, time.time() if unix_s is None else unix_s))))
    return generate_latest(registry).decode()


class _Families:
    """What a registry collects from."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _metrics(said: Said, unix_s: float) -> Iterator[Metric]:
    utterances, microphone, spool = said["utterances"], said["microphone"], said["spool"] or {}
    yield _gauge("healthy", "1: the daemon is well.", float(said["healthy"]))
    yield _gauge("uptime_seconds", "Since the daemon started.", said["uptime_s"])
    yield _counter("utterances_heard", "Utterances that began.", utterances["heard"])
    yield _counter("utterances_answered", "Utterances that were answered, also later.", utterances["answered"])
    yield from _tallied(said["tally"])
    yield _gauge("microphone_silent_seconds", "Since the last sound came.", microphone["silent_s"])
    yield _counter("microphone_overruns", "Times that sound was lost.", microphone["overruns"])
    if said["temperature_c"] is not None:
        yield _gauge("processor_celsius", "Temperature of the processor.", said["temperature_c"])
    up = GaugeMetricFamily("parrotlet_edge_service_up", "1: the service answers, as far as known.", labels=["path"])
    for service in said["services"]:
        up.add_metric([service["path"]], float(service["down"] is None))
    yield up
    yield from _of_actions(said.get("actions") or {})
    yield _counter("spool_dropped", "Utterances lost for want of room.", spool.get("dropped", 0))
    yield _gauge("spool_in_trouble", "1: the disk takes nothing.", float(spool.get("trouble") is not None))
    if "waiting" in spool:
        yield _gauge("spool_waiting", "Utterances that wait to be sent.", spool["waiting"])
        yield _gauge("spool_quarantined", "Utterances that were refused for good.", spool["quarantined"])
        yield _gauge("spool_bytes", "Of spool.megabytes_max, that are used.", spool["bytes"])
        oldest_us = spool["oldest_at_unix_us"]
        age_s = max(0.0, unix_s - oldest_us / 1e6) if oldest_us is not None else 0.0
        yield _gauge("spool_oldest_seconds", "Age of the oldest that waits.", age_s)


def _tallied(said: Said) -> Iterator[Metric]:
    yield _counters("answers", "Utterances by who answered them while one waited; none: nobody.", "path", said["paths"])
    yield _counters("outcomes", "What became of utterances, also later.", "kind", said["kinds"])
    yield _counters("ends", "Why utterances ended.", "reason", said["ends"])
    yield _counter("empty_answers", "Answers without a word.", said["empty"])
    yield _counter("confirmations", "Answers that ask which of two was meant.", said["asked_back"])
    yield _waits("endpoint_to_final_seconds", "From the endpoint to the answer.", said["final"])
    yield _waits("onset_to_words_seconds", "From the first sound to the first words.", said["words"])
    yield _waits("turn_end_seconds", "Silence that ended utterances.", said["silence"])


def _of_actions(said: Said) -> Iterator[Metric]:
    if not said.get("sinks"):
        return
    became = CounterMetricFamily(
        "parrotlet_edge_actions", "What became of actions, by sink.", labels=["sink", "outcome"]
    )
    waiting = GaugeMetricFamily("parrotlet_edge_actions_waiting", "Actions that wait for a sink.", labels=["sink"])
    for sink in said["sinks"]:
        for outcome, count in sink["outcomes"].items():
            became.add_metric([sink["name"], outcome], count)
        waiting.add_metric([sink["name"]], sink["waiting"])
    yield became
    yield waiting
    yield _counter("actions_overflowed", "Actions that were not done as too many came at once.", said["overflowed"])
    if said["broker"]:
        yield _gauge("broker_up", "1: connected to the broker.", float(said["broker"]["down"] is None))


def _gauge(name: str, help_: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"parrotlet_edge_{name}", help_, value=value)


def _counter(name: str, help_: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"parrotlet_edge_{name}", help_, value=value)


def _counters(name: str, help_: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(f"parrotlet_edge_{name}", help_, labels=[label])
    for of, value in values.items():
        family.add_metric([of], value)
    return family


def _waits(name: str, help_: str, said: Said) -> Metric:
    """As edge/board/tally.py counts them."""
    bounds = [*map(str, said["bounds_s"]), "+Inf"]
    up_to = list(zip(bounds, accumulate(said["counts"]), strict=True))
    return HistogramMetricFamily(f"parrotlet_edge_{name}", help_, buckets=up_to, sum_value=said["sum_s"])
