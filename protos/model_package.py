"""A model on its way to a board: its card, then its file, under one hash."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from protos.model_card import CARD_FILE, MODEL_FILE, ModelCard, ModelCardError, sha256
from protos.name import NAME

PACKAGE_BYTES_MAX = 8_000_000
"""Of BoardModel.bytes_count."""

PIECE_BYTES_MAX = 16_384
"""Of ModelPiece.data."""


class ModelPackage(NamedTuple):
    """What belongs together, and fits together."""

    card: ModelCard
    card_content: bytes
    """As it lies in its file."""
    model_content: bytes

    @property
    def content(self) -> bytes:
        """As FetchModel sends it."""
        return self.card_content + self.model_content

    @property
    def sha256(self) -> str:
        return sha256(self.content)

    def write(self, folder: Path) -> None:
        """Into a folder that is there. OSError."""
        (folder / CARD_FILE).write_bytes(self.card_content)
        (folder / MODEL_FILE).write_bytes(self.model_content)


def read_package(folder: Path) -> ModelPackage:
    """What lies in a model's folder. ModelCardError, naming the file, if something is missing or does not fit."""
    contents = []
    for name in (CARD_FILE, MODEL_FILE):
        try:
            contents.append((folder / name).read_bytes())
        except OSError as error:
            raise ModelCardError(f"{folder / name}: {error.strerror}") from error
    return _package(*contents, called=str(folder))


def unpacked(content: bytes, card_bytes_count: int) -> ModelPackage:
    """What came by FetchModel, whole. ModelCardError if it does not fit together."""
    return _package(content[:card_bytes_count], content[card_bytes_count:], called="what came")


def _package(card_content: bytes, model_content: bytes, *, called: str) -> ModelPackage:
    try:
        card = msgspec.json.decode(card_content, type=ModelCard)
        card.check_model(model_content)
    except (msgspec.DecodeError, ModelCardError) as error:
        raise ModelCardError(f"{called}: {error}") from error
    for text in (card.name, card.version):
        # Both become names of folders.
        if not NAME.fullmatch(text) or text.startswith("."):
            raise ModelCardError(f"{called}: {ascii(text)[:80]} is no name of a model, or of a version of one")
    if len(card_content) + len(model_content) > PACKAGE_BYTES_MAX:
        raise ModelCardError(f"{called}: it has more than {PACKAGE_BYTES_MAX // 1_000_000} MB")
    return ModelPackage(card, card_content, model_content)
