"""The broker that is set: a connection that is made again for ever, in a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from common.errors import ActionError
from common.mqtt_link import Link, Message
from edge.settings import Mqtt as MqttSettings
from edge.worker import Worker

logger = logging.getLogger(__name__)

PAUSE_S_FIRST = 0.5
PAUSE_S_MAX = 15.0
"""Between two tries to connect: a board that is the first to be up again is soon heard."""

LOOK_S = 1.0
"""How often it is looked whether there is something to tell."""

ACKNOWLEDGE_S_MAX = 10.0
"""A broker that takes longer does not get what others wait for meanwhile."""

STOP_S_MAX = 2.0


class Guest(Protocol):
    """Whoever has something to tell there besides actions. Called in the broker's thread."""

    @property
    def will(self) -> Message:
        """What the broker tells of us when we are gone."""

    @property
    def topics(self) -> Sequence[str]:
        """What is listened to."""

    def greeting(self) -> list[Message]:
        """What is told first, on each connection."""

    def news(self) -> list[Message]:
        """What has changed since."""

    def hear(self, message: Message) -> None:
        """Something came at one of the topics."""


class Broker:
    """A context manager."""

    def __init__(
        self, settings: MqttSettings, client_id: str, guest: Guest | None = None, *, look_s: float = LOOK_S
    ) -> None:
        self.worker = Worker("mqtt", self._work)
        self.down: str | None = f"{settings.address}: not reached yet."
        """Why there is no connection, a sentence."""
        self._settings = settings
        self._client_id = client_id
        self._guest = guest
        self._look_s = look_s
        self._link: Link | None = None
        self._closing = threading.Event()
        self._changed = threading.Condition()

    def __enter__(self) -> "Broker":
        self.worker.start()
        return self

    def __exit__(self, *cause: object) -> None:
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        self.worker.join(STOP_S_MAX)

    def publish(self, message: Message, left_s: float) -> None:
        """Once, as soon as the broker is there. ActionError, a sentence, if that is too late, or if it does not
        acknowledge: then nobody knows whether it has it, and it is not sent again."""
        self._connected(left_s).publish(message, ACKNOWLEDGE_S_MAX)

    def _connected(self, timeout_s: float) -> Link:
        until_s = time.monotonic() + timeout_s
        with self._changed:
            while self._link is None or self._link.over.is_set():
                left_s = until_s - time.monotonic()
                if left_s <= 0 or self._closing.is_set():
                    raise ActionError(self.down or f"{self._settings.address}: the broker went away.")
                self._changed.wait(min(left_s, self._look_s))
            return self._link

    def _work(self) -> None:
        pause_s = PAUSE_S_FIRST
        while not self._closing.is_set():
            try:
                will, topics = (self._guest.will, self._guest.topics) if self._guest else (None, ())
                link = Link(self._settings, self._client_id, will, topics)
            except ActionError as error:
                self._say_down(str(error))
                self._closing.wait(pause_s)
                pause_s = min(2 * pause_s, PAUSE_S_MAX)
                continue
            pause_s = PAUSE_S_FIRST
            self._say_up(link)
            try:
                self._stay(link)
            finally:
                self._say_down(f"{self._settings.address}: the broker went away.")
                link.end()
            self._closing.wait(pause_s)

    def _stay(self, link: Link) -> None:
        """Until the connection is over or the board stops."""
        if self._guest is None:
            while not (self._closing.is_set() or link.over.wait(self._look_s)):
                pass
            return
        _tell(link, self._guest.greeting)
        while not (self._closing.is_set() or link.over.is_set()):
            if (message := link.received(self._look_s)) is not None:
                self._guest.hear(message)
            _tell(link, self._guest.news)
        link.tell(self._guest.will)

    def _say_up(self, link: Link) -> None:
        with self._changed:
            self._link, self.down = link, None
            self._changed.notify_all()
        logger.info("connected to the broker at %s", self._settings.address)

    def _say_down(self, why: str) -> None:
        with self._changed:
            self._link, before, self.down = None, self.down, why
            self._changed.notify_all()
        if why != before and not self._closing.is_set():
            logger.warning("%s", why)


def _tell(link: Link, told: Callable[[], list[Message]]) -> None:
    for message in told():
        link.tell(message)
