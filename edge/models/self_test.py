"""Whether a model works on this board at all, by what it hears in the clips that come with the program. Pure."""

from collections.abc import Sequence

from edge.models.trial import plain
from edge.models.utterances import HeardOf
from protos.model_card import ModelCard

RIGHT_SHARE_MIN = 0.5
"""Of the clips of commands that it knows; what is better than that people tell."""
FEWER_SHARE_MAX = 0.15
"""So many fewer of them than the model before are no reason yet: a machine's voice may suit one or the other."""
FALSE_MORE_MAX = 1
"""Commands in what is none, beyond those of the model before."""
MS_MAX = 2000
"""For one utterance: nobody waits longer."""


def faults(
    card: ModelCard, heard: Sequence[HeardOf], card_before: ModelCard, heard_before: Sequence[HeardOf]
) -> list[str]:
    """Why a model must not answer, sentences; `before`: the one that answers now."""
    known = {plain(command.text) for command in card.commands.values()}
    clips = sum(plain(one.text) in known for one in heard)
    right, right_before = _right(card, heard, known), _right(card_before, heard_before, known)
    wrong, wrong_before = _wrong(heard, known), _wrong(heard_before, known)
    found = []
    if right < RIGHT_SHARE_MIN * clips or right < right_before - FEWER_SHARE_MAX * clips:
        found.append(f"Of {clips} clips of its commands it hears {right} right, the model before {right_before}.")
    if wrong > wrong_before + FALSE_MORE_MAX:
        found.append(f"It hears commands in {wrong} clips that are none, the model before in {wrong_before}.")
    if (slowest_ms := max((one.ms for one in heard), default=0)) > MS_MAX:
        found.append(f"It takes {slowest_ms} ms for a clip.")
    return found


def _right(card: ModelCard, heard: Sequence[HeardOf], known: set[str]) -> int:
    """Clips of commands that are known, and heard as what they are."""
    return sum(
        one.label is not None and plain(card.commands[one.label].text) == plain(one.text)
        for one in heard
        if plain(one.text) in known
    )


def _wrong(heard: Sequence[HeardOf], known: set[str]) -> int:
    return sum(one.label is not None and plain(one.text) not in known for one in heard)
