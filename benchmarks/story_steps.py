"""The steps of the story, each with the figures that it is told by."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from benchmarks import story_service, story_trial, story_world
from benchmarks.story_sounds import Said, Utterance
from benchmarks.story_world import BOARD, World
from cloud.changing.board_operations import BoardOperations, Offered
from cloud.drift import board as drift_board
from cloud.drift.causes.naming import causes_of
from cloud.drift.change import Change
from cloud.settings import CloudSettings, Storage
from common.errors import DataError
from models.data.manifest import read_manifest
from models.errors.compare import Comparison, compare
from models.errors.outcome import Outcome
from models.evaluation import evaluation
from models.retraining.steps import Figures, Tell, erase, whole_folder
from models.training.making import make_model
from models.training.recipe import read_recipe
from protos.model_card import CARD_FILE, MODEL_FILE

RUN_LENGTH = 2000.0
"""Utterances to a false alarm, at least and on the average."""
ANN, BEA = "ann", "bea"
PLANTED = ("Um {}.", "Umm, {}.", "Um… {}.", "{}, uh.")
"""How bea writes some of her labels; ann, and the agreement, write "Um, stop."."""
OF_BEA = 3
"""Every third of the first labels is bea's."""
CAUGHT = "Nothing is trained"


def record(world: World, tell: Tell) -> Figures:
    """All that boards hear."""
    of = story_world.heard(world, tell)
    each = {"before": of.before, "after": of.after, **{f"judged, {name}": some for name, some in of.judged.items()}}
    each |= {f"dev, {name}": some for name, some in of.dev.items()}
    return {
        "utterances": sum(map(len, each.values())),
        "unheard": {name: [sum(one.end is None for one in some), len(some)] for name, some in each.items()},
    }


def ship(world: World, tell: Tell) -> Figures:
    """The first model, and how right it is on people that it never heard."""
    erase(world.base)
    clips = story_world.write_base(world)
    made = world.work / "models" / "training-1"
    make_model(read_recipe(world.recipe("1")), world.base, None, None, made, tell)
    _copy(made, world.shipped)
    dev = evaluation.evaluate(world.shipped, world.data / "commands" / "dev")
    quiet = story_world.heard(world, tell).dev["quiet"]
    error = _error(story_world.says(world, world.shipped, quiet), quiet)
    return {"clips": clips, "dev clips": dev.clips, "dev error": 1 - dev.accuracy, "dev error, as a board": error}


def um(world: World, tell: Tell) -> Figures:
    """A first batch of labels, some of them by a new transcriber: nothing is trained until they are put right."""
    of = story_world.heard(world, tell)
    some = story_world.chosen(_heard(of.before), world.sizes.first_labels)
    said = story_world.says(world, world.shipped, some)
    folder = world.work / "um"
    folder.mkdir(exist_ok=True)
    story_world.write_log(folder / "log.jsonl", some, said)
    story_world.write_labels(folder / "labels.jsonl", _mixed(some))
    work = folder / "retraining"
    erase(work)
    given = ("--labels", str(folder / "labels.jsonl"), "--until", "divide")
    refused = _retrain(world, folder, work, *given)
    finding = refused.stderr.strip().splitlines()[-1] if refused.stderr.strip() else ""
    mended = _retrain(world, folder, work, *given, "--put-right", "fillers")
    if mended.returncode:
        raise DataError(f"{folder}: the labels could not be put right: {mended.stderr.strip().splitlines()[-1]}")
    tell(finding)
    of_bea = [clip.text for clip in read_manifest(work / "fixed.jsonl").clips if clip.transcriber == BEA]
    return {
        "labels": len(some),
        "of bea": len(of_bea),
        "caught": refused.returncode == 2 and finding.startswith(CAUGHT),
        "trained": (work / "trainings").exists(),
        "finding": finding,
        "put right": sum(text.startswith("Um, ") or text.endswith(", uh.") for text in of_bea if text),
    }


