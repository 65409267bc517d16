"""The frames that a network learns from: clips as the board would hear them, in several versions, kept on disk.

What production does to sound is done here by the same code: 16-bit samples, edge.speech.log_mel, the wire's levels.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import msgspec
import numpy as np
import numpy.typing as npt

from common.errors import InputError
from edge.local.model import filled
from edge.speech.log_mel import log_mel
from models.data import mixing
from models.data.clip import Clip
from models.data.mixing import Sound
from models.data.sound_file import read_clip
from models.processes import processes
from models.tables.sounds import disturbance
from models.training.recipe import Mixing, Recipe
from protos.feature_spec import DEFAULT_SPEC, Levels

FORMAT = 2
"""Another one makes other files."""
CHUNK = 32
"""Clips that a process is given at a time; for fewer none is started."""
DISTURBANCES = 48
DISTURBANCE_S = 6.0
MEASURED_ROOMS_SHARE = 0.4
"""Of those in a room; the others are in one that was drawn."""


class Backgrounds(NamedTuple):
    """What clips are mixed with."""

    noises: list[Sound]
    rooms: list[Sound]


class Examples(NamedTuple):
    """Windows of levels and their labels."""

    levels: npt.NDArray[np.int8]
    """(clips, versions, frames, bands)"""
    labels: npt.NDArray[np.int64]
    """(clips,), by number."""
    groups: npt.NDArray[np.int64]
    """(clips,): of one label, those of a group are seen as often as those of another."""
    people: npt.NDArray[np.bool_] | None = None
    """(clips,): whether it is a person who speaks; None: all alike."""


def read(clip: Clip, folder: Path) -> Sound:
    """A clip at 16 kHz, for a manifest in this folder; 16-bit, as the board has it. InputError if it is damaged."""
    return mixing.as_sound(read_clip(clip, folder))


def frames(sound: Sound) -> Levels:
    """As the board sends them."""
    return DEFAULT_SPEC.quantise(log_mel(mixing.as_samples(sound), DEFAULT_SPEC))


def windowed(levels: Levels, window_frames: int) -> Levels:
    """The middle of longer sound; shorter sound is filled up as the board does it."""
    levels = filled(levels, window_frames)
    start = (len(levels) - window_frames) // 2
    return levels[start : start + window_frames]


class Version(NamedTuple):
    """A clip as it might have been on another day."""

    sound: Sound
    measured: dict[str, float]
    """What was drawn, as a manifest says it."""


def version(sound: Sound, how: Mixing, backgrounds: Backgrounds, draw: np.random.Generator) -> Version:
    """One of them."""
    measured = {}
    if draw.random() < how.speed_share:
        measured["speed"] = draw.uniform(*how.speed)
        sound = mixing.faster(sound, measured["speed"])
    if draw.random() < how.tilt_share:
        sound = mixing.tilted(sound, draw.uniform(*how.tilt))
    if draw.random() < how.room_share:
        rooms = backgrounds.rooms
        measured["in_room"] = 1.0
        known = rooms and draw.random() < MEASURED_ROOMS_SHARE
        sound = mixing.in_room(sound, rooms[draw.integers(len(rooms))] if known else mixing.drawn_room(draw))
    if backgrounds.noises and draw.random() < how.noise_share:
        noise = backgrounds.noises[draw.integers(len(backgrounds.noises))]
        measured["snr_db"] = draw.uniform(*how.noise_snr_db)
        sound = mixing.with_noise(sound, noise, measured["snr_db"], draw)
    if draw.random() < how.clip_share:
        measured["clipped_db"] = draw.uniform(1, 12)
        sound = mixing.clipped(sound, measured["clipped_db"])
    if draw.random() < how.level_share:
        measured["level_dbfs"] = draw.uniform(*how.level_dbfs)
        sound = mixing.at_level(sound, measured["level_dbfs"])
    if draw.random() < how.telephone_share:
        measured["by_telephone"] = 1.0
        sound = mixing.by_telephone(sound)
    return Version(sound, measured)


def drawn_noises(seed: int) -> list[Sound]:
    """Sounds that are no speech and were never recorded."""
    draw = np.random.default_rng((seed, 1))
    return [np.asarray(disturbance(DISTURBANCE_S, draw), np.float32) for _ in range(DISTURBANCES)]


def _versions(clip: Clip, folder: Path, recipe: Recipe, backgrounds: Backgrounds, count: int) -> npt.NDArray[np.int8]:
    """(versions, window_frames, bands); drawn by the seed of the mixing and the clip's path alone."""
    sound = read(clip, folder)
    path = hashlib.blake2b(f"{clip.path} {clip.start_ms}".encode(), digest_size=8).digest()
    draw = np.random.default_rng((recipe.mixing_seed, int.from_bytes(path)))
    sounds = [sound, *(version(sound, recipe.mixing, backgrounds, draw).sound for _ in range(count - 1))]
    return np.stack([windowed(frames(some), recipe.window_frames) for some in sounds])


