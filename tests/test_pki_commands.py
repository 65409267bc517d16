"""`parrotlet-cloud pki` and `log`, `parrotlet-edge enrol` and `renew`, as their owners type them."""

import asyncio
import io
import json
import os
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization

import cloud.__main__
import edge.__main__
from benchmarks import path
from cloud.keys.authority import Authority
from cloud.keys.pki_folder import create
from cloud.log.answer_log import Key, SqliteAnswerLog
from cloud.log.answer_store import AnswerStore
from common.errors import IdentityError, SettingsError
from common.settings import load
from edge import directories
from edge.keys.discovery import _found
from edge.settings import EdgeSettings
from protos import speech_pb2
from protos.enrolment_code import MDNS_TYPE, new_code, parse_code
from tests.closed_service import Clock, closed_service
from tests.conftest import Speech

ROOT = Path(__file__).parent.parent

BROKEN = json.dumps(
    {"parrotlet": "pki backup 1", "files": {f"{name}.pem": "" for name in ("authority", "service", "enrolment")}}
)

CODE = str(new_code(b"what a port shows"))

Pki = Callable[..., Result]


@pytest.fixture
def pki(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pki:
    """The command, on a state directory of its own."""
    monkeypatch.setenv("PARROTLET_CLOUD_STORAGE_STATE_DIR", str(tmp_path / "state"))

    def run(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(cloud.__main__.main, ["pki", *arguments], input=typed)

    return run


def enrol(*arguments: str, state_dir: Path, typed: str = "") -> Result:
    program = edge.__main__.main
    return CliRunner().invoke(program, ["enrol", "--state-dir", str(state_dir), *arguments], input=typed)


def modes(directory: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}


def test_certificates_are_made_once_and_replaced_only_when_that_is_said(pki: Pki, tmp_path: Path) -> None:
    assert pki("init").exit_code == 0
    first = Authority(tmp_path / "state" / "pki").trusted()
    refused = pki("init")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--again replaces them, and each board must enrol again." in refused.stderr
    assert Authority(tmp_path / "state" / "pki").trusted() == first
    assert pki("init", "--again").exit_code == 0
    assert Authority(tmp_path / "state" / "pki").trusted() != first


@pytest.mark.parametrize("command", ["enrol", "list", "renew", "revoke", "backup"])
def test_without_certificates_each_command_says_how_to_make_them(pki: Pki, command: str) -> None:
    said = pki(command, *(["x"] if command in ("revoke", "backup") else []))
    assert said.exit_code == 2
    assert said.stderr.endswith("parrotlet-cloud pki init makes them.\n")


def test_all_files_are_their_owners_alone(pki: Pki, tmp_path: Path) -> None:
    pki("init")
    pki("enrol", "--device", "kitchen")
    pki("backup", str(tmp_path / "copy"))
    directory = tmp_path / "state" / "pki"
    assert {file.name for file in directory.iterdir()} == {
        "authority.pem",
        "service.pem",
        "enrolment.pem",
        "codes.json",
    }
    assert modes(directory) == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_belongs_to_the_service(pki: Pki, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 12345, 12345)
    pki("init")
    pki("enrol")
    directory = state / "pki"
    assert {file.stat().st_uid for file in (directory, *directory.iterdir())} == {12345}


def test_a_code_is_told_on_standard_output_alone_and_what_to_do_beside(pki: Pki) -> None:
    pki("init")
    said = pki("enrol")
    assert parse_code(said.stdout)
    assert "sudo parrotlet-edge enrol" in said.stderr
    assert "where no other machine gets" in said.stderr
    assert said.stdout.strip() not in said.stderr
    assert pki("enrol", "--device", "a/b").exit_code == 2


def test_boards_are_listed_and_revoked(pki: Pki, tmp_path: Path) -> None:
    pki("init")
    assert pki("list").stderr.startswith("No board has enrolled yet")
    Authority(tmp_path / "state" / "pki").boards.add("kitchen", 1, 2, replace=False)
    assert pki("list").stdout.startswith("kitchen  ")
    assert pki("revoke", "kitchen").stdout == "kitchen is shut out.\n"
    assert json.loads(pki("list", "--json").stdout)["revoked"] is True
    assert pki("list").stdout.split() == ["kitchen", "revoked"]
    missing = pki("revoke", "kitchn")
    assert (missing.exit_code, missing.stderr) == (2, "No board called kitchn is enrolled here; there are: kitchen.\n")


def test_a_new_certificate_can_be_had_now(pki: Pki, tmp_path: Path) -> None:
    pki("init")
    file = tmp_path / "state" / "pki" / "service.pem"
    before = file.read_bytes()
    assert pki("renew").stdout.startswith("The service's certificate is good until 20")
    assert file.read_bytes() != before


@pytest.mark.parametrize("options", [(), ("--passphrase",)])
def test_a_backup_brings_boards_back_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pki: Pki, options: tuple[str, ...]
) -> None:
    copy = tmp_path / "copy"
    with closed_service(tmp_path / "state", Clock()) as service:
        board = service.identity("kitchen")
        assert pki("backup", *options, str(copy), typed="open sesame\n").exit_code == 0
        assert ("PRIVATE KEY" in copy.read_text()) is not bool(options)
        later = service.identity("bedroom")
        assert pki("init", "--again").exit_code == 0
        assert not service.lets_in(board)
        restored = pki("restore", "--again", *options, str(copy), typed="open sesame\n")
        assert restored.exit_code == 0
        assert restored.stdout.endswith("; 1 boards are known.\n")
        assert service.lets_in(board)
        # It enrolled after the backup: nobody knows it, so it enrols again.
        assert not service.lets_in(later)


def test_a_board_that_was_revoked_after_the_backup_and_again_after_it_stays_out(tmp_path: Path, pki: Pki) -> None:
    with closed_service(tmp_path / "state", Clock()) as service:
        stolen = service.identity("kitchen")
        pki("backup", str(tmp_path / "copy"))
        pki("restore", "--again", str(tmp_path / "copy"))
        assert service.lets_in(stolen)
        pki("revoke", "kitchen")
        new = service.identity("kitchen")
        assert service.lets_in(new)
        assert not service.lets_in(stolen)


@pytest.mark.parametrize(
    ("content", "typed", "sentence"),
    [
        (None, "", "No such file or directory"),
        ("[]", "", "is no backup that `pki backup` wrote"),
        ('{"parrotlet": "pki backup 1", "files": {"authority.pem": ""}}', "", "is no whole backup"),
        ('{"parrotlet": "pki backup 1", "files": {"../x": ""}}', "", "is no whole backup"),
        (BROKEN, "", "authority.pem cannot be read: "),
        ("sealed", "wrong\n", "is sealed by another passphrase, or was changed"),
        ("sealed", "", "is sealed: --passphrase reads its passphrase"),
        ('{"parrotlet": "pki backup 1", "sealed": "YWJj"}', "right\n", "is no backup that `pki backup` wrote"),
    ],
)
def test_a_backup_that_cannot_be_used_changes_nothing(
    pki: Pki, tmp_path: Path, content: str | None, typed: str, sentence: str
) -> None:
    pki("init")
    copy = tmp_path / "copy"
    if content == "sealed":
        pki("backup", "--passphrase", str(copy), typed="right\n")
    elif content is not None:
        copy.write_text(content)
    before = Authority(tmp_path / "state" / "pki").trusted()
    said = pki("restore", "--again", *(["--passphrase"] if typed else []), str(copy), typed=typed)
    assert said.exit_code == 2
    assert sentence in said.stderr
    assert Authority(tmp_path / "state" / "pki").trusted() == before


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (b"", "The passphrase is empty;"),
        (b"\n", "The passphrase is empty;"),
        (b" \n", "The passphrase is empty;"),
        (b"\xff\n", "The passphrase is not UTF-8 text."),
        (None, "standard input: is closed."),
    ],
)
@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_a_backup_is_not_made_without_the_passphrase_that_was_asked_for(
    pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: bytes | None, errors: str, sentence: str
) -> None:
    pki("init")
    copy = tmp_path / "copy"
    stdin = None if typed is None else io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8", errors=errors)
    monkeypatch.setattr("cloud.keys.backup_commands.sys", SimpleNamespace(stdin=stdin))
    said = pki("backup", "--passphrase", str(copy))
    assert (said.exit_code, said.stdout, copy.exists()) == (2, "", False)
    assert said.stderr.startswith(sentence)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("authority.pem", b"", "authority.pem cannot be read: "),
        ("service.pem", None, "service.pem: No such file or directory."),
        ("enrolment.pem", "ä".encode(), "enrolment.pem cannot be read: it is not ASCII text."),
        ("boards.json", b"{", "boards.json is not what it should be ("),
    ],
)
def test_a_broken_authority_is_not_backed_up(
    pki: Pki, tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    pki("init")
    file, copy = tmp_path / "state" / "pki" / name, tmp_path / "copy"
    if content is None:
        file.unlink()
    else:
        # Around what is between the marks anything may stand.
        file.write_bytes(content + (file.read_bytes() if len(content) > 1 else b""))
    said = pki("backup", str(copy))
    assert (said.exit_code, said.stdout, copy.exists()) == (2, "", False)
    assert sentence in said.stderr


def test_a_key_under_a_passphrase_is_told_in_a_sentence(tmp_path: Path) -> None:
    authority = create(tmp_path / "pki", [])
    key = serialization.load_pem_private_key(authority.pair("service").key, password=None)
    kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    sealed = key.private_bytes(*kind, serialization.BestAvailableEncryption(b"x"))
    authority.keep("service", authority.pair("service")._replace(key=sealed))
    with pytest.raises(IdentityError, match=r"service\.pem cannot be read: Password was not given"):
        authority.pair("service")


def test_the_answers_log_is_copied_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARROTLET_CLOUD_STORAGE_STATE_DIR", str(tmp_path))
    backup = ["log", "backup", str(tmp_path / "copy")]
    missing = CliRunner().invoke(cloud.__main__.main, backup)
    assert (missing.exit_code, missing.stderr) == (2, f"There is no utterance log at {tmp_path}/answers.db.\n")
    with closing(sqlite3.connect(tmp_path / "answers.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE answers (final BLOB)")
        database.execute("INSERT INTO answers VALUES ('x')")
        assert CliRunner().invoke(cloud.__main__.main, backup).exit_code == 0
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        assert copy.execute("SELECT final FROM answers").fetchall() == [("x",)]
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600


def test_the_answers_log_is_put_back_also_under_a_service_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARROTLET_CLOUD_STORAGE_STATE_DIR", str(tmp_path / "state"))

    def run(*command: str) -> Result:
        return CliRunner().invoke(cloud.__main__.main, ["log", *command])

    async def answered(log: SqliteAnswerLog, put: bool = False) -> bool:
        if put:
            await log.put(Key("kitchen", "u"), speech_pb2.Final(transcript="tea"))
        return await log.get(Key("kitchen", "u")) is not None

    copy = str(tmp_path / "copy")
    database = tmp_path / "state" / "answers.db"
    with SqliteAnswerLog(database) as log:
        assert asyncio.run(answered(log, put=True))
        assert run("backup", copy).exit_code == 0
    database.unlink()
    assert run("restore", copy).stdout.endswith(": 1 answers.\n")
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    database.unlink()
    with SqliteAnswerLog(database) as log:
        assert not asyncio.run(answered(log))
        assert (run("restore", copy).exit_code, run("restore", "--again", copy).exit_code) == (2, 0)
        assert asyncio.run(answered(log))
    (tmp_path / "nonsense").write_text("nonsense")
    refused = run("restore", "--again", str(tmp_path / "nonsense"))
    assert (refused.exit_code, "file is not a database" in refused.stderr) == (2, True)


def test_an_answers_log_that_somebody_holds_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARROTLET_CLOUD_STORAGE_STATE_DIR", str(tmp_path))
    monkeypatch.setattr("cloud.log.commands.BUSY_S_MAX", 0.0)
    copy, there = tmp_path / "copy", tmp_path / "answers.db"
    AnswerStore(there).close()
    assert CliRunner().invoke(cloud.__main__.main, ["log", "backup", str(copy)]).exit_code == 0
    with closing(sqlite3.connect(there, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        said = CliRunner().invoke(cloud.__main__.main, ["log", "restore", "--again", str(copy)])
    assert said.exit_code == 2
    assert said.stderr == f"{copy} cannot be put back as utterance log: somebody has held it for 0 s.\n"


@pytest.mark.parametrize(
    ("arguments", "typed", "sentence"),
    [
        (("kitchen", "nonsense"), "", "That is no code"),
        (("127.0.0.1:9", "-"), "", "That is no code"),
        (("127.0.0.1:9",), "0000-0000-0000-0000-0000-0000-0000\n", "That code is mistyped"),
        (("--as", "../x", "kitchen", "-"), "", "--as is '../x', but must be a word"),
        (("a", "b", "c"), "", "a code has no spaces"),
        (("a..b", CODE), "", "a..b:7408: that is no name of a machine."),
        (("k" * 64, CODE), "", "that is no name of a machine."),
    ],
)
def test_what_cannot_be_enrolled_is_told_in_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...], typed: str, sentence: str
) -> None:
    said = enrol(*arguments, state_dir=tmp_path, typed=typed)
    assert said.exit_code == 2
    assert sentence in said.stderr
    assert "0000" not in said.stderr


def test_a_code_is_not_used_up_where_the_daemon_does_not_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(directory: Path, *, is_own: bool) -> None:
        if directory != own:
            raise PermissionError(13, "Permission denied")

    daemons, own = tmp_path / "daemons", tmp_path / "own"
    monkeypatch.setattr(directories, "candidates", lambda loaded, purpose: [daemons, own])
    monkeypatch.setattr(directories, "_make", make)
    options = {"device.state_dir": str(daemons)}
    loaded = load(EdgeSettings, file=None, environment={}, environment_prefix="X", options=options)
    assert directories.of_the_daemon(loaded, directories.STATE, "enrol") == own
    daemons.mkdir()
    with pytest.raises(
        SettingsError, match="is where the board's daemon looks, and not yours: sudo parrotlet-edge enrol"
    ):
        directories.of_the_daemon(loaded, directories.STATE, "enrol")


def test_what_is_announced_is_where_a_board_enrols() -> None:
    found = _found(f"house.{MDNS_TYPE}", "192.0.2.1", 7407, {b"enrol": b"7500", b"version": b"0.1.0"})
    assert (found.name, str(found.address), str(found.enrol_address)) == ("house", "192.0.2.1:7407", "192.0.2.1:7500")
    nonsense = _found(f"house.{MDNS_TYPE}", "fe80::1", 7407, {b"enrol": b"99999999", b"version": b"\xff"})
    assert str(nonsense.enrol_address) == "[fe80::1]:7408"


def test_a_service_and_a_board_come_together_by_one_code(tmp_path: Path, speech: Speech) -> None:
    """All of it by its commands, with processes of their own, the code on standard input alone."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    state, board = tmp_path / "state", tmp_path / "board"
    environment = os.environ | {
        "PARROTLET_CLOUD_STORAGE_STATE_DIR": str(state),
        "PARROTLET_EDGE_DEVICE_STATE_DIR": str(board),
    }

    def run(*command: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert run("cloud", "pki", "init").returncode == 0
    ports = {"server_enrol_listen": f"127.0.0.1:{port}", "server_announce": "false"}
    with path.service(state, listen="0.0.0.0:0", decoding_whisper="false", **ports) as service:
        code = run("cloud", "pki", "enrol", "--device", "kitchen").stdout
        enrolled = run("edge", "enrol", f"127.0.0.1:{port}", typed=code)
        assert enrolled.stdout == f"Enrolled as kitchen with 127.0.0.1:{service.address.split(':')[1]}.\n"
        assert modes(board / "identity") == {0o600}
        answered = run("edge", "test", "--json", str(speech.path("timer")))
        assert json.loads(answered.stdout)["path"] == "cloud"
        assert run("cloud", "pki", "revoke", "kitchen").returncode == 0
        refused = run("edge", "test", "--json", str(speech.path("timer")))
        assert refused.returncode == 3
        assert "The board kitchen was revoked" in refused.stdout
    assert code.strip() not in "".join(service.log)
