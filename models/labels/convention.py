"""A convention: one thing that can be written in several ways, of which the definition names one."""

from collections.abc import Sequence
from typing import Protocol

from models.labels.contractions import ContractionConvention
from models.labels.definition import Definition
from models.labels.fillers import FillerConvention
from models.labels.letter_case import CaseConvention
from models.labels.marks import NoiseConvention, UnclearConvention
from models.labels.numbers import NumberConvention
from models.labels.punctuation import PunctuationConvention
from models.labels.spelling import SpellingConvention
from models.labels.usage import Usage


class Convention(Protocol):
    """What the parts of the table below have in common."""

    name: str
    """Of its section in the definition."""
    agreed: str
    """What is agreed, as the end of "against the agreement: …"."""

    def ways(self, text: str) -> Sequence[str]:
        """The ways of writing that are used in this text."""

    def conform(self, text: str) -> str | None:
        """The text under the agreement; itself if nothing breaks it; None if only a person can tell."""


def conventions(definition: Definition, usage: Usage) -> tuple[Convention, ...]:
    """All of them, in the order in which they are applied: later ones see what earlier ones have put right."""
    return (
        UnclearConvention(definition),
        NoiseConvention(definition),
        ContractionConvention(definition),
        SpellingConvention(definition),
        NumberConvention(definition),
        FillerConvention(definition),
        PunctuationConvention(definition, usage),
        CaseConvention(definition, usage),
    )
