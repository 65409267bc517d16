"""Where alerts go: the log, an address, a broker. Each is tried for itself; what fails stays until it succeeds."""

import logging
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from cloud.alerts.alerts import AlertBook, Told
from cloud.alerts.erasing import without
from cloud.settings import Alerts as AlertSettings
from common.addresses import parse_address
from common.errors import ActionError
from common.mqtt_link import Link, Message
from common.post import PostError, check_url, post, trusted
from common.record import Record
from common.signature import read_secret, signed

logger = logging.getLogger(__name__)

TRY_S_MAX = 5.0
DELIVER_S = 10.0
"""Then it goes on with the next look: whoever looks has other work, and is to end with the service."""
KEEP_S_MAX = 86_400
"""Nobody wants to hear of a change a day late."""
CLIENT_ID = "parrotlet-cloud-alerts"


class Sink(Protocol):
    """Somebody who is told."""

    name: str

    def tell(self, told: Told) -> None:
        """ActionError, a sentence, if they do not have it."""


class LogSink:
    """The service's log; a warning for what begins. No word that people said: nobody can take it out of there."""

    name = "log"

    def tell(self, told: Told) -> None:
        if told.event == "cleared":
            return
        where = f" [{told.where}]" if told.where else ""
        level = logging.WARNING if told.event == "began" else logging.INFO
        logger.log(level, "alert %d%s: %s", told.number, where, without(told.sentence, told.words))


class WebhookSink:
    """An address that each is posted to, as JSON, signed as actions of a board are."""

    name = "webhook"

    def __init__(self, settings: AlertSettings) -> None:
        self._settings = settings

    def tell(self, told: Told) -> None:
        if told.event == "cleared":
            return
        url, body = self._settings.webhook_url, msgspec.json.encode(told)
        key = f"alert-{told.key}"
        headers = {"content-type": "application/json", "idempotency-key": key, "user-agent": "parrotlet-cloud"}
        if self._settings.webhook_secret_file is not None:
            headers |= signed(key, int(time.time()), body, read_secret(self._settings.webhook_secret_file))
        context = trusted(self._settings.webhook_ca_file) if url.startswith("https:") else None
        try:
            status = post(url, body, headers, TRY_S_MAX, context)
        except PostError as error:
            raise ActionError(f"alerts.webhook_url: {error}.") from error
        if not 200 <= status < 300:
            raise ActionError(f"alerts.webhook_url: it answered with status {status}.")


class Broker(NamedTuple):
    """As common/mqtt_link.py wants to be told of one."""

    address: str
    user: str
    password: str
    tls: bool
    ca_file: Path | None


class MqttSink:
    """A topic for each alert, called by its place and what it was told of at first; retained until it is over."""

    name = "mqtt"

    def __init__(self, settings: AlertSettings) -> None:
        self._topic = settings.mqtt_topic
        self._broker = Broker(
            settings.mqtt_address,
            settings.mqtt_user,
            settings.mqtt_password,
            settings.mqtt_tls,
            settings.mqtt_ca_file,
        )

    def tell(self, told: Told) -> None:
        topic = "/".join((self._topic, _level(told.where or "all"), _level(told.first_cause or told.cause)))
        message = Message(topic, msgspec.json.encode(told), retain=told.event in ("began", "changed"))
        link = Link(self._broker, CLIENT_ID, None, (), called="alerts.mqtt_")
        try:
            if told.event in ("over", "cleared"):
                link.publish(Message(topic, b"", retain=True), TRY_S_MAX)
            if told.event != "cleared":
                link.publish(message, TRY_S_MAX)
        finally:
            link.end()


def sinks_of(settings: AlertSettings) -> list[Sink]:
    """All that are set. SettingsError, a sentence, if nobody can be told there."""
    found: list[Sink] = [LogSink()]
    if settings.webhook_url:
        check_url(settings.webhook_url)
        found.append(WebhookSink(settings))
    if settings.mqtt_address:
        parse_address(settings.mqtt_address, called="alerts.mqtt_address", port_min=1)
        found.append(MqttSink(settings))
    return found


def deliver(
    record: Record[AlertBook],
    sinks: Sequence[Sink],
    *,
    unix_s: Callable[[], float] = time.time,
    monotonic_s: Callable[[], float] = time.monotonic,
) -> list[str]:
    """Tells what waits, to each sink what it has not had, as far as that goes in DELIVER_S; sentences of what went
    wrong. Blocks: not for an event loop.

    What was told stays told if this is killed, but for the one that was under way, which may be told twice by the same
    key.
    """
    faults: dict[str, str] = {}
    until_s = monotonic_s() + DELIVER_S
    for told in list(record.read().waiting):
        if monotonic_s() > until_s:
            break
        had = record.read().told.get(told.key, [])
        is_late = unix_s() - told.at_unix_us / 1e6 > KEEP_S_MAX
        left = [] if is_late else [sink for sink in sinks if sink.name not in had]
        for sink in list(left):
            if sink.name in faults:
                # It is not there now: the next one need not wait for it, too.
                continue
            try:
                sink.tell(told)
            except ActionError as error:
                faults[sink.name] = str(error)
                continue
            left.remove(sink)
            with record.change() as book:
                book.told.setdefault(told.key, []).append(sink.name)
        if not left:
            with record.change() as book:
                book.waiting = [one for one in book.waiting if one != told]
                book.told.pop(told.key, None)
    return list(faults.values())


def _level(text: str) -> str:
    """One level of a topic."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:64] or "-"
