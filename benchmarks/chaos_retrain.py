"""Kills retrainings, at any line of them, and looks whether each goes on to the result of one that nobody killed.

    scripts/chaos retrain

A child does what `parrotlet-models retrain` does, on a few whistles, and kills itself with SIGKILL before a line of the
code that makes or keeps anything, or is killed after a drawn time, in the midst of the disk's or TensorFlow's work.
After each kill the folder must hold no step that is told as done and is not; and when nobody kills any more, what comes
out must be that of the run that was never killed, byte for byte, and offered to boards once. Most of them train in no
time (benchmarks/quick_training.py); some train a network.
"""

import hashlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import click
import msgspec

from benchmarks import whistles
from benchmarks.figures import Figure, none, progress, report
from benchmarks.quick_training import quick_training
from cloud.changing.board_operations import BoardOperations
from cloud.settings import CloudSettings, Storage
from models.ablation import trial
from models.data import manifest
from models.errors import outcome
from models.labels import fixing, journal
from models.retraining import given as given_files
from models.retraining import learnt_from, offering, plots, retraining, sets, steps, trained
from models.retraining import report as report_page
from models.retraining.given import Given
from models.retraining.retraining import retraining as steps_of
from models.training import begun, examples, making
from models.training.quiet_tensorflow import quiet_tensorflow
from protos.model_card import MODEL_FILE

WATCHED = frozenset(
    str(module.__file__)
    for module in (
        begun,
        examples,
        fixing,
        given_files,
        journal,
        learnt_from,
        making,
        manifest,
        offering,
        outcome,
        plots,
        report_page,
        retraining,
        sets,
        steps,
        trained,
        trial,
    )
) | {str(Path(making.__file__).with_name("train.py"))}
"""Files before whose lines a child kills itself."""

TRAINING = making.make_model
LOADED = ("matplotlib.pyplot", "edge.local.interpreter", "models.training.train", "models.training.export")

LINES = {"import": 900, "fix": 500, "divide": 900, "train": 1200, "ablate": 1200}
FEW_LINES = 200
"""About as many lines as steps have, those that are named and the others."""
AFTER_S = 3.0
QUICK, TRAINED = "trained in no time", "a network trained"
UNFINISHED = ".new"
NOT_COMPARED = (".lock",)
OFFERED = "offered"
"""Folder of the service that offers the candidate; of its files the models are compared, and the history is read."""
SHARE = 0.5


class Findings(NamedTuple):
    """What came of it."""

    kills: Counter[str]
    """By the step that was under way."""
    how: Counter[str]
    torn: list[str]
    """Steps that are told as done, and whose result is not there or another."""
    failed: list[str]
    """Runs that could not go on."""
    other: list[str]
    """Files that are others than those of the run that nobody killed."""


def trial_of(folder: Path, kills: int, seed: int, *, trains: bool) -> Findings:
    """So many kills, over as many retrainings as it takes; a network is trained, or nothing is."""
    examples.DISTURBANCES = 1
    # Loaded once for all children, who compute with it: whoever has computed with it may not be forked.
    with quiet_tensorflow():
        for module in LOADED:
            import_module(module)
    draw = random.Random(seed)
    one = whistles.given(_made(folder / "given"))
    _apart(lambda: whistles.serve(one))
    making.make_model = TRAINING if trains else partial(quick_training, one.serving / MODEL_FILE)
    # Paths are part of what is made: all is done in one place.
    place = folder / "done"
    settings = folder / "cloud.toml"
    settings.write_text(f'[storage]\nstate_dir = "{place / OFFERED}"\n', encoding="utf-8")
    one = msgspec.structs.replace(one, work=place / "work", offer=SHARE, service=settings)
    found = Findings(Counter(), Counter(), [], [], [])
    _made(place)
    wanted, failure = _finished(one)
    found.failed.extend(failure)
    number = 0
    while found.kills.total() < kills:
        number += 1
        steps.erase(place)
        _made(place)
        _kill(one, draw, found, kills, number)
        made, failure = _finished(one)
        found.failed.extend(f"{number}: {why}" for why in failure)
        found.other.extend(f"{number}: {name}" for name in _unlike(wanted, made))
        found.other.extend(f"{number}: offered as {steps}" for steps in _otherwise_offered(place / OFFERED))
    return found


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _kill(one: Given, draw: random.Random, found: Findings, kills: int, number: int) -> None:
    """One retraining, killed in each of its steps, until it is done or there were enough kills."""
    for _ in range(40):
        if found.kills.total() >= kills:
            return
        left = _left(one)
        if not left:
            return
        by_line = draw.random() < 0.7
        at = draw.choice(left)
        lines = draw.randrange(1, LINES.get(at, FEW_LINES)) if by_line else None
        killed = _run(one, at, lines, None if by_line else draw.uniform(0, AFTER_S))
        if killed:
            under_way = next(iter(_left(one)), "the end")
            found.kills[under_way] += 1
            found.how["before a line" if by_line else "after a drawn time"] += 1
        found.torn.extend(f"{number}: {fault}" for fault in _faults(one))
        progress(f"{found.kills.total()} kills of {kills}, retraining {number}")


