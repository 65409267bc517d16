"""An answer to an utterance, by whichever path it came."""

from typing import Any, Literal

import msgspec

Path = Literal["cloud", "house", "local", "none"]
"""Who answered: the service, the one in the house, the board itself, or nobody."""


class Alternative(msgspec.Struct, frozen=True):
    """Another reading of the same sound."""

    transcript: str
    confidence: float | None
    engine: str


class Word(msgspec.Struct, frozen=True):
    """A word of the transcript; times are milliseconds from the start of the utterance."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float | None


class Result(msgspec.Struct, frozen=True):
    """Something that was found. Scores compare within one answer only."""

    id: str
    title: str
    snippet: str
    score: float
    url: str | None
    action: str | None
    data: dict[str, Any] = {}
    """What the action needs, such as {"minutes": 10}."""


class Choice(msgspec.Struct, frozen=True):
    """One of two things that may have been meant."""

    transcript: str
    intent: str
    slots: dict[str, str] = {}
    values: dict[str, str] = {}
    confidence: float | None = None


class Twin(msgspec.Struct, frozen=True):
    """The utterance of another board that is the same sentence, and was answered before."""

    board: str
    utterance_id: str
    heard_best: str | None
    """The board that heard it best; None: the one that has this answer."""


class Partial(msgspec.Struct, frozen=True):
    """A transcript while the person still speaks."""

    stable_text: str
    unstable_text: str

    @property
    def text(self) -> str:
        return f"{self.stable_text} {self.unstable_text}".strip()


class Answer(msgspec.Struct, frozen=True):
    """What one recogniser makes of an utterance. Fields as in Final of protos/speech.proto."""

    path: Path
    transcript: str = ""
    confidence: float | None = None
    alternatives: tuple[Alternative, ...] = ()
    words: tuple[Word, ...] = ()
    intent: str | None = None
    intent_confidence: float | None = None
    slots: dict[str, str] = {}
    """From a slot's name to the words of its value."""
    values: dict[str, str] = {}
    """From a slot's name to its value in one form, such as "20 oz" for "twenty ounce"."""
    action: str | None = None
    """What the board may do, with the values."""
    response: str | None = None
    """What may be said in answer."""
    choices: tuple[Choice, ...] = ()
    """Two things that may have been meant, or none."""
    results: tuple[Result, ...] = ()
    results_are_partial: bool = False
    engine: str | None = None
    model: str | None = None
    domain: str | None = None
    domain_version: str | None = None
    service_version: str | None = None
    waiting_ms: int | None = None
    decoding_ms: int | None = None
    searching_ms: int | None = None
    from_log: bool = False
    not_logged: bool = False
    explanation: tuple[str, ...] = ()
    """Why this answer and no other, where that was asked for."""
    twin: Twin | None = None
    """Where another board of the group was answered first: what is asked for is done there."""
    why_not_better: str | None = None
    """Why no better path answered, a sentence; None when the best one did."""

    @property
    def settles(self) -> bool:
        """Whether the utterance need not be kept any more: the best service has answered it, and has written that
        down."""
        return self.path != "none" and self.why_not_better is None and not self.not_logged
