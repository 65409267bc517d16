"""What a training was begun with: one by another recipe, or from other recordings, does not go on in its place."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from common.errors import DataError, InputError
from models.data.clip import Clip
from models.training.examples import Backgrounds
from models.training.recipe import Recipe

BEGUN_FILE = "begun.txt"
"""Hash of all of it, in the folder of the model."""


def data_hash(recipe: Recipe, folder: Path, clips: Sequence[Clip]) -> str:
    """Of the recipe, of what the manifest says and of the sound itself: the same makes the same model."""
    digest = hashlib.sha256(recipe.digest.encode())
    for clip in sorted(clips, key=lambda clip: (clip.path, clip.start_ms or 0)):
        digest.update(msgspec.json.encode(clip, order="sorted"))
        try:
            digest.update(hashlib.sha256(clip.file(folder).read_bytes()).digest())
        except OSError as error:
            raise InputError(f"{clip.file(folder)}: {error.strerror}.") from error
    return digest.hexdigest()


def begin(out: Path, data_sha256: str, backgrounds: Backgrounds) -> None:
    """Makes the folder of a run, or finds it as it was left. DataError if it is that of another one: what goes on
    there would be half of each."""
    digest = hashlib.sha256(data_sha256.encode())
    for sound in (*backgrounds.noises, *backgrounds.rooms):
        digest.update(sound.tobytes())
    begun = digest.hexdigest()
    try:
        out.mkdir(parents=True, exist_ok=True)
        if (out / BEGUN_FILE).exists() and (out / BEGUN_FILE).read_text(encoding="ascii") != begun:
            raise DataError(
                f"{out}: holds a training by another recipe, or from other recordings; give another folder."
            )
        # In whole or not at all: half of a hash would be that of another training.
        unfinished = out / f".{BEGUN_FILE}.new"
        unfinished.write_text(begun, encoding="ascii")
        unfinished.replace(out / BEGUN_FILE)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"{BEGUN_FILE} is damaged"
        raise DataError(f"{out}: cannot be used: {reason}.") from error
