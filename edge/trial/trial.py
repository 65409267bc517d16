"""What `parrotlet-edge test` does: inputs are heard, asked about, and answered in the order they were heard.

One thread hears, the network's thread is answered, and the caller's shows.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from common.errors import InputError, MicrophoneError
from edge.asking.exchange import Exchange
from edge.asking.recogniser import Recogniser
from edge.sound.source import Samples, Source
from edge.speech.turn import Opinion
from edge.speech.utterance import Heard, UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.trial.trial_line import TrialLine, trial_line
from edge.worker import Ahead

ANSWERED = 0
UNUSABLE_INPUT = 2
UNANSWERED = 3

IN_FLIGHT_MAX = 3
"""Utterances of files on their way at a time: enough to keep a service busy, and below what it allows a board."""
LIVE_IN_FLIGHT_MAX = 32
"""The same of sound that does not wait: each is given up long before there are so many."""

REDRAW_S = 0.1


class Input(NamedTuple):
    """Something to listen to."""

    name: str
    """As typed."""
    source: Source
    realtime: bool
    """It comes at the pace of speech."""
    notes: Callable[[], Iterable[str]] = lambda: ()
    """Sentences about what was read, once it was."""

    @property
    def called(self) -> str:
        """Its name in a sentence."""
        return "standard input" if self.name == "-" else self.name


class Spoken(NamedTuple):
    """An utterance; told when it starts."""

    input: Input
    exchange: Exchange
    samples: list[Samples]
    """Its sound, where that is kept."""


class Finished(NamedTuple):
    """An input that has been read, as far as it could be."""

    input: Input
    utterances: int
    fault: InputError | MicrophoneError | None


class Trial:
    """Asks a recogniser about inputs and tells what came of it."""

    def __init__(
        self,
        recogniser: Recogniser,
        hear: Callable[[Source], Iterator[Heard]],
        *,
        draw: Callable[[Exchange], None],
        show: Callable[[Spoken, TrialLine], None],
        complain: Callable[[str], None],
        on_turn: Callable[[Opinion], None] = lambda opinion: None,
        keep_samples: bool = False,
    ) -> None:
        """`draw` is called every REDRAW_S while the utterance that is next to be shown is not over, `show` once it is,
        and `complain` with a sentence for standard error."""
        self._recogniser = recogniser
        self._hear = hear
        self._draw = draw
        self._show = show
        self._complain = complain
        self._on_turn = on_turn
        self._keep_samples = keep_samples
        self._utterances = 0
        self._faults = 0
        self._refusals: Counter[str] = Counter()

    def run(self, inputs: Sequence[Input]) -> int:
        """The exit status. Input that cannot be used weighs more than an utterance that nobody answered."""
        live = any(given.realtime for given in inputs)
        slots = threading.Semaphore(LIVE_IN_FLIGHT_MAX if live else IN_FLIGHT_MAX)
        told = Ahead(self._tell(inputs, slots), size=LIVE_IN_FLIGHT_MAX, name="hearing")
        try:
            for event in told:
                if isinstance(event, Spoken):
                    self._follow(event, told)
                    slots.release()
                else:
                    self._finish(event)
        finally:
            for given in inputs:
                given.source.close()
            slots.release()
            told.stop(patience_s=1.0)
        refused = sum(self._refusals.values())
        if refused and self._utterances > 1:
            self._complain(f"{refused} of {self._utterances} utterances were not answered.")
        return UNUSABLE_INPUT if self._faults else UNANSWERED if refused else ANSWERED

    def _tell(self, inputs: Sequence[Input], slots: threading.Semaphore) -> Iterator[Spoken | Finished]:
        """Runs in the hearing thread."""
        for given in inputs:
            count = 0
            fault: InputError | MicrophoneError | None = None
            try:
                for spoken in self._hear_one(given, slots):
                    count += 1
                    yield spoken
            except (InputError, MicrophoneError) as error:
                fault = error
            yield Finished(given, count, fault)

    def _hear_one(self, given: Input, slots: threading.Semaphore) -> Iterator[Spoken]:
        spoken: Spoken | None = None
        for heard in self._hear(given.source):
            match heard:
                case UtteranceHead():
                    slots.acquire()
                    spoken = Spoken(given, Exchange(self._recogniser, heard, on_turn=self._on_turn), [])
                    yield spoken
                case _ if spoken is None:
                    raise AssertionError("unreachable: a head comes first")
                case UtteranceEnd():
                    spoken.exchange.finish(heard)
                case _:
                    spoken.exchange.send(heard)
                    if self._keep_samples and isinstance(heard, UtteranceFrames):
                        spoken.samples.append(heard.samples)

    def _follow(self, spoken: Spoken, told: Ahead[Spoken | Finished]) -> None:
        while not spoken.exchange.wait(REDRAW_S):
            told.check()
            self._draw(spoken.exchange)
        line = trial_line(spoken.input.name, spoken.exchange, realtime=spoken.input.realtime)
        self._utterances += 1
        if line.path == "none":
            why_not = line.why_not_better or ""
            if not self._refusals[why_not]:
                self._complain(why_not)
            self._refusals[why_not] += 1
        self._show(spoken, line)

    def _finish(self, finished: Finished) -> None:
        for note in finished.input.notes():
            self._complain(note)
        if finished.fault is not None:
            self._faults += 1
            self._complain(str(finished.fault))
        elif not finished.utterances:
            self._complain(f"{finished.input.called}: no speech found.")
