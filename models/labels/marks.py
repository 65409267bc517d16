"""What stands in a text where there is no word: speech that nobody understood, other languages, noises."""

import re
from collections.abc import Iterator

from models.labels.definition import Definition
from models.labels.writing import capitalised, listed, marks_in, tidy, without_marks

UNINTELLIGIBLE = frozenset(
    listed(
        "unintelligible|inaudible|unclear|indistinct|incomprehensible|unk|unknown|?|??|???|***|xxx|mumbling|"
        "mumbles|garbled|not clear|cannot hear|illegible|crosstalk|spn|___",
        "|",
    )
)
FOREIGN = frozenset(
    listed(
        "foreign|foreign speech|foreign language|speaking foreign language|other language|another language|"
        "non-english|non english|spanish|french|german|speaks french|speaks german|speaks spanish|lang|"
        "other lang",
        "|",
    )
)
NOISES = {
    "laughter": "laughter|laughs|laugh|laughing|chuckles|chuckle|giggles|lol|lg",
    "cough": "cough|coughs|coughing|clears throat|throat|throat clearing|cg",
    "breath": "breath|breathing|breathes|inhales|exhales|sigh|sighs|br|sniff|sniffs",
    "noise": "noise|noises|background noise|nsn|music|applause|bang|door|click|clicks|beep|static|silence|sil|ls|nse|"
    "knocking|ringing|phone rings|barking|traffic",
}
KIND = {word: kind for kind, known in NOISES.items() for word in known.split("|")}


class UnclearConvention:
    """One mark for what nobody understood, one for other languages."""

    name = "unclear"

    def __init__(self, definition: Definition) -> None:
        self._unintelligible, self._foreign = definition.unclear.unintelligible, definition.unclear.foreign
        self._noises = definition.noises.marks
        self.agreed = f'speech that nobody understands is written "{self._unintelligible}", foreign "{self._foreign}"'

    def ways(self, text: str) -> list[str]:
        return [found for found, wanted in self._found(text) if wanted]

    def conform(self, text: str) -> str | None:
        changed = text
        for found, wanted in self._found(text):
            if not wanted:
                return None
            changed = changed.replace(found, wanted, 1) if found != wanted else changed
        return changed

    def _found(self, text: str) -> Iterator[tuple[str, str]]:
        """Marks with what should stand there; nothing: that is no mark that anybody agreed on."""
        for match in marks_in(text):
            mark, inside = match[0], _inside(match[0])
            if mark in (self._unintelligible, self._foreign, *self._noises) or inside in KIND:
                if mark in (self._unintelligible, self._foreign):
                    yield mark, mark
            elif inside in UNINTELLIGIBLE:
                yield mark, self._unintelligible
            elif inside in FOREIGN:
                yield mark, self._foreign
            else:
                yield mark, ""


class NoiseConvention:
    """Noises beside the speech: marked, or left to the sound alone."""

    name = "noises"

    def __init__(self, definition: Definition) -> None:
        self._write, self._marks = definition.noises.write, definition.noises.marks
        written = "written " + " ".join(self._marks) if self._write == "mark" else "not written"
        self.agreed = "noises are written as one likes" if self._write == "free" else f"noises are {written}"

    def ways(self, text: str) -> list[str]:
        found = [match[0] for match in marks_in(text) if self._is_noise(match[0])]
        return found or ["none written"]

    def conform(self, text: str) -> str | None:
        found = [match for match in marks_in(text) if self._is_noise(match[0])]
        if self._write == "free" or not found:
            return text
        if self._write == "drop":
            left = text
            for match in reversed(found):
                left = left[: match.start()] + " " + left[match.end() :]
            left = re.sub(r"^[\s,.]+", "", tidy(left))
            # A clip of nothing but a noise is for a person: it may be no speech at all.
            return (capitalised(left) if _begins_large(text) else left) or None
        changed = text
        for match in reversed(found):
            if (mark := self._mark_for(match[0])) is None:
                return None
            changed = changed[: match.start()] + mark + changed[match.end() :]
        return changed

    def _is_noise(self, mark: str) -> bool:
        return mark in self._marks or _inside(mark) in KIND

    def _mark_for(self, mark: str) -> str | None:
        if mark in self._marks:
            return mark
        return next((known for known in self._marks if _inside(known) == KIND.get(_inside(mark))), None)


def _inside(mark: str) -> str:
    inside = mark.strip("[]<>(){}* ").strip().lower().replace("_", " ")
    return inside or mark.strip()[:3]


def _begins_large(text: str) -> bool:
    letters = [letter for letter in without_marks(text) if letter.isalpha()]
    return bool(letters) and letters[0].isupper()
