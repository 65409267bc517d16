"""Who is told what a board hears and answers, as it happens."""

from typing import Protocol

from edge.asking.exchange import Exchange
from edge.sound.source import Samples
from edge.spool.event import Event


class Onlooker(Protocol):
    """The page's story. Told in whichever thread; never waits."""

    def level(self, samples: Samples, is_speech: bool) -> None:
        """Every block that the board's own microphone delivers."""

    def begun(self, exchange: Exchange) -> None: ...

    def partial(self, exchange: Exchange) -> None: ...

    def over(self, exchange: Exchange) -> None: ...

    def tell(self, event: Event) -> None:
        """What came of an utterance, live or later."""

    def forgotten(self) -> None:
        """Something was erased."""


class Nobody:
    """Nobody looks on."""

    def level(self, samples: Samples, is_speech: bool) -> None: ...

    def begun(self, exchange: Exchange) -> None: ...

    def partial(self, exchange: Exchange) -> None: ...

    def over(self, exchange: Exchange) -> None: ...

    def tell(self, event: Event) -> None: ...

    def forgotten(self) -> None: ...
