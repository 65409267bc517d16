"""What makes a recording of a command useless, said to who spoke while it can be said again."""

from edge.speech.utterance import EndReason, UtteranceEnd

LEVEL_DBFS_MIN = -50.0
SNR_DB_MIN = 10.0
CLIPPED_SHARE_MAX = 0.0005
SPEECH_MS_MIN, SPEECH_MS_MAX = 150, 4000
SILENT_SHARE_MAX = 0.1


def fault(end: UtteranceEnd) -> str | None:
    """A sentence without its full stop; None: it is good."""
    speech_ms = end.speech_end_ms - end.speech_start_ms
    if end.reason is EndReason.SOURCE_LOST or end.overruns:
        return "sound was lost on the way"
    if speech_ms < SPEECH_MS_MIN:
        return f"that was but {speech_ms} ms of sound"
    if speech_ms > SPEECH_MS_MAX:
        return f"that went on for {speech_ms / 1000:.1f} s, longer than a command"
    if (end.clipped_share or 0.0) > CLIPPED_SHARE_MAX:
        return "too loud, its peaks are cut off: go further away, or turn the microphone down"
    if end.level_dbfs is None or end.level_dbfs < LEVEL_DBFS_MIN:
        return "too quiet: come nearer, or turn the microphone up"
    if end.snr_db is not None and end.snr_db < SNR_DB_MIN:
        return f"only {end.snr_db:.0f} dB louder than the room: come nearer, or wait until it is quieter"
    return None


def room_fault(speech_share: float) -> str | None:
    """Of what should be silence."""
    return "somebody spoke" if speech_share > SILENT_SHARE_MAX else None
