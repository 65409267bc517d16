"""The daemon's socket and those who talk to it."""

import json
import os
import random
import socket
import stat
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.mutations import changed
from common.errors import DaemonError, ParrotletError, SettingsError
from common.settings import Loaded, load
from edge import directories
from edge.board import control
from edge.board.control import ControlServer, ask
from edge.settings import EdgeSettings


def loaded(directory: Path | None) -> Loaded[EdgeSettings]:
    options = {"device.runtime_dir": str(directory)} if directory else {}
    return load(EdgeSettings, file=None, environment={}, environment_prefix="X", options=options)


def refuse() -> Mapping[str, Any]:
    raise ParrotletError("The board is muted.")


COMMANDS = {"status": lambda: {"healthy": True}, "press": refuse}


def said(path: Path, request: bytes) -> dict[str, Any]:
    """What the server says to these bytes, sent as they are."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(path))
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            response: dict[str, Any] = json.loads(answer.readline())
            return response


def test_a_command_is_answered(tmp_path: Path) -> None:
    with ControlServer(tmp_path, COMMANDS):
        assert ask(loaded(tmp_path), "status") == {"healthy": True}
        assert ask(loaded(tmp_path), "status") == {"healthy": True}


def test_a_refusal_comes_with_its_sentence(tmp_path: Path) -> None:
    with ControlServer(tmp_path, COMMANDS), pytest.raises(ParrotletError, match=r"^The board is muted\.$"):
        ask(loaded(tmp_path), "press")


def test_the_socket_is_for_owner_and_group_and_goes_with_the_daemon(tmp_path: Path) -> None:
    with ControlServer(tmp_path, COMMANDS) as server:
        assert stat.S_IMODE(server.path.stat().st_mode) == 0o660
    assert not server.path.exists()


@pytest.mark.parametrize(
    ("request_bytes", "sentence"),
    [
        (b"nonsense\n", "A request is one line"),
        (b"[1, 2]\n", "A request is one line"),
        (b'{"command": 7}\n', "A request is one line"),
        (b"\xff\xfe\n", "A request is one line"),
        (b'{"command": "\xff\xfe"}\n', "A request is one line"),
        (b'{"a": ' + b"[" * 4000 + b"\n", "A request is one line"),
        (b'{"command": "dance"}\n', "There is no command 'dance'; there are: status, press."),
        (b"x" * (control.REQUEST_BYTES_MAX + 1), "A request is one line"),
    ],
)
def test_what_is_no_request_gets_a_sentence_and_the_next_is_served(
    tmp_path: Path, request_bytes: bytes, sentence: str
) -> None:
    with ControlServer(tmp_path, COMMANDS) as server:
        assert sentence in said(server.path, request_bytes)["refused"]
        assert said(server.path, b'{"command": "status"}\n') == {"ok": {"healthy": True}}


def test_whatever_is_said_gets_a_sentence_and_the_next_is_served(tmp_path: Path) -> None:
    draw, good = random.Random(1), [b'{"command": "status"}\n', b'{"command": "\\ud800", "a": [1e999, {"b": null}]}\n']
    with ControlServer(tmp_path, COMMANDS) as server:
        for _ in range(1000):
            for each in changed(draw, good, good):
                line = each[: control.REQUEST_BYTES_MAX - 1].replace(b"\n", b" ") + b"\n"
                assert said(server.path, line).keys() <= {"ok", "refused"}
        assert server.worker.alive


def test_a_client_that_says_nothing_or_goes_away_does_not_hold_up_the_next(tmp_path: Path) -> None:
    with ControlServer(tmp_path, COMMANDS) as server, socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(server.path))
        with socket.socket(socket.AF_UNIX) as gone:
            gone.connect(str(server.path))
            gone.sendall(b'{"comm')
        asked_s = time.monotonic()
        assert ask(loaded(tmp_path), "status") == {"healthy": True}
        assert time.monotonic() - asked_s < control.CLIENT_PATIENCE_S
        assert server.worker.alive


def test_no_daemon_is_told_with_the_place_and_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(DaemonError, match=f"No daemon is running at {tmp_path}/edge.sock; start it with"):
        ask(loaded(tmp_path), "status")


def test_a_socket_that_a_dead_daemon_left_is_replaced(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "edge.sock"))
    left.close()
    with pytest.raises(DaemonError):
        ask(loaded(tmp_path), "status")
    with ControlServer(tmp_path, COMMANDS):
        assert ask(loaded(tmp_path), "status") == {"healthy": True}


def test_a_second_daemon_is_told_and_the_first_lives_on(tmp_path: Path) -> None:
    with ControlServer(tmp_path, COMMANDS):
        with pytest.raises(SettingsError, match="Another daemon is already running"), ControlServer(tmp_path, COMMANDS):
            pass
        assert ask(loaded(tmp_path), "status") == {"healthy": True}


def test_of_many_that_start_at_once_one_runs(tmp_path: Path) -> None:
    began, refused = [], []
    stop = threading.Event()

    def start() -> None:
        try:
            with ControlServer(tmp_path, COMMANDS):
                began.append(1)
                stop.wait(5)
        except SettingsError:
            refused.append(1)
        if len(refused) == 7:
            stop.set()

    threads = [threading.Thread(target=start, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (len(began), len(refused)) == (1, 7)


def test_a_command_that_breaks_ends_the_thread_which_can_be_seen(tmp_path: Path) -> None:
    with ControlServer(tmp_path, {"status": lambda: COMMANDS["nothing"]()}) as server:
        with pytest.raises(ParrotletError):
            ask(loaded(tmp_path), "status")
        server.worker.join(5)
        assert not server.worker.alive
        assert isinstance(server.worker.error, KeyError)


def test_a_socket_in_an_unusable_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"control socket cannot be made.*set device\.runtime_dir"):
        ControlServer(tmp_path / ("x" * 120), COMMANDS).__enter__()


def test_the_set_directory_is_the_only_one_looked_at(tmp_path: Path) -> None:
    assert directories.candidates(loaded(tmp_path), directories.RUNTIME) == [tmp_path]


def test_the_user_s_own_directory_comes_second_where_none_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    both = [directories.candidates(loaded(None), purpose) for purpose in (directories.RUNTIME, directories.STATE)]
    assert both[0] == [Path("/run/parrotlet-edge"), tmp_path / "parrotlet-edge"]
    assert both[1] == [Path("/var/lib/parrotlet-edge"), tmp_path / "state/parrotlet-edge"]
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert directories.candidates(loaded(None), directories.RUNTIME)[1] == Path(f"/tmp/parrotlet-edge-{os.getuid()}")


def test_a_directory_is_made_and_one_that_cannot_be_is_named(tmp_path: Path) -> None:
    assert directories.usable(loaded(tmp_path / "new" / "er"), directories.RUNTIME).is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="There is no place for the control socket .*file"):
        directories.usable(loaded(tmp_path / "file"), directories.RUNTIME)
