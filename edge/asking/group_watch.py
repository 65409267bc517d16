"""What the other boards of the group are answered, as the best service tells it: asked again where it broke off, from
where it was.

Loaded where somebody looks on.
"""

import asyncio
import random
from collections.abc import Callable
from typing import NamedTuple, Protocol

from edge.asking import wire
from edge.asking.answer import Answer
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.link import Link
from edge.asking.network import Network
from protos import speech_pb2
from protos.name import NAME

PAUSE_S_MAX = 30.0
NO_GROUP_S = 60.0
"""Until a service that knows of no group of this board is asked again."""


class Other(NamedTuple):
    """An answer to another board."""

    number: int
    board: str
    utterance_id: str
    answered_at_unix_us: int
    spoken_at_unix_us: int | None
    snr_db: float | None
    answer: Answer


class Watcher(Protocol):
    """Is told, in the network's thread, and must return at once."""

    def watching(self, history: str, *, is_anew: bool) -> None:
        """It has begun, or begins `is_anew`: then what was told before counts no more."""

    def other(self, other: Other) -> None:
        """In the order of their numbers, each once."""

    def not_watching(self, why: str | None) -> None:
        """A sentence; None: there are no others."""


class Watched(Protocol):
    """`CloudClient`."""

    device_id: str
    network: Network

    async def watch(
        self, after: int | None, history: str | None, take: Callable[[speech_pb2.Watched], None]
    ) -> None: ...


class GroupWatch:
    """Runs in the network's thread, from `begin` to `end`."""

    def __init__(self, service: Watched, link: Link, watcher: Watcher) -> None:
        self._service = service
        self._link = link
        self._watcher = watcher
        self._after = 0
        self._history: str | None = None
        self._tries = 0
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._task = self._service.network.begin(self._run())

    def end(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            self._tries += 1
            if self._link.down is not None:
                self._watcher.not_watching(str(self._link.down))
                await self._link.up()
            pause_s = random.uniform(0.1, min(2.0**self._tries, PAUSE_S_MAX))
            try:
                after = self._after if self._history is not None else None
                await self._service.watch(after, self._history, self._take)
            except CallFailed as error:
                has_group = error.trouble is not Trouble.OTHER_TERMS
                self._watcher.not_watching(str(error) if has_group else None)
                if error.trouble is Trouble.AWAY:
                    self._link.failed(error)
                if not has_group:
                    pause_s = NO_GROUP_S
            await asyncio.sleep(pause_s)

    def _take(self, watched: speech_pb2.Watched) -> None:
        self._tries = 0
        match watched.WhichOneof("watched"):
            case "log":
                self._history = watched.log.history
                if watched.log.is_anew:
                    self._after = 0
                self._watcher.watching(self._history, is_anew=watched.log.is_anew)
            case "answer" if watched.answer.number > self._after and NAME.fullmatch(watched.answer.device_id):
                self._after = watched.answer.number
                self._watcher.other(_other(watched.answer))


def _other(told: speech_pb2.OtherAnswer) -> Other:
    return Other(
        told.number,
        told.device_id,
        told.utterance_id,
        told.answered_at_unix_us,
        told.spoken_at_unix_us if told.HasField("spoken_at_unix_us") else None,
        told.snr_db if told.HasField("snr_db") else None,
        wire.answer(told.final, told.device_id),
    )
