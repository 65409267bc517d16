"""What a person types of an answer, as feedback; and feedback as a line."""

import time
import uuid
from typing import Literal

from common.errors import SpoolError
from edge.clock import shown_time
from edge.spool.feedback import Feedback
from edge.spool.store import SpoolStore

TERMINAL = "board"
"""Who says it, where it is typed on the board."""


def given(
    store: SpoolStore, begun: str | None, verdict: Literal["right", "wrong"] | None, said: str | None, meant: str | None
) -> Feedback:
    """Of the utterance whose id begins so, or of the latest. SpoolError if there is none or several, or if no service
    would take what is said."""
    feedback = Feedback(
        feedback_id=str(uuid.uuid4()),
        utterance_id=_utterance_id(store, begun),
        given_at_unix_us=time.time_ns() // 1000,
        verdict=verdict,
        transcript=said,
        result_id=meant,
        given_by=TERMINAL,
    )
    if feedback.fault is not None:
        raise SpoolError(feedback.fault)
    return feedback


def line(feedback: Feedback) -> str:
    """Who said what, and when."""
    when = shown_time(feedback.given_at_unix_us)
    said = [
        feedback.verdict or "",
        f'said "{feedback.transcript}"' if feedback.transcript is not None else "",
        f"meant {feedback.result_id}" if feedback.result_id is not None else "",
        f"meant choice {feedback.choice}" if feedback.choice is not None else "",
    ]
    told = ", ".join(part for part in said if part) or "taken back"
    return f"{feedback.utterance_id}  {when}  {feedback.given_by or '-':<8}  {told}"


def _utterance_id(store: SpoolStore, begun: str | None) -> str:
    told = [event.utterance_id for _, event in store.events()]
    if begun is None:
        if not told:
            raise SpoolError("Nothing was answered yet.")
        return told[-1]
    known = {*told, *(kept.head.utterance_id for kept in store.kept())}
    fitting = [utterance_id for utterance_id in known if utterance_id.startswith(begun)]
    if len(fitting) != 1:
        raise SpoolError(f"{begun}: {len(fitting)} utterances that are known here begin so.")
    return fitting[0]