def dishes(world: World, tell: Tell) -> Figures:
    """What the dishwasher does to the board's answers."""
    of = story_world.heard(world, tell)
    before, after = (_heard(some) for some in (of.before, of.after))
    said = story_world.says(world, world.shipped, [*before, *after])
    return {
        "before": _error(said, before),
        "after": _error(said, after),
        "utterances": [len(before), len(after)],
        "by utterance": [said[one.id].errs(one) for one in (*before, *after)],
    }


def drift(world: World, tell: Tell) -> Figures:
    """The service watches what comes in, and says why it is another."""
    of = story_world.heard(world, tell)
    before, after = (_heard(some) for some in (of.before, of.after))
    said = story_world.says(world, world.shipped, [*before, *after])
    watch = drift_board.Board(BOARD, RUN_LENGTH)
    floor: list[float | None] = []
    false_alarms = 0
    found: Change | None = None
    for number, one in enumerate(story_service.heard([*before, *after], said)):
        facts = story_service.facts(world, one)
        floor.append(facts.noise_floor_dbfs)
        _, what = watch.push(facts)
        if isinstance(what, Change) and number < len(before):
            false_alarms += 1
        elif isinstance(what, Change) and found is None:
            found, told_after = what, number + 1 - len(before)
    if found is None:
        return {"found": False, "false alarms": false_alarms, "floor": floor, "before": len(before)}
    causes = causes_of(found)
    tell(causes[0].sentence)
    return {
        "found": True,
        "utterances": told_after,
        "false alarms": false_alarms,
        "cause": causes[0].name,
        "sentence": causes[0].sentence,
        "advice": causes[0].advice,
        "bands": [found.noise_before_db, found.noise_after_db],
        "floor": floor,
        "before": len(before),
    }


def labels(world: World, tell: Tell) -> Figures:
    """Labels are asked for of some of what came since, drawn by the service: half evenly, half where it was unsure."""
    of = story_world.heard(world, tell)
    before, after = (_heard(some) for some in (of.before, of.after))
    said = story_world.says(world, world.shipped, [*before, *after])
    erase(world.service)
    world.service.mkdir(parents=True)
    old = story_service.heard(before, said)
    new = story_service.heard(after, said, start=len(before))
    asked = story_service.ask(world, old, new, world.sizes.labels, (BEA, ANN, ANN))
    story_service.export(world, world.work / "log.jsonl")
    first = {one.id for one in story_world.chosen(before, world.sizes.first_labels)}
    known = [one for one in old if one.one.id in first]
    estimated = story_service.estimate(world, known, new, asked)
    drawn = [one for one in after if one.id in asked.chances]
    return {
        "labels": len(drawn),
        "unsure": asked.unsure,
        "of": len(after),
        "estimated": [estimated.rate, estimated.low, estimated.high],
        "of the labelled": _error(said, drawn),
        "true": _error(said, after),
    }


def retrain(world: World, tell: Tell) -> Figures:
    """The whole command, whose candidate some of the boards are offered at the end."""
    done = _retrain(
        world, world.work, world.retrained, "--offer", f"{story_trial.SHARE}", "--service", str(world.settings)
    )
    for line in done.stderr.splitlines():
        tell(line)
    if done.returncode:
        raise DataError(f"{world.retrained}: {done.stderr.strip().splitlines()[-1]}")
    [candidate] = (world.retrained / "candidate").glob("kitchen-2")
    _copy(candidate, world.promoted)
    steps = {name: _record(world, name) for name in ("divide", "evaluate", "ablate")}
    return {
        "new": steps["divide"]["new"],
        "serving": steps["evaluate"]["compared"],
        "without": steps["ablate"]["compared"],
        "offered": [one.for_some.share for one in _offered(world) if one.for_some is not None],
        "report": str(world.retrained / "report.html"),
    }


def shadow(world: World, tell: Tell) -> Figures:
    """The candidate hears beside."""
    return _phase(story_trial.shadow(_fleet(world, tell), world.sizes.utterances_max), tell)


def canary(world: World, tell: Tell) -> Figures:
    """The candidate answers some boards."""
    return _phase(story_trial.canary(_fleet(world, tell), world.sizes.utterances_max), tell)


