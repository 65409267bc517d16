"""The state of the board while its daemon runs, and what may be asked of it."""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from common import VERSION
from common.errors import ParrotletError, SpoolError
from edge.actions.action import Action
from edge.actions.household import Household
from edge.answering.answering import Answering
from edge.answering.doing import Doing
from edge.asking.answer import Answer
from edge.asking.exchange import Exchange
from edge.asking.recogniser import Service
from edge.board.control import Command
from edge.board.mute import Mute
from edge.board.onlooker import Nobody, Onlooker
from edge.board.tally import Tally
from edge.board.thermometer import temperature_c
from edge.device_id import device_id
from edge.settings import EdgeSettings
from edge.sound.capture import State
from edge.sound.source import Samples, Source
from edge.speech.activation import Activation
from edge.speech.utterance import UtteranceEnd
from edge.spool.event import Event, Kind
from edge.spool.spool import Spool

logger = logging.getLogger(__name__)

SILENT_S_MAX = 5.0
"""An open microphone that delivers nothing for so long is not well."""

ANSWER_S_MAX = 1.0
"""How long `status` waits for the disk."""

UNSEEN_MAX = 32
"""Answers that wait to be shown; of more, the oldest are not shown."""


class Ear(Source, Protocol):
    """A source that can be muted and says how it is: `Microphone`, or a file in its place."""

    state: State

    @property
    def overruns(self) -> int:
        """Times that sound was lost, since the beginning."""

    @property
    def all_zeros(self) -> bool:
        """Whether it has sent nothing else for seconds: a switch on it, or a broken one."""

    def fresh_s(self) -> float:
        """Seconds since the last sound came."""

    def unread_s(self) -> float:
        """Seconds since anybody came for sound."""

    def mute(self) -> None: ...

    def unmute(self) -> None: ...


class LastAnswer(msgspec.Struct, frozen=True):
    """The newest answer, as `status` shows it."""

    utterance_id: str
    path: str
    transcript: str
    results: tuple[str, ...]
    """Titles."""
    endpoint_to_final_ms: int | None
    """None where it came later."""
    intent: str | None
    level_dbfs: float | None
    """Of the speech; None where it came later."""
    snr_db: float | None
    why_not_better: str | None
    monotonic_s: float


