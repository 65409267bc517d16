"""The phones that pocketsphinx's model knows, how they are made, and how easily one is heard as another.

CMUdict's 39 phones of American English in ARPAbet without stress, and silence. A pronunciation is bytes, a number a
phone: small, a key of dictionaries, and an array by `numpy.frombuffer`.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Phones = bytes
"""A pronunciation: numbers of phones, places in NAMES."""
Costs = npt.NDArray[np.float32]


class Consonant(NamedTuple):
    """How it is made; places and manners by Kondrak 2000, "A New Algorithm for the Alignment of Phonetic Sequences"."""

    place: float
    """From the lips, 1, to the glottis, 0.1."""
    manner: float
    """How closed the mouth is: stop 1, affricate 0.9, fricative 0.8, approximant 0.6."""
    voiced: int = 0
    nasal: int = 0
    lateral: int = 0
    hissing: int = 0


class Vowel(NamedTuple):
    """Where the tongue is, from low 0 to high 1 and from back 0 to front 1; of a diphthong where it starts and ends."""

    high: float
    front: float
    rounded: float = 0
    rhotic: int = 0
    end_high: float | None = None
    end_front: float | None = None


# fmt: off
_MADE: dict[str, Consonant | Vowel] = {
    "AA": Vowel(0.0, 0.1), "AE": Vowel(0.1, 0.9), "AH": Vowel(0.5, 0.5), "AO": Vowel(0.2, 0.0, 0.5),
    "AW": Vowel(0.05, 0.5, 0.3, 0, 0.8, 0.1), "AY": Vowel(0.05, 0.4, 0, 0, 0.85, 0.9),
    "B": Consonant(1.0, 1.0, 1), "CH": Consonant(0.75, 0.9, hissing=1), "D": Consonant(0.85, 1.0, 1),
    "DH": Consonant(0.9, 0.8, 1), "EH": Vowel(0.4, 0.85), "ER": Vowel(0.5, 0.45, 0.2, 1),
    "EY": Vowel(0.55, 0.95, 0, 0, 0.9, 1.0), "F": Consonant(0.95, 0.8), "G": Consonant(0.6, 1.0, 1),
    "HH": Consonant(0.1, 0.75), "IH": Vowel(0.8, 0.8), "IY": Vowel(1.0, 1.0),
    "JH": Consonant(0.75, 0.9, 1, hissing=1), "K": Consonant(0.6, 1.0), "L": Consonant(0.85, 0.6, 1, lateral=1),
    "M": Consonant(1.0, 0.9, 1, 1), "N": Consonant(0.85, 0.9, 1, 1), "NG": Consonant(0.6, 0.9, 1, 1),
    "OW": Vowel(0.5, 0.1, 0.8, 0, 0.8, 0.0), "OY": Vowel(0.3, 0.0, 0.5, 0, 0.85, 0.9), "P": Consonant(1.0, 1.0),
    "R": Consonant(0.8, 0.6, 1), "S": Consonant(0.85, 0.8, hissing=1), "SH": Consonant(0.75, 0.8, hissing=1),
    "T": Consonant(0.85, 1.0), "TH": Consonant(0.9, 0.8), "UH": Vowel(0.8, 0.2, 0.5), "UW": Vowel(1.0, 0.15, 0.9),
    "V": Consonant(0.95, 0.8, 1), "W": Consonant(0.95, 0.55, 1), "Y": Consonant(0.7, 0.55, 1),
    "Z": Consonant(0.85, 0.8, 1, hissing=1), "ZH": Consonant(0.75, 0.8, 1, hissing=1),
}
# fmt: on
NAMES = (*_MADE, "SIL")
"""In the order of their numbers: the alphabet's, silence last."""
NUMBERS = {name: number for number, name in enumerate(NAMES)}
SILENCE = NUMBERS["SIL"]
VOWELS = frozenset(NUMBERS[name] for name, made in _MADE.items() if isinstance(made, Vowel))

