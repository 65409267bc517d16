"""Which clips are held out together: by speaker, so that no model is asked about a voice that it learnt."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from common.errors import DataError
from models.data.clip import SILENT_LABELS, Clip
from models.data.split import PATH, voice

Numbers = npt.NDArray[np.int64]

HELD_OUT = -1
"""The fold of those that no model learns from: all clips of whoever speaks in a test part."""


def folds(clips: Sequence[Clip], count: int, seed: str) -> Numbers:
    """A fold for each clip, (clips,), from 0, or HELD_OUT; about as many clips in each. DataError if there are fewer
    voices than folds."""
    voices = _voices(clips)
    kept = {name for clip, name in zip(clips, voices, strict=True) if clip.split == "test"}
    spoken = Counter(name for name in voices if name not in kept)
    if len(spoken) < count:
        raise DataError(
            f"{len(spoken)} speaker{'s' * (len(spoken) != 1)} outside of the test part are too few for {count} folds, "
            f"each of which holds out others{f': --folds {len(spoken)}' if len(spoken) > 1 else ''}."
        )
    # The largest first, so that the folds come out alike; of the same size by a hash, so that a seed draws otherwise.
    order = sorted(spoken, key=lambda name: (-spoken[name], _hash(name, seed)))
    sizes, fold_of = [0] * count, dict.fromkeys(kept, HELD_OUT)
    for name in order:
        fold_of[name] = sizes.index(min(sizes))
        sizes[fold_of[name]] += spoken[name]
    return np.array([fold_of[name] for name in voices], np.int64)


def _voices(clips: Sequence[Clip]) -> list[str]:
    """Whose each clip is. Of a "speaker" who is mostly silence, each recording stands for itself: a class that one of
    them had alone could never be held out and learnt, too."""
    by_path = {clip.path: clip for clip in clips}
    voices = [voice(clip, by_path) for clip in clips]
    silent: defaultdict[str, list[bool]] = defaultdict(list)
    for clip, name in zip(clips, voices, strict=True):
        silent[name].append(clip.label in SILENT_LABELS)
    nobody = {name for name, said in silent.items() if sum(said) > len(said) / 2}
    return [
        PATH + (clip.made_from or clip.path) if name in nobody else name
        for clip, name in zip(clips, voices, strict=True)
    ]


def _hash(name: str, seed: str) -> bytes:
    return hashlib.blake2b(f"{seed}\0{name}".encode(errors="surrogatepass")).digest()
