"""The board's own model as a member of the chain: a few commands, answered without any service.

It is asked when an utterance is over and no service has answered it, works in a thread of its own, and is loaded when
it is first needed: a board whose services answer does without its memory.
"""

import queue
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from common.errors import CloudError, GivenUp, ModelError, NotUnderstood
from common.private_files import stamp
from edge.asking.answer import Answer, Partial, Result
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.network import Network
from edge.local.model import Model, read_model
from edge.local.spotter import Spotted, Spotter, heard_in, operating_point, speech_ms_max
from edge.speech.turn import Opinion
from edge.speech.utterance import Progress, UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.worker import Worker
from protos.feature_spec import FeatureSpec, Levels
from protos.model_card import CARD_FILE, MODEL_FILE, ModelCard

ENGINE = "tflite"

WAITING_MAX = 8
"""Utterances that wait for the model; each takes a few hundredths of a second."""

STOP_S_MAX = 2.0


class OwnModel:
    """A context manager; the network outlives it."""

    def __init__(self, folder: Path, spec: FeatureSpec, network: Network) -> None:
        """`spec` is that of the frames. ModelError, a sentence, if there is no such model or it does not fit."""
        self.network = network
        self.known_as: str | None = None
        self._folder = folder
        self._spec = spec
        self._follow(read_model(folder, spec).card)
        self._spotter: Spotter | None = None
        self._fault: ModelError | None = None
        self._tried = self._stamps()
        """What the files were when they were last loaded."""
        self.guard: Callable[[], AbstractContextManager[object]] = nullcontext
        """Around each time that it is loaded, and has heard for the first time; may call `follow`, and is told the
        ModelError of what could not be used."""
        self._wanted = folder
        """Where the model is that it is to answer by."""
        # None is the last one; a folder only wakes it.
        self._waiting: queue.Queue[OwnStream | Path | None] = queue.Queue(WAITING_MAX)
        self._worker = Worker("local model", self._work)

    def __enter__(self) -> Self:
        self._worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives up what waits."""
        with suppress(queue.Empty):
            while (stream := self._waiting.get_nowait()) is not None:
                if isinstance(stream, OwnStream):
                    self.network.soon(stream.cancel)
        self._waiting.put(None)
        self._worker.join(STOP_S_MAX)

    @property
    def alive(self) -> bool:
        """False if its thread died."""
        return self._worker.alive

    def follow(self, folder: Path) -> None:
        """From the next utterance on it answers by the model in that folder. In any thread."""
        self._wanted = folder
        with suppress(queue.Full):
            self._waiting.put_nowait(folder)

    async def probe(self) -> None:
        """CallFailed if the model could not be loaded, and its files are still the same."""
        if self._fault is not None and self._wanted == self._folder and self._tried == self._stamps():
            raise _unusable(self._fault)

    def start(
        self,
        head: UtteranceHead,
        *,
        on_partial: Callable[[Partial], None] = lambda partial: None,
        on_settled: Callable[[Answer | CloudError], None],
        on_turn: Callable[[Opinion], None] = lambda opinion: None,
        on_trouble: Callable[[CallFailed], None] = lambda error: None,
    ) -> "OwnStream":
        """In the network's thread, where `on_settled` comes, exactly once."""
        return OwnStream(self, on_settled)

    def take(self, stream: "OwnStream") -> None:
        """An utterance that is over."""
        try:
            self._waiting.put_nowait(stream)
        except queue.Full:
            stream.settle(CallFailed(f"{self.address}: {WAITING_MAX} utterances wait already.", Trouble.BUSY))

    def _work(self) -> None:
        while (stream := self._waiting.get()) is not None:
            if isinstance(stream, OwnStream):
                self.network.soon(stream.settle, self._outcome(stream))
            else:
                self._turn()

    def _outcome(self, stream: "OwnStream") -> Answer | CloudError:
        began_s = time.monotonic()
        try:
            spotted = self._spot(stream)
        except ModelError as error:
            self._fault, self._spotter = error, None
            if self._wanted != self._folder:
                # There is another one to answer by.
                return self._outcome(stream)
            return _unusable(error)
        if spotted is None:
            return NotUnderstood(f"{self.address}: not understood.")
        return self._answer(spotted, decoding_ms=round((time.monotonic() - began_s) * 1000))

    def _spot(self, stream: "OwnStream") -> Spotted | None:
        """ModelError if the model cannot be loaded."""
        self._turn()
        if stream.speech_ms > self._speech_ms_max:
            return None
        if self._spotter is None:
            with self.guard():
                self._spotter = self._load()
                return heard_in(self._spotter, stream.levels)
        return heard_in(self._spotter, stream.levels)

    def _turn(self) -> None:
        """To the model that is wanted; what is wrong with it says who loads it."""
        if self._wanted != self._folder:
            self._folder, self._spotter = self._wanted, None
            with suppress(ModelError):
                self._follow(read_model(self._folder, self._spec).card)

    def _load(self) -> Spotter:
        # Before they are read: what is written meanwhile is worth another look.
        self._tried = self._stamps()
        model = Model(self._folder, self._spec)
        # Its folder may hold another one by now.
        self._follow(model.card)
        self._fault = None
        return Spotter(model)

    def _follow(self, card: ModelCard) -> None:
        check_commands(card, self._folder)
        self.card = card
        self.address = f"{card.name} {card.version}"
        self._speech_ms_max = speech_ms_max(card, self._spec)

    def _stamps(self) -> Sequence[object]:
        return [stamp(self._folder / name) for name in (CARD_FILE, MODEL_FILE)]

    def _answer(self, spotted: Spotted, decoding_ms: int) -> Answer:
        said = self.card.commands[spotted.label]
        found = (
            Result(said.id, said.title, said.snippet, spotted.probability, said.url, said.action) if said.id else None
        )
        return Answer(
            "local",
            transcript=said.text,
            confidence=spotted.probability,
            results=(found,) if found else (),
            engine=ENGINE,
            model=self.address,
            decoding_ms=decoding_ms,
        )


class OwnStream:
    """An utterance for the model, which wants it whole. In the network's thread, until it is over."""

    def __init__(self, model: OwnModel, on_settled: Callable[[Answer | CloudError], None]) -> None:
        self.wire_bytes = 0
        """Nothing leaves the board."""
        self.levels: list[Levels] = []
        self.speech_ms = 0
        self._model = model
        self._on_settled = on_settled
        self._settled = False

    def send(self, heard: Progress) -> None:
        if isinstance(heard, UtteranceFrames):
            self.levels.append(heard.levels)

    def finish(self, end: UtteranceEnd) -> None:
        self.speech_ms = end.speech_end_ms - end.speech_start_ms
        self._model.take(self)

    def cancel(self) -> None:
        self.settle(GivenUp(f"{self._model.address}: the utterance was given up."))

    def settle(self, outcome: Answer | CloudError) -> None:
        """Whatever comes after the first is nobody's any more."""
        if not self._settled:
            self._settled = True
            # Whoever shows the answer still holds on to this; the frames are of no use to anybody.
            self.levels = []
            self._on_settled(outcome)


def check_commands(card: ModelCard, folder: Path) -> None:
    """ModelError, a sentence, unless that is a model that an OwnModel can answer by."""
    if card.kind != "commands":
        raise ModelError(f"{folder}: this is a model for {card.kind}, not for commands.")
    operating_point(card)


def _unusable(fault: ModelError) -> CallFailed:
    """Its owner has to do something; the utterance is not at fault."""
    return CallFailed(str(fault), Trouble.SHUT_OUT)
