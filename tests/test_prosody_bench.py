"""The short form of `scripts/bench prosody`, on synthetic speech."""

import numpy as np

from benchmarks.prosody import EARLY_BLOCKS, cues, pauses
from benchmarks.scenes import SPEECH_DBFS, Trimmed, scene
from tests.conftest import Speech
from tests.test_endpoints import clips


def test_inner_pauses_and_ends_are_told_apart(speech: Speech) -> None:
    some = clips(speech)[:3]
    # A clip with a pause of 0.4 s in its middle: the same twice.
    first = some[0]
    twice = Trimmed(np.concatenate([first.sound, first.sound]), first.start, len(first.sound) + first.end)
    found = list(pauses(scene([twice, *some[1:]], SPEECH_DBFS, None, 0, np.random.default_rng(1))))
    assert sum(not pause.is_inner for pause in found) == 3
    inner = [pause for pause in found if pause.is_inner]
    assert inner
    assert all(EARLY_BLOCKS <= pause.blocks < 35 for pause in inner)
    assert all(len(scores) == len(found) for scores in cues(found).values())
