"""What cells are judged by: the tuning part as recorded, over noise, at other levels; each made once for all cells."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.local.model import Model
from models.ablation.plan import Plan
from models.data import mixing
from models.data.clip import Clip
from models.data.mixing import Sound
from models.training.examples import frames, read, windowed
from protos.feature_spec import DEFAULT_SPEC

AS_RECORDED = "as recorded"
SEED = 5
"""Of the noise that a clip is heard in: the same for every cell."""


class Judges(NamedTuple):
    """Windows of each condition, and what is said in them."""

    levels: dict[str, npt.NDArray[np.int8]]
    """By condition, (clips, frames, bands)."""
    labels: npt.NDArray[np.int64]
    """By number."""

    @property
    def digest(self) -> str:
        """Of all of it."""
        digest = hashlib.sha256(self.labels.tobytes())
        for name, levels in self.levels.items():
            digest.update(name.encode() + levels.tobytes())
        return digest.hexdigest()

    def errors(self, folder: Path) -> dict[str, list[bool]]:
        """Of a model, by the board's own interpreter: whether it is wrong, by condition and clip."""
        model = Model(folder, DEFAULT_SPEC)
        heard = {
            name: np.array([model.probabilities(window, 1)[0].argmax() for window in levels])
            for name, levels in self.levels.items()
        }
        return {name: (said != self.labels).tolist() for name, said in heard.items()}


def judges(clips: Sequence[Clip], labels: Sequence[int], folder: Path, plan: Plan, noises: Sequence[Sound]) -> Judges:
    """Of these clips, each with its label's number; `noises` are none that a cell has learnt from."""
    frames_of_window = plan.cells[0].recipe.window_frames
    windows: dict[str, list[npt.NDArray[np.int8]]] = {}
    for clip in clips:
        for name, sound in _heard(clip, folder, plan, noises):
            windows.setdefault(name, []).append(windowed(frames(sound), frames_of_window))
    return Judges({name: np.stack(some) for name, some in windows.items()}, np.array(labels, np.int64))


def _heard(clip: Clip, folder: Path, plan: Plan, noises: Sequence[Sound]) -> Iterator[tuple[str, Sound]]:
    """A clip under every condition."""
    sound = read(clip, folder)
    yield AS_RECORDED, sound
    name = hashlib.blake2b(f"{clip.path} {clip.start_ms}".encode(), digest_size=8).digest()
    for snr_db in plan.snr_db:
        draw = np.random.default_rng((SEED, int.from_bytes(name)))
        noise = noises[int(draw.integers(len(noises)))]
        yield f"{snr_db:g} dB SNR", mixing.with_noise(sound, noise, snr_db, draw)
    for dbfs in plan.level_dbfs:
        yield f"{dbfs:g} dBFS", mixing.at_level(sound, dbfs)
