"""A label, as a form gives it."""

from collections.abc import Mapping
from typing import get_args

from cloud.feedback import TRANSCRIPT_LENGTH_MAX
from cloud.operating.seams import Labels, Says
from common.errors import DataError


def take(labels: Labels, who: str, given: Mapping[str, str]) -> None:
    """Hands it on. ParrotletError if it is none, or its utterance waits no more."""
    text = given.get("text", "").strip()
    for says in get_args(Says):
        if given.get("says") == says:
            break
    else:
        raise DataError("Say whether it was heard right, or what was said.")
    if says == "text" and not 0 < len(text) <= TRANSCRIPT_LENGTH_MAX:
        raise DataError(f"What was said has 1 to {TRANSCRIPT_LENGTH_MAX} characters; this has {len(text)}.")
    labels.take(given.get("board", ""), given.get("id", ""), says, text if says == "text" else "", who)
