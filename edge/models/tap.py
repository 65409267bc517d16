"""An utterance that somebody says, kept in memory until the cloud has answered it: a candidate will hear it, too."""

from collections.abc import Callable

import numpy as np

from common.errors import CloudError
from edge.asking.answer import Answer, Partial
from edge.asking.recogniser import Listener, Stream
from edge.models.trial import Said
from edge.models.utterances import Utterance
from edge.speech.turn import Opinion
from edge.speech.utterance import Progress, UtteranceEnd, UtteranceFrames
from protos.feature_spec import Levels

Take = Callable[[Utterance, Said], None]
"""Gets it in the network's thread, once it is over and the cloud has answered."""


class Tap:
    """A Listener before the one who waits for the answer, and a Stream around the one that leads there."""

    def __init__(self, listener: Listener, take: Take) -> None:
        self.stream: Stream
        """Where it leads; set before anything is sent."""
        self._listener = listener
        self._take = take
        self._levels: list[Levels] = []
        self._end: UtteranceEnd | None = None
        self._said: Said | None = None

    @property
    def wire_bytes(self) -> int:
        return self.stream.wire_bytes

    def send(self, heard: Progress) -> None:
        if isinstance(heard, UtteranceFrames):
            self._levels.append(heard.levels)
        self.stream.send(heard)

    def finish(self, end: UtteranceEnd) -> None:
        self._end = end
        self.stream.finish(end)

    def hear_partial(self, partial: Partial) -> None:
        self._listener.hear_partial(partial)

    def hear_turn(self, opinion: Opinion) -> None:
        self._listener.hear_turn(opinion)

    def settle(self, outcome: Answer | CloudError) -> None:
        if isinstance(outcome, Answer):
            self._note(outcome)
        self._listener.settle(outcome)

    def improve(self, answer: Answer) -> None:
        self._note(answer)
        self._listener.improve(answer)

    def be_left(self) -> None:
        if self._said is not None and self._end is not None and self._levels:
            speech_ms = self._end.speech_end_ms - self._end.speech_start_ms
            frames = np.concatenate(self._levels).astype(np.int8).tobytes()
            self._take(Utterance(frames, speech_ms), self._said)
        # Whoever shows the answer still holds on to this.
        self._levels = []
        self._listener.be_left()

    def _note(self, answer: Answer) -> None:
        if answer.path == "cloud":
            self._said = Said(answer.transcript, answer.results[0].id if answer.results else None)
