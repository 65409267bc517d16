"""What the service says of itself, in the text format that Prometheus reads.

No id, no word and nothing else that anybody can make up is a label: engines, domains, intents, verdicts and statuses
are as many as the owner or this program has.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from cloud.outcomes.reask import Conversations, turn_now
from cloud.utterance import Utterance
from protos import speech_pb2

PREFIX = "parrotlet_cloud"

WAIT_S = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
TURN_S = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.5, 2.0, 3.0)
SPOKEN_S = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0)
CONFIDENCE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SNR_DB = (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0)

ASKED_AGAIN = 0.5
"""A likelier re-ask counts as one."""

NONE = "none"
"""In place of an intent where none was understood."""


class Workers(Protocol):
    """Those of one engine: `cloud.workers.pool.Pool`."""

    @property
    def name(self) -> str: ...

    @property
    def pids(self) -> list[int]: ...

    @property
    def missing(self) -> int: ...

    @property
    def waiting(self) -> int: ...


class Kept(Protocol):
    """The utterance log: `cloud.log.answer_log.SqliteAnswerLog`."""

    trouble: str | None
    lost: int


class Metrics:
    """An onlooker; counted on the event loop's thread, read by any."""

    def __init__(
        self, pools: Sequence[Workers], log: Kept, in_work: Callable[[], int], shadow: Mapping[str, int]
    ) -> None:
        """in_work: utterances under way. shadow: what became of those that candidates were to hear, as
        `cloud.changing.shadow.Shadow` counts them."""
        self._pools = pools
        self._log = log
        self._in_work = in_work
        self._shadow = shadow
        self._registry = CollectorRegistry()
        self._registry.register(_Gauges(self))
        self._finals = self._counter("utterances", "Finals.", "engine", "domain", "intent", "way")
        self._ends = self._counter("ends", "Why utterances ended, as their boards say.", "reason")
        self._empty = self._counter("empty_answers", "Finals without a word.")
        self._not_understood = self._counter(
            "not_understood", "Finals with words that are none of the commands of their domain."
        )
        self._asked_back = self._counter("confirmations", "Finals that ask which of two was meant.")
        self._found_nothing = self._counter("found_nothing", "Finals with words and without a result.")
        self._said = self._counter("feedback", "What people said of answers.", "verdict")
        self._corrections = self._counter("corrections", "Of these, those that say what was said or meant.")
        self._reasks = self._counter(
            "reasks", "Live finals after which the same was asked again within 10 s: they were hardly right."
        )
        self._talk = Conversations()
        self._refusals = self._counter("refusals", "Calls that were refused.", "code")
        self._overruns = self._counter("board_overruns", "Times that boards lost sound during utterances.")
        self._final_wait = self._histogram(
            "end_to_final_seconds", "From the end's arrival until the final was there.", WAIT_S, "engine"
        )
        self._words_wait = self._histogram(
            "begin_to_words_seconds", "From the beginning of the stream to the first words, of live speech.", WAIT_S
        )
        self._turn_ends = self._histogram(
            "turn_end_seconds", "Silence before the end, of what ended by silence.", TURN_S
        )
        self._spoken = self._histogram("spoken_seconds", "Length of utterances.", SPOKEN_S)
        self._confidence = self._histogram("confidence", "How sure the engine was.", CONFIDENCE, "engine")
        self._snr = self._histogram("snr_decibels", "Speech over noise, as the boards measured it.", SNR_DB)

    def text(self) -> bytes:
        """Everything, as a page of Prometheus's text format."""
        return generate_latest(self._registry)

    def answered(self, utterance: Utterance) -> None:
        """Counts a final."""
        final, end, live = utterance.final, utterance.end, not utterance.config.replayed
        assert final is not None and end is not None
        self._finals.labels(
            final.engine.name, final.domain.name, final.intent.name or NONE, "live" if live else "replayed"
        ).inc()
        self._ends.labels(speech_pb2.EndReason.Name(end.reason).removeprefix("END_REASON_").lower()).inc()
        self._overruns.inc(end.overruns)
        self._what(final)
        self._spoken.observe(utterance.duration_ms / 1000)
        if final.HasField("confidence"):
            self._confidence.labels(final.engine.name).observe(final.confidence)
        if end.HasField("snr_db"):
            self._snr.observe(end.snr_db)
        if live:
            self._how_fast(utterance)
            self._whether_again(utterance)

    def refused(self, code: str) -> None:
        """Counts a call that was refused."""
        self._refusals.labels(code.lower()).inc()

    def refusals(self) -> dict[str, int]:
        """How many calls were refused, by code; the most frequent first."""
        counted = {
            sample.labels["code"]: int(sample.value)
            for metric in self._refusals.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
        }
        return dict(sorted(counted.items(), key=lambda item: -item[1]))

    def judged(self, feedback: speech_pb2.FeedbackRequest) -> None:
        """Counts what somebody said of an answer."""
        self._said.labels(speech_pb2.Verdict.Name(feedback.verdict).removeprefix("VERDICT_").lower()).inc()
        if any(feedback.HasField(name) for name in ("transcript", "result_id", "choice")):
            self._corrections.inc()

    def gauges(self) -> Iterator[Metric]:
        """What is so at the moment."""
        workers = GaugeMetricFamily(f"{PREFIX}_workers", "Processes that decode.", labels=["engine"])
        missing = GaugeMetricFamily(f"{PREFIX}_workers_missing", "Of them, being replaced.", labels=["engine"])
        waiting = GaugeMetricFamily(f"{PREFIX}_waiting", "Utterances that wait for a worker.", labels=["engine"])
        for pool in self._pools:
            workers.add_metric([pool.name], len(pool.pids))
            missing.add_metric([pool.name], pool.missing)
            waiting.add_metric([pool.name], pool.waiting)
        yield from (workers, missing, waiting)
        yield GaugeMetricFamily(f"{PREFIX}_in_work", "Utterances under way.", value=self._in_work())
        yield GaugeMetricFamily(
            f"{PREFIX}_log_in_trouble", "1: the disk takes no answers.", value=float(self._log.trouble is not None)
        )
        yield GaugeMetricFamily(f"{PREFIX}_log_lost", "Answers that could not be kept.", value=self._log.lost)
        shadow = CounterMetricFamily(
            f"{PREFIX}_shadow",
            "Utterances that candidates were to hear; shed: let go for who waits to be answered.",
            labels=["outcome"],
        )
        for outcome, count in tuple(self._shadow.items()):
            shadow.add_metric([outcome], count)
        yield shadow

    def _what(self, final: speech_pb2.Final) -> None:
        if not final.transcript:
            self._empty.inc()
            return
        if final.choices:
            self._asked_back.inc()
        elif not final.HasField("intent"):
            self._not_understood.inc()
        if not final.results and not final.HasField("intent"):
            self._found_nothing.inc()

    def _how_fast(self, utterance: Utterance) -> None:
        assert utterance.final is not None and utterance.end is not None
        if utterance.ended_s is not None and utterance.answered_s is not None:
            wait_s = utterance.answered_s - utterance.ended_s
            self._final_wait.labels(utterance.final.engine.name).observe(wait_s)
        if utterance.words_s is not None:
            self._words_wait.observe(utterance.words_s - utterance.began_s)
        if utterance.end.reason == speech_pb2.END_REASON_ENDPOINT and utterance.end.HasField("speech_end_ms"):
            self._turn_ends.observe(max(0.0, (utterance.duration_ms - utterance.end.speech_end_ms) / 1000))

    def _whether_again(self, utterance: Utterance) -> None:
        if utterance.final is None or utterance.answered_s is None:
            return
        # By this clock: no board's need be right. A stream begins with its first sound.
        asked = turn_now(utterance.config.device_id, utterance.began_s, utterance.answered_s, utterance.final)
        before = self._talk.push(utterance.config.utterance_id, asked)
        if before is not None and before.probability > ASKED_AGAIN:
            self._reasks.inc()

    def _counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", help_, labels, registry=self._registry)

    def _histogram(self, name: str, help_: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(f"{PREFIX}_{name}", help_, labels, buckets=buckets, registry=self._registry)


class _Gauges:
    """What the registry collects from."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return self._metrics.gauges()