def _left(one: Given) -> list[str]:
    """Steps that are not done."""
    return [planned.step.name for planned in steps_of(one).plan() if not planned.is_done]


def _run(one: Given, at: str, lines: int | None, after_s: float | None) -> bool:
    """Whether the child was killed before it was through."""
    pid = os.fork()
    if pid == 0:
        try:
            _silently()
            _child(one, at, lines)
        finally:
            # Why it failed is told by the run that is not killed.
            os._exit(0)
    if after_s is not None:
        until_s = time.monotonic() + after_s
        while time.monotonic() < until_s:
            done, _ = os.waitpid(pid, os.WNOHANG)
            if done:
                return False
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def _child(one: Given, at: str = "", lines: int | None = None) -> None:
    """Dies after so many lines of the step `at`."""
    left = lines
    is_there = False

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in WATCHED:
            return None
        if event == "line" and left is not None and is_there:
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    def tell(line: str) -> None:
        nonlocal is_there
        is_there = is_there or line.startswith(f"{at}: ")

    if lines is not None:
        sys.settrace(trace)
    list(retraining.carry_out(one, tell, None, None))
    sys.settrace(None)


def _faults(one: Given) -> list[str]:
    """Steps that are told as done, and are not."""
    work = steps_of(one)
    found = []
    for step in work.steps:
        if work.done(step.name) is None:
            break
        found += [f"{step.name}: {result.name} is not there" for result in step.results if not result.exists()]
    return found


def _finished(one: Given) -> tuple[dict[str, str], list[str]]:
    """Hashes of what there is when nobody kills any more; and why not, where it could not be finished."""
    failure = _apart(lambda: _child(one))
    return _hashes(one), [failure] if failure else []


def _silently() -> None:
    """TensorFlow tells of itself, each time."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _apart(work: Callable[[], None]) -> str:
    """Done in a child, to its end; why it failed."""
    hear, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(hear)
        try:
            _silently()
            work()
        except BaseException as error:  # noqa: BLE001 - told to the parent.
            os.write(said, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(said)
    with os.fdopen(hear) as stream:
        failure = stream.read()
    os.waitpid(pid, 0)
    return failure


def _hashes(one: Given) -> dict[str, str]:
    """By name."""
    found = {}
    models = CloudSettings(storage=Storage(state_dir=one.work.parent / OFFERED)).storage.board_models_dir
    for folder in (one.work, models):
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.name not in NOT_COMPARED:
                name = str(file.relative_to(folder.parent))
                found[name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def _otherwise_offered(state_dir: Path) -> list[str]:
    """The history, where it is not of one offer."""
    history = BoardOperations(CloudSettings(storage=Storage(state_dir=state_dir))).history()
    told = ", ".join(step.action for step in history)
    return [] if told == "canary" else [told]


def _unlike(wanted: dict[str, str], made: dict[str, str]) -> list[str]:
    """Files that differ. What is half done and called so may be left."""
    names = sorted({*wanted, *made})
    return [name for name in names if wanted.get(name) != made.get(name) and UNFINISHED not in name]


def figures(found: Findings, kills: int, how: str) -> list[Figure]:
    when = ", ".join(f"{count} {what}" for what, count in sorted(found.how.items()))
    each = ", ".join(f"{step} {count}" for step, count in found.kills.most_common())
    return [
        Figure(f"kill -9, {how}", f"{kills}", f"{found.kills.total()}: {when}", found.kills.total() >= kills),
        Figure("in which step", "-", each, True),
        none("steps told as done that are not", found.torn),
        none("retrainings that could not go on", found.failed),
        none("files that are others than without a kill", found.other),
    ]


@click.command()
@click.option("--kills", type=int, default=120, show_default=True, help="Of retrainings that train in no time.")
@click.option("--trained", "kills_trained", type=int, default=12, show_default=True, help="Of those that do train.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of when.")
def main(kills: int, kills_trained: int, seed: int) -> None:
    """Kill retrainings, and look what comes of them."""
    rows: list[Figure] = []
    for count, how in ((kills, QUICK), (kills_trained, TRAINED)):
        if count:
            with tempfile.TemporaryDirectory(prefix="chaos", dir="/var/tmp") as folder:
                found = trial_of(Path(folder), count, seed, trains=how == TRAINED)
            for fault in (*found.torn, *found.failed, *found.other):
                click.echo(fault, err=True)
            rows += figures(found, count, how)
    report(rows)


if __name__ == "__main__":
    main()