class Board:
    """Written by the hearing thread and the network's, read by control and the main one."""

    def __init__(
        self,
        ear: Ear,
        activation: Activation,
        settings: EdgeSettings,
        session_id: str,
        clock: Callable[[], float] = time.monotonic,
        mute: Mute | None = None,
    ) -> None:
        self._ear = ear
        self._mute = mute or Mute(ear)
        self._activation = activation
        self._device_id = device_id(settings.device.id)
        self._vad = settings.vad
        self._spool: Spool | None = None
        self._answering: Answering | None = None
        self._household: Household | None = None
        self._onlooker: Onlooker = Nobody()
        self._tally = Tally()
        self._services: Callable[[], list[Service]] = list
        self._actions: Callable[[], Mapping[str, Any]] = dict
        self._session_id = session_id
        self._clock = clock
        self._started_s = clock()
        self._lock = threading.Lock()
        self._awaited: list[Exchange] = []
        self._heard = 0
        self._answered = 0
        self._last: LastAnswer | None = None
        self.unseen: deque[Exchange | Event | str] = deque(maxlen=UNSEEN_MAX)
        """Exchanges that are over, what came of utterances later, and what the board said to it by itself, that have
        not been shown."""

    @property
    def commands(self) -> Mapping[str, Command]:
        """What the control socket offers."""
        return {
            "status": self.status,
            "mute": self._mute.mute,
            "unmute": self._mute.unmute,
            "press": self.press,
            "forget": self.forget,
            "lists": lambda: self._household.lists.all() if self._household else {},
        }

    def keeps(self, spool: Spool, services: Callable[[], list[Service]]) -> None:
        """Where what is said is kept, and who answers it."""
        self._spool = spool
        self._services = services

    def acts(self, status: Callable[[], Mapping[str, Any]]) -> None:
        """What does what is understood, and says how it is."""
        self._actions = status

    def answers(self, answering: Answering, household: Household) -> None:
        """How it answers where one stands, and what it does by itself."""
        self._answering = answering
        self._household = household

    def shows(self, onlooker: Onlooker) -> None:
        """Who is told what happens."""
        self._onlooker = onlooker

    def awaited(self) -> list[Exchange]:
        """Exchanges that are not over, the oldest first."""
        with self._lock:
            return list(self._awaited)

    def heard(self, exchange: Exchange) -> None:
        """An utterance has started."""
        with self._lock:
            self._heard += 1
            if not exchange.over:
                self._awaited.append(exchange)
        if self._answering is not None and exchange.head.ear is None:
            self._answering.replies.expect()
        self._onlooker.begun(exchange)

    def level(self, samples: Samples, is_speech: bool) -> None:
        """A block of sound was heard."""
        self._onlooker.level(samples, is_speech)

    def partial(self, exchange: Exchange) -> None:
        """There are other words."""
        self._onlooker.partial(exchange)

    def ended(self, exchange: Exchange) -> None:
        """What was said has ended."""
        if self._answering is not None and exchange.head.ear is None:
            self._answering.replies.heard(lambda: exchange.over)

    def over(self, exchange: Exchange) -> None:
        """An utterance has been settled."""
        answer, after_ms = exchange.answer, exchange.timing(realtime=True).endpoint_to_final
        assert answer is not None
        with self._lock:
            if exchange in self._awaited:
                self._awaited.remove(exchange)
            self._answered += answer.path != "none"
            self._last = self._last_answer(exchange.head.utterance_id, answer, after_ms, exchange.end)
        self.unseen.append(exchange)
        self._tally.over(exchange)
        self._onlooker.over(exchange)
        if self._answering is not None:
            self._answering.look()
        if answer.path == "none":
            logger.warning("not answered: %s", answer.why_not_better)
        else:
            logger.info("answered by %s in %s ms, %d results", answer.path, after_ms, len(answer.results))
            logger.debug("%s: %s", exchange.head.utterance_id, answer.transcript)

    def tell(self, event: Event) -> None:
        """What came of an utterance, live or later; the live one is shown as an exchange."""
        self._tally.tell(event)
        self._onlooker.tell(event)
        if self._answering is not None and event.ear is None:
            self._answering.replies.tell(event)
        if event.kind in (Kind.FINAL, Kind.KEPT, Kind.DONE) or any(
            exchange.head.utterance_id == event.utterance_id for exchange in self.awaited()
        ):
            return
        self.unseen.append(event)
        if event.answer is not None:
            with self._lock:
                self._answered += event.kind is Kind.LATE
                self._last = self._last_answer(event.utterance_id, event.answer, None)
        logger.info("an utterance of before: %s", event.kind)

    def reply(self, action: Action, sentence: str) -> None:
        """What the board did by itself, for whoever asked for it."""
        self.unseen.append(sentence)
        if self._spool is not None:
            self._spool.note_done(action.utterance_id, action.spoken_at_unix_us, sentence)
        # Who spoke into a phone reads it there.
        if self._answering is not None and action.ear is None:
            self._answering.replies.say(sentence)

    def doing(self) -> Doing:
        """What the board does now."""
        if self._mute.by:
            return Doing.MUTED
        if self.ailment() or self._ear.state is State.ABSENT:
            return Doing.ERROR
        if self._answering is not None and self._answering.speaking:
            return Doing.SPEAKING
        awaited = [exchange for exchange in self.awaited() if exchange.head.ear is None]
        if self.awake or any(exchange.end is None for exchange in awaited):
            return Doing.LISTENING
        if awaited:
            return Doing.THINKING
        services = self._services()
        return Doing.OFFLINE if services and all(service.down for service in services) else Doing.IDLE

    def timers(self) -> list[dict[str, Any]]:
        """Those that ring first, then the next one: lasts_s, left_s, rings."""
        return self._household.status() if self._household else []

    @property
    def awake(self) -> bool:
        """Whether it listens now, and does not always."""
        return self._activation.mode != "always" and self._activation.listening()

    def ailment(self) -> str | None:
        """What is wrong with the board itself, a sentence; None if it is well. Muted is well, and so is a microphone
        that is known to be missing and is looked for."""
        silent_s = self._ear.fresh_s()
        if self._ear.state in (State.OPEN, State.OPENING) and silent_s >= SILENT_S_MAX:
            return f"The microphone has delivered nothing for {silent_s:.0f} s."
        unread_s = self._ear.unread_s()
        if self._ear.state is State.OPEN and unread_s >= SILENT_S_MAX:
            return f"Nobody has listened to the microphone for {unread_s:.0f} s: the hearing thread is stuck."
        return None

    def summary(self) -> str:
        """One line for whoever supervises."""
        zeros = ", but it sends nothing but zeros" if self._ear.all_zeros else ""
        return f"{_STATES[self._ear.state]}{zeros}; {self._answered} of {self._heard} utterances answered"

    def press(self) -> dict[str, Any]:
        """Ends a ring; or ends what the board is saying, and listens. ParrotletError, a sentence, if it cannot mean
        anything now."""
        if self._answering is not None and self._answering.hush_ring():
            return {}
        stopped = self._answering is not None and self._answering.interrupt()
        if stopped and (self._mute.by or self._activation.mode == "always"):
            return {}
        if by := self._mute.by:
            cure = "turn its switch" if by == "switch" else "unmute it first with: parrotlet-edge unmute"
            raise ParrotletError(f"The board is muted; {cure}")
        self._activation.press()
        logger.info("pressed")
        return {}

    def forget(self) -> dict[str, Any]:
        """What was said has been erased: nothing of it is shown any more."""
        self.unseen.clear()
        if self._answering is not None:
            self._answering.interrupt()
        with self._lock:
            self._last = None
        self._onlooker.forgotten()
        return {}

    def status(self, *, with_spool: bool = True) -> dict[str, Any]:
        """Everything, or all but what only the disk knows; see edge/board/status.py for how it looks."""
        now_s = self._clock()
        ailment = self.ailment() or (self._spool.trouble if self._spool else None)
        with self._lock:
            last = self._last
            counts = {"heard": self._heard, "answered": self._answered, "awaited": len(self._awaited)}
        shown = msgspec.to_builtins(last) if last else None
        if shown is not None:
            shown["ago_s"] = round(now_s - shown.pop("monotonic_s"), 1)
        return {
            "healthy": ailment is None,
            "ailment": ailment,
            "version": VERSION,
            "pid": os.getpid(),
            "device_id": self._device_id,
            "session_id": self._session_id,
            "uptime_s": round(now_s - self._started_s, 1),
            "microphone": {
                "name": self._ear.name,
                "state": self._ear.state.value,
                "silent_s": round(self._ear.fresh_s(), 2),
                "overruns": self._ear.overruns,
                "all_zeros": self._ear.all_zeros,
                "muted_by": self._mute.by,
                "mute_is_kept": self._mute.kept,
            },
            "activation": {
                "mode": self._activation.mode,
                "listening": self._activation.listening(),
                "phrase": self._activation.phrase,
            },
            "vad": {"aggressiveness": self._vad.aggressiveness},
            "temperature_c": temperature_c(),
            "services": [
                {
                    "path": service.path,
                    "address": service.address,
                    "known_as": service.known_as,
                    "down": service.down,
                    "answered_ago_s": None if service.answered_s is None else round(now_s - service.answered_s, 1),
                }
                for service in self._services()
            ],
            "utterances": counts,
            "tally": self._tally.said(),
            "spool": self._kept() if with_spool else None,
            "actions": self._actions(),
            "answer": self._answering.status() if self._answering else None,
            "timers": self.timers(),
            "last_answer": shown,
        }

    def _last_answer(
        self, utterance_id: str, answer: Answer, after_ms: int | None, end: UtteranceEnd | None = None
    ) -> LastAnswer:
        return LastAnswer(
            utterance_id=utterance_id,
            path=answer.path,
            transcript=answer.transcript,
            results=tuple(result.title for result in answer.results),
            endpoint_to_final_ms=after_ms,
            intent=answer.intent,
            level_dbfs=end.level_dbfs if end else None,
            snr_db=end.snr_db if end else None,
            why_not_better=answer.why_not_better,
            monotonic_s=self._clock(),
        )

    def _kept(self) -> dict[str, Any] | None:
        """What waits in the spool; None where it does not say at once."""
        if self._spool is None:
            return None
        try:
            figures = self._spool.ask(lambda store: store.figures()).result(ANSWER_S_MAX)
        except (SpoolError, TimeoutError):
            return {"trouble": self._spool.trouble or "the disk is slow", "dropped": self._spool.dropped}
        return figures._asdict() | {"trouble": None, "dropped": self._spool.dropped}


_STATES = {
    State.OPENING: "microphone is being opened",
    State.OPEN: "listening",
    State.ABSENT: "microphone is missing",
    State.MUTED: "muted",
    State.CLOSED: "microphone is closed",
}