_shared: tuple[Path, Recipe, Backgrounds, int]


def _start(folder: Path, recipe: Recipe, backgrounds: Backgrounds, count: int) -> None:
    global _shared
    _shared = (folder, recipe, backgrounds, count)


def _one(clip: Clip) -> npt.NDArray[np.int8]:
    folder, recipe, backgrounds, count = _shared
    return _versions(clip, folder, recipe, backgrounds, count)


def make(
    folder: Path, clips: Sequence[Clip], recipe: Recipe, backgrounds: Backgrounds, count: int, jobs: int
) -> npt.NDArray[np.int8]:
    """Levels of all clips, (clips, versions, frames, bands)."""
    if len(clips) <= CHUNK:
        return np.stack([_versions(clip, folder, recipe, backgrounds, count) for clip in clips])
    with processes(jobs, _start, folder, recipe, backgrounds, count) as pool:
        return np.stack(list(pool.map(_one, clips, chunksize=CHUNK)))


def cached(
    cache: Path, folder: Path, clips: Sequence[Clip], recipe: Recipe, backgrounds: Backgrounds, count: int
) -> npt.NDArray[np.int8]:
    """As `make`, once for the same sound and the same way of mixing, whatever the set it is of: only what the cache
    does not hold is made."""
    how = [FORMAT, DEFAULT_SPEC.fingerprint, recipe.mixing_seed, recipe.window_frames, recipe.mixing, count]
    digest = hashlib.sha256(msgspec.json.encode(how))
    for sound in (*backgrounds.noises, *backgrounds.rooms):
        digest.update(sound.tobytes())
    file = cache / f"levels-{digest.hexdigest()[:16]}.npz"
    stretches = [_stretch(clip, folder) for clip in clips]
    made = _kept(file)
    lacking = {stretch: clip for stretch, clip in zip(stretches, clips, strict=True) if stretch not in made}
    if lacking:
        cache.mkdir(parents=True, exist_ok=True)
        jobs = len(os.sched_getaffinity(0))
        made.update(zip(lacking, make(folder, list(lacking.values()), recipe, backgrounds, count, jobs), strict=True))
        unfinished = file.with_suffix(".new.npz")
        np.savez(unfinished, stretches=np.array(list(made)), levels=np.stack(list(made.values())))
        unfinished.rename(file)
    return np.stack([made[stretch] for stretch in stretches])


def _kept(file: Path) -> dict[str, npt.NDArray[np.int8]]:
    """What a cache holds, by stretch; nothing where it is damaged: all of it can be made again."""
    try:
        with file.open("rb") as raw, np.load(raw) as kept:
            return dict(zip(kept["stretches"].tolist(), kept["levels"], strict=True))
    except (OSError, BadZipFile, EOFError, KeyError, ValueError):
        return {}


def _stretch(clip: Clip, folder: Path) -> str:
    """What is heard of which file, as it is now. InputError if it is not there."""
    file = clip.file(folder)
    try:
        told = file.stat()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}.") from error
    return f"{clip.path} {clip.start_ms} {clip.end_ms} {told.st_size} {told.st_mtime_ns}"
