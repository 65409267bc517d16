"""Batches to learn from, drawn anew each epoch: a version of each clip, moved, masked, mixed with another."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from models.training.recipe import Training

Floats = npt.NDArray[np.float32]


def batches(
    levels: npt.NDArray[np.int8],
    targets: Floats,
    shares: npt.NDArray[np.float64],
    how: Training,
    draw: np.random.Generator,
) -> Iterator[tuple[Floats, Floats]]:
    """Inputs (batch, frames, bands, 1) and targets (batch, outputs) of one epoch.

    `levels` is (clips, versions, frames, bands), `targets` (clips, outputs), `shares` how often each clip is seen.
    """
    clips = len(levels)
    for _ in range(count(clips, how)):
        some = draw.choice(clips, how.batch, p=shares)
        seen = masked(moved(levels[some, draw.integers(levels.shape[1], size=how.batch)], how, draw), how, draw)
        wanted = smooth(targets[some], how.label_smoothing)
        if draw.random() < how.mixup:
            part = np.float32(draw.beta(0.4, 0.4))
            order = draw.permutation(how.batch)
            seen = part * seen + (1 - part) * seen[order]
            wanted = part * wanted + (1 - part) * wanted[order]
        yield seen[..., np.newaxis], wanted


def count(clips: int, how: Training) -> int:
    """Of the batches of an epoch."""
    return max(1, clips // how.batch)


def moved(levels: npt.NDArray[np.int8], how: Training, draw: np.random.Generator) -> Floats:
    """Each earlier or later by some frames; its first or last frame is repeated."""
    frames = levels.shape[1]
    by = draw.integers(-how.shift_frames, how.shift_frames + 1, size=(len(levels), 1))
    places = np.clip(np.arange(frames) - by, 0, frames - 1)
    return np.asarray(levels[np.arange(len(levels))[:, np.newaxis], places], np.float32)


def masked(seen: Floats, how: Training, draw: np.random.Generator) -> Floats:
    """With stretches of time and of bands blotted out by the window's mean (Park et al. 2019, SpecAugment)."""
    for one in seen:
        mean = one.mean()
        for _ in range(how.masks):
            length, start = draw.integers(how.mask_frames + 1), draw.integers(len(one))
            one[start : start + length] = mean
            length, start = draw.integers(how.mask_bands + 1), draw.integers(one.shape[1])
            one[:, start : start + length] = mean
    return seen


def smooth(targets: Floats, by: float) -> Floats:
    """Nobody is quite sure of a label."""
    return np.asarray(targets * (1 - by) + by / targets.shape[1], np.float32)
