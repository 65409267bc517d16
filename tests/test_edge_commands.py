"""The board's command line as people and scripts use it: words, streams, exit statuses."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from common import VERSION
from edge.__main__ import main
from tests.conftest import Speech

PROGRAM = [sys.executable, "-m", "edge"]
ROOT = Path(__file__).parent.parent
# Nobody listens on the port of discarding.
NO_SERVICE = ["--cloud", "127.0.0.1:9"]


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def start(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@contextmanager
def ended(program: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leaves nothing running, whatever the test finds."""
    with program:
        try:
            yield
        finally:
            program.kill()


@pytest.fixture
def silent_wav(tmp_path: Path) -> Path:
    path = tmp_path / "silent.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(32000))
    return path


@pytest.mark.parametrize("command", ["", *main.list_commands(click.Context(main))])
def test_every_help_has_an_example(command: str) -> None:
    result = invoke(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Example" in result.output


def test_every_setting_option_is_described() -> None:
    command = main.commands["run"]
    undescribed = [option.name for option in command.params if isinstance(option, click.Option) and not option.help]
    assert not undescribed


def test_the_version_is_told() -> None:
    assert invoke("--version").output == f"parrotlet-edge, version {VERSION}\n"


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_is_printed_for_a_shell(shell: str) -> None:
    assert "_PARROTLET_EDGE_COMPLETE" in invoke("completion", shell).output


def test_silence_is_no_fault(silent_wav: Path) -> None:
    result = invoke("test", "--json", *NO_SERVICE, str(silent_wav))
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == f"{silent_wav}: no speech found.\n"


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "directory"])
def test_input_that_cannot_be_used_gets_one_sentence(tmp_path: Path, silent_wav: Path, kind: str) -> None:
    bad = tmp_path / kind
    if kind == "directory":
        bad.mkdir()
    elif kind != "missing":
        bad.write_text("hello\n" * 50 if kind == "text" else "")
    result = invoke("test", *NO_SERVICE, str(bad), str(silent_wav))
    assert result.exit_code == 2
    assert result.stdout == ""
    told = result.stderr.splitlines()
    assert len(told) == 2
    assert told[0].startswith(str(bad))
    assert told[1] == f"{silent_wav}: no speech found."


def test_without_a_service_every_utterance_has_its_line_and_the_status_says_so(speech: Speech, tmp_path: Path) -> None:
    file = str(speech.path("timer"))
    result = invoke("test", "--json", "--cloud", "", "--save", str(tmp_path / "kept"), file)
    assert result.exit_code == 3
    (line,) = [json.loads(text) for text in result.stdout.splitlines()]
    assert (line["file"], line["path"], line["transcript"]) == (file, "none", "")
    assert line["why_not_better"]
    assert line["why_not_better"] in result.stderr
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {
        f"{line['utterance_id']}.wav",
        f"{line['utterance_id']}.json",
    }
    with wave.open(str(tmp_path / "kept" / f"{line['utterance_id']}.wav")) as kept:
        assert kept.getnframes() == round(line["audio_s"] * 16000)


def test_a_place_that_cannot_be_saved_to_is_told_before_anything_is_asked(speech: Speech) -> None:
    result = invoke("test", "--cloud", "", "--save", "/proc/nope", str(speech.path("timer")))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("--save /proc/nope: cannot be written: ")


def test_standard_input_that_is_closed_is_told() -> None:
    command = f"exec {sys.executable} -m edge test --cloud '' - <&-"
    said = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert (said.returncode, said.stderr) == (2, "standard input: is closed.\n")


def test_names_cannot_write_on_the_terminal() -> None:
    result = invoke("test", "--cloud", "", "red\x1b[31m\nline.wav")
    assert result.stderr == "red [31m line.wav: there is no such file.\n"


