"""A set's texts under the definition: step by step what puts each right."""

from collections.abc import Iterable
from typing import NamedTuple

from models.data.manifest import Manifest
from models.labels.characters import cleaned
from models.labels.convention import conventions
from models.labels.definition import Definition
from models.labels.fillers import FillerConvention
from models.labels.usage import usage_of
from models.labels.writing import tidy

CHARACTERS = "characters"
"""The first step: what is odd in a text would hide everything else."""


class Step(NamedTuple):
    """Something in a text that breaks the agreement."""

    name: str
    """Of the convention, or CHARACTERS."""
    before: str
    after: str | None
    """None: only a person can tell."""


class Agreement:
    """The definition, applied to the texts of one set: what the set itself tells (names, questions) is part of it."""

    def __init__(self, definition: Definition, texts: Iterable[str]) -> None:
        self.usage = usage_of(texts)
        self.conventions = conventions(definition, self.usage)
        self.fillers = FillerConvention(definition)
        self._steps: dict[str, tuple[Step, ...]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Of all steps, in their order."""
        return (CHARACTERS, *(convention.name for convention in self.conventions))

    def steps(self, text: str) -> tuple[Step, ...]:
        """What breaks the agreement, each step seeing what the ones before have put right."""
        if (known := self._steps.get(text)) is None:
            known = self._steps[text] = tuple(self._broken(text))
        return known

    def final(self, text: str) -> str:
        """The text as it should be, as far as that needs no person."""
        return next((step.after for step in reversed(self.steps(text)) if step.after is not None), text)

    def by(self, name: str, text: str) -> str | None:
        """The text with this step alone; None if only a person can tell."""
        if name == CHARACTERS:
            return cleaned(text)
        return next(convention for convention in self.conventions if convention.name == name).conform(text)

    def meant(self, text: str) -> str:
        """What is left of the final text without fillers and capitals: equal for labels of the same meaning."""
        return tidy(self.fillers.strip(self.final(text))).casefold()

    def _broken(self, text: str) -> Iterable[Step]:
        after = cleaned(text)
        if after != text:
            yield Step(CHARACTERS, text, after)
        text = text if after is None else after
        for convention in self.conventions:
            after = convention.conform(text)
            if after != text:
                yield Step(convention.name, text, after)
                text = text if after is None else after


_latest: tuple[Manifest, Definition, Agreement] | None = None


def agreement_on(manifest: Manifest, definition: Definition) -> Agreement:
    """The agreement for a manifest's texts. The latest is kept, since several checks ask for the same one."""
    global _latest
    if _latest is None or _latest[0] is not manifest or _latest[1] is not definition:
        spoken = [clip.text for clip in manifest.clips if clip.text and clip.text.strip()]
        _latest = (manifest, definition, Agreement(definition, spoken))
    return _latest[2]
