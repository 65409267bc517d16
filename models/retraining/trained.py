"""The candidate: trained with what is new, the same without it, both beside the model that serves, and put into a
folder with its card."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from models.ablation.trial import same_steps
from models.data.manifest import read_manifest
from models.errors.outcome import read_outcomes, write_outcomes
from models.evaluation import evaluation
from models.retraining import learnt_from
from models.retraining.given import LOG_SOURCE, Given
from models.retraining.judging import Judged, judged, unique
from models.retraining.steps import Figures, Tell, erase, whole_folder
from models.training import making
from models.training.making import labelled
from models.training.recipe import Recipe
from protos.model_card import CARD_FILE, MODEL_FILE, read_model_card

SERVING, CANDIDATE, WITHOUT = "serving", "candidate", "without"
"""Files of outcomes."""
TEST = "test"


def train(given: Given, tell: Tell) -> Figures:
    """The candidate's weights."""
    return _trained(given, given.recipe, given.set, tell)


def train_without(given: Given, tell: Tell) -> Figures:
    """As many steps, from the base alone."""
    counts = [_learnt(given, manifest) for manifest in (given.set, given.base_set)]
    recipe = msgspec.structs.replace(given.recipe, training=same_steps(given.recipe.training, *counts))
    return _trained(given, recipe, given.base_set, tell)


def _trained(given: Given, recipe: Recipe, manifest: Path, tell: Tell) -> Figures:
    made = making.make_model(
        recipe,
        manifest,
        given.noise,
        given.rooms,
        given.training(manifest),
        tell,
        # Sound that both learn from is mixed once.
        given.work / "levels",
    )
    return {"learnt from": _learnt(given, manifest), "bytes": made.bytes, "tuning part": made.int8}


def _learnt(given: Given, manifest: Path) -> int:
    parts = ("train", "tune") if given.recipe.learn_from_tune else ("train",)
    return sum(clip.split in parts for clip in labelled(read_manifest(manifest).clips, given.recipe))


def evaluate(given: Given, tell: Tell) -> Figures:
    """Candidate and serving model on the test part, by the board's interpreter, clip by clip."""
    _listen(given, given.serving, SERVING, tell)
    _listen(given, given.training(given.set), CANDIDATE, tell)
    return _told(compared(given, SERVING))


def ablate(given: Given, tell: Tell) -> Figures:
    """What the new data brought: the candidate beside the same without it."""
    figures = train_without(given, tell)
    _listen(given, given.training(given.base_set), WITHOUT, tell)
    return figures | _told(compared(given, WITHOUT))


def _listen(given: Given, model: Path, name: str, tell: Tell) -> None:
    heard = evaluation.listen(model, given.set, TEST)
    for path, why in list(heard.unread.items())[:5]:
        tell(f"{path}: {why.rstrip('.')}; it is left out")
    given.outcomes.mkdir(exist_ok=True)
    found = [unique(one) for one in zip(evaluation.outcomes(heard.clips), heard.clips, strict=True)]
    unfinished = given.outcomes / f".{name}.new"
    write_outcomes(unfinished, found)
    unfinished.replace(given.outcomes / f"{name}.jsonl")


def compared(given: Given, other: str) -> list[Judged]:
    """The candidate beside another, on the whole and by slice."""
    return judged(*(read_outcomes(given.outcomes / f"{name}.jsonl") for name in (other, CANDIDATE)))


def _told(found: list[Judged]) -> Figures:
    return {"compared": msgspec.to_builtins(found)}


def candidate_folder(given: Given) -> Path:
    """Where it lies, for who offers it."""
    return given.work / "candidate" / f"{given.recipe.name}-{given.recipe.version}"


def write_candidate(given: Given, figures: Mapping[str, Figures], tell: Tell) -> Figures:
    """Model and card, the card with what was measured and what it was made from, by the figures of the steps before."""
    made = given.training(given.set)
    folder = candidate_folder(given)
    erase(folder)
    with whole_folder(folder) as unfinished:
        for name in (MODEL_FILE, CARD_FILE):
            shutil.copyfile(made / name, unfinished / name)
        listened = evaluation.listen(unfinished, given.set, TEST)
        evaluation.record(unfinished, evaluation.summed_up(*listened))
        _write_sources(unfinished, learnt_from.sources(given, figures))
    card = read_model_card(folder / CARD_FILE)
    tell(f"{card.name} {card.version}, {card.kind}, accuracy {card.metrics['accuracy']:.3f}: {folder}")
    return {
        "folder": str(folder),
        "version": card.version,
        "sha256": card.model_sha256,
        "metrics": card.metrics,
        "sources": list(card.sources),
    }


def _write_sources(model: Path, made_from: Iterable[str]) -> None:
    card = read_model_card(model / CARD_FILE)
    others = [source for source in card.sources if source != LOG_SOURCE]
    evaluation.write_card(model, msgspec.structs.replace(card, sources=(*others, *made_from)))
