"""What is shown of an utterance to who labels it, and what their answer becomes. Pure."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cloud.log.answer_store import Key
from cloud.outcomes.convention import MARKS, marks
from cloud.outcomes.outcome import LABELLED_BY, Said, plain_words
from common.errors import SettingsError
from protos import speech_pb2
from protos.name import NAME

LABELLER_LENGTH_MAX = 64 - len(LABELLED_BY)
READINGS_MAX, RESULTS_MAX = 5, 9

HELP = (
    "r right · w wrong · t what was said · 1-9 that result was meant · a, b that question · c cannot tell · s skip · q"
)


class Shown(NamedTuple):
    """An utterance that waits for a label."""

    key: Key
    when: str
    final: speech_pb2.Final
    said: Sequence[Said]
    """What people said of it, the last of each."""
    sound: str | None
    """Where it can be heard; None: it was not kept."""
    why: str
    """It was chosen."""


def labeller_named(name: str) -> str:
    """The name, if labels can be given by it: as the wire has it, behind "label.". SettingsError."""
    if not name or NAME.fullmatch(LABELLED_BY + name) is None:
        raise SettingsError(
            f"{name!r} cannot stand under a label: letters, digits, '.', '_' and '-', {LABELLER_LENGTH_MAX} at most."
        )
    return name


def lines(shown: Shown) -> Iterator[str]:
    """For a terminal."""
    final = shown.final
    sure = f", {100 * final.confidence:.0f} % sure" if final.HasField("confidence") else ""
    engine = f"{final.engine.name} {final.engine.model}"
    yield f"{shown.key.device_id}  {shown.when}  {engine}{sure}  {shown.key.utterance_id}"
    yield f"  heard    {final.transcript or '(no words)'}"
    for other in final.alternatives[:READINGS_MAX]:
        yield f"  or       {other.transcript}"
    if final.HasField("intent"):
        slots = ", ".join(f"{name} {words}" for name, words in sorted(final.intent.slots.items()))
        yield f"  meant    {final.intent.name}{f': {slots}' if slots else ''}"
    for letter, choice in zip("ab", final.choices, strict=False):
        yield f"  asked {letter}  did you mean {choice.transcript}?"
    for number, result in enumerate(final.results[:RESULTS_MAX], 1):
        yield f"  found {number}  {result.title} [{result.id}]"
    yield f"  chosen   {shown.why}"
    yield f"  sound    {shown.sound or 'was not kept; say what you can tell by the rest'}"
    for one in shown.said:
        yield f"  said     {told(one)}"
    if len({one.verdict for one in shown.said if one.verdict is not None}) > 1:
        yield "           They contradict each other: your label decides."


def told(said: Said) -> str:
    """What a person said, in a line."""
    parts = [
        {True: "right", False: "wrong", None: ""}[said.verdict],
        f'said "{said.text}"' if said.text is not None else "",
        f"meant {said.result_id}" if said.result_id is not None else "",
        f"meant question {'ab'[said.choice]}" if said.choice in (0, 1) else "",
    ]
    return f"{said.by or 'somebody'}: {', '.join(part for part in parts if part) or 'took it back'}"


def request(
    shown: Shown,
    labeller: str,
    now_unix_us: int,
    *,
    verdict: bool | None = None,
    text: str | None = None,
    result: int | None = None,
    choice: int | None = None,
) -> speech_pb2.FeedbackRequest:
    """The label as feedback, which `log export` and `parrotlet-models import log` take. `result`: its index."""
    if text is not None and verdict is None:
        verdict = plain_words(text) == plain_words(shown.final.transcript)
    made = speech_pb2.FeedbackRequest(
        device_id=shown.key.device_id,
        utterance_id=shown.key.utterance_id,
        feedback_id=str(uuid.uuid4()),
        given_by=LABELLED_BY + labeller,
        given_at_unix_us=now_unix_us,
        of_transcript=shown.final.transcript,
    )
    if result is not None:
        made.result_id = shown.final.results[result].id
        verdict = result == 0
    if choice is not None:
        made.choice = choice
    if text is not None:
        made.transcript = text
    if verdict is not None:
        made.verdict = speech_pb2.VERDICT_RIGHT if verdict else speech_pb2.VERDICT_WRONG
    return made


def against_agreement(text: str, agreed: Mapping[str, bool]) -> list[str]:
    """What of a label's writing the data definition has otherwise, a sentence each."""
    found = []
    for mark, does in marks(text).items():
        if mark in agreed and does != agreed[mark]:
            wanted = "" if agreed[mark] else "not "
            found.append(f"The definition {wanted}so: {MARKS[mark]}.")
    return found
