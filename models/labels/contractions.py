"""Contractions: "don't", with an apostrophe that a keyboard has, and in one piece."""

import re

from models.labels.definition import Definition
from models.labels.writing import listed

APOSTROPHES = "’ʼ`´"
BARE = {
    bare.replace("'", ""): bare
    for bare in listed(
        "don't doesn't didn't can't couldn't wouldn't shouldn't isn't aren't wasn't weren't hasn't haven't "
        "hadn't mustn't needn't mightn't i'm i've you're you've you'll they're they've they'll we've that's "
        "that'll there's what's where's who's how's when's here's it'll she's he's you'd they'd who'll "
        "what'll"
    )
}
"""Without its apostrophe each is no other word, unlike "its", "well", "ill", "cant" and "wont"."""
BARE |= {"wont": "won't", "lets": "let's", "id": "i'd", "whatre": "what're", "howd": "how'd"}
SURE_NEXT = {
    "id": frozenset({"like", "love", "rather", "prefer", "be", "say"}),
    "wont": None,
    "lets": frozenset(listed("go see get have do play make try start be hear take look find")),
}
"""Rare words by themselves: contractions only before these; None: always."""

SHORT = re.compile(
    r"\b(?:(?P<not>ca|wo|sha|[a-z]+)n't|(?P<pronoun>i|you|he|she|it|we|they|that|there|what|where|who|how|here|let)"
    r"'(?P<tail>m|re|ve|ll|s|d))\b",
    re.IGNORECASE,
)
TAILS = {"m": "am", "re": "are", "ve": "have", "ll": "will"}
NOT = {"ca": "can", "wo": "will", "sha": "shall", "ai": ""}
PARTICIPLE = re.compile(r"\s+(?:been|got|had|gone|become|[a-z]+ed)\b", re.IGNORECASE)
LONG = re.compile(
    r"\b(?:(?:do|does|did|could|would|should|is|are|was|were|has|have|had|will) not|cannot|(?:what|where|who|how|that|"
    r"it|he|she|there|here) is|i am|(?:you|we|they) are|(?:i|you|we|they|he|she|it) will|(?:i|you|we|they) have)\b",
    re.IGNORECASE,
)
CURVED = re.compile(rf"(?<=\w)[{APOSTROPHES}](?=\w)|(?<=s)[{APOSTROPHES}](?=\s)")
SPLIT = re.compile(
    r"\b(\w+) (n't|'(?:s|re|ve|ll|m|d))\b|\b(do|does|did|is|are|was|were|ca|wo|could|would) n['’]t\b", re.I
)
WORD = re.compile(rf"(?<!['’\w])(?:{'|'.join(BARE)})(?!['’\w])", re.IGNORECASE)


class ContractionConvention:
    """Whether a short form was said only the sound can tell: as_spoken puts right how it is written, no more."""

    name = "contractions"

    def __init__(self, definition: Definition) -> None:
        self._write = definition.contractions.write
        self.agreed = {
            "as_spoken": 'contractions are written as they are spoken, as in "don\'t"',
            "expanded": 'contractions are written in full, as in "do not"',
            "free": "contractions are written as one likes",
        }[self._write]

    def ways(self, text: str) -> list[str]:
        curved = (not text.isascii() or "`" in text) and any(character in text for character in APOSTROPHES)
        plain = text.translate(_STRAIGHT) if curved else text
        found = ["contracted"] * ("'" in plain and bool(SHORT.search(plain)))
        found += ["in full"] * bool(LONG.search(text)) + ["curved apostrophe"] * curved
        return found + ["no apostrophe"] * any(_bare(match) for match in WORD.finditer(text))

    def conform(self, text: str) -> str | None:
        if self._write == "free":
            return text
        put_right = CURVED.sub("'", text) if not text.isascii() or "`" in text else text
        if " " in put_right and "'" in put_right:
            put_right = SPLIT.sub(lambda match: match[0].replace(" ", ""), put_right)
        put_right = WORD.sub(lambda match: _bare(match) or match[0], put_right)
        return put_right if self._write == "as_spoken" else _in_full(put_right)


_STRAIGHT = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))


def _bare(match: re.Match[str]) -> str | None:
    """The word with the apostrophe that it lacks; None: it lacks none."""
    word = match[0]
    wanted = BARE.get(word.lower())
    if wanted is None:
        return None
    if (after := SURE_NEXT.get(word.lower())) is not None:
        next_word = match.string[match.end() :].split(maxsplit=1)[:1]
        if not next_word or next_word[0].strip(".,!?").lower() not in after:
            return None
    return (
        wanted.upper()
        if word.isupper() and len(word) > 1
        else wanted[0].upper() + wanted[1:]
        if word[0].isupper()
        else wanted
    )


def _in_full(text: str) -> str | None:
    parts, done = [], 0
    for match in SHORT.finditer(text):
        if (full := _expanded(match)) is None:
            return None
        parts += [text[done : match.start()], full]
        done = match.end()
    return "".join([*parts, text[done:]])


def _expanded(match: re.Match[str]) -> str | None:
    """One in full; None where that depends on what was meant ("he'd", "it's been")."""
    large = match[0].isupper() and len(match[0]) > 3
    if match["not"] is not None:
        stem = match["not"]
        if stem.lower() == "ai":
            return None
        stem = NOT.get(stem.lower(), stem)
        stem = stem.capitalize() if match[0][0].isupper() and stem.islower() else stem
        return f"{stem} NOT" if large else f"{stem} not"
    tail = match["tail"].lower()
    if tail == "d" or (tail == "s" and PARTICIPLE.match(match.string, match.end())):
        return None
    full = "us" if match["pronoun"].lower() == "let" else TAILS.get(tail, "is")
    if match["pronoun"].lower() == "let" and tail != "s":
        return None
    return f"{match['pronoun']} {full.upper() if large else full}"
