"""`parrotlet-edge pair` and `phones`, as their owner types them."""

import codecs
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge.__main__ import main
from edge.phones import qr_code
from edge.phones.commands import NO_DAEMON, NOBODY_CAME
from edge.phones.phones import Phones
from tests.page_server import WAIT_S, Board, served

CODE = re.compile("[0-9A-Z]{4}-[0-9A-Z]{4}")


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    with served(tmp_path) as board:
        yield board


def invoke(tmp_path: Path, *arguments: str, listen: str = "") -> Result:
    environment = {"PARROTLET_EDGE_PAGE_LISTEN": listen, "PARROTLET_EDGE_DEVICE_STATE_DIR": str(tmp_path)}
    return CliRunner().invoke(main, list(arguments), env=environment)


class Terminal:
    """`parrotlet-edge pair`, typed at a terminal."""

    def __init__(self, tmp_path: Path, listen: str, *arguments: str, **environment: str) -> None:
        ours, theirs = pty.openpty()
        given = {"PARROTLET_EDGE_PAGE_LISTEN": listen, "PARROTLET_EDGE_DEVICE_STATE_DIR": str(tmp_path)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge", "pair", *arguments],
            env=os.environ | {"COLUMNS": "100", "LINES": "50", "PYTHONIOENCODING": "utf-8"} | given | environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self._ours = ours
        self.said = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def until(self, text: str) -> str:
        """What it has said when it has said this."""
        until_s = time.monotonic() + WAIT_S
        while text not in self.said:
            assert time.monotonic() < until_s, self.said
            self.said += self._decoder.decode(os.read(self._ours, 65_536))
        return self.said

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *cause: object) -> None:
        self.process.kill()
        self.process.wait(WAIT_S)
        os.close(self._ours)


def listen_of(board: Board) -> str:
    return f"127.0.0.1:{board.port}"


def test_a_phone_that_types_the_code_is_paired_and_named(tmp_path: Path, board: Board) -> None:
    with Terminal(tmp_path, listen_of(board)) as terminal:
        said = terminal.until("Ctrl-C takes the code back.")
        assert f"open https://127.0.0.1:{board.port} and type the code" in said
        assert board.shown is not None
        assert board.shown.fingerprint in re.sub(r"\s+", ":", said)
        (code,) = CODE.findall(said)
        board.post("/pair", {"code": code, "name": "Ada's phone"})
        said = terminal.until("Paired: ")
        assert f"Paired: Ada's phone ({board.phones.all()[0].id})." in terminal.until(").")
        assert terminal.process.wait(WAIT_S) == 0


