"""Other ways to guess a pronunciation, in the model's phones: espeak-ng and g2p_en; each None where it is not there."""

from collections.abc import Callable, Sequence

from cloud.pronouncing.espeak import Espeak
from cloud.pronouncing.phones import NUMBERS, Phones, numbers

Peer = Callable[[Sequence[str]], list[Phones]]


def peers() -> dict[str, Peer]:
    """Those that are installed here."""
    found: dict[str, Peer] = {}
    if Espeak.installed():
        found["espeak-ng, its phonemes mapped"] = Espeak().guess
    if (g2p_en := _g2p_en()) is not None:
        found["g2p_en (has learnt these words)"] = g2p_en
    return found


def _g2p_en() -> Peer | None:
    """Park and Kim's network; 3 MB, and NLTK, whose data it would fetch for words in sentences."""
    try:
        import nltk
    except ImportError:
        return None
    kept = nltk.data.find
    nltk.data.find = lambda *_: None
    try:
        from g2p_en import g2p
    except ImportError:
        return None
    finally:
        nltk.data.find = kept
    # Its constructor reads NLTK's copy of the dictionary, which no word that is guessed needs.
    g2p.cmudict = type("None", (), {"dict": dict})
    network = g2p.G2p()

    def guess(words: Sequence[str]) -> list[Phones]:
        said = ([phone.rstrip("012") for phone in network.predict(word)] for word in words)
        return [numbers(phone for phone in its if phone in NUMBERS) for its in said]

    return guess
