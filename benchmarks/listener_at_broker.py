"""Whoever listens at a broker in tests and benchmarks: keeps what is published, and waits for it."""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion


class Heard(NamedTuple):
    topic: str
    payload: bytes
    retained: bool


class ListenerAtBroker:
    """A context manager. It connects again by itself."""

    def __init__(self, port: int, topic: str = "#", user: tuple[str, str] | None = None) -> None:
        self.heard: list[Heard] = []
        self._changed = threading.Condition()
        self._ready, self._gone = threading.Event(), threading.Event()
        self._port = port
        self._client = Client(CallbackAPIVersion.VERSION2)
        if user is not None:
            self._client.username_pw_set(*user)
        self._client.reconnect_delay_set(0.05, 0.2)  # type: ignore[arg-type]  # It takes any number.
        self._client.on_connect = lambda client, data, flags, reason, properties: client.subscribe(topic, qos=1)
        self._client.on_subscribe = lambda client, data, number, reasons, properties: self._turn(ready=True)
        self._client.on_disconnect = lambda client, data, flags, reason, properties: self._turn(ready=False)
        self._client.on_message = lambda client, data, message: self._keep(
            Heard(message.topic, bytes(message.payload), message.retain)
        )

    def __enter__(self) -> "ListenerAtBroker":
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        self.wait_ready()
        return self

    def __exit__(self, *cause: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait_ready(self, timeout_s: float = 10.0) -> None:
        """Until it is connected, and listens."""
        assert self._ready.wait(timeout_s), "the listener is not connected"

    def wait_gone(self, timeout_s: float = 10.0) -> None:
        """Until it has noticed that the broker is gone."""
        assert self._gone.wait(timeout_s), "the listener is still connected"

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def wait(self, wanted: Callable[[Heard], bool], timeout_s: float = 10.0) -> Heard:
        """The newest that is wanted, as soon as there is one."""
        until_s = time.monotonic() + timeout_s
        with self._changed:
            while True:
                if found := [one for one in self.heard if wanted(one)]:
                    return found[-1]
                left_s = until_s - time.monotonic()
                assert left_s > 0, f"not heard; there were: {[one.topic for one in self.heard]}"
                self._changed.wait(left_s)

    def _turn(self, *, ready: bool) -> None:
        gained, lost = (self._ready, self._gone) if ready else (self._gone, self._ready)
        lost.clear()
        gained.set()

    def _keep(self, heard: Heard) -> None:
        with self._changed:
            self.heard.append(heard)
            self._changed.notify_all()
