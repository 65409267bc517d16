"""With a real mosquitto: an action is published once, whatever becomes of it; the board shows there, and is muted."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks import mosquitto
from benchmarks.listener_at_broker import Heard, ListenerAtBroker
from benchmarks.mosquitto import Mosquitto
from common import mqtt_link
from common.errors import ActionError, ParrotletError
from common.mqtt_link import Link, Message
from edge.actions import broker
from edge.actions.action import Action
from edge.actions.board_state import board_state
from edge.actions.broker import Broker
from edge.actions.home_assistant import discovery, object_id
from edge.actions.mqtt import SPOOL_S, BoardAtBroker, Mqtt
from edge.settings import Mqtt as Settings
from tests.test_webhook import self_signed

pytestmark = pytest.mark.skipif(mosquitto.why_not() is not None, reason=mosquitto.why_not() or "")

BASE = "parrotlet/board-1"
SAID: dict[str, Any] = {
    "healthy": True,
    "microphone": {"state": "open", "muted_by": None},
    "activation": {"mode": "wake", "listening": False},
    "services": [{"down": None}, {"down": "away"}],
    "utterances": {"awaited": 0},
    "spool": {"waiting": 3},
    "last_answer": {"transcript": "light on", "intent": "turnOn", "level_dbfs": -30.5, "snr_db": None},
}


def action(number: int) -> Action:
    return Action(
        utterance_id=f"u{number}",
        device_id="board-1",
        name="light.on",
        spoken_at_unix_us=1,
        transcript="light on",
        slots={"room": "the hall"},
        values={"room": "hall"},
        response="The light is on.",
    )


class Board:
    """Says how it is, and is muted."""

    def __init__(self) -> None:
        self.said = json.loads(json.dumps(SAID))
        self.refuses = False

    def status(self, with_spool: bool) -> Mapping[str, Any]:
        return self.said if with_spool else {**self.said, "spool": None}

    def mute(self) -> None:
        self.said["microphone"] = {"state": "muted", "muted_by": "command"}

    def unmute(self) -> None:
        if self.refuses:
            raise ParrotletError("The board is muted by its switch; turn that.")
        self.said["microphone"] = {"state": "open", "muted_by": None}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "PAUSE_S_FIRST", 0.02)
    monkeypatch.setattr(broker, "PAUSE_S_MAX", 0.1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as house:
        yield house


def settings(house: Mosquitto, **more: Any) -> Settings:
    return Settings(**{"address": house.address, "tls": False, **more})


@contextmanager
def connected(settings: Settings, board: Board | None = None) -> Iterator[tuple[Mqtt, Broker]]:
    guest = None
    if board is not None:
        commands = {"mute": board.mute, "unmute": board.unmute}
        guest = BoardAtBroker(settings, "board-1", board.status, commands)
    with Broker(settings, "parrotlet-board-1", guest, look_s=0.02) as connection:
        yield Mqtt(settings, connection, "board-1"), connection
    assert connection.worker.error is None
    assert not connection.worker.alive


def at(topic: str, **wanted: Any) -> Callable[[Heard], bool]:
    """A message there; with keys of its JSON that are so."""

    def fits(heard: Heard) -> bool:
        return heard.topic == topic and (not wanted or wanted.items() <= json.loads(heard.payload).items())

    return fits


def test_an_action_is_published_and_acknowledged(house: Mosquitto) -> None:
    with ListenerAtBroker(house.port) as listener, connected(settings(house)) as (sink, _):
        sink.run(action(1), 10)
        heard = listener.wait(at(f"{BASE}/action"))
        assert json.loads(heard.payload)["values"] == {"room": "hall"}
        assert json.loads(heard.payload)["transcript"] == "light on"
        assert not heard.retained


def test_a_broker_that_shall_not_know_what_was_said_is_not_told(house: Mosquitto) -> None:
    with (
        ListenerAtBroker(house.port) as listener,
        connected(settings(house, transcripts=False), Board()) as (sink, _),
    ):
        sink.run(action(1), 10)
        said = json.loads(listener.wait(at(f"{BASE}/action")).payload)
        assert (said["transcript"], said["slots"], said["response"], said["values"]) == ("", {}, None, {"room": "hall"})
        assert json.loads(listener.wait(at(f"{BASE}/state")).payload)["transcript"] is None
    assert not any(b"light on" in heard.payload for heard in listener.heard)


def test_a_broker_that_is_away_is_waited_for_while_somebody_wants_it(house: Mosquitto) -> None:
    house.kill()
    with connected(settings(house)) as (sink, connection):
        began_s = time.monotonic()
        with pytest.raises(ActionError, match="the broker cannot be reached: Connection refused"):
            sink.run(action(1), 0.2)
        assert 0.2 <= time.monotonic() - began_s < 2
        waiting = threading.Thread(target=sink.run, args=(action(2), 20))
        waiting.start()
        house.start()
        waiting.join(10)
        assert not waiting.is_alive()
        assert connection.down is None


def test_killed_and_back_each_action_is_published_once_or_told(house: Mosquitto) -> None:
    with ListenerAtBroker(house.port, f"{BASE}/action") as listener, connected(settings(house)) as (sink, _):
        told: list[str] = []
        for number in range(30):
            if number % 10 == 5:
                # What it has acknowledged and not handed on dies with it.
                listener.wait(at(f"{BASE}/action", utterance_id=f"u{number - 1}"))
                house.kill()
                listener.wait_gone()
                house.start()
                listener.wait_ready()
            try:
                sink.run(action(number), 10)
            except ActionError:
                told.append(f"u{number}")
        listener.wait(at(f"{BASE}/action", utterance_id="u29"))
        heard = [json.loads(one.payload)["utterance_id"] for one in listener.heard]
        assert len(heard) == len(set(heard))
        assert {f"u{number}" for number in range(30)} - set(heard) <= set(told)


def test_what_a_broker_did_not_acknowledge_is_told_and_not_sent_again(
    house: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "ACKNOWLEDGE_S_MAX", 0.3)
    with ListenerAtBroker(house.port, f"{BASE}/action") as listener, connected(settings(house)) as (sink, connection):
        sink.run(action(1), 10)
        house.halt()
        try:
            began_s = time.monotonic()
            with pytest.raises(ActionError, match="the broker did not acknowledge within 0.3 s"):
                sink.run(action(2), 10)
            assert time.monotonic() - began_s < 2
            # What comes later shall not go where nobody takes it.
            until(lambda: connection.down is not None)
        finally:
            house.go_on()
        sink.run(action(3), 10)
        listener.wait(at(f"{BASE}/action", utterance_id="u3"))
        heard = [json.loads(one.payload)["utterance_id"] for one in listener.heard]
        assert heard.count("u2") <= 1


def test_a_link_that_is_over_is_over_for_good(house: Mosquitto) -> None:
    before = set(threading.enumerate())
    link = Link(settings(house), "parrotlet-board-1", None, ())
    (thread,) = set(threading.enumerate()) - before
    house.kill()
    assert link.over.wait(5)
    thread.join(0.5)
    assert not thread.is_alive(), "the library connects again, and would send again"
    with pytest.raises(ActionError, match="the broker went away before it acknowledged"):
        link.publish(Message("x", b""), 5)
    link.end()


def test_who_takes_connections_and_says_nothing_is_left_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_link, "CONNECT_S_MAX", 0.05)
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with connected(Settings(address=address, tls=False)) as (sink, _):
            with pytest.raises(ActionError, match="the broker does not answer"):
                sink.run(action(1), 1.0)
            assert threading.active_count() < before + 6
    until(lambda: threading.active_count() == before)


def until(true: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until_s
        threading.Event().wait(0.005)


def test_a_broker_that_dies_while_it_is_asked_is_noticed_at_once(house: Mosquitto) -> None:
    with connected(settings(house)) as (sink, _):
        sink.run(action(1), 10)
        house.halt()
        faults: list[str] = []

        def run() -> None:
            try:
                sink.run(action(2), 10)
            except ActionError as error:
                faults.append(str(error))

        asking = threading.Thread(target=run)
        asking.start()
        asking.join(0.2)
        assert asking.is_alive()
        house.kill()
        asking.join(2)
        assert faults == [f"{house.address}: the broker went away before it acknowledged."]


def test_home_assistant_is_told_of_one_device_with_its_sensors_and_a_switch(house: Mosquitto) -> None:
    with ListenerAtBroker(house.port) as listener, connected(settings(house), Board()):
        state = json.loads(listener.wait(at(f"{BASE}/state")).payload)
        config = json.loads(listener.wait(at("homeassistant/device/parrotlet_board-1/config")).payload)
        assert listener.wait(at(f"{BASE}/availability")).payload == b"online"
    assert config["device"]["identifiers"] == ["parrotlet_board-1"]
    assert set(config["components"]) == set(state)
    assert config["availability_topic"] == f"{BASE}/availability"
    for key, component in config["components"].items():
        assert component["unique_id"] == f"parrotlet_board-1_{key}"
        assert component["value_template"] == "{{ value_json." + key + " }}"
    assert config["components"]["muted"]["command_topic"] == f"{BASE}/mute/set"
    assert state == {
        "state": "waiting",
        "transcript": "light on",
        "intent": "turnOn",
        "level_dbfs": -30.5,
        "snr_db": None,
        "spool_waiting": 3,
        "link": "ON",
        "microphone": "open",
        "problem": "OFF",
        "muted": "OFF",
    }


def test_all_that_is_told_of_the_board_is_retained_and_no_action_is(house: Mosquitto) -> None:
    with ListenerAtBroker(house.port) as listener, connected(settings(house), Board()) as (sink, _):
        sink.run(action(1), 10)
        listener.wait(at(f"{BASE}/state"))
        with ListenerAtBroker(house.port) as later:
            later.wait(at(f"{BASE}/state"))
            later.wait(at("homeassistant/device/parrotlet_board-1/config"))
            later.wait(at(f"{BASE}/availability"))
            assert all(heard.retained for heard in later.heard)
            assert not [heard for heard in later.heard if heard.topic == f"{BASE}/action"]


def test_the_mute_switch_works_both_ways(house: Mosquitto) -> None:
    board = Board()
    with ListenerAtBroker(house.port) as listener, connected(settings(house), board):
        listener.wait(at(f"{BASE}/state", muted="OFF"))
        listener.publish(f"{BASE}/mute/set", b"ON")
        listener.wait(at(f"{BASE}/state", muted="ON", state="muted", microphone="muted"))
        board.unmute()
        listener.wait(lambda heard: at(f"{BASE}/state", muted="OFF")(heard) and listener.heard[-1] is heard)
        board.mute()
        listener.wait(lambda heard: at(f"{BASE}/state", muted="ON")(heard) and listener.heard[-1] is heard)


def test_a_switch_that_is_turned_in_vain_turns_back(house: Mosquitto) -> None:
    board = Board()
    board.mute()
    board.refuses = True
    with ListenerAtBroker(house.port) as listener, connected(settings(house), board):
        listener.wait(at(f"{BASE}/state", muted="ON"))
        before = len([heard for heard in listener.heard if heard.topic == f"{BASE}/state"])
        listener.publish(f"{BASE}/mute/set", b"OFF")
        listener.wait(lambda heard: len([one for one in listener.heard if one.topic == f"{BASE}/state"]) > before)
        listener.wait(at(f"{BASE}/state", muted="ON"))
        assert board.said["microphone"]["muted_by"] == "command"


@pytest.mark.parametrize("payload", [b"OFF", b"", b"\xff\x00", b"off", b"x" * 100_000])
def test_no_retained_or_strange_word_opens_a_microphone(house: Mosquitto, payload: bytes) -> None:
    board = Board()
    board.mute()
    with ListenerAtBroker(house.port) as listener:
        listener.publish(f"{BASE}/mute/set", payload, retain=True)
        with connected(settings(house), board) as (sink, _):
            if payload != b"OFF":
                listener.publish(f"{BASE}/mute/set", payload)
            sink.run(action(1), 10)
            listener.wait(at(f"{BASE}/action"))
    assert board.said["microphone"]["muted_by"] == "command"


def test_a_board_that_dies_is_offline_and_so_is_one_that_stops(house: Mosquitto) -> None:
    with ListenerAtBroker(house.port, f"{BASE}/availability") as listener:
        with connected(settings(house), Board()):
            listener.wait(lambda heard: heard.payload == b"online")
        listener.wait(lambda heard: heard.payload == b"offline")
        before = len(listener.heard)
        code = f"""
