"""What a person said of an answer: whether it was right, what they had said, which result they had meant."""

from typing import Literal

import msgspec

from common.plain_text import plain
from protos.name import NAME

TRANSCRIPT_LENGTH_MAX = 1000

CHOICES = range(2)

TIMES_UNIX_US = range(1 << 62)


class Feedback(msgspec.Struct, frozen=True):
    """See FeedbackRequest in protos/speech.proto. Where nothing is said, a person takes back what they said."""

    feedback_id: str
    """Made where it was said; the same again changes nothing."""
    utterance_id: str
    given_at_unix_us: int
    verdict: Literal["right", "wrong"] | None = None
    transcript: str | None = None
    """ "I said ..."."""
    result_id: str | None = None
    """ "I meant this one"."""
    choice: int | None = None
    """The same, of an answer's choices."""
    given_by: str | None = None
    """The phone it was said on; of each of them the last word counts."""
    of_transcript: str | None = None
    """Of the answer that it is said of; the spool knows it, where it keeps that answer."""

    @property
    def fault(self) -> str | None:
        """Why no service would take it, a sentence; None: it would."""
        for name in ("feedback_id", "utterance_id", "result_id", "given_by"):
            text = getattr(self, name)
            if text is not None and not NAME.fullmatch(text):
                return f"{name} {plain(text)[:64]!r}: 1 to 64 characters of A-Z a-z 0-9 . _ - are allowed."
        if self.given_at_unix_us not in TIMES_UNIX_US:
            return "It was said at no time that there is."
        if self.choice is not None and self.choice not in CHOICES:
            return f"choice {self.choice}: there are only {len(CHOICES)}, from 0."
        if self.transcript is not None and not self.transcript.strip():
            return "What was said has no word."
        return _fault_of_text(self.transcript or "") or _fault_of_text(self.of_transcript or "")


def _fault_of_text(text: str) -> str | None:
    if len(text) > TRANSCRIPT_LENGTH_MAX:
        return f"What was said has {len(text)} characters; {TRANSCRIPT_LENGTH_MAX} is the most."
    try:
        text.encode()
    except UnicodeEncodeError:
        return "What was said is no text."
    return None
