"""Clips by which a board tries a model: commands, other sentences and noise, which come with the program.

Read where a model is tried, and given up after it: made by models/tables/self_test_clips.py.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge.models.utterances import Utterance
from protos.feature_spec import FeatureSpec

CLIPS_FILE = Path(__file__).with_name("clips.npz")


class Clip(NamedTuple):
    """One."""

    text: str
    """What is said; empty: nothing is."""
    said: Utterance


def clips(spec: FeatureSpec) -> tuple[Clip, ...]:
    """All of them; none where the board has features of another kind."""
    with np.load(CLIPS_FILE) as file:
        if str(file["fingerprint"]) != spec.fingerprint:
            return ()
        ends = np.cumsum(file["frames"])
        stretches = np.split(file["levels"], ends[:-1])
        return tuple(
            Clip(str(text), Utterance(levels.tobytes(), int(speech_ms)))
            for text, levels, speech_ms in zip(file["texts"], stretches, file["speech_ms"], strict=True)
        )
