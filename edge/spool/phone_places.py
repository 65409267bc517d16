"""Where phones without a board have what they said: a folder for each, in the state directory of who serves them."""

from pathlib import Path

from common.errors import SpoolError

FOLDER = "phones"


def place_of(state: Path, phone: str | None) -> Path:
    """That of a phone; None: of the board itself."""
    return state if phone is None else state / FOLDER / phone


def phones_with_places(state: Path) -> list[str]:
    """Their ids. SpoolError, a sentence, where the disk does not say."""
    folder = state / FOLDER
    try:
        return sorted(place.name for place in folder.iterdir() if place.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SpoolError(f"{folder} cannot be read: {error.strerror or error}.") from error
