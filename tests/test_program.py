"""Programs as sinks: each placeholder one argument, never a shell or an option; ended in time with all they started."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ActionError, SettingsError
from edge.actions.action import Action
from edge.actions.program import OUTPUT_BYTES_MAX, Program, check_command, is_missing
from edge.settings import Program as Settings

ACTION = Action(
    utterance_id="u1",
    device_id="board-1",
    name="light.on",
    spoken_at_unix_us=1,
    values={"room": "the kitchen; rm -rf /", "empty": ""},
    data={"minutes": 5, "room": "hall", "deep": {"a": [1, None]}},
    intent="turnOn",
    transcript='say "$(id)" `id` | cat > x',
    response=None,
)


def program(*command: str, time_s_max: float = 10.0) -> Program:
    return Program(Settings("hall", command, ("light.*",), time_s_max))


@pytest.fixture
def tell(tmp_path: Path) -> Path:
    """A program that writes down its arguments and its environment."""
    script = tmp_path / "tell"
    script.write_text(
        "#!/usr/bin/python3 -I\nimport json, os, signal, sys\n"
        "blocked = sorted(int(one) for one in signal.pthread_sigmask(signal.SIG_BLOCK, []))\n"
        "opened = sorted(int(one) for one in os.listdir('/proc/self/fd'))\n"
        "told = {'arguments': sys.argv[1:], 'environment': dict(os.environ), 'blocked': blocked, 'opened': opened,\n"
        "        'group': os.getpgid(0) == os.getpid()}\n"
        f"open({str(tmp_path / 'told')!r}, 'w').write(json.dumps(told))\n"
    )
    script.chmod(0o755)
    return script


def told(tell: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((tell.parent / "told").read_text())
    return found


def test_each_placeholder_is_one_argument_whatever_was_said(tell: Path) -> None:
    parts = [
        "{action}",
        "{intent}",
        "{transcript}",
        "{response}",
        "{room}",
        "{minutes}",
        "{deep}",
        "{nothing}",
        "{ x }",
    ]
    program(str(tell), "--room", *parts).run(ACTION, 60)
    assert told(tell)["arguments"] == [
        "--room",
        "light.on",
        "turnOn",
        'say "$(id)" `id` | cat > x',
        "",
        "the kitchen; rm -rf /",
        "5",
        '{"a":[1,null]}',
        "",
        "{ x }",
    ]


def test_it_is_told_nothing_else_and_gets_nothing_of_ours(tell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARROTLET_EDGE_MQTT_PASSWORD", "secret")
    leaking = os.open(tell, os.O_RDONLY)
    os.set_inheritable(leaking, True)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
    try:
        program(str(tell)).run(ACTION, 60)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(leaking)
    found = told(tell)
    assert found["environment"] == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
    }
    assert (found["blocked"], found["group"]) == ([], True)
    # Three, and the folder that it looks into.
    assert found["opened"] == [0, 1, 2, 3]


@pytest.mark.parametrize("said", ["-rf", "--help", "-", "--"])
def test_what_is_said_becomes_no_option(tell: Path, said: str) -> None:
    action = Action("u1", "b", "light.on", 1, values={"room": said})
    with pytest.raises(ActionError, match='begins with "-" and might be taken for an option') as refused:
        program(str(tell), "{room}").run(action, 60)
    assert said not in str(refused.value).replace('"-"', "").replace('"--"', "")
    assert not (tell.parent / "told").exists()
    program(str(tell), "--", "{room}").run(action, 60)
    assert told(tell)["arguments"] == ["--", said]


@pytest.mark.parametrize("said", ["a\0b", "x" * 4097])
def test_what_cannot_be_an_argument_is_refused(tell: Path, said: str) -> None:
    with pytest.raises(ActionError, match="cannot be an argument"):
        program(str(tell), "{room}").run(Action("u1", "b", "light.on", 1, values={"room": said}), 60)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20)), st.text(max_size=20))
def test_any_words_make_as_many_arguments_as_are_set_or_a_sentence(values: dict[str, str], transcript: str) -> None:
    action = Action("u1", "b", "light.on", 1, values=values, transcript=transcript)
    try:
        arguments = program("/bin/true", "{room}", "x", "{transcript}")._arguments(action)
    except ActionError as error:
        assert str(error).startswith("hall: what is said for {")
    else:
        assert arguments == ["/bin/true", values.get("room", ""), "x", transcript]


def test_how_it_ended_is_told_without_a_word_of_what_was_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with pytest.raises(ActionError, match=r"^hall: /bin/sh ended with status 3\.$"):
        program("/bin/sh", "-c", 'echo "$0"; echo oh >&2; exit 3', "{transcript}").run(ACTION, 60)
    with pytest.raises(ActionError, match=r"^hall: /bin/sh was ended by signal 11\.$"):
        program("/bin/sh", "-c", "kill -11 $$").run(ACTION, 60)
    with pytest.raises(ActionError, match=r"^hall: /no/such cannot be started: No such file or directory\.$"):
        program("/no/such").run(ACTION, 60)
    wrote = [record for record in caplog.records if "wrote" in record.getMessage()]
    assert [(record.levelname, record.getMessage()) for record in wrote] == [
        ("DEBUG", 'hall wrote: say "$(id)" `id` | cat > x oh ')
    ]


def test_output_without_end_is_read_and_thrown_away(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    program("/bin/sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x").run(ACTION, 60)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "hall wrote: " + "x" * OUTPUT_BYTES_MAX


def is_alive(pid: int) -> bool:
    """A zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone(pid_file: Path) -> bool:
    """Soon."""
    pid, until_s = int(pid_file.read_text()), time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < until_s:
        threading.Event().wait(0.005)
    return not is_alive(pid)


