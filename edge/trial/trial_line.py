"""One utterance of `parrotlet-edge test`, as scripts read it: a line of JSON, and a WAV file beside it."""

import tempfile
import wave
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np

from common.errors import SettingsError
from edge.asking import answer as answers
from edge.asking.exchange import Exchange
from edge.asking.timing import TimingMs
from edge.sound.source import SAMPLE_RATE_HZ, Samples
from edge.speech.utterance import UtteranceEnd


class TrialLine(msgspec.Struct, frozen=True):
    """Keys stay; new ones may come. Null is "not known" or "not measured"."""

    file: str
    """The argument as typed, or the microphone's name."""
    utterance_id: str
    start_s: float
    """From the first sample of the input; with the pre-roll."""
    end_s: float
    end_reason: str
    path: answers.Path
    transcript: str
    confidence: float | None
    alternatives: tuple[answers.Alternative, ...]
    results: tuple[answers.Result, ...]
    results_are_partial: bool
    intent: str | None
    intent_confidence: float | None
    slots: dict[str, str]
    values: dict[str, str]
    action: str | None
    response: str | None
    choices: tuple[answers.Choice, ...]
    words: tuple[answers.Word, ...]
    engine: str | None
    model: str | None
    domain: str | None
    domain_version: str | None
    service_version: str | None
    from_log: bool
    explanation: tuple[str, ...]
    why_not_better: str | None
    audio_s: float
    wire_bytes: int
    timing_ms: TimingMs
    speech_start_ms: int
    speech_end_ms: int
    level_dbfs: float | None
    peak_dbfs: float | None
    noise_floor_dbfs: float | None
    snr_db: float | None
    clipped_share: float | None
    overruns: int
    gaps: int
    follows_utterance_id: str | None


def trial_line(file: str, exchange: Exchange, *, realtime: bool) -> TrialLine:
    """The line of an exchange that is over."""
    head, end = exchange.head, cast(UtteranceEnd, exchange.end)
    answer = cast(answers.Answer, exchange.answer)
    same = {
        name: _shown(getattr(source, name))
        for source in (answer, end)
        for name in TrialLine.__struct_fields__
        if hasattr(source, name)
    }
    return TrialLine(
        **same,
        # The name of a file may be any bytes; JSON is text.
        file=file.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
        utterance_id=head.utterance_id,
        start_s=head.stream_start_ms / 1000,
        end_s=(head.stream_start_ms + end.duration_ms) / 1000,
        end_reason=end.reason.value,
        audio_s=end.duration_ms / 1000,
        wire_bytes=exchange.wire_bytes,
        timing_ms=exchange.timing(realtime=realtime),
        follows_utterance_id=head.follows_utterance_id,
    )


def _shown(value: Any) -> Any:
    """Digits that mean something."""
    return round(value, 4) if isinstance(value, float) else value


def make_folder(directory: Path) -> None:
    """SettingsError if there can be no such folder that may be written to."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise _unsavable(directory, error) from error


def save(directory: Path, line: TrialLine, samples: list[Samples]) -> None:
    """UTTERANCE_ID.wav and UTTERANCE_ID.json in a folder that is there. SettingsError if they cannot be written."""
    sound = np.concatenate(samples) if samples else np.empty(0, np.int16)
    try:
        with (directory / f"{line.utterance_id}.wav").open("wb") as raw, wave.open(raw, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE_HZ)
            file.writeframes(sound.astype("<i2").tobytes())
        text = msgspec.json.format(msgspec.json.encode(line), indent=2)
        (directory / f"{line.utterance_id}.json").write_bytes(text + b"\n")
    except OSError as error:
        raise _unsavable(directory, error) from error


def _unsavable(directory: Path, error: OSError) -> SettingsError:
    return SettingsError(f"--save {directory}: cannot be written: {error.strerror}.")
