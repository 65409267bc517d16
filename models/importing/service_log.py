"""The service's own log, as JSON lines: what boards heard, what was answered, and what people said of it.

    {"device_id": "kitchen", "utterance_id": "…", "transcript": "play jazz", "audio": "kept/0001.flac",
     "feedback": {"verdict": "wrong", "said": "play chess"}}

`audio` is the path of the sound where the owner lets it be kept, from the log's folder. `feedback` is the person's last
word: `verdict` is "right" or "wrong", `said` their own writing of what they said. What a person wrote is the text; what
they called right is the transcript; the rest is what a machine believes, and is taken only when asked for. A board
stands for its speakers: nobody knows them better.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from models.importing.told import NOT_TEXT, Fault, Place, Told, is_text, lines

PERSON = "feedback"
MACHINE = "service"
"""Who transcribed it."""


class Feedback(msgspec.Struct, frozen=True):
    """What a person said of an answer."""

    verdict: Literal["right", "wrong"] | None = None
    said: str | None = None


class LogLine(msgspec.Struct, frozen=True):
    """An utterance; what else a line has is passed over."""

    device_id: str
    utterance_id: str
    transcript: str | None = None
    audio: str | None = None
    feedback: Feedback | None = None


def read_service_log(file: Path, *, unheard: bool) -> Iterator[Told | Fault]:
    """Utterances whose sound was kept and whose words a person told. `unheard`: with those nobody said anything of."""
    decoder = msgspec.json.Decoder(LogLine)
    for number, text in lines(file):
        place = Place(file, number)
        if not text.strip():
            continue
        if not is_text(text):
            yield Fault(place, NOT_TEXT)
            continue
        try:
            line = decoder.decode(text)
        except msgspec.DecodeError as error:
            yield Fault(place, f"this is no utterance of a log: {error}")
            continue
        words = _words(line, unheard)
        if words is not None and line.audio is not None:
            said, transcriber = words
            yield Told(place, line.audio, {"text": said, "transcriber": transcriber, "speaker": line.device_id})


def _words(line: LogLine, unheard: bool) -> tuple[str, str] | None:
    """What was said, and who says so; None where nobody knows."""
    feedback = line.feedback or Feedback()
    if feedback.said is not None:
        return feedback.said, PERSON
    if line.transcript is None or feedback.verdict == "wrong":
        return None
    if feedback.verdict == "right":
        return line.transcript, PERSON
    return (line.transcript, MACHINE) if unheard else None
