"""A runner that is killed (-9) while it acts, and told everything anew by the next one; a part of `acting`.

PYTHON -m benchmarks.acting_kills FOLDER UTTERANCES     acts until it is killed, or done
"""

import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from edge.actions.acting import Sinks
from edge.actions.action_log import FILE_NAME, ActionLog, State
from edge.actions.runner import Runner
from edge.asking.answer import Answer
from edge.settings import Actions, EdgeSettings, Program
from edge.spool.event import Event, Kind

LIFE_S = (0.5, 2.0)
"""Of a runner, from its start; drawn."""


PAUSE_S = 0.005


class Killed(NamedTuple):
    """What came of it."""

    once: int
    twice: list[str]
    cut_off: int
    """Begun when the runner died; the log says so."""
    cut_off_and_done: int
    silent: list[str]
    """Not done, and the log does not say so."""


def trial(folder: Path, utterances: int, kills: int, draw: random.Random) -> Killed:
    """Kills so many runners, then lets one do the rest."""
    command = [sys.executable, "-m", "benchmarks.acting_kills", str(folder), str(utterances)]
    for _ in range(kills):
        with subprocess.Popen(command) as runner:
            time.sleep(draw.uniform(*LIFE_S))
            runner.kill()
    subprocess.run(command, check=True)
    acted = Counter((folder / "acted").read_text().split())
    with closing(ActionLog(folder / FILE_NAME)) as log:
        states = {entry.utterance_id: entry.state for entry in log.entries()}
    ids = [f"u{number}" for number in range(utterances)]
    cut_off = [id_ for id_ in ids if states[id_] is State.CUT_OFF]
    return Killed(
        once=sum(acted[id_] == 1 for id_ in ids),
        twice=[id_ for id_ in ids if acted[id_] > 1],
        cut_off=len(cut_off),
        cut_off_and_done=sum(acted[id_] == 1 for id_ in cut_off),
        silent=[id_ for id_ in ids if not acted[id_] and states[id_] not in (State.CUT_OFF, State.NO_ROOM)],
    )


def act(folder: Path, utterances: int) -> None:
    """Until all is done."""
    script = folder / "act"
    if not script.exists():
        script.write_text(f'#!/bin/sh\necho "$1" >> {folder / "acted"}\nsleep 0.03\n')
        script.chmod(0o755)
    program = Program("program", (str(script), "{utterance_id}"), ("*",))
    sinks = Sinks(EdgeSettings(actions=Actions(programs=(program,)))).all
    log = ActionLog(folder / FILE_NAME)
    with Runner(sinks, log, device_id="bench", age_s_max=600, days_max=30, boot_id="bench") as runner:
        for number in range(utterances):
            runner.take(Event(f"u{number}", Kind.FINAL, 1, 1, Answer("cloud", action="light.on")))
            # No more than it has room for.
            time.sleep(PAUSE_S)
            while _waiting(runner) > 10:
                time.sleep(PAUSE_S)
        assert runner.status()["overflowed"] == 0
        while _waiting(runner) or not _all_over(folder, utterances):
            time.sleep(0.02)


def _waiting(runner: Runner) -> int:
    return sum(sink["waiting"] for sink in runner.status()["sinks"])


def _all_over(folder: Path, utterances: int) -> bool:
    with closing(ActionLog(folder / FILE_NAME)) as log:
        entries = log.entries()
    return len(entries) == utterances and all(entry.state not in (State.WAITING, State.STARTED) for entry in entries)


if __name__ == "__main__":
    act(Path(sys.argv[1]), int(sys.argv[2]))