def test_what_the_terminal_shows_is_the_code_of_the_address(tmp_path: Path, board: Board) -> None:
    with Terminal(tmp_path, listen_of(board), NO_COLOR="1") as terminal:
        said = terminal.until("Ctrl-C takes the code back.")
        lines = [line for line in said.splitlines() if line.startswith("\x1b[38;5;16;48;5;231m")]
        shown = [line.removeprefix("\x1b[38;5;16;48;5;231m").removesuffix("\x1b[0m") for line in lines]
        url = f"https://127.0.0.1:{board.port}/pair#{'x' * 22}"
        rows = qr_code.modules(url)
        assert [len(line) for line in shown] == [len(rows)] * ((len(rows) + 1) // 2)
        # The token is on the screen as this picture only.
        assert "#" not in said


def test_the_picture_has_the_modules_of_the_code() -> None:
    text = "https://kitchen.local:7443/pair#abc"
    halves = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    rows = []
    for line in qr_code.qr_lines(text):
        plain = line[len("\x1b[38;5;16;48;5;231m") : -len("\x1b[0m")]
        rows += [[halves[each][half] for each in plain] for half in (0, 1)]
    wanted = qr_code.modules(text)
    assert rows[: len(wanted)] == wanted
    assert not any(any(row) for row in rows[len(wanted) :])
    assert all(not any(row[:4] + row[-4:]) for row in wanted)


@pytest.mark.parametrize("environment", [{"COLUMNS": "30"}, {"PYTHONIOENCODING": "ascii:replace"}])
def test_a_terminal_that_cannot_show_it_has_the_code_to_type(
    tmp_path: Path, board: Board, environment: dict[str, str]
) -> None:
    with Terminal(tmp_path, listen_of(board), **environment) as terminal:
        said = terminal.until("Ctrl-C takes the code back.")
        assert CODE.search(said)
        assert "\x1b[38" not in said and "Scan" not in said


def test_ctrl_c_takes_the_code_back(tmp_path: Path, board: Board) -> None:
    with Terminal(tmp_path, listen_of(board)) as terminal:
        (code,) = CODE.findall(terminal.until("Ctrl-C takes the code back."))
        terminal.process.send_signal(signal.SIGINT)
        assert "The code was taken back." in terminal.until("taken back.")
        assert terminal.process.wait(WAIT_S) == 130
    assert board.post("/pair", {"code": code}).status == 403


def test_a_code_gets_into_no_pipe_unless_it_is_asked_for(tmp_path: Path, board: Board) -> None:
    refused = invoke(tmp_path, "pair", listen=listen_of(board))
    assert refused.exit_code == 2
    assert "A code is shown on a terminal only" in refused.stderr
    assert board.phones.record.read().invitations == []
    code = invoke(tmp_path, "pair", "--code", listen=listen_of(board)).stdout
    assert CODE.fullmatch(code.strip())
    assert board.post("/pair", {"code": code.strip()}).status == 200
    url = invoke(tmp_path, "pair", "--url", listen=listen_of(board)).stdout.strip()
    base, _, token = url.partition("/pair#")
    assert base == f"https://127.0.0.1:{board.port}"
    assert board.post("/pair", {"token": token}).status == 200


def test_nobody_may_come_in_time(tmp_path: Path, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.phones.invitations.GOOD_S", 0.0)
    monkeypatch.setattr("edge.phones.commands.sys", _Terminal())
    late = invoke(tmp_path, "pair", listen=listen_of(board))
    assert late.exit_code == NOBODY_CAME
    assert "Nobody came, and the code is over" in late.stderr


class _Terminal:
    """`sys`, on a terminal."""

    stdout = type("Out", (), {"isatty": lambda self: True, "encoding": "utf-8"})()
    exit = staticmethod(sys.exit)


def test_where_no_page_is_served_there_is_no_code(tmp_path: Path) -> None:
    unset = invoke(tmp_path, "pair", "--code")
    assert (unset.exit_code, unset.stdout) == (2, "")
    assert "page.listen is not set" in unset.stderr
    down = invoke(tmp_path, "pair", "--code", listen="127.0.0.1:9")
    assert (down.exit_code, down.stdout) == (NO_DAEMON, "")
    assert "Nobody serves the page at 127.0.0.1:9 (Connection refused); start the daemon" in down.stderr


def test_phones_are_listed_and_revoked(tmp_path: Path, board: Board) -> None:
    assert "No phone is paired; to pair one: parrotlet-edge pair" in invoke(tmp_path, "phones", "list").stderr
    cookies = [board.paired(name) for name in ("Ada's phone", "Ben", "Cy")]
    ids = [phone.id for phone in board.phones.all()]
    listed = invoke(tmp_path, "phones", "list").stdout.splitlines()
    assert [line.split("  ")[0] for line in listed] == ids
    assert re.fullmatch(rf"{ids[1]}  Ben          paired \d{{4}}-\d\d-\d\d  last seen \d{{4}}-\d\d-\d\d", listed[1])
    told = [json.loads(line) for line in invoke(tmp_path, "phones", "list", "--json").stdout.splitlines()]
    assert [each["name"] for each in told] == ["Ada's phone", "Ben", "Cy"]
    assert set(told[0]) == {"id", "name", "paired_at_unix_us", "last_seen_unix_us"}

    assert invoke(tmp_path, "phones", "revoke", "ben", ids[2]).stdout == (
        f"Revoked: Ben ({ids[1]}).\nRevoked: Cy ({ids[2]}).\n"
    )
    assert [board.ask("/me", cookie=cookie).status for cookie in cookies] == [200, 401, 401]
    unknown = invoke(tmp_path, "phones", "revoke", "Dora")
    assert unknown.exit_code == 2
    assert f"No phone is called 'Dora', or has that id; there are: Ada's phone ({ids[0]})." in unknown.stderr
    assert invoke(tmp_path, "phones", "revoke").exit_code == 2
    assert invoke(tmp_path, "phones", "revoke", "--all").stdout == f"Revoked: Ada's phone ({ids[0]}).\n"
    assert board.ask("/me", cookie=cookies[0]).status == 401
    assert invoke(tmp_path, "phones", "revoke", "--all").stderr == "No phone is paired.\n"


def test_the_certificate_is_shown(tmp_path: Path) -> None:
    shown = invoke(tmp_path, "phones", "certificate")
    lines = dict(line.split(maxsplit=1) for line in shown.stdout.splitlines())
    assert re.fullmatch("([0-9A-F]{2}:){31}[0-9A-F]{2}", lines["SHA-256"])
    assert "localhost" in lines["names"].split(", ")
    assert lines["file"] == str(tmp_path / "page" / "certificate.pem")
    assert json.loads(invoke(tmp_path, "phones", "certificate", "--json").stdout)["fingerprint"] == lines["SHA-256"]


def test_a_full_board_invites_nobody(tmp_path: Path, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    board.paired()
    monkeypatch.setenv("PARROTLET_EDGE_PAGE_PHONES_MAX", "1")
    refused = invoke(tmp_path, "pair", "--code", listen=listen_of(board))
    assert refused.exit_code == 2
    assert "all the phones that page.phones_max allows (1)" in refused.stderr
    assert Phones(tmp_path / "page").record.read().invitations[0].used_by
