"""A recogniser that forgets nothing: what is said is on its way to the disk before anybody is asked.

An utterance leaves the spool when the service itself, the first of the chain, has answered it; until then it is sent
again by edge/spool/replay.py.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from common.errors import CloudError
from edge.asking.answer import Answer, Partial
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.recogniser import Listener, Recogniser, Stream
from edge.clock import Clock
from edge.speech.turn import Opinion
from edge.speech.utterance import Progress, UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool import kept_frames
from edge.spool.event import Kind
from edge.spool.sounds import Recorded
from edge.spool.spool import Spool
from edge.spool.store import Piece
from edge.spool.unwritten import Entry
from protos import codec
from protos.feature_spec import FeatureSpec


class Keeping:
    """Around a Recogniser, and asked like one. The spool must be open while it is used."""

    def __init__(self, recogniser: Recogniser, spool: Spool, spec: FeatureSpec, clock: Clock) -> None:
        self._recogniser = recogniser
        self._spool = spool
        self._spec = spec
        self._clock = clock
        self._look: Callable[[], None]

    @property
    def alive(self) -> bool:
        return self._recogniser.alive

    def __enter__(self) -> Self:
        self._recogniser.__enter__()
        self._look = self._recogniser.replay(self._spool, self._clock)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._recogniser.__exit__(kind, error, trace)

    def start(self, head: UtteranceHead, listener: Listener) -> "KeptStream":
        entry = self._spool.begin(head)
        outcome = KeptOutcome(self._spool, entry, listener, self._look)
        encoder = kept_frames.encoder(self._spec)
        return KeptStream(self._spool, entry, encoder, self._recogniser.start(head, outcome))


class KeptStream:
    """What is heard goes to the spool, and then on."""

    def __init__(self, spool: Spool, entry: Entry, encoder: codec.Encoder, stream: Stream) -> None:
        self._spool = spool
        self._entry = entry
        self._encoder = encoder
        self._stream = stream
        self._recorded = Recorded(entry.head, bytearray()) if spool.sounds is not None else None

    @property
    def wire_bytes(self) -> int:
        return self._stream.wire_bytes

    def send(self, heard: Progress) -> None:
        if isinstance(heard, UtteranceFrames):
            heard = heard._replace(coded=self._encoder.encode(heard.levels))
            assert heard.coded is not None
            self._spool.append(self._entry, Piece(heard.first_frame, len(heard.levels), heard.coded))
            if self._recorded is not None:
                self._recorded.append(heard.samples)
        self._stream.send(heard)

    def finish(self, end: UtteranceEnd) -> None:
        self._spool.finish(self._entry, end)
        if self._spool.sounds is not None and self._recorded is not None:
            self._spool.sounds.keep(self._recorded)
        self._stream.finish(end)


class KeptOutcome:
    """A Listener that puts down what the user is told, and tells the one behind it."""

    def __init__(self, spool: Spool, entry: Entry, listener: Listener, on_kept: Callable[[], None]) -> None:
        self._spool = spool
        self._entry = entry
        self._listener = listener
        self._on_kept = on_kept

    def hear_partial(self, partial: Partial) -> None:
        self._listener.hear_partial(partial)

    def hear_turn(self, opinion: Opinion) -> None:
        self._listener.hear_turn(opinion)

    def settle(self, outcome: Answer | CloudError) -> None:
        if isinstance(outcome, Answer):
            self._spool.tell(self._entry, Kind.FINAL, answer=outcome)
            self._acknowledge(outcome)
            self._spool.hurry()
        elif isinstance(outcome, CallFailed) and outcome.trouble is Trouble.REFUSED:
            self._spool.quarantine(self._entry, str(outcome))
            self._spool.tell(self._entry, Kind.REFUSED, sentence=str(outcome))
        else:
            outcome = CloudError(f"{outcome} It is kept, and will be sent.")
            self._spool.tell(self._entry, Kind.KEPT, sentence=str(outcome))
        self._listener.settle(outcome)

    def improve(self, answer: Answer) -> None:
        self._spool.tell(self._entry, Kind.BETTER, answer=answer)
        self._acknowledge(answer)
        self._listener.improve(answer)

    def be_left(self) -> None:
        # Not before: it would be sent again while the best service is still at work on it.
        self._spool.release(self._entry)
        self._on_kept()
        self._listener.be_left()

    def _acknowledge(self, answer: Answer) -> None:
        if answer.settles:
            self._spool.acknowledge(self._entry)
