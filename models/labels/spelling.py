"""Words that can be spelt in two right ways."""

from models.labels.definition import Definition, pairs
from models.labels.spelling_pairs import AMBIGUOUS, AMBIGUOUS_BRITISH, british_to_american
from models.labels.writing import WORD

IN_DOUBT = frozenset({"program", "programs"})
"""On a radio it is a programme, on a computer it is not."""


class SpellingConvention:
    """British or American, and pairs of the project's own."""

    name = "spelling"

    def __init__(self, definition: Definition) -> None:
        english = definition.spelling.english
        self._british = {word: other for word, other in british_to_american().items() if word not in AMBIGUOUS_BRITISH}
        self._american = {other: word for word, other in british_to_american().items() if other not in AMBIGUOUS}
        self._wanted = {"british": self._american, "american": self._british, "free": {}}[english]
        self._own = pairs(definition.spelling.pairs)
        # The project's own pairs have the last word.
        self._wanted = {**self._wanted, **self._own}
        for wanted in self._own.values():
            self._wanted.pop(wanted, None)
        self._in_doubt = IN_DOUBT - self._wanted.keys() if english == "british" else frozenset()
        self._looked_for = self._wanted.keys() | self._in_doubt
        spelling = "as one likes" if english == "free" else f"in {english.capitalize()} English"
        self.agreed = f"words are spelt {spelling}" + (f"; {', '.join(definition.spelling.pairs)}" if self._own else "")

    def ways(self, text: str) -> list[str]:
        found = []
        for word in text.lower().split():
            word = word.strip(".,!?…;:\"'()")
            if word in self._british:
                found.append("British")
            elif word in self._american:
                found.append("American")
            elif word in self._own:
                found.append(f'"{word}"')
        return found

    def conform(self, text: str) -> str | None:
        if not any(word.strip(".,!?…;:\"'()").lower().removesuffix("'s") in self._looked_for for word in text.split()):
            return text
        if self._in_doubt and any(word.lower() in self._in_doubt for word in WORD.findall(text)):
            return None
        return WORD.sub(lambda match: self._spelt(match[0]), text)

    def _spelt(self, word: str) -> str:
        stem, apostrophe, tail = word.partition("'")
        wanted = self._wanted.get(stem.lower())
        if wanted is None:
            return word
        cased = wanted.upper() if stem.isupper() else wanted.capitalize() if stem[0].isupper() else wanted
        return cased + apostrophe + tail
