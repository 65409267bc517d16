"""What is known of answers without asking anybody: whether two are the same, and what people say of them. Pure.

Where both say the same, no label is needed: whoever errs, both do. Where they differ and the one that was shown was
right, the other is wrong. Where they differ and that one was wrong, only its right text can tell, or a label.
"""

import hashlib
from collections.abc import Sequence

from cloud.changing.compared import Answered
from cloud.understanding.written import spoken_words
from protos import speech_pb2
from protos.name import PHONE

SLOW_MS = 800
"""From the end to the final: a person notices."""

LOUD_DB, SOME_DB = 10.0, 20.0
"""Speech over noise: the bounds of loud, some and no noise."""


def same(one: speech_pb2.Final, other: speech_pb2.Final) -> bool:
    """Whether two answers would do the same: the same intent with the same values, else the same words."""
    if one.HasField("intent") and other.HasField("intent"):
        return (one.intent.name, dict(one.intent.values)) == (other.intent.name, dict(other.intent.values))
    if one.HasField("intent") or other.HasField("intent"):
        return False
    return spoken_words(one.transcript) == spoken_words(other.transcript)


def at_once(final: speech_pb2.Final, *, timed: bool) -> Answered:
    """What is known of an answer when it is there. `timed`: its times are those of people who wait."""
    took_ms = final.waiting_ms + final.decoding_ms
    is_empty = not final.transcript and not final.results
    return Answered(slow=float(took_ms > SLOW_MS) if timed else None, rejected=float(is_empty))


def error_by(feedback: speech_pb2.FeedbackRequest, shown: bytes) -> float | None:
    """Of the answer that was shown, by what a person said of it; None: that tells nothing. `shown` is its mark."""
    if feedback.HasField("of_transcript") and mark(feedback.of_transcript) != shown:
        # Said of another's answer: the board's own, or another service's.
        return None
    if feedback.HasField("transcript"):
        return float(mark(feedback.transcript) != shown)
    return {speech_pb2.VERDICT_RIGHT: 0.0, speech_pb2.VERDICT_WRONG: 1.0}.get(feedback.verdict)


def error_of_other(feedback: speech_pb2.FeedbackRequest, shown_error: float, transcript: str) -> float | None:
    """Of another answer to the same, which says something else and was not shown; None: that tells nothing."""
    if feedback.HasField("transcript"):
        return float(mark(feedback.transcript) != mark(transcript))
    return 1.0 if shown_error == 0.0 else None


def mark(transcript: str) -> bytes:
    """Equal for equal words, however they are written."""
    return hashlib.blake2b(" ".join(spoken_words(transcript)).encode(), digest_size=8).digest()


def slices(config: speech_pb2.UtteranceConfig, end: speech_pb2.UtteranceEnd, final: speech_pb2.Final) -> Sequence[str]:
    """Of an utterance, by what served: which boards, how much noise, what was wanted."""
    found = [f"boards={boards(config.device_id)}", f"intent={final.intent.name or 'none'}"]
    if end.HasField("snr_db"):
        noise = "loud" if end.snr_db < LOUD_DB else "some" if end.snr_db < SOME_DB else "none"
        found.append(f"noise={noise}")
    return found


def boards(device_id: str) -> str:
    """Those that a board belongs to: its name up to the first "-"; phones are for themselves."""
    return "phones" if PHONE in device_id else device_id.partition("-")[0]
