"""What people said of an answer, as a label: what was said, and which result was meant; and whether they agree.

A person may change their mind: of each of them the last word counts. People who contradict each other are not resolved
here: who is right is for somebody to hear.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec

LABELLED_BY = "label."
"""What `given_by` begins with where somebody labels for the service; the labeller's name follows."""


class Feedback(msgspec.Struct, frozen=True):
    """What a person said of an answer."""

    verdict: Literal["right", "wrong"] | None = None
    said: str | None = None
    """Their own writing of what was said."""
    result_id: str | None = None
    """The result that they meant."""
    choice: int | None = None
    """The same, of an answer's choices."""
    of: str | None = None
    """The transcript that they saw; None: that of the log."""
    feedback_id: str = ""
    given_by: str | None = None
    given_at_unix_us: int = 0


class Answered(NamedTuple):
    """What an answer was, as a log has it."""

    transcript: str | None = None
    results: Sequence[str] = ()
    """Ids, the best first."""
    choices: Sequence[str] = ()
    """In words."""


class Word(NamedTuple):
    """What one person holds of an utterance."""

    by: str
    verdict: Literal["right", "wrong"] | None
    text: str | None
    """What was said."""
    is_written: bool
    """By themselves; else it is the writing that they saw."""
    not_text: str | None
    """What was not."""
    meant: str | None
    """Id of a result."""
    choice: str | None
    """Another reading that was meant, in the domain's words."""

    @property
    def labeller(self) -> str | None:
        """Who labelled; None: it is what a user said."""
        return self.by.removeprefix(LABELLED_BY) if self.by.startswith(LABELLED_BY) else None

    @property
    def how(self) -> str:
        """How they said it."""
        if self.is_written:
            return "said"
        return "right" if self.verdict == "right" else "meant"

    def __str__(self) -> str:
        """For a person who is to decide."""
        parts = [
            self.verdict or "",
            f'said "{self.text}"' if self.text is not None else "",
            f'not "{self.not_text}"' if self.not_text is not None else "",
            f"meant {self.meant}" if self.meant is not None else "",
            f'meant "{self.choice}"' if self.choice is not None else "",
        ]
        return f"{self.by}: {', '.join(part for part in parts if part)}"


def last_words(feedback: Iterable[Feedback]) -> list[Feedback]:
    """Of each person, in the order in which they were given."""
    last: dict[str | None, Feedback] = {}
    for said in sorted(feedback, key=lambda said: (said.given_at_unix_us, said.feedback_id)):
        last[said.given_by] = said
    return list(last.values())


def word(said: Feedback, answered: Answered) -> Word | None:
    """What it says of this answer; None: nothing."""
    shown = answered.transcript if said.of is None else said.of
    is_of_this = shown == answered.transcript
    text, not_text, meant = said.said, None, said.result_id
    if text is None and said.verdict == "right":
        text = shown
    # Who meant another result says nothing of the words.
    if text is None and said.verdict == "wrong" and meant is None and said.choice is None:
        not_text = shown
    if meant is None and said.verdict == "right" and is_of_this and answered.results:
        meant = answered.results[0]
    choice = None
    if said.choice is not None and is_of_this and said.choice < len(answered.choices):
        choice = answered.choices[said.choice]
    if (said.verdict, text, meant, choice) == (None, None, None, None):
        return None
    return Word(said.given_by or "somebody", said.verdict, text or None, bool(said.said), not_text, meant, choice)


def agree(words: Sequence[Word], same: Callable[[str], str]) -> bool:
    """Whether all of them can be true. `same` gives texts of the same words one form."""
    if len(words) < 2:
        return True
    texts = {same(word.text) for word in words if word.text is not None}
    denied = {same(word.not_text) for word in words if word.not_text is not None}
    verdicts = {word.verdict for word in words} - {None}
    meant = {word.meant for word in words if word.meant is not None}
    choices = {word.choice for word in words if word.choice is not None}
    return not texts & denied and all(len(said) < 2 for said in (texts, verdicts, meant, choices))
