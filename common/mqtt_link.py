"""One connection to a broker, from its beginning to its end, by paho-mqtt.

A client that connects again by itself sends again what was not acknowledged, and a broker that had it already does it
twice. So each connection has a client of its own, and what an old one had not acknowledged is sent by no new one.
"""

import queue
import ssl
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from common.addresses import parse_address
from common.errors import ActionError
from common.post import trusted

if TYPE_CHECKING:
    from paho.mqtt.client import Client

CONNECT_S_MAX = 5.0

KEEP_ALIVE_S = 30
"""A broker that says nothing for half as long again is gone."""

RECEIVED_MAX = 64
"""Messages that wait to be read; of more, the new ones are dropped."""

END_S_MAX = 1.0

LOOK_S = 0.1
"""How late it is noticed, while an acknowledgement is waited for, that the broker is gone."""


class BrokerSettings(Protocol):
    """Where a broker is, and who asks."""

    @property
    def address(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def password(self) -> str: ...
    @property
    def tls(self) -> bool: ...
    @property
    def ca_file(self) -> Path | None: ...


class Message(NamedTuple):
    """What is published at a topic."""

    topic: str
    payload: bytes
    retain: bool = False


class _TlsSocket(ssl.SSLSocket):
    """The library leaves one open whose handshake failed."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


class Link:
    """Connected when it is made. For any thread; `over` is set when it ends."""

    def __init__(
        self,
        settings: BrokerSettings,
        client_id: str,
        will: Message | None,
        topics: Sequence[str],
        *,
        called: str = "mqtt.",
    ) -> None:
        """`topics` are listened to. `called`: how the names of the settings begin. ActionError, a sentence, if the
        broker is not there, or does not want us."""
        self.over = threading.Event()
        self._received: queue.Queue[Message] = queue.Queue(RECEIVED_MAX)
        self._answer: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._address = settings.address
        self._client = self._made(settings, client_id, will)
        try:
            self._connect(settings, called)
        except BaseException:
            self._client.disconnect()
            raise
        for topic in topics:
            self._client.subscribe(topic, qos=1)

    def end(self) -> None:
        """Says good-bye, and waits no longer than that takes."""
        self._client.disconnect()
        self.over.wait(END_S_MAX)
        self.over.set()

    def tell(self, message: Message) -> None:
        """Sends it, and does not wait for anything."""
        self._client.publish(message.topic, message.payload, qos=0, retain=message.retain)

    def publish(self, message: Message, timeout_s: float) -> None:
        """Sends it, once. ActionError, a sentence, if the broker does not acknowledge it in time: whether it has it is
        not known then, and the connection is over."""
        until_s = time.monotonic() + timeout_s
        sent = self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)
        while not (sent.rc == 0 and sent.is_published()):
            if self.over.is_set() or sent.rc != 0:
                raise ActionError(f"{self._address}: the broker went away before it acknowledged.")
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                self.over.set()
                raise ActionError(f"{self._address}: the broker did not acknowledge within {timeout_s:g} s.")
            # It does not notice that the connection is over.
            sent.wait_for_publish(min(left_s, LOOK_S))

    def received(self, timeout_s: float) -> Message | None:
        """The next message at one of the topics; None: there is none so far."""
        try:
            return self._received.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def _made(self, settings: BrokerSettings, client_id: str, will: Message | None) -> "Client":
        # Only here: a board without a broker does without its memory.
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        client = Client(CallbackAPIVersion.VERSION2, client_id, reconnect_on_failure=False)
        client.connect_timeout = CONNECT_S_MAX
        if settings.user:
            client.username_pw_set(settings.user, settings.password)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        if settings.tls:
            context = trusted(settings.ca_file)
            context.sslsocket_class = _TlsSocket
            client.tls_set_context(context)
        # In the library's thread: what they raised would be nobody's. So they only hand on.
        client.on_connect = lambda client, data, flags, reason, properties: self._answer.put(
            str(reason) if reason.is_failure else None
        )
        client.on_disconnect = lambda client, data, flags, reason, properties: self.over.set()
        client.on_message = lambda client, data, message: self._receive(message)
        return client

    def _connect(self, settings: BrokerSettings, called: str) -> None:
        host, port = parse_address(settings.address, called=f"{called}address", port_min=1)
        try:
            self._client.connect(host.strip("[]"), port, KEEP_ALIVE_S)
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", None) or error.reason or "no TLS"
            raise ActionError(
                f"{settings.address}: no TLS ({why}); see {called}ca_file, or {called}tls for a broker without it."
            ) from error
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ActionError(f"{settings.address}: the broker cannot be reached: {why}.") from error
        self._client.loop_start()
        try:
            refusal = self._answer.get(timeout=CONNECT_S_MAX)
        except queue.Empty as error:
            raise ActionError(f"{settings.address}: the broker does not answer.") from error
        if refusal is not None:
            raise ActionError(f"{settings.address}: the broker refuses: {refusal}.")

    def _receive(self, message: Any) -> None:
        try:
            self._received.put_nowait(Message(message.topic, message.payload, message.retain))
        except queue.Full:
            return
