"""What a retraining is given, and where its results lie."""

import hashlib
from functools import cached_property
from pathlib import Path

import msgspec

from common.errors import DataError
from models.importing.told import SOUND_SUFFIXES
from models.labels.definition import definition_for
from models.retraining.steps import digest_of
from models.training.recipe import Recipe, read_recipe
from protos.model_card import CARD_FILE, MODEL_FILE, ModelCard, ModelCardError, read_model_card

NEW, BASE = "new", "base"
"""Of the slice `data` of a clip."""
DATA = "data"
LOG_SOURCE = "log"
"""Where clips of the log are from."""


class Given(msgspec.Struct, frozen=True, dict=True):
    """All that a person says, and the places of what comes of it."""

    log: Path
    base: Path
    """Manifest, divided into train, tune and test."""
    recipe_file: Path
    serving: Path
    """Folder of the model that answers now."""
    work: Path
    labels: Path | None = None
    sound: Path | None = None
    definition_file: Path | None = None
    noise: Path | None = None
    rooms: Path | None = None
    put_right: tuple[str, ...] = ()
    """Conventions that transcribers may have broken: their labels are put right."""
    tune_share: float = 0.1
    test_share: float = 0.2
    """Of the new speakers."""
    each_utterance: bool = False
    """Whether an utterance is drawn by itself, though others of its speaker are elsewhere."""
    exact: bool = False
    """Whether commands are said in their own words alone: what was labelled otherwise is none of them."""
    version: str | None = None
    offer: float | None = None
    """Share of the boards that are to try the candidate; None: nobody is offered it."""
    service: Path | None = None
    """Settings of the service that offers it; None: where they usually are."""

    @property
    def heard(self) -> Path:
        return self.work / "heard.jsonl"

    @property
    def checked(self) -> Path:
        """Findings."""
        return self.work / "check.jsonl"

    @property
    def check_page(self) -> Path:
        return self.work / "check.html"

    @property
    def fixed(self) -> Path:
        return self.work / "fixed.jsonl"

    @property
    def set(self) -> Path:
        """All that is learnt from, decided by and measured with."""
        return self.work / "set.jsonl"

    @property
    def base_set(self) -> Path:
        """The same without what is new."""
        return self.work / "set-without.jsonl"

    @property
    def outcomes(self) -> Path:
        """Of each model, by clip of the test part."""
        return self.work / "outcomes"

    @property
    def report(self) -> Path:
        return self.work / "report.html"

    @property
    def plots(self) -> Path:
        return self.work / "plots"

    def training(self, of: Path) -> Path:
        """Folder of a training from this manifest: of other content it is another one, which is begun anew. How long
        the one without what is new takes hangs on the whole set."""
        told = [digest_of(of), digest_of(self.set), self.recipe.digest, self.sounds_digest]
        return self.work / "trainings" / f"{of.stem}-{hashlib.sha256(''.join(told).encode()).hexdigest()[:12]}"

    @cached_property
    def recipe(self) -> Recipe:
        """With the version that the candidate has."""
        read = read_recipe(self.recipe_file)
        return read if self.version is None else msgspec.structs.replace(read, version=self.version)

    @cached_property
    def serving_card(self) -> ModelCard:
        """DataError unless it is a model with other bytes or another version than the candidate's."""
        try:
            card = read_model_card(self.serving / CARD_FILE)
        except ModelCardError as error:
            raise DataError(f"--serving {error}.") from error
        if not (self.serving / MODEL_FILE).is_file():
            raise DataError(f"--serving {self.serving}: has no {MODEL_FILE}.")
        if (card.name, card.version) == (self.recipe.name, self.recipe.version):
            raise DataError(
                f"{self.serving} is {card.name} {card.version}, and so would the candidate be: give it another "
                "--version, or nobody could tell which of them answered."
            )
        return card

    @cached_property
    def sounds_digest(self) -> str:
        """Of noises and rooms that are mixed in."""
        return digest_of(self.noise, self.rooms)

    @property
    def definition_digest(self) -> str:
        agreed, _ = definition_for(self.heard, self.definition_file)
        return hashlib.sha256(msgspec.json.encode(agreed)).hexdigest()

    @property
    def sound_digest(self) -> str:
        """Of the names, sizes and times of utterances' sound."""
        folder = self.sound
        if folder is None:
            return ""
        if not folder.is_dir():
            raise DataError(f"--sound {folder}: is no folder.")
        digest = hashlib.sha256()
        for file in sorted(folder.rglob("*")):
            if file.suffix.lower() in SOUND_SUFFIXES:
                status = file.stat()
                digest.update(f"{file.relative_to(folder)} {status.st_size} {status.st_mtime_ns}\n".encode())
        return digest.hexdigest()
