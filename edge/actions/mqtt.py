"""A broker as a sink, and what it is told of the board: how it is, that Home Assistant may show it; its mute switch.

PREFIX/BOARD/action        what shall be done, JSON, once
PREFIX/BOARD/state         how the board is, JSON, retained
PREFIX/BOARD/availability  online or offline, retained; offline also by the broker, when the board is gone
PREFIX/BOARD/mute/set      ON or OFF, from whoever may publish there
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from common.errors import ParrotletError
from common.mqtt_link import Message
from edge.actions.action import BROKER, Action
from edge.actions.board_state import OFF, ON, board_state
from edge.actions.broker import Broker
from edge.actions.home_assistant import discovery, object_id
from edge.actions.patterns import matches
from edge.settings import Mqtt as MqttSettings

logger = logging.getLogger(__name__)

SPOOL_S = 30.0
"""How often the spool is looked at: whoever looks has what gathered written to the disk."""

STATE_S_MAX = 300.0
"""How often the state is told though nothing has changed."""


class Mqtt:
    """A sink. The broker must be entered while it is used."""

    def __init__(self, settings: MqttSettings, broker: Broker, device_id: str) -> None:
        self.name = BROKER
        self._settings = settings
        self._broker = broker
        self._topic = f"{base_of(settings, device_id)}/action"

    def wants(self, name: str) -> bool:
        return matches(name, self._settings.actions)

    def preview(self, action: Action) -> str:
        return f"publish to {self._topic} at {self._settings.address}: {self._payload(action).decode()}"

    def run(self, action: Action, left_s: float) -> None:
        self._broker.publish(Message(self._topic, self._payload(action)), left_s)

    def _payload(self, action: Action) -> bytes:
        if not self._settings.transcripts:
            action = msgspec.structs.replace(action, transcript="", slots={}, response=None)
        return msgspec.json.encode(action)


class BoardAtBroker:
    """The broker's guest: tells how the board is, and lets it be muted."""

    def __init__(
        self,
        settings: MqttSettings,
        device_id: str,
        status: Callable[[bool], Mapping[str, Any]],
        commands: Mapping[str, Callable[[], object]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`status` says how the board is, with the spool or without; `commands` are mute and unmute."""
        self._settings = settings
        self._device_id = device_id
        self._base = base_of(settings, device_id)
        self._status = status
        self._commands = {ON: commands["mute"], OFF: commands["unmute"]}
        self._clock = clock
        self._told: dict[str, Any] = {}
        self._told_s = self._spool_s = float("-inf")
        self.will = Message(f"{self._base}/availability", b"offline", retain=True)
        self.topics = (f"{self._base}/mute/set",)

    def greeting(self) -> list[Message]:
        self._told, self._spool_s = {}, float("-inf")
        hello = [Message(f"{self._base}/availability", b"online", retain=True)]
        if self._settings.discovery:
            topic = f"{self._settings.discovery}/device/{object_id(self._device_id)}/config"
            hello.append(Message(topic, msgspec.json.encode(discovery(self._device_id, self._base)), retain=True))
        return hello + self.news()

    def news(self) -> list[Message]:
        now_s = self._clock()
        with_spool = now_s - self._spool_s >= SPOOL_S
        state = board_state(self._status(with_spool), transcripts=self._settings.transcripts)
        if with_spool:
            self._spool_s = now_s
        elif self._told:
            state["spool_waiting"] = self._told["spool_waiting"]
        if state == self._told and now_s - self._told_s < STATE_S_MAX:
            return []
        self._told, self._told_s = state, now_s
        return [Message(f"{self._base}/state", msgspec.json.encode(state), retain=True)]

    def hear(self, message: Message) -> None:
        """What is retained was said to nobody in particular, some time ago: no microphone follows it."""
        command = self._commands.get(message.payload.decode("ascii", "replace"))
        if message.retain or command is None:
            logger.warning("what came at %s means nothing: ON or OFF is wanted, not retained", message.topic)
            return
        try:
            command()
        except ParrotletError as error:
            logger.info("not done: %s", error)
        # A switch that was turned in vain turns back.
        self._told = {**self._told, "muted": None}


def base_of(settings: MqttSettings, device_id: str) -> str:
    """Where the board's own topics begin."""
    return f"{settings.prefix}/{device_id}"
