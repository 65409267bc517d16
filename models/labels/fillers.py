"""Um, uh, er: whether they are written, how they are spelt, and what stands after them."""

import re

from models.labels.definition import Definition, pairs
from models.labels.writing import ELLIPSIS, MARK, begins_sentence, capitalised, tidy

AGREED = {
    "comma": 'a filler is followed by a comma, as in "Um, hello"',
    "ellipsis": 'a filler is followed by an ellipsis, as in "Um… hello"',
    "bare": 'a filler has no mark after it, as in "Um hello"',
    "drop": "fillers are not written, even where they are said",
    "free": "fillers are written as one likes",
}


class FillerConvention:
    """The filler's own marks are its business, so an ellipsis after it is no matter of punctuation."""

    name = "fillers"

    def __init__(self, definition: Definition) -> None:
        self._write = definition.fillers.write
        self._spellings = pairs(definition.fillers.spellings)
        self._wanted = {word.lower() for word in definition.fillers.words}
        self._ellipsis = "..." if definition.punctuation.ellipsis == "..." else "…"
        self.agreed = AGREED[self._write]
        known = sorted(self._wanted | self._spellings.keys(), key=len, reverse=True)
        # Nothing that is taken is given back, or a run of marks is tried in each way that it can be taken apart.
        mark = rf"(?:,|{ELLIPSIS}|(?:(?<=\s)|\s)[-–—](?=\s))"
        self._any = re.compile(rf"\b(?:{'|'.join(map(re.escape, known)) or '(?!)'})\b", re.IGNORECASE)
        self._pattern = re.compile(
            rf"(?P<before>\s*+{mark}*+\s*+)(?<![\w'’-])(?P<word>{'|'.join(map(re.escape, known)) or '(?!)'})"
            rf"(?![\w'’-])(?P<after>\s*+{mark}*+)(?P<space>\s*)",
            re.IGNORECASE,
        )

    def ways(self, text: str) -> list[str]:
        found = []
        for match in self._matches(text):
            own = match["after"].strip() or (match["before"].strip() if self._is_last(text, match) else "")
            last_bare = self._is_last(text, match) and not own
            found.append("comma" if own == "," or last_bare else "bare" if not own else "ellipsis")
            if match["word"].lower() not in self._wanted:
                found.append(f'spelt "{match["word"].lower()}"')
        return found or ["not written"]

    def conform(self, text: str) -> str:
        if self._write == "free":
            return text
        parts, done = [], 0
        for match in self._matches(text):
            parts += [text[done : match.start()], self._rewritten(text, match)]
            done = match.end()
        if not parts:
            return text
        rest = text[done:]
        if self._write == "drop":
            return self._without(text, "".join(parts) + rest)
        return "".join(parts) + rest

    def strip(self, text: str) -> str:
        """The text without any filler: what is left is what was meant."""
        return tidy(self._pattern.sub(" ", text))

    def contains(self, text: str) -> bool:
        return bool(self._matches(text))

    def _matches(self, text: str) -> list[re.Match[str]]:
        if not self._any.search(text):
            return []
        large = text.isupper()
        return [
            match
            for match in self._pattern.finditer(text)
            # "ER" is a place, "5 mm" a length.
            if (large or not match["word"].isupper() or len(match["word"]) == 1)
            and not text[: match.start("word")].rstrip()[-1:].isdigit()
        ]

    def _rewritten(self, text: str, match: re.Match[str]) -> str:
        """The filler with what stands before and after it, as agreed."""
        word = self._spellings.get(match["word"].lower(), match["word"].lower())
        word = word.upper() if match["word"].isupper() else capitalised(word) if match["word"][0].isupper() else word
        first, last = begins_sentence(text, match.start("word")), self._is_last(text, match)
        lead = match["before"] if first else " "
        if self._write == "drop":
            return lead if first else " "
        if self._write == "bare":
            return lead + word + ("" if last else " ")
        if self._write == "ellipsis":
            mark = "" if last and text[match.end() :][:1] in tuple("?!") else self._ellipsis
            return lead + word + mark + ("" if last else " ")
        return ("" if first else ",") + lead + word + ("" if last else ", ")

    def _is_last(self, text: str, match: re.Match[str]) -> bool:
        return not re.search(r"\w", MARK.sub("", text[match.end() :]))

    def _without(self, before: str, text: str) -> str:
        text = tidy(text)
        return capitalised(text) if before.lstrip()[:1].isupper() else text
