"""What a model file says of itself, so that no model runs on features it was not trained on."""

from pathlib import Path

import msgspec

from protos.feature_spec import FeatureSpec


class ModelCardError(ValueError):
    """Raised when a card cannot be read, or belongs to features of another kind."""


class ModelCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Lies beside a model file as ``NAME.card.json``."""

    name: str
    version: str
    feature_spec_fingerprint: str
    labels: tuple[str, ...]
    """What each output stands for, in order."""
    licence: str
    trained_on: str
    """Data sets, with versions, and what was left out."""
    created: str
    """ISO 8601 date."""

    def check_spec(self, spec: FeatureSpec) -> None:
        """ModelCardError, naming both, unless the model was trained on this spec."""
        if self.feature_spec_fingerprint != spec.fingerprint:
            raise ModelCardError(
                f"model {self.name} {self.version} was trained on features {self.feature_spec_fingerprint}, "
                f"but this board makes {spec.fingerprint}"
            )


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
