"""The log of actions: put down before they are done, never begun twice, whatever dies; forgotten at a word."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from common.errors import ActionError
from edge.actions import action_log
from edge.actions.action import Action
from edge.actions.action_log import FILE_NAME, ActionLog, State, Waiting
from edge.spool.erasure import Erasure

ROOT = Path(__file__).parent.parent


def action(number: int) -> Action:
    return Action(
        utterance_id=f"u{number}",
        device_id="board-1",
        name="light.on",
        spoken_at_unix_us=number * 1_000_000,
        transcript=f"words-canary-{number}",
        data={"nested": [1, {"a": None}]},
    )


def waiting(number: int, sink: str = "hall", boot_id: str = "b") -> Waiting:
    return Waiting(sink, action(number), boot_id, 10.0)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ActionLog]:
    with closing(ActionLog(tmp_path / FILE_NAME)) as log:
        yield log


def on_the_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def test_one_utterance_is_put_down_once_for_each_sink(log: ActionLog) -> None:
    both = [waiting(1), waiting(1, "garden")]
    assert log.add(both, 7) == both
    assert log.add([waiting(1), waiting(2)], 8) == [waiting(2)]
    assert [(entry.utterance_id, entry.sink, entry.at_unix_us) for entry in log.entries()] == [
        ("u1", "hall", 7),
        ("u1", "garden", 7),
        ("u2", "hall", 8),
    ]
    assert [entry.utterance_id for entry in log.entries(1)] == ["u2"]


def test_it_begins_once(log: ActionLog) -> None:
    log.add([waiting(1)], 7)
    assert [log.start("u1", "hall"), log.start("u1", "hall"), log.start("u2", "hall")] == [True, False, False]
    log.end("u1", "hall", State.FAILED, 12, "It would not.")
    assert not log.start("u1", "hall")
    assert log.add([waiting(1)], 9) == []
    (entry,) = log.entries()
    assert (entry.state, entry.took_ms, entry.sentence) == (State.FAILED, 12, "It would not.")


def test_no_word_of_what_was_said_is_kept_once_it_has_begun(log: ActionLog, tmp_path: Path) -> None:
    log.add([waiting(1)], 7)
    assert b"words-canary" in on_the_disk(tmp_path)
    log.start("u1", "hall")
    log.trim(Erasure(utterance_id="u9"))
    log.erase(Erasure(utterance_id="nobody"))
    log.close()
    assert b"words-canary" not in on_the_disk(tmp_path)


def test_what_is_forgotten_is_in_no_byte_and_does_not_begin(log: ActionLog, tmp_path: Path) -> None:
    log.add([waiting(number) for number in range(4)], 7)
    assert log.erase(Erasure(since_unix_us=1_000_000, until_unix_us=3_000_000)) == {"u1", "u2"}
    assert not log.start("u1", "hall")
    assert [entry.utterance_id for entry in log.entries()] == ["u0", "u3"]
    assert b"words-canary-1" not in on_the_disk(tmp_path)
    assert b"words-canary-3" in on_the_disk(tmp_path)
    assert log.erase(Erasure()) == {"u0", "u3"}


def test_another_daemon_finds_what_waits_and_what_was_cut_off(log: ActionLog, tmp_path: Path) -> None:
    log.add([waiting(number) for number in range(3)], 7)
    log.start("u0", "hall")
    log.start("u1", "hall")
    log.end("u1", "hall", State.DONE)
    log.close()
    with closing(ActionLog(tmp_path / FILE_NAME)) as again:
        assert again.recover() == [waiting(2)]
        assert [entry.state for entry in again.entries()] == [State.CUT_OFF, State.DONE, State.WAITING]
        assert not again.start("u0", "hall")


def test_a_process_killed_between_writing_and_acting_does_not_do_it_again(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from tests.test_action_log import waiting
from edge.actions.action_log import ActionLog
log = ActionLog(Path({str(tmp_path / FILE_NAME)!r}))
log.add([waiting(1), waiting(2)], 7)
assert log.start("u1", "hall")
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert killed.returncode == -9
    with closing(ActionLog(tmp_path / FILE_NAME)) as log:
        assert log.recover() == [waiting(2)]
        assert not log.start("u1", "hall")
        assert log.start("u2", "hall")


def test_it_is_for_its_owner_alone(log: ActionLog, tmp_path: Path) -> None:
    log.add([waiting(1)], 7)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_it_is_bounded_in_number_and_age(log: ActionLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(action_log, "ENTRIES_MAX", 3)
    log.add([waiting(number) for number in range(6)], 7)
    log.trim(None)
    assert [entry.utterance_id for entry in log.entries()] == ["u3", "u4", "u5"]
    log.trim(Erasure(until_unix_us=5_000_000))
    assert [entry.utterance_id for entry in log.entries()] == ["u5"]


def test_a_disk_that_takes_nothing_is_told_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with closing(ActionLog(tmp_path / "file" / FILE_NAME)) as log:
        with pytest.raises(ActionError, match="the log of actions cannot be used"):
            log.add([waiting(1)], 7)
        (tmp_path / "file").unlink()
        assert log.add([waiting(1)], 7) == [waiting(1)]


def test_a_damaged_one_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 100)
    with closing(ActionLog(tmp_path / FILE_NAME)) as log:
        with pytest.raises(ActionError):
            log.recover()
        assert log.add([waiting(1)], 7) == [waiting(1)]