CLASSES = ("AA AO AH UH OW UW AW", "AE EH IH IY EY AY OY ER", "B P", "D T", "G K", "CH JH SH ZH", "S Z", "F V TH DH",
           "M N NG", "L", "R", "W", "Y", "HH")  # fmt: skip
"""Phones that are heard as each other more than as others."""

_VOWEL_WEIGHTS = np.array([0.40, 0.30, 0.10, 0.25, 0.25, 0.15])
_CONSONANT_WEIGHTS = np.array([0.90, 1.10, 0.22, 0.25, 0.25, 0.15])
_LEAST, _MOST = 0.12, 1.0
_HALF_VOWELS = {("W", "UW"): 0.5, ("W", "OW"): 0.6, ("W", "UH"): 0.6, ("Y", "IY"): 0.45, ("Y", "IH"): 0.55,
                ("R", "ER"): 0.3, ("L", "OW"): 0.75, ("L", "AH"): 0.8}  # fmt: skip
_LEFT_OUT = {"AH": 0.5, "IH": 0.5, "UH": 0.6, "HH": 0.5, "T": 0.55, "D": 0.55, "Y": 0.5, "R": 0.6, "L": 0.65,
             "N": 0.65, "NG": 0.65, "G": 0.65, "W": 0.6, "DH": 0.55, "ER": 0.65, "SIL": 0.0}  # fmt: skip
_LEFT_OUT_USUALLY = 0.75


def numbers(names: str | Iterable[str]) -> Phones:
    """Of phones by their names, "HH AH L OW"; KeyError names one that is none."""
    return bytes(NUMBERS[name] for name in (names.split() if isinstance(names, str) else names))


def names(phones: Phones) -> str:
    """As the dictionary writes them: "HH AH L OW"."""
    return " ".join(NAMES[phone] for phone in phones)


def substitutions() -> Costs:
    """(40, 40) float32 from 0 to 1: how unlike two phones are by how they are made, the same either way round.

    The features are Kondrak's; the weights are chosen so that what English speakers and recognisers mix up (voicing
    alone, neighbouring vowels, F and TH, M and N) costs a third or less, and a vowel is no consonant.
    """
    costs = np.full((len(NAMES), len(NAMES)), _MOST, np.float32)
    for one, its in _MADE.items():
        for other, others in _MADE.items():
            if one == other:
                continue
            if isinstance(its, Vowel) and isinstance(others, Vowel):
                apart = float(_VOWEL_WEIGHTS @ np.abs(_tongue(its) - _tongue(others)))
            elif isinstance(its, Consonant) and isinstance(others, Consonant):
                apart = float(_CONSONANT_WEIGHTS @ np.abs(np.subtract(its, others)))
            else:
                apart = _HALF_VOWELS.get((one, other), _HALF_VOWELS.get((other, one), _MOST))
            costs[NUMBERS[one], NUMBERS[other]] = np.clip(apart, _LEAST, _MOST)
    np.fill_diagonal(costs, 0)
    return costs


def left_out() -> Costs:
    """(40,) float32: what it costs that a phone is heard where none was said, or the other way round."""
    return np.array([_LEFT_OUT.get(name, _LEFT_OUT_USUALLY) for name in NAMES], np.float32)


def _tongue(vowel: Vowel) -> npt.NDArray[np.float64]:
    high = vowel.high if vowel.end_high is None else vowel.end_high
    front = vowel.front if vowel.end_front is None else vowel.end_front
    return np.array([vowel.high, vowel.front, vowel.rounded, vowel.rhotic, high, front])


SUBSTITUTIONS = substitutions()
LEFT_OUT = left_out()
CLASS_OF = bytes(
    next((place for place, phones in enumerate(CLASSES) if name in phones.split()), len(CLASSES)) for name in NAMES
).ljust(256, bytes([len(CLASSES)]))
"""By a phone's number, which of CLASSES it is in; silence is a class of its own. As `bytes.translate` wants it."""
