"""What is said of an answer, and what of a text can be spoken at all."""

import re
from typing import Literal

from common.plain_text import plain
from edge.asking.answer import Answer

CHARACTERS_MAX = 500
"""Half a minute."""

Says = Literal["response", "title", "snippet"]
"""As in the settings."""


def spoken(answer: Answer, says: Says) -> str:
    """What is said aloud: the domain's response, else a question back, else what was found first as far as `says` goes;
    empty: nothing."""
    if answer.response:
        return answer.response
    if len(answer.choices) > 1:
        return f"Did you mean {answer.choices[0].transcript}, or {answer.choices[1].transcript}?"
    if not answer.results or says == "response":
        return ""
    first = answer.results[0]
    return first.title if says == "title" else first.snippet or first.title


def speakable(text: str) -> str:
    """One line of at most CHARACTERS_MAX, cut between words; without control characters, and without the brackets in
    which espeak-ng takes its own phonemes."""
    line = " ".join(re.sub(r"[\[\]]", " ", plain(text)).split())
    if len(line) <= CHARACTERS_MAX:
        return line
    return line[: CHARACTERS_MAX + 1].rpartition(" ")[0] or line[:CHARACTERS_MAX]
