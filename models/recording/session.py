"""Walks a person through their commands: shows one, listens, says what is wrong with it, and asks again or goes on."""

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from common.errors import MicrophoneError
from edge.console import Console
from edge.speech.utterance import UtteranceEnd
from models.data.placing import number
from models.own.wanted import SILENCE, UNKNOWN
from models.recording.ears import Ears, Nothing, Uttered
from models.recording.faults import fault, room_fault
from models.recording.takes import Takes

TRIES_MAX = 3
"""At one command, before the next is asked for; and so often in a row nobody may speak."""
ROOM_S = 5.0
BESIDE_MS = 100
"""Of the sound before and after speech counts, too: onsets are soft."""

T = TypeVar("T")


class Asked(NamedTuple):
    """What is to be said next."""

    label: str
    text: str


def plan(
    phrases: Mapping[str, str], others: Sequence[str], counts: Mapping[str, int], times: int, seed: str
) -> list[Asked]:
    """Each of `phrases` (by label) until there are so many of it, in rounds, each in an order of its own; between them
    as many of the `others`, which are no commands: else people would be heard to say nothing else. `counts`: what
    there is."""
    drawn = _shuffled(others, seed)
    asked = []
    for times_before in range(times):
        left = [Asked(label, text) for label, text in phrases.items() if counts.get(label, 0) <= times_before]
        for at in range(times_before * len(phrases), (times_before + 1) * len(phrases)):
            if drawn and counts.get(UNKNOWN, 0) <= at:
                left.append(Asked(UNKNOWN, drawn[at % len(drawn)]))
        asked += _shuffled(left, f"{seed}\0{times_before}")
    return asked


def _shuffled(things: Sequence[T], seed: str) -> list[T]:
    return random.Random(number(seed)).sample(things, len(things))


class Session:
    """One walk. `ears` and `takes` are those of one person in one room."""

    def __init__(self, takes: Takes, ears: Ears, console: Console) -> None:
        self.kept = 0
        """Recordings so far."""
        self._takes = takes
        self._ears = ears
        self._console = console
        self._silent_in_a_row = 0

    def walk(self, asked: Sequence[Asked]) -> bool:
        """Through all that is asked for; whether there was sound until the end. MicrophoneError if nobody is heard."""
        for at, wanted in enumerate(asked, 1):
            self._console.print(f"{at:>3} of {len(asked)}  {self._console.bold(wanted.text)}")
            if not self._ask(wanted):
                return False
        return True

    def room(self) -> bool:
        """Some seconds without anybody, once a speaker."""
        if self._takes.numbers(SILENCE):
            return True
        for _ in range(TRIES_MAX):
            self._console.print(f"Now the room alone: be quiet for {ROOM_S:.0f} seconds.")
            heard = self._ears.silence(ROOM_S)
            self._console.clear()
            if isinstance(heard, Nothing):
                return heard is not Nothing.OVER
            samples, speech_share = heard
            if (why := room_fault(speech_share)) is None:
                self._takes.keep(SILENCE, samples)
                self._say("kept")
                return True
            self._say(f"{why}; again")
        return True

    def _ask(self, wanted: Asked) -> bool:
        """Until one is good, or it is given up; whether there is more sound."""
        for _ in range(TRIES_MAX):
            heard = self._ears.utterance()
            self._console.clear()
            if heard is Nothing.OVER:
                return False
            if isinstance(heard, Nothing):
                self._say(heard.value)
                self._mind(heard)
                if heard is Nothing.SKIPPED:
                    return True
                continue
            self._silent_in_a_row = 0
            if (why := fault(heard.end)) is None:
                self._keep(wanted, heard)
                return True
            self._say(f"{why}; again")
        self._say("later, then")
        return True

    def _mind(self, why: Nothing) -> None:
        """That nobody speaks, again and again."""
        self._silent_in_a_row = self._silent_in_a_row + 1 if why is Nothing.SILENT else 0
        if self._silent_in_a_row >= TRIES_MAX:
            raise MicrophoneError(
                f"{self._ears.name}: nobody is heard; parrotlet-edge level shows what comes from it, "
                "parrotlet-edge devices lists others. The same command goes on where it was."
            )

    def _keep(self, wanted: Asked, heard: Uttered) -> None:
        end = heard.end
        part_ms = max(0, end.speech_start_ms - BESIDE_MS), min(end.duration_ms, end.speech_end_ms + BESIDE_MS)
        measured = {name: round(value, 2) for name, value in _measured(end).items() if value is not None}
        self._takes.keep(wanted.label, heard.samples, text=wanted.text, part_ms=part_ms, measured=measured)
        self.kept += 1
        snr = "" if end.snr_db is None else f", {end.snr_db:.0f} dB over the room"
        self._say(f"kept: {end.level_dbfs:.0f} dBFS{snr}")

    def _say(self, text: str) -> None:
        self._console.print(f"           {self._console.faint(text)}")


def _measured(end: UtteranceEnd) -> dict[str, float | None]:
    """As a manifest has it."""
    return {
        "duration_ms": end.duration_ms,
        "speech_ms": end.speech_end_ms - end.speech_start_ms,
        "level_dbfs": end.level_dbfs,
        "peak_dbfs": end.peak_dbfs,
        "snr_db": end.snr_db,
    }
