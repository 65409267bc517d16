"""One utterance and what comes of it: sent as it is heard, and over when it has both ended and been settled."""

import threading
import time
from collections.abc import Callable, Iterable

import msgspec

from common.errors import CloudError
from edge.asking.answer import Answer, Partial
from edge.asking.recogniser import Answerer
from edge.asking.timing import TimingMs
from edge.sound.source import SAMPLE_RATE_HZ
from edge.speech.turn import Opinion
from edge.speech.utterance import Heard, Progress, UtteranceEnd, UtteranceFrames, UtteranceHead, cut_off


class Exchange:
    """Heard in one thread, answered in another, read from any. It is the Listener of its utterance."""

    def __init__(
        self,
        answerer: Answerer,
        head: UtteranceHead,
        *,
        on_over: Callable[["Exchange"], None] = lambda exchange: None,
        on_turn: Callable[[Opinion], None] = lambda opinion: None,
        on_partial: Callable[["Exchange"], None] = lambda exchange: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begins at once. `on_over` is called once, in the thread that hears or in the one that answers; `on_turn`
        whenever there is an opinion on a pause and `on_partial` with each partial, in the one that answers."""
        self.head = head
        self.end: UtteranceEnd | None = None
        self.partial: Partial | None = None
        """The newest one."""
        self.answer: Answer | None = None
        self._on_over = on_over
        self._clock = clock
        self._first_partial_s: float | None = None
        self._settled_s: float | None = None
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._on_turn = on_turn
        self._on_partial = on_partial
        self._stream = answerer.start(head, self)

    def send(self, heard: Progress) -> None:
        self._stream.send(heard)

    def finish(self, end: UtteranceEnd) -> None:
        self.end = end
        self._stream.finish(end)
        self._check()

    @property
    def wire_bytes(self) -> int:
        """Bytes of frames sent so far."""
        return self._stream.wire_bytes

    @property
    def over(self) -> bool:
        return self._over.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Whether it is over within the time."""
        return self._over.wait(timeout_s)

    def timing(self, *, realtime: bool) -> TimingMs:
        """What was measured. Sound read faster than it was spoken has no onset to measure from."""
        answer, end = self.answer or Answer("none"), self.end
        settled_s = self._settled_s if answer.path != "none" else None
        onset_s = self.head.started_monotonic_s + end.speech_start_ms / 1000 if end and realtime else None
        return TimingMs(
            onset_to_last_sound=_ms(onset_s, end.last_sound_monotonic_s) if end else None,
            last_sound_to_endpoint=_ms(end.last_sound_monotonic_s, end.ended_monotonic_s) if end and realtime else None,
            last_sound_to_final=_ms(end.last_sound_monotonic_s, settled_s) if end else None,
            endpoint_to_final=_ms(end.ended_monotonic_s, settled_s) if end else None,
            onset_to_first_partial=_ms(onset_s, self._first_partial_s),
            waiting=answer.waiting_ms,
            decoding=answer.decoding_ms,
            searching=answer.searching_ms,
        )

    def hear_partial(self, partial: Partial) -> None:
        if self._first_partial_s is None and partial.text:
            self._first_partial_s = self._clock()
        self.partial = partial
        self._on_partial(self)

    def hear_turn(self, opinion: Opinion) -> None:
        self._on_turn(opinion)

    def settle(self, outcome: Answer | CloudError) -> None:
        self._settled_s = self._clock()
        self.answer = outcome if isinstance(outcome, Answer) else Answer("none", why_not_better=str(outcome))
        self._check()

    def improve(self, answer: Answer) -> None:
        """Where it was shown, the better answer takes its place as an event of the spool."""

    def be_left(self) -> None:
        """That changes nothing."""

    def _check(self) -> None:
        with self._lock:
            if self.end is None or self.answer is None or self._over.is_set():
                return
            self._over.set()
        self._on_over(self)


def exchange_all(
    sound: Iterable[Heard],
    begin: Callable[[UtteranceHead], Exchange],
    on_end: Callable[[Exchange], None] = lambda exchange: None,
) -> None:
    """What a hearing thread does: passes on what is heard, as it is heard, in an exchange each. What was said before an
    error of `sound` is ended as if the board had stopped then: it is answered, or kept."""
    exchange: Exchange | None = None
    samples = 0
    try:
        for heard in sound:
            match heard:
                case UtteranceHead():
                    exchange, samples = begin(heard), 0
                case _ if exchange is None:
                    raise AssertionError("unreachable: a head comes first")
                case UtteranceEnd():
                    exchange.finish(heard)
                    on_end(exchange)
                case _:
                    exchange.send(heard)
                    if isinstance(heard, UtteranceFrames):
                        samples += heard.samples.size
    finally:
        if exchange is not None and exchange.end is None:
            end = cut_off(exchange.head, samples * 1000 // SAMPLE_RATE_HZ)
            exchange.finish(msgspec.structs.replace(end, ended_monotonic_s=time.monotonic()))
            on_end(exchange)


def _ms(from_s: float | None, to_s: float | None) -> int | None:
    return None if from_s is None or to_s is None else round((to_s - from_s) * 1000)
