"""What to type next, where something has changed: a command that can be typed as it stands. Pure."""

from collections.abc import Sequence
from datetime import datetime
from shlex import quote

COLLECTED = frozenset({"noise", "gain", "distance", "microphone", "clipping", "echo", "speed", "speakers"})
"""Causes of cloud/drift/causes that a model learns to bear by such utterances."""
LOOKED_AT = frozenset({"words", "intents", "boards", "version", "unknown"})
"""The others: what was said tells more."""

OF_CONCEPT = "concept-"
"""Such causes; see cloud/outcomes/concept.py."""


def what_to_type(cause: str, where: str, since_unix_us: int, words: Sequence[str] = ()) -> str:
    """Where it is of no board, of all of them; where it is of what is right, somebody has to listen: rather to what has
    the word that it is of."""
    # A board's name has no spaces.
    board = f"--device {quote(where)} " if where and " " not in where else ""
    those = f"{board}--since {datetime.fromtimestamp(since_unix_us / 1e6):%Y-%m-%dT%H:%M}"
    if cause in COLLECTED:
        return f"parrotlet-cloud log export {those} since.jsonl"
    if cause in LOOKED_AT:
        return f"parrotlet-cloud log query {those}"
    is_of_a_word = cause.startswith(OF_CONCEPT) and len(words) == 1
    return f"parrotlet-cloud label{f' --text {quote(words[0])}' if is_of_a_word else ''}"


def what_for(cause: str) -> str:
    """What that command is good for."""
    if cause in COLLECTED:
        return "Collect them for training"
    return "Look at what was said" if cause in LOOKED_AT else "Find out what is right"
