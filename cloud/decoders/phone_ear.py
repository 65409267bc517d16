"""Which phones were heard at each position of what Whisper's encoder made of the sound.

Whisper writes words that it knows; its encoder hears more than those. A small network reads phones off the encoder's
output, trained as Graves et al. 2006, "Connectionist Temporal Classification": at most positions it says that nothing
new began. `models/tables/phone_ear.py` makes it; it fits the one model whose encoder it learnt from.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cloud.pronouncing.phones import NAMES, SILENCE

Floats = npt.NDArray[np.float32]

FOLDER = Path(__file__).parent
NOTHING_NEW = SILENCE
"""The class of positions where no phone begins."""


class PhoneEar:
    """The network's weights. ValueError if they are none."""

    def __init__(self, file: Path) -> None:
        with np.load(file) as kept:
            weights = [kept[f"arr_{number}"].astype(np.float32) for number in range(len(kept.files))]
        self._layers = list(zip(weights[::2], weights[1::2], strict=True))
        if not self._layers or self._layers[-1][0].shape[-1] != len(NAMES):
            raise ValueError(f"{file} holds no network that hears phones")

    def hear(self, encoded: Floats) -> Floats:
        """(positions, width) of the encoder as (positions, phones): how likely each phone begins there, natural
        logarithms; at NOTHING_NEW, that none does."""
        (first, its_bias), *around, (last, last_bias) = self._layers
        x = np.maximum(encoded @ first + its_bias, 0)
        for kernel, bias in around:
            x = x + np.maximum(_convolved(x, kernel) + bias, 0)
        x = x @ last + last_bias
        x = x - x.max(axis=1, keepdims=True)
        heard: Floats = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
        return heard


@lru_cache(2)
def phone_ear(model: str) -> PhoneEar | None:
    """The one for Whisper's weights of that name; None: there is none."""
    file = FOLDER / f"phones-{model}.npz"
    return PhoneEar(file) if file.is_file() else None


def _convolved(x: Floats, kernel: Floats) -> Floats:
    """(positions, in) by (places, in, out), as many positions as before."""
    places = len(kernel)
    padded = np.pad(x, ((places // 2, places // 2), (0, 0)))
    beside = np.concatenate([padded[place : place + len(x)] for place in range(places)], axis=1)
    y: Floats = beside @ kernel.reshape(-1, kernel.shape[2])
    return y