def test_after_its_time_it_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    stubborn = f"trap '' TERM; sleep 60 & echo $! > {tmp_path}/child; while :; do sleep 1; done"
    began_s = time.monotonic()
    with pytest.raises(ActionError, match=r"^hall: was ended after 0\.3 s\.$"):
        program("/bin/sh", "-c", stubborn, time_s_max=0.3).run(ACTION, 60)
    assert time.monotonic() - began_s < 5
    assert gone(tmp_path / "child")


def test_what_it_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    began_s = time.monotonic()
    program("/bin/sh", "-c", f"sleep 60 & echo $! > {tmp_path}/child").run(ACTION, 60)
    assert time.monotonic() - began_s < 5
    assert gone(tmp_path / "child")


def test_a_board_that_stops_ends_it(tmp_path: Path) -> None:
    running = program("/bin/sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 60", time_s_max=60)
    faults: list[ActionError] = []

    def run() -> None:
        try:
            running.run(ACTION, 60)
        except ActionError as error:
            faults.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    running.close()
    thread.join(5)
    assert [str(fault) for fault in faults] == ["hall: was ended, as the board stops."]


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def children() -> set[str]:
    """Of all threads of this process, the dead ones too that nobody has asked for."""
    return {pid for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()}


def test_no_descriptor_and_no_zombie_is_left() -> None:
    running = program("/bin/true")
    before, left_before = descriptors(), children()
    for _ in range(20):
        running.run(ACTION, 60)
    assert descriptors() == before
    assert children() == left_before


def test_a_preview_shows_the_arguments() -> None:
    assert program("/bin/echo", "{room}", "x y").preview(ACTION) == "run '/bin/echo' 'the kitchen; rm -rf /' 'x y'"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("echo",), "must begin with a program's path, from /; it is 'echo'"),
        (("/bin/echo", "--room={room}"), "'--room={room}' holds a placeholder, which must be a whole argument"),
        (("/bin/echo", "a\0"), "no argument holds a NUL"),
    ],
)
def test_a_command_that_cannot_be_is_refused_with_a_sentence(command: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(SettingsError, match="The command of actions.programs hall") as refused:
        check_command(Settings("hall", command, ("*",)))
    assert sentence in str(refused.value)
    check_command(Settings("hall", ("/bin/echo", "{room}", "{no placeholder}"), ("*",)))


@pytest.mark.parametrize(
    ("path", "missing"), [("/etc/passwd", True), ("/usr", True), ("/bin/no-such", True), ("/bin/echo", False)]
)
def test_a_program_that_is_none_is_known_before_it_is_wanted(path: str, missing: bool) -> None:
    assert is_missing(Settings("hall", (path,), ("*",))) is missing
