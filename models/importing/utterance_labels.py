"""Labels that were asked for: who listened to which utterance and wrote what, a JSON object a line.

    {"device_id": "kitchen", "utterance_id": "…", "text": "Um, stop.", "label": "stop", "transcriber": "bea"}

Of one transcriber the last line counts; where two do not agree on one utterance it is left out, for somebody to hear.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from models.importing.told import NOT_TEXT, Fault, Place, is_text, lines

Key = tuple[str, str]
"""Device and utterance."""


class UtteranceLabel(msgspec.Struct, frozen=True):
    """What somebody heard in an utterance; what else a line has is passed over."""

    device_id: str
    utterance_id: str
    text: str | None = None
    label: str | None = None
    """Its class, where the model is one of classes."""
    transcriber: str | None = None
    speaker: str | None = None
    """Who speaks, where the transcriber knows."""

    @property
    def values(self) -> dict[str, str]:
        """By a clip's field. A board stands for its speakers where nobody knows them better."""
        told = {name: getattr(self, name) for name in ("text", "label", "transcriber", "speaker")}
        return {"speaker": self.device_id} | {name: value for name, value in told.items() if value}


class Labels(NamedTuple):
    """All of a file."""

    by_utterance: Mapping[Key, tuple[Place, UtteranceLabel]]
    faults: tuple[Fault, ...]


def read_utterance_labels(file: Path, same: Callable[[str], str]) -> Labels:
    """`same` gives texts of the same words one form. DataError if the file cannot be read."""
    found: dict[Key, dict[str | None, tuple[Place, UtteranceLabel]]] = {}
    faults: list[Fault] = []
    decoder = msgspec.json.Decoder(UtteranceLabel)
    for number, text in lines(file):
        place = Place(file, number)
        if not text.strip():
            continue
        if not is_text(text):
            faults.append(Fault(place, NOT_TEXT))
            continue
        try:
            one = decoder.decode(text)
        except msgspec.DecodeError as error:
            faults.append(Fault(place, f"this is no label of an utterance: {error}"))
            continue
        found.setdefault((one.device_id, one.utterance_id), {})[one.transcriber] = place, one
    agreed: dict[Key, tuple[Place, UtteranceLabel]] = {}
    for key, by_transcriber in found.items():
        told = list(by_transcriber.values())
        if len({(one.label, same(one.text or "")) for _, one in told}) > 1:
            faults.append(_disagreement(key, told))
        else:
            agreed[key] = told[0]
    return Labels(agreed, tuple(faults))


def _disagreement(key: Key, told: list[tuple[Place, UtteranceLabel]]) -> Fault:
    both = "; ".join(f'{one.transcriber or "somebody"}: "{one.text or ""}" [{one.label or "-"}]' for _, one in told)
    return Fault(told[0][0], f"{key[1]} of {key[0]}: transcribers do not agree: {both}")
