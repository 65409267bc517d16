import numpy as np
import pytest

from edge.sound.source import BLOCK_SAMPLES, Cutter, rechunk


@pytest.mark.parametrize("lengths", [[], [0], [1], [320], [321], [319, 1], [960], [100, 0, 1000, 7], [5000, 5000]])
def test_blocks_hold_all_samples_in_order_and_only_the_last_is_filled_up(lengths: list[int]) -> None:
    sound = np.arange(1, sum(lengths) + 1, dtype=np.int16)
    stretches = np.split(sound, np.cumsum(lengths)[:-1]) if lengths else []

    blocks = list(rechunk(stretches))

    assert all(block.shape == (BLOCK_SAMPLES,) and block.dtype == np.int16 for block in blocks)
    assert len(blocks) == -(-sound.size // BLOCK_SAMPLES)
    joined = np.concatenate(blocks) if blocks else sound
    np.testing.assert_array_equal(joined[: sound.size], sound)
    assert not joined[sound.size :].any()


def test_a_stretch_may_be_overwritten_after_it_was_pushed() -> None:
    cutter = Cutter()
    stretch = np.full(100, 7, np.int16)
    assert list(cutter.push(stretch)) == []
    stretch.fill(0)
    (block,) = cutter.flush()
    assert np.count_nonzero(block == 7) == 100
    assert list(cutter.flush()) == []
