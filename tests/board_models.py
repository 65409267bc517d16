"""Models of another version, for tests that offer, fetch and try them."""

import shutil
from pathlib import Path
from typing import Any

import msgspec

from protos.model_card import CARD_FILE, MODEL_FILE, read_model_card, sha256, write_model_card
from tests.tones import TONES


def version(folder: Path, name: str, *, of: Path = TONES, padding: int = 0, **changes: Any) -> Path:
    """A copy of a model's folder as that version; with so many bytes behind its model, which nobody reads."""
    made = folder / f"next-{name}"
    shutil.copytree(of, made)
    content = (made / MODEL_FILE).read_bytes() + bytes(padding)
    (made / MODEL_FILE).write_bytes(content)
    card = read_model_card(made / CARD_FILE)
    card = msgspec.structs.replace(card, version=name, model_sha256=sha256(content), **changes)
    write_model_card(made / CARD_FILE, card)
    return made