import os, signal
from common.mqtt_link import Link, Message
from edge.settings import Mqtt
will = Message({BASE!r} + "/availability", b"offline", retain=True)
link = Link(Mqtt(address={house.address!r}, tls=False), "parrotlet-board-1", will, ())
link.publish(Message(will.topic, b"online", retain=True), 5)
os.kill(os.getpid(), signal.SIGKILL)
"""
        subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent.parent, check=False)
        listener.wait(lambda heard: heard.payload == b"offline" and len(listener.heard) >= before + 2)


def test_a_broker_that_wants_a_password_gets_it(tmp_path: Path) -> None:
    subprocess.run(["mosquitto_passwd", "-b", "-c", tmp_path / "users", "ada", "right"], check=True)
    lines = ("allow_anonymous false", f"password_file {tmp_path / 'users'}")
    with Mosquitto(tmp_path, lines) as house:
        with connected(settings(house, user="ada", password="right")) as (sink, _):
            sink.run(action(1), 10)
        with connected(settings(house, user="ada", password="wrong")) as (sink, connection):
            with pytest.raises(ActionError, match="the broker refuses: Not authorized"):
                sink.run(action(1), 0.5)
            assert "wrong" not in str(connection.down)


def test_tls_proves_who_the_broker_is(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with Mosquitto(tmp_path, ("allow_anonymous true", f"certfile {certificate}", f"keyfile {key}")) as house:
        address = f"localhost:{house.port}"
        with connected(settings(house, address=address, tls=True, ca_file=certificate)) as (sink, _):
            sink.run(action(1), 10)
        with (
            connected(settings(house, address=address, tls=True)) as (sink, _),
            pytest.raises(ActionError, match=r"no TLS \(self.signed certificate\); see mqtt.ca_file, or mqtt.tls"),
        ):
            sink.run(action(1), 0.5)


def test_a_broker_without_tls_is_told_as_such(house: Mosquitto) -> None:
    with connected(settings(house, tls=True)) as (sink, _), pytest.raises(ActionError, match=r"no TLS|reached"):
        sink.run(action(1), 0.5)


def test_a_state_that_has_not_changed_is_not_told_again() -> None:
    board, now_s = Board(), [0.0]
    commands = {"mute": board.mute, "unmute": board.unmute}
    guest = BoardAtBroker(Settings(), "board-1", board.status, commands, clock=lambda: now_s[0])
    assert [message.topic for message in guest.greeting()] == [
        f"{BASE}/availability",
        "homeassistant/device/parrotlet_board-1/config",
        f"{BASE}/state",
    ]
    assert guest.news() == []
    board.said["spool"]["waiting"] = 4
    assert guest.news() == []
    now_s[0] += SPOOL_S
    assert len(guest.news()) == 1
    board.said["last_answer"] = None
    (message,) = guest.news()
    assert json.loads(message.payload)["transcript"] is None
    assert json.loads(message.payload)["spool_waiting"] == 4
    now_s[0] += 299
    guest.news()
    now_s[0] += 2
    assert len(guest.news()) <= 1


def test_without_discovery_home_assistant_is_not_told() -> None:
    board = Board()
    guest = BoardAtBroker(
        Settings(discovery="", prefix="a/b"), "x.y", board.status, {"mute": board.mute, "unmute": board.unmute}
    )
    assert [message.topic for message in guest.greeting()] == ["a/b/x.y/availability", "a/b/x.y/state"]
    assert guest.will == Message("a/b/x.y/availability", b"offline", retain=True)
    assert object_id("x.y") == "parrotlet_x_y"
    assert discovery("x.y", "a/b/x.y")["state_topic"] == "a/b/x.y/state"


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "waiting"),
        ({"activation": {"mode": "wake", "listening": True}}, "listening"),
        ({"activation": {"mode": "always", "listening": False}}, "listening"),
        ({"utterances": {"awaited": 1}}, "answering"),
        ({"microphone": {"state": "absent", "muted_by": None}}, "no microphone"),
        ({"microphone": {"state": "muted", "muted_by": "switch"}}, "muted"),
    ],
)
def test_a_state_is_one_word(changes: dict[str, Any], state: str) -> None:
    assert board_state({**SAID, **changes}, transcripts=True)["state"] == state


def test_long_words_fit_into_a_state() -> None:
    said = {**SAID, "last_answer": {"transcript": "x" * 300}, "services": [], "healthy": False}
    told = board_state(said, transcripts=True)
    assert (told["transcript"], told["link"], told["problem"]) == ("x" * 255, "OFF", "ON")
