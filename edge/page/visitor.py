"""A phone without a board, as the page sees it: one of its own, with its own name, limits and spool, at the service."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from common.settings import Loaded
from edge.asking import wire
from edge.asking.exchange import Exchange
from edge.asking.services import chain_of
from edge.board.control import Command
from edge.clock import SYSTEM_CLOCK, boot_id
from edge.device_id import device_id
from edge.page.microphone import Microphones
from edge.page.story import Story
from edge.settings import EdgeSettings
from edge.spool import kept_frames, sounds
from edge.spool.erasure import Erasure
from edge.spool.feedback import Feedback
from edge.spool.keeping import Keeping
from edge.spool.spool import FILE_NAME, Spool
from edge.spool.store import SpoolStore

FORGET_S_MAX = 10.0


class Visitor:
    """A Host, see host.py, as a context manager; entering it waits."""

    def __init__(self, loaded: Loaded[EdgeSettings], phone: str, place: Path) -> None:
        self.name = device_id(loaded.settings.device.id)
        self.commands: Mapping[str, Command] = {}
        spec = wire.feature_spec(loaded.settings.cloud)
        self.chain = chain_of(loaded, phone=phone)
        self.spool = Spool(
            place / FILE_NAME,
            loaded.settings.spool,
            boot_id=boot_id(),
            coding=kept_frames.coding(spec),
            hop_ms=spec.frame_ms,
            on_event=lambda event: self.story.tell(event),
        )
        self.story = Story(self.spool, self._state, self.chain.watch)
        keeping = Keeping(self.chain, self.spool, spec, SYSTEM_CLOCK)
        self.microphones = Microphones(loaded.settings, keeping, self, self.story)
        self._keeping = keeping
        self._awaited: set[Exchange] = set()
        self._entered: ExitStack

    def __enter__(self) -> Self:
        with ExitStack() as entered:
            entered.enter_context(self.spool)
            entered.enter_context(self._keeping)
            self._entered = entered.pop_all()
        return self

    def __exit__(self, *cause: object) -> None:
        self._entered.close()

    async def run(self) -> None:
        """As long as it is open; ends with an error only."""
        await asyncio.gather(self.story.run(), self.microphones.run())

    @property
    def alive(self) -> bool:
        return self.chain.alive and all(worker.alive for worker in self.spool.workers)

    def examples(self) -> Sequence[str]:
        return self.chain.examples()

    def give(self, feedback: Feedback) -> None:
        self.spool.give(feedback)

    def forget(self, utterance_id: str | None) -> int:
        erasure = Erasure(utterance_id) if utterance_id is not None else Erasure()

        def erase(store: SpoolStore) -> int:
            with store.transaction():
                here = store.erase(erasure)
                for member in self.chain.keepers:
                    store.debts.owe(member.path, erasure)
            store.truncate_log()
            return here

        sounds.erase(self.spool.sound_folder, erasure)
        here = self.spool.ask(erase).result(FORGET_S_MAX)
        self.story.forgotten()
        return here

    def heard(self, exchange: Exchange) -> None:
        """As a Hearer."""
        self._awaited.add(exchange)
        self.story.begun(exchange)

    def partial(self, exchange: Exchange) -> None:
        self.story.partial(exchange)

    def ended(self, exchange: Exchange) -> None: ...

    def over(self, exchange: Exchange) -> None:
        self._awaited.discard(exchange)
        self.story.over(exchange)

    def _state(self) -> dict[str, Any]:
        awaited = list(self._awaited)
        down = [service.down for service in self.chain.services()]
        if any(exchange.end is None for exchange in awaited):
            doing = "listening"
        elif awaited:
            doing = "thinking"
        else:
            doing = "offline" if down and all(down) else "idle"
        return {
            "doing": doing,
            "activation": None,
            "phrase": None,
            "muted_by": None,
            "sentence": self.spool.trouble or next(filter(None, down), None),
            "timers": [],
        }