def promote(world: World, tell: Tell) -> Figures:
    """Both models on people that were never looked at, in the quiet and by the dishwasher."""
    of = story_world.heard(world, tell)
    found = {}
    for name, some in of.dev.items():
        there = _heard(some)
        outcomes = [_outcomes(world, model, there) for model in (world.shipped, world.promoted)]
        compared: Comparison = compare(*outcomes)
        found[name] = {
            "clips": compared.clips,
            "before": compared.rate_a,
            "after": compared.rate_b,
            "low": compared.difference_low,
            "high": compared.difference_high,
        }
    as_recorded = [
        1 - evaluation.evaluate(model, world.data / "commands" / "dev").accuracy
        for model in (world.shipped, world.promoted)
    ]
    return {"dev": found, "as recorded": as_recorded}


def _phase(told: story_trial.Told, tell: Tell) -> Figures:
    tell(told.verdict.why)
    return {
        "decision": told.verdict.decision,
        "why": told.verdict.why,
        "utterances": told.utterances,
        "needed": told.needed,
        "errors": list(told.errors),
        "history": _thinned(told.history),
    }


def _thinned(history: Sequence[tuple[int, float, float, float]]) -> list[tuple[int, float, float, float]]:
    """Some hundred points of it are a line as well."""
    return [*history[:: max(1, len(history) // 200)], history[-1]]


def _fleet(world: World, tell: Callable[[str], None]) -> story_trial.Fleet:
    of = story_world.heard(world, tell)
    said = {name: _heard(some) for name, some in of.judged.items()}
    every = [one for some in said.values() for one in some]
    return story_trial.Fleet(
        said, story_world.says(world, world.shipped, every), story_world.says(world, world.promoted, every)
    )


def _outcomes(world: World, model: Path, some: Sequence[Utterance]) -> list[Outcome]:
    said = story_world.says(world, model, some)
    return [Outcome(path=one.id, errors=said[one.id].errs(one), properties={"speaker": one.speaker}) for one in some]


def _mixed(some: Sequence[Utterance]) -> list[tuple[Utterance, str, str]]:
    """Labels of ann, as agreed, and of bea, who writes some in each way that there is. The "um"s are planted: nobody
    says one in these recordings."""
    found = []
    for number, one in enumerate(some):
        word = one.word.capitalize()
        if number % OF_BEA:
            found.append((one, f"Um, {one.word}." if number % 5 == 0 else f"{word}.", ANN))
        else:
            nth = number // OF_BEA
            way = PLANTED[nth // 2 % len(PLANTED)]
            text = way.format(one.word if way.startswith("U") else word) if nth % 2 else f"{word}."
            found.append((one, text, BEA))
    return found


def _retrain(world: World, folder: Path, work: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command itself."""
    given = {
        "--base": world.base,
        "--recipe": world.recipe("2"),
        "--serving": world.shipped,
        "--sound": world.sound,
    }
    options = [str(word) for pair in given.items() for word in pair]
    command = [sys.executable, "-m", "models", "retrain", str(folder / "log.jsonl"), str(work), *options]
    # One board and few people: each utterance is drawn by itself, and who judges afterwards are others. Who says
    # another word means no command by it.
    command += ["--each-utterance", "--exact"]
    return subprocess.run([*command, *words], capture_output=True, text=True, check=False)


def _offered(world: World) -> list[Offered]:
    """What boards are offered by the service."""
    return BoardOperations(CloudSettings(storage=Storage(state_dir=world.service))).offered()


def _record(world: World, name: str) -> Figures:
    read: Figures = msgspec.json.decode((world.retrained / "steps" / f"{name}.json").read_bytes())["figures"]
    return read


def _copy(made: Path, folder: Path) -> None:
    erase(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with whole_folder(folder) as unfinished:
        for name in (MODEL_FILE, CARD_FILE):
            (unfinished / name).write_bytes((made / name).read_bytes())


def _heard(some: Sequence[Utterance]) -> list[Utterance]:
    """What the board heard at all."""
    return [one for one in some if one.end is not None]


def _error(said: dict[str, Said], some: Sequence[Utterance]) -> float:
    return float(np.mean([said[one.id].errs(one) for one in some if one.end is not None]))