def test_what_is_piped_has_no_colours_and_no_live_line(speech: Speech) -> None:
    result = invoke("test", "--cloud", "", str(speech.path("timer")))
    assert result.exit_code == 3
    assert "not answered" in result.stdout
    assert "\x1b" not in result.output
    assert "\r" not in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["test"], "Give FILEs"),
        (["test", "--microphone", "a.wav"], "Give FILEs"),
        (["test", "--cloud", "nowhere", "a.wav"], "must be HOST:PORT"),
        (["test", "--aggressiveness", "7", "a.wav"], "vad.aggressiveness is 7, but must be a whole number from 0 to 3"),
        (["run", "--activation", "shout"], 'activation.mode is "shout", but must be one of "always", "button"'),
        (["config", "--config", "/no/such.toml"], "/no/such.toml: No such file"),
        (["config", "--check", "--cloud", "nowhere"], "cloud.address is 'nowhere', but must be HOST:PORT"),
    ],
)
def test_what_cannot_be_used_is_said_with_status_2(arguments: list[str], sentence: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_a_wrong_settings_file_is_told_by_key_and_its_likely_meaning(tmp_path: Path) -> None:
    file = tmp_path / "edge.toml"
    file.write_text("[cloud]\nadress = 'a:1'\n[vad]\naggressiveness = 9\n")
    result = invoke("config", "--config", str(file))
    assert result.exit_code == 2
    assert f"{file}: there is no key adress in [cloud]. Did you mean address?" in result.stderr
    assert f"{file}: vad.aggressiveness is 9" in result.stderr


def test_settings_that_can_be_used_are_checked_without_a_word() -> None:
    result = invoke("config", "--check")
    assert (result.exit_code, result.output) == (0, "")


def test_the_settings_printed_can_be_loaded_again_and_say_where_they_come_from(tmp_path: Path) -> None:
    file = tmp_path / "edge.toml"
    file.write_text(invoke("config", "--domain", "coffee").stdout)
    assert 'domain = "coffee"' in file.read_text()
    assert "from option" in file.read_text()
    again = invoke("config", "--config", str(file)).stdout
    assert 'domain = "coffee"' in again
    assert f"from {file}" in again


@pytest.mark.parametrize("command", ["status", "mute", "unmute", "press"])
def test_without_a_daemon_the_status_is_3(tmp_path: Path, command: str) -> None:
    result = invoke(command, "--runtime-dir", str(tmp_path))
    assert result.exit_code == 3
    assert result.stderr.startswith(f"No daemon is running at {tmp_path}/edge.sock; start it with: parrotlet-edge run")


@pytest.fixture
def notified(tmp_path: Path) -> Iterator[socket.socket]:
    """Where systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(20)
        yield listening


def test_a_daemon_starts_obeys_and_stops(tmp_path: Path, speech: Speech, notified: socket.socket) -> None:
    arguments = [
        "run",
        "--runtime-dir",
        str(tmp_path),
        "--state-dir",
        str(tmp_path),
        "--cloud",
        "",
        "--activation",
        "button",
    ]
    file = str(speech.path("long"))
    daemon = start(*arguments, "--input", file, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="1000000")
    with ended(daemon):
        told = [notified.recv(1000) for _ in range(3)]
        assert told[0] == b"READY=1"
        assert b"WATCHDOG=1" in told

        status = json.loads(invoke("status", "--json", "--runtime-dir", str(tmp_path)).stdout)
        assert status["healthy"]
        assert status["activation"] == {"mode": "button", "listening": False, "phrase": None}
        assert status["utterances"]["heard"] == 0

        second = start(*arguments)
        _, told_second = second.communicate(timeout=10)
        assert second.returncode == 2
        assert b"Another daemon is already running" in told_second

        assert invoke("mute", "--runtime-dir", str(tmp_path)).exit_code == 0
        until_s = time.monotonic() + 5
        while (shown := invoke("status", "--runtime-dir", str(tmp_path))) and "MUTED" not in shown.stdout:
            assert time.monotonic() < until_s
        assert shown.exit_code == 0
        refused = invoke("press", "--runtime-dir", str(tmp_path))
        assert (refused.exit_code, "unmute it first" in refused.stderr) == (1, True)
        assert invoke("unmute", "--runtime-dir", str(tmp_path)).exit_code == 0

        daemon.send_signal(signal.SIGUSR1)
        while "listening now" not in invoke("status", "--runtime-dir", str(tmp_path)).stdout:
            assert time.monotonic() < until_s + 5
        daemon.send_signal(signal.SIGTERM)
        out, log = daemon.communicate(timeout=10)
    assert daemon.returncode == 0
    assert out == b""
    assert b"Traceback" not in log
    assert not (tmp_path / "edge.sock").exists()


@pytest.fixture
def waiting_trial(speech: Speech) -> Iterator[subprocess.Popen[bytes]]:
    """A trial that has answered a file and now waits for standard input."""
    trial = start("test", "--cloud", "", "--json", str(speech.path("timer")), "-")
    with ended(trial):
        assert trial.stdout is not None
        assert trial.stdout.readline()
        yield trial


def test_ctrl_c_ends_quietly(waiting_trial: subprocess.Popen[bytes]) -> None:
    waiting_trial.send_signal(signal.SIGINT)
    assert waiting_trial.wait(10) == 130
    assert waiting_trial.stderr is not None
    assert b"Traceback" not in waiting_trial.stderr.read()


def test_a_reader_that_goes_away_ends_it_quietly(waiting_trial: subprocess.Popen[bytes], speech: Speech) -> None:
    assert waiting_trial.stdout is not None
    assert waiting_trial.stdin is not None
    assert waiting_trial.stderr is not None
    waiting_trial.stdout.close()
    waiting_trial.stdin.write(speech.path("timer").read_bytes())
    waiting_trial.stdin.close()
    told = waiting_trial.stderr.read()
    assert waiting_trial.wait(10) not in (0, 3)
    assert b"Traceback" not in told
    assert b"Exception ignored" not in told


def test_the_daemon_imports_nothing_that_only_files_need() -> None:
    code = "import edge.__main__, edge.board.daemon, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, check=True, text=True, timeout=20
    ).stdout.split()
    assert not {"soundfile", "soxr", "rich", "pyaudio", "gpiozero", "cryptography", "zeroconf"} & set(loaded)
    assert "numpy" in loaded


def test_one_blas_thread_is_set_before_numpy_is_there() -> None:
    source = (ROOT / "edge" / "__main__.py").read_text()
    code = "import edge.__main__, os, sys; print(os.environ['OPENBLAS_NUM_THREADS'], 'numpy' in sys.modules)"
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=20
    )
    assert told.stdout == "1 False\n"
    assert source.index("OPENBLAS_NUM_THREADS") < source.index("import click")
