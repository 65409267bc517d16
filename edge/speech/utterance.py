"""An utterance as the board makes it: head, then frames as they are spoken, then end."""

from enum import StrEnum
from typing import NamedTuple

import msgspec

from edge.sound.source import Samples
from protos.feature_spec import Levels


class EndReason(StrEnum):
    """Why an utterance ended; the wire's END_REASON_ names in lower case."""

    ENDPOINT = "endpoint"
    MAX_LENGTH = "max_length"
    END_OF_INPUT = "end_of_input"
    SOURCE_LOST = "source_lost"
    MUTED = "muted"
    STOPPED = "stopped"


class UtteranceHead(msgspec.Struct, frozen=True):
    """What is known of an utterance when it starts. See UtteranceConfig in protos/speech.proto."""

    utterance_id: str
    session_id: str
    sequence_number: int
    follows_utterance_id: str | None
    started_at_unix_us: int
    """Wall clock at the first sample."""
    clock_synchronised: bool | None
    started_monotonic_s: float
    """time.monotonic() at which the first sample was captured (or read, for a file)."""
    stream_start_ms: int
    """Where in its source it starts: milliseconds from the source's first sample."""
    vad: str
    ear: str | None = None
    """Which of the board's ears heard it: a phone's id; None: its own microphone."""


class UtteranceFrames(NamedTuple):
    """The next stretch of an utterance."""

    first_frame: int
    levels: Levels
    samples: Samples
    """The sound that came with them, for whoever keeps it; one utterance's samples follow on without holes."""
    coded: bytes | None = None
    """The levels as they are kept on the board, coded from the utterance's first frame on; None where nobody did."""


class SpeechSeemsOver(NamedTuple):
    """An earlier endpoint: what follows is the end of the utterance, or SpeechGoesOn."""

    speech_end_ms: int
    """Where the last sound of speech ended, from the utterance's first sample."""


class SpeechGoesOn(NamedTuple):
    """The earlier endpoint was wrong."""


class UtteranceEnd(msgspec.Struct, frozen=True):
    """What is known of an utterance when it is over. See UtteranceEnd in protos/speech.proto for units and ranges."""

    reason: EndReason
    duration_ms: int
    """From the first sample of the pre-roll to the last of the hang-over."""
    speech_start_ms: int
    speech_end_ms: int
    last_sound_monotonic_s: float
    """time.monotonic() at which the last block that the gate called speech was captured."""
    ended_monotonic_s: float
    """time.monotonic() at which the endpoint was decided."""
    level_dbfs: float | None
    peak_dbfs: float | None
    noise_floor_dbfs: float | None
    snr_db: float | None
    clipped_share: float | None
    overruns: int
    gaps: int
    pitch_hz: float | None = None
    pitch_low_hz: float | None = None
    pitch_high_hz: float | None = None


def cut_off(head: UtteranceHead, duration_ms: int) -> UtteranceEnd:
    """The end of an utterance that stopped after so long, with its last sound; nothing was measured."""
    ended_s = head.started_monotonic_s + duration_ms / 1000
    return UtteranceEnd(
        reason=EndReason.STOPPED,
        duration_ms=duration_ms,
        speech_start_ms=0,
        speech_end_ms=duration_ms,
        last_sound_monotonic_s=ended_s,
        ended_monotonic_s=ended_s,
        level_dbfs=None,
        peak_dbfs=None,
        noise_floor_dbfs=None,
        snr_db=None,
        clipped_share=None,
        overruns=0,
        gaps=0,
    )


Progress = UtteranceFrames | SpeechSeemsOver | SpeechGoesOn
"""What comes between the head and the end of an utterance."""

Heard = UtteranceHead | Progress | UtteranceEnd
"""What hearing yields: one head, any progress, one end, and then perhaps the next head."""
