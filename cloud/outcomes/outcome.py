"""Whether an answer was right, as far as it is known: what people said, whether they asked again, who agrees. Pure.

Most answers nobody says anything of, and who is content says least: silence is None here, and no "right". Who counts
complaints by utterance counts silence as none (concept.py).
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from cloud.understanding.written import spoken_words
from protos import speech_pb2

Source = Literal["label", "said", "verdict", "meant", "reask", "shadow", "local"]

LABELLED_BY = "label."
"""What `given_by` begins with where somebody labels under the data definition; the labeller's name follows."""

RIGHT_MAX = 0.3
"""Less is no complaint."""
RIGHT, WRONG = 0.02, 0.98
"""People slip: of 100 verdicts two are not what they meant."""

FILLERS = frozenset({"um", "uh", "er", "hmm", "umm", "uhm", "erm", "hm"})
"""Whether they are written down is an agreement, and no error."""

AGREEING = {
    "shadow": {True: 0.05, False: 0.5},
    "local": {True: 0.05, False: 0.4},
}
"""Probability of wrong where another model agrees with an answer or does not: either of the two may be the one that
errs, and the board's model errs more."""

WEIGHTS: dict[Source, float] = {
    "label": 1.0,
    "said": 0.9,
    "verdict": 0.9,
    "meant": 0.8,
    "reask": 0.6,
    "shadow": 0.2,
    "local": 0.2,
}
"""What each is worth beside a label; the surest speaks alone."""


class Said(NamedTuple):
    """What one person said of an answer, last."""

    by: str | None
    at_unix_us: int
    verdict: bool | None = None
    """Whether it was right."""
    text: str | None = None
    """What was spoken."""
    result_id: str | None = None
    choice: int | None = None
    of: str | None = None
    """The transcript that they saw; None: that of the log."""

    @property
    def is_label(self) -> bool:
        return self.by is not None and self.by.startswith(LABELLED_BY)

    @property
    def labeller(self) -> str | None:
        """Who labelled; None: it is no label."""
        return self.by.removeprefix(LABELLED_BY) if self.by is not None and self.is_label else None


class Answered(NamedTuple):
    """What was answered."""

    transcript: str
    results: Sequence[str] = ()
    """Ids, the best first."""


class Outcome(NamedTuple):
    """Whether an answer was wrong, as far as it is known."""

    wrong: float
    """Probability."""
    source: Source
    is_disputed: bool = False
    """People contradict each other: somebody has to hear it."""

    @property
    def weight(self) -> float:
        """What it is worth beside a label, up to 1."""
        return WEIGHTS[self.source] * (0.0 if self.is_disputed else 1.0)

    @property
    def complaint(self) -> float:
        """What concept.py counts of it: how much it shows that the answer was wrong, 0 where it shows that it was right
        or people contradict each other."""
        return self.wrong * self.weight if self.wrong > RIGHT_MAX else 0.0


def said_of(requests: Iterable[speech_pb2.FeedbackRequest]) -> list[Said]:
    """The last word of each person, in the order in which they were given."""
    last: dict[str | None, Said] = {}
    verdicts = {speech_pb2.VERDICT_RIGHT: True, speech_pb2.VERDICT_WRONG: False}
    for request in sorted(requests, key=lambda request: (request.given_at_unix_us, request.feedback_id)):
        by = request.given_by if request.HasField("given_by") else None
        last[by] = Said(
            by,
            request.given_at_unix_us,
            verdicts.get(request.verdict),
            request.transcript if request.HasField("transcript") else None,
            request.result_id if request.HasField("result_id") else None,
            request.choice if request.HasField("choice") else None,
            request.of_transcript if request.HasField("of_transcript") else None,
        )
    return sorted(last.values(), key=lambda said: said.at_unix_us)


def outcome(
    answered: Answered,
    said: Sequence[Said] = (),
    *,
    reask: float | None = None,
    shadow_agrees: bool | None = None,
    local_agrees: bool | None = None,
) -> Outcome | None:
    """What is known of an answer; None: nothing.

    `reask`: probability that the person asked the same again (reask.py); None: nobody spoke soon after.
    """
    for are_labels in (True, False):
        heard = [one for each in said if each.is_label == are_labels and (one := _of(answered, each)) is not None]
        if heard:
            return _together(heard)
    if reask is not None and reask > 0.5:
        return Outcome(reask, "reask")
    if shadow_agrees is not None:
        return Outcome(AGREEING["shadow"][shadow_agrees], "shadow")
    if local_agrees is not None:
        return Outcome(AGREEING["local"][local_agrees], "local")
    return None


def plain_words(text: str) -> list[str]:
    """A text's words as they are spoken: labels and transcripts that are the same words are equal in it, whatever
    their fillers, digits, stops and capitals."""
    return [word for word in spoken_words(text) if word not in FILLERS]


def _of(answered: Answered, said: Said) -> Outcome | None:
    """By one person; None: they say nothing of right and wrong."""
    if said.text is not None:
        same = plain_words(said.text) == plain_words(answered.transcript)
        wrong = RIGHT if same else WRONG
        # Who calls it wrong though the words are right wanted something else.
        if same and said.verdict is False:
            wrong = WRONG
        return Outcome(wrong, "label" if said.is_label else "said")
    if said.verdict is not None:
        return Outcome(RIGHT if said.verdict else WRONG, "label" if said.is_label else "verdict")
    if said.result_id is not None and answered.results:
        wrong = RIGHT if said.result_id == answered.results[0] else WRONG
        return Outcome(wrong, "label" if said.is_label else "meant")
    return None


def _together(heard: Sequence[Outcome]) -> Outcome:
    """Of several people: the surest kind of word leads; half and half where they contradict each other."""
    first = max(heard, key=lambda one: WEIGHTS[one.source])
    if len({one.wrong > 0.5 for one in heard}) > 1:
        return Outcome(0.5, first.source, is_disputed=True)
    return first
