"""What speaks against what Whisper read. Pure; the thresholds are measured (see each)."""

import re
import zlib
from difflib import SequenceMatcher
from typing import NamedTuple

NO_SPEECH_SURE = 0.3
LOG_PROBABILITY_SURE = -0.7
"""A reading in a short window is believed within these two. Noise that gave words never was: its no-speech probability
was 0.44 or more. Retrying the others in the whole window: 67 of 101 one-second words right became 78."""

NO_SPEECH_MAX = 0.6
"""In the whole window: words out of noise had 0.63 or more, 1 of 78 right one-second words did."""

LOG_PROBABILITY_MIN = -1.0
"""As in OpenAI's own decoding."""

COMPRESSION_MAX = 2.4
"""As in OpenAI's own decoding: length over deflated length."""

GHOST_NO_SPEECH_MAX = 0.3
GHOST_LOG_PROBABILITY_MIN = -0.9
"""A ghost phrase needs stronger evidence than other words."""

GHOSTS = frozenset(
    {
        *("ah", "and", "bye", "bye bye", "good", "hmm", "i", "mm", "oh", "okay", "so", "the", "you", "you you"),
        *("thank you", "thank you very much", "thank you so much", "thank you for watching", "thank you for listening"),
        *("thanks", "thanks for watching", "thanks for listening", "please subscribe", "see you next time"),
        *("i'll see you next time", "see you in the next video", "we'll be right back", "all right"),
    }
)
"""What Whisper, trained on subtitles of films and videos, makes of noise."""

ECHO_WORDS_MIN = 6
ECHO_LIKENESS = 0.75
"""Halves of a reading that are echoes: so many of their words are the same, in the same order. No half of 100 sentences
was so like the other."""

_REPEATED = re.compile(r"\b([\w']+(?: [\w']+){0,5})(?: \1){2}\b")


class Reading(NamedTuple):
    """What Whisper made of a stretch of frames."""

    text: str
    tokens: int
    tokens_max: int
    """Decoding stops there; speech does not fill it."""
    log_probability: float
    """Mean of the tokens, natural logarithm."""
    no_speech: float
    """Probability that nobody speaks, Whisper's own."""

    @property
    def words(self) -> str:
        """The text in lower case without stops."""
        return " ".join(re.findall(r"[\w']+", self.text.lower()))


def is_settled(reading: Reading) -> bool:
    """Whether listening in a longer window can be saved: surely words, or surely none."""
    if not reading.words:
        return reading.no_speech > NO_SPEECH_MAX
    sure = reading.no_speech <= NO_SPEECH_SURE and reading.log_probability >= LOG_PROBABILITY_SURE
    return sure and not doubts(reading) and not is_echo(reading.words)


def doubts(reading: Reading) -> tuple[str, ...]:
    """Names of the guards that object."""
    if not reading.words:
        return ("no_speech",)
    objections = {
        "no_speech": reading.no_speech > NO_SPEECH_MAX,
        "ghost": reading.words in GHOSTS and _is_weak(reading),
        "length": reading.tokens >= reading.tokens_max,
        "repetition": _is_repeated(reading.words),
        "log_probability": reading.log_probability < LOG_PROBABILITY_MIN,
    }
    return tuple(name for name, objects in objections.items() if objects)


def is_echo(words: str) -> bool:
    """Whether a reading says about the same twice: what a short window makes of one sentence now and then, and people
    hardly ever say."""
    said = words.split()
    middles = range(len(said) // 2 - 1, len(said) // 2 + 2) if len(said) >= ECHO_WORDS_MIN else ()
    return any(SequenceMatcher(None, said[:at], said[at:], autojunk=False).ratio() >= ECHO_LIKENESS for at in middles)


def _is_weak(reading: Reading) -> bool:
    return reading.no_speech > GHOST_NO_SPEECH_MAX or reading.log_probability < GHOST_LOG_PROBABILITY_MIN


def _is_repeated(words: str) -> bool:
    written = words.encode()
    return len(written) > COMPRESSION_MAX * len(zlib.compress(written)) or _REPEATED.search(words) is not None
