"""Whoever answers utterances, as the rest of the board sees them."""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from common.errors import CloudError
from common.settings import Loaded
from edge.answer import Answer, Partial
from edge.cloud_client import CloudClient
from edge.device_id import device_id
from edge.identity import enrolment
from edge.settings import EdgeSettings
from edge.turn import Opinion
from edge.utterance import Progress, UtteranceEnd, UtteranceHead


class Stream(Protocol):
    """An utterance on its way to a recogniser. Nothing here waits."""

    wire_bytes: int

    def send(self, heard: Progress) -> None: ...

    def finish(self, end: UtteranceEnd) -> None: ...

    def cancel(self) -> None: ...


class Recogniser(Protocol):
    """Whoever can answer: `CloudClient` is one. Entered before it is asked."""

    @property
    def alive(self) -> bool:
        """False if it died, and will never answer again."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def start(
        self,
        head: UtteranceHead,
        *,
        on_partial: Callable[[Partial], None],
        on_settled: Callable[[Answer | CloudError], None],
        on_turn: Callable[[Opinion], None],
    ) -> Stream: ...


class _Unsent:
    """A stream to nobody."""

    wire_bytes = 0

    def __init__(self, settle: Callable[[], None]) -> None:
        self._settle = settle

    def send(self, heard: Progress) -> None:
        pass

    def finish(self, end: UtteranceEnd) -> None:
        self._settle()

    def cancel(self) -> None:
        self._settle()


class Nobody:
    """The recogniser of a board without a service: says so."""

    alive = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *cause: object) -> None:
        pass

    def start(
        self,
        head: UtteranceHead,
        *,
        on_partial: Callable[[Partial], None],
        on_settled: Callable[[Answer | CloudError], None],
        on_turn: Callable[[Opinion], None],
    ) -> Stream:
        return _Unsent(lambda: on_settled(CloudError("No service is set to ask: cloud.address is empty.")))


def open_recogniser(loaded: Loaded[EdgeSettings]) -> Recogniser:
    """The service that is set, or that the board enrolled with. SettingsError if its address cannot be one."""
    settings = loaded.settings
    if not settings.cloud.address:
        return Nobody()
    return CloudClient(settings.cloud, device_id=device_id(settings.device.id), enrolment=enrolment(loaded))
