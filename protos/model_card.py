"""What a model file says of itself, so that no model runs on features it was not trained on, and no other bytes run
in its place."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from protos.feature_spec import FeatureSpec

MODEL_FILE = "model.tflite"
CARD_FILE = "card.json"


class ModelCardError(ValueError):
    """Raised when a card cannot be read, or belongs to features of another kind or to another file."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What a label stands for: words, and the entry of its domain that is found by them."""

    text: str
    """The transcript that is shown."""
    id: str | None = None
    title: str = ""
    snippet: str = ""
    url: str | None = None
    action: str | None = None


class OperatingPoint(msgspec.Struct, frozen=True, kw_only=True):
    """When an output counts as heard."""

    threshold: float
    """Least smoothed probability."""
    label_thresholds: dict[str, float] = {}
    """Where a label has one of its own."""
    smoothing_windows: Annotated[int, Meta(ge=1, le=1000)] = 1
    """So many windows in a row are averaged."""
    hop_frames: Annotated[int, Meta(ge=1, le=1000)] = 10
    """From one window to the next."""
    false_per_hour: float | None = None
    """Measured on other recordings than those it was chosen by."""
    false_per_hour_max: float | None = None
    """Upper end of its 95 % interval."""
    missed: float | None = None
    """Share of those really said."""
    lag_ms: Annotated[int, Meta(ge=0, le=5000)] | None = None
    """Of a wake word: from the end of the phrase until it counts as heard, usually."""


class ModelCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lies beside a model file as ``card.json``."""

    name: str
    version: str
    kind: Literal["commands", "speech", "wake"]
    feature_spec_fingerprint: str
    labels: tuple[str, ...]
    """What each output stands for, in order."""
    window_frames: int
    """Frames that the model looks at, all at once."""
    model_sha256: str
    commands: dict[str, Command] = {}
    """What is meant by a label; labels that are not here mean nothing, such as ``silence`` and ``unknown``."""
    operating_points: dict[str, OperatingPoint] = {}
    """By name; ``default`` is what the board takes."""
    metrics: dict[str, float] = {}
    """By slice: ``accuracy``, ``accuracy/noise 10 dB``."""
    licence: str
    sources: tuple[str, ...]
    """Data sets, with versions, and what was left out."""
    data_sha256: str
    """Of all that it was trained on, as the recipe says it."""
    code_version: str
    limits: str
    """What it is not good for, in sentences."""
    created: str
    """ISO 8601 date."""

    def check_spec(self, spec: FeatureSpec) -> None:
        """ModelCardError, naming both, unless the model was trained on this spec."""
        if self.feature_spec_fingerprint != spec.fingerprint:
            raise ModelCardError(
                f"model {self.name} {self.version} was trained on features {self.feature_spec_fingerprint}, "
                f"but this board makes {spec.fingerprint}"
            )

    def check_model(self, content: bytes) -> None:
        """ModelCardError unless these are the bytes that the card was written for."""
        if sha256(content) != self.model_sha256:
            raise ModelCardError(f"the file is not that of model {self.name} {self.version}, to which the card belongs")


def sha256(content: bytes) -> str:
    """As cards carry it."""
    return hashlib.sha256(content).hexdigest()


def read_model_card(path: Path) -> ModelCard:
    """The card in a file; ModelCardError, naming the file, if there is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=ModelCard)
    except OSError as error:
        raise ModelCardError(f"{path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ModelCardError(f"{path}: not a model card: {error}") from error


def write_model_card(path: Path, card: ModelCard) -> None:
    """Writes the card as readable JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")
