"""What is set under [actions] and [mqtt]: what it makes, what is refused, what its commands say; and all of it in the
daemon."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmarks import mosquitto
from benchmarks.hook_server import HookServer
from benchmarks.listener_at_broker import ListenerAtBroker
from benchmarks.mosquitto import Mosquitto
from common.errors import SettingsError
from common.settings import as_toml, load
from edge.__main__ import main
from edge.actions.acting import check
from edge.actions.action import Action
from edge.actions.action_log import FILE_NAME, ActionLog, State, Waiting
from edge.board.checks import doubts
from edge.board.control import ask
from edge.board.metrics import metrics_text
from edge.board.status import status_lines
from edge.settings import SECRETS, EdgeSettings
from tests.conftest import Speech
from tests.edge_fakes import FakeRecogniser
from tests.test_daemon import Endless, Running, spoken

ROOT = Path(__file__).parent.parent

BOTH = """
[actions]
age_s_max = 20
[[actions.webhooks]]
name = "house"
url = "https://house.example/hook"
actions = ["light.*", "timer.*"]
[[actions.programs]]
name = "hall"
command = ["/bin/echo", "{room}"]
actions = ["light.*"]
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "edge.toml"
    file.write_text(text, encoding="utf-8")
    return file


def settings(folder: Path, text: str) -> EdgeSettings:
    return load(EdgeSettings, file=written(folder, text), environment={}, environment_prefix="X").settings


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_by_default_nothing_acts_and_nothing_is_loaded_for_it() -> None:
    code = """
import sys
import edge.board.daemon
from edge.actions.acting import Sinks
from edge.settings import EdgeSettings
assert Sinks(EdgeSettings()).all == []
print([name for name in ("paho", "http.client", "edge.actions.program") if name in sys.modules])
"""
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_tables_are_read_printed_and_read_again(tmp_path: Path) -> None:
    file = written(tmp_path, BOTH)
    loaded = load(EdgeSettings, file=file, environment={}, environment_prefix="X")
    assert [one.name for one in loaded.settings.actions.webhooks] == ["house"]
    assert loaded.settings.actions.programs[0].command == ("/bin/echo", "{room}")
    check(loaded.settings)
    file.write_text(as_toml(loaded), encoding="utf-8")
    again = load(EdgeSettings, file=file, environment={}, environment_prefix="X")
    assert again.settings == loaded.settings


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("[[actions.programs]]\n", ["actions.programs[1] lacks name and command and actions."]),
        (
            '[[actions.webhooks]]\nname = "a"\nurl = "http://x"\nsecret = "s"\n',
            ["there is no key secret in [[actions.webhooks]]. Did you mean secret_file?"],
        ),
        (
            '[[actions.webhooks]]\nname = "A b"\nurl = "ftp://x"\ntry_s_max = 0\n',
            [
                'actions.webhooks[1].name is "A b", but must be text that matches ^[a-z0-9-]{1,32}\\Z.',
                'actions.webhooks[1].url is "ftp://x", but must be text that matches',
                "actions.webhooks[1].try_s_max is 0, but must be a number from 0.1 to 60.",
            ],
        ),
        (
            '[actions]\nprograms = "x"\n',
            ["actions.programs must be tables, each under a line [[actions.programs]] of the settings file."],
        ),
        ("[actions]\nprograms = [1]\n", ["actions.programs must be tables"]),
        ('[[actions.webhooks]]\nname = "a"\nurl = "http://ada:secret@x/"\n', ["actions.webhooks[1].url is"]),
        ('[mqtt]\nprefix = "a/#"\n', ['mqtt.prefix is "a/#"']),
    ],
)
def test_what_cannot_be_is_refused_a_sentence_each(tmp_path: Path, text: str, sentences: Sequence[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, text)
    lines = str(refused.value).splitlines()
    assert len(lines) == len(sentences)
    assert all(sentence in line for sentence, line in zip(sentences, lines, strict=True))


def test_tables_are_not_for_the_environment() -> None:
    with pytest.raises(SettingsError, match=r"X_ACTIONS_PROGRAMS: actions\.programs must be tables"):
        load(EdgeSettings, file=None, environment={"X_ACTIONS_PROGRAMS": "x"}, environment_prefix="X")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (BOTH.replace('"hall"', '"house"'), "actions: house is the name of two"),
        (BOTH.replace('"hall"', '"mqtt"'), "actions: mqtt is the name of two"),
        (BOTH.replace("/bin/echo", "echo"), "must begin with a program's path, from /; it is 'echo'"),
        (BOTH.replace("house.example", "house.example:0"), "is no address such as"),
        ('[mqtt]\naddress = "nowhere"\n', "mqtt.address is 'nowhere', but must be HOST:PORT"),
    ],
)
def test_what_fits_each_alone_and_not_together_is_refused_before_the_daemon_starts(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        check(settings(tmp_path, text))
    assert sentence in str(refused.value)
    for command in (("config", "--check"), ("actions", "try", "light.on")):
        result = invoke(*command, "--config", str(tmp_path / "edge.toml"))
        assert (result.exit_code, sentence in result.output) == (2, True)


def test_a_secret_or_a_program_that_is_not_there_is_a_doubt_and_no_reason_not_to_start(tmp_path: Path) -> None:
    text = '[[actions.webhooks]]\nname = "house"\nurl = "http://x"\nsecret_file = "/no/such"\n'
    text += '[[actions.programs]]\nname = "hall"\ncommand = ["/no/such"]\nactions = ["*"]\n'
    loaded = load(EdgeSettings, file=written(tmp_path, text), environment={}, environment_prefix="X")
    assert list(doubts(loaded)) == [
        "hall does nothing: /no/such is no program that may be run here.",
        "Nothing is posted to house: /no/such: the secret cannot be read: No such file or directory.",
    ]


def test_the_password_is_never_shown(tmp_path: Path) -> None:
    file = written(tmp_path, '[mqtt]\naddress = "127.0.0.1:1883"\nuser = "ada"\npassword = "xyzzy"\n')
    result = invoke("config", "--config", str(file))
    assert result.exit_code == 0
    assert 'password = "***"' in result.output
    assert "xyzzy" not in result.output
    assert {"mqtt.password"} == SECRETS


def test_an_action_is_tried_and_what_came_of_it_told(tmp_path: Path) -> None:
    with HookServer() as server:
        file = written(tmp_path, BOTH.replace("https://house.example/hook", server.url))
        result = invoke("actions", "try", "light.on", "room=kitchen", "--config", str(file))
        assert (result.exit_code, result.output) == (0, "hall: done\nhouse: done\n")
        assert json.loads(server.posted[0].body)["values"] == {"room": "kitchen"}
        result = invoke("actions", "try", "--dry-run", "light.on", "room=a b", "--config", str(file))
        assert result.exit_code == 0
        assert result.output.splitlines()[0] == "hall: would run '/bin/echo' 'a b'"
        assert len(server.posted) == 1
        result = invoke("actions", "try", "light.on", "room=-x", "--config", str(file))
    assert result.exit_code == 3
    assert 'hall: what is said for {room} begins with "-"' in result.output


def test_what_nothing_wants_and_what_is_no_value_is_told(tmp_path: Path) -> None:
    result = invoke("actions", "try", "order.add")
    assert result.exit_code == 3
    assert "Nothing wants order.add" in result.output
    result = invoke("actions", "try", "order.add", "=x")
    assert (result.exit_code, "'' is no KEY=VALUE" in result.output) == (2, True)


def test_the_log_is_listed(tmp_path: Path) -> None:
    where = ("--state-dir", str(tmp_path))
    assert invoke("actions", "list", *where).output.startswith("There is no log of actions to read at ")
    assert invoke("actions", "list", "--json", *where).output == ""
    with closing(ActionLog(tmp_path / FILE_NAME)) as log:
        for number, state in enumerate((State.DONE, State.FAILED)):
            action = Action(f"u{number}", "board-1", "light.on", 1)
            log.add([Waiting("hall", action, "b", 1.0)], 1_700_000_000_000_000)
            log.start(f"u{number}", "hall")
            log.end(f"u{number}", "hall", state, 12, "hall: no\x1b[2J." if number else None)
    lines = invoke("actions", "list", *where).output.splitlines()
    assert [line.split("  ", 1)[1] for line in lines] == [
        "light.on  hall  done         12 ms",
        "light.on  hall  failed       12 ms  hall: no [2J.",
    ]
    (line,) = invoke("actions", "list", "--json", "--number", "1", *where).output.splitlines()
    assert json.loads(line) == {
        "utterance_id": "u1",
        "sink": "hall",
        "name": "light.on",
        "spoken_at_unix_us": 1,
        "at_unix_us": 1_700_000_000_000_000,
        "state": "failed",
        "took_ms": 12,
        "sentence": "hall: no\x1b[2J.",
    }


def test_forget_reaches_the_log_of_actions(tmp_path: Path) -> None:
    with closing(ActionLog(tmp_path / FILE_NAME)) as log:
        for number in range(3):
            log.add([Waiting("hall", Action(f"id-{number}", "b", "canary.name", 1), "b", 1.0)], 1)
    where = ("--state-dir", str(tmp_path), "--cloud", "")
    result = invoke("forget", "id-1", *where)
    assert (result.exit_code, result.output) == (0, "Erased: 1 utterances on this board, 0 at the service.\n")
    result = invoke("forget", "--all", *where)
    assert result.output == "Erased: 2 utterances on this board, 0 at the service.\n"
    assert b"canary.name" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def until_done(daemon: Running, count: int = 1) -> None:
    until_s = time.monotonic() + 10
    while time.monotonic() < until_s:
        sinks = ask(daemon.loaded, "status")["actions"]["sinks"]
        if all(sink["outcomes"]["done"] == count for sink in sinks):
            return
        threading.Event().wait(0.01)
    raise AssertionError(sinks)


@pytest.mark.skipif(mosquitto.why_not() is not None, reason=mosquitto.why_not() or "")
def test_what_is_spoken_to_the_daemon_is_done_by_all_three_and_shown(tmp_path: Path, speech: Speech) -> None:
    with Mosquitto(tmp_path) as house, HookServer() as server, ListenerAtBroker(house.port) as listener:
        text = BOTH.replace("https://house.example/hook", server.url).replace('["light.*"]', '["*"]')
        file = written(tmp_path, f'{text}\n[mqtt]\naddress = "{house.address}"\ntls = false\n')
        sound = Endless(spoken(speech))
        daemon = Running(tmp_path, sound, file=file)
        assert sound.all_read.wait(10)
        until_done(daemon)
        said = ask(daemon.loaded, "status")
        listener.wait(lambda heard: heard.topic.endswith("/state") and b"ten minutes" in heard.payload)
        listener.publish(f"parrotlet/{said['device_id']}/mute/set", b"ON")
        listener.wait(lambda heard: heard.topic.endswith("/state") and b'"muted":"ON"' in heard.payload)
        assert ask(daemon.loaded, "status")["microphone"]["muted_by"] == "command"
        daemon.signals.put(15)
        daemon.join()
        assert daemon.error is None
        assert len(server.posted) == 1
        assert [json.loads(heard.payload)["name"] for heard in listener.heard if heard.topic.endswith("/action")] == [
            "timer.start"
        ]
    text = metrics_text(said)
    assert 'parrotlet_edge_actions_total{outcome="done",sink="hall"} 1.0' in text
    assert 'parrotlet_edge_actions_total{outcome="failed",sink="mqtt"} 0.0' in text
    assert "parrotlet_edge_broker_up 1.0" in text
    assert "actions     house: 1 done" in status_lines(said)
    states = {(entry.sink, entry.state) for entry in ActionLog(tmp_path / FILE_NAME).entries()}
    assert states == {(sink, State.DONE) for sink in ("board", "hall", "house", "mqtt")}


def test_the_death_of_a_sinks_thread_ends_the_daemon_with_a_sentence(
    tmp_path: Path, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*arguments: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("edge.actions.program.Program.run", dies)
    daemon = Running(tmp_path, Endless(spoken(speech)), file=written(tmp_path, BOTH.replace('["light.*"]', '["*"]')))
    daemon.join()
    assert str(daemon.error).startswith("The actions: hall thread died of RuntimeError (a fault of ours)")


def test_a_daemon_without_any_has_the_boards_own_which_takes_no_row(tmp_path: Path) -> None:
    daemon = Running(tmp_path, Endless([]))
    until_s = time.monotonic() + 10
    while "READY=1" not in daemon.notes.told and time.monotonic() < until_s:
        threading.Event().wait(0.01)
    said = ask(daemon.loaded, "status")
    daemon.signals.put(15)
    daemon.join()
    assert [sink["name"] for sink in said["actions"]["sinks"]] == ["board"]
    assert said["actions"]["broker"] is None
    assert not any(line.startswith("actions") for line in status_lines(said))
    said["actions"]["sinks"][0]["last_error"] = "A timer lasts from 1 second to 7 days."
    assert any(line.startswith("actions     board: none yet; last fault: A timer") for line in status_lines(said))


def test_a_trial_acts_only_if_it_is_asked_to(tmp_path: Path, speech: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.trial.try_out.whole_chain_of", lambda loaded, **options: FakeRecogniser())
    with HookServer() as server:
        file = written(tmp_path, BOTH.replace("https://house.example/hook", server.url))
        sound = str(speech.path("timer"))
        assert invoke("test", sound, "--config", str(file)).exit_code == 0
        assert server.posted == []
        result = invoke("test", "--act", "--json", sound, "--config", str(file))
        assert (result.exit_code, result.stderr) == (0, "house: done\n")
        assert len(server.posted) == 1
