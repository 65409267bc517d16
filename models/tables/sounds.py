"""Sounds that are no speech, drawn: what a gate must not take for a voice, beyond the noises that were recorded."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

RATE_HZ = 16_000

Sound = npt.NDArray[np.float32]
Kind = Callable[[int, np.random.Generator], Sound]
"""Makes so many samples."""

FORMANTS_HZ = ((300, 1000), (900, 2500), (2500, 3500))


def disturbance(seconds: float, draw: np.random.Generator) -> Sound:
    """So many seconds of one kind of sound, at no particular level."""
    kinds = (steady, taps, tones, music, cries, breaths, engine, rushes)
    kind = kinds[int(draw.integers(len(kinds)))]
    return kind(round(seconds * RATE_HZ), draw)


def steady(count: int, draw: np.random.Generator) -> Sound:
    """Noise of a drawn colour: a fan, a street, a hiss."""
    return np.asarray(coloured(count, draw) * drift(count, draw, 0.2, 6), np.float32)


def taps(count: int, draw: np.random.Generator) -> Sound:
    """Knocks, keys, crockery: each rings at a few pitches and dies away."""
    sound = np.zeros(count + RATE_HZ, np.float32)
    for start in np.flatnonzero(draw.random(count) < draw.uniform(0.5, 8) / RATE_HZ):
        length = round(draw.uniform(0.02, 0.4) * RATE_HZ)
        time_s = np.arange(length) / RATE_HZ
        hz = draw.uniform(150, 6000, int(draw.integers(1, 6)))
        ring = sum(np.sin(2 * np.pi * pitch * time_s + draw.uniform(0, 6)) for pitch in hz)
        knock = (ring + draw.uniform(0, 3) * draw.standard_normal(length)) * np.exp(-time_s * draw.uniform(8, 200))
        sound[start : start + length] += (knock * 10 ** draw.uniform(-1, 0)).astype(np.float32)
    return sound[:count]


def tones(count: int, draw: np.random.Generator) -> Sound:
    """Beeps, hums and sirens: one voice without words, gliding or steady."""
    hz = draw.uniform(80, 2500) * drift(count, draw, draw.uniform(0.1, 3), draw.uniform(0, 4))
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
    harmonics = int(draw.integers(1, 12))
    voice = sum(np.sin(number * phase) / number ** draw.uniform(0.5, 2) for number in range(1, harmonics + 1))
    return np.asarray(voice * bursts(count, draw, 0.1, 2.0, 0.2, 2.0), np.float32)


def music(count: int, draw: np.random.Generator) -> Sound:
    """Notes of a scale with harmonics, one to four at a time, each struck or blown."""
    sound = np.zeros(count + 4 * RATE_HZ, np.float32)
    root_hz, beat_s = draw.uniform(55, 330), draw.uniform(0.12, 0.8)
    steps = np.array([0, 2, 4, 5, 7, 9, 11, 12])
    for beat in np.arange(0, count / RATE_HZ, beat_s):
        for _ in range(int(draw.integers(0, 4))):
            length = round(draw.uniform(0.5, 3) * beat_s * RATE_HZ)
            time_s = np.arange(length) / RATE_HZ
            hz = root_hz * 2 ** (draw.choice(steps) / 12 + draw.integers(0, 2))
            note = sum(np.sin(2 * np.pi * hz * number * time_s) / number**1.2 for number in range(1, 9))
            shape = np.exp(-time_s * draw.uniform(0.3, 8)) * np.minimum(1, time_s * draw.uniform(15, 400))
            start = round(beat * RATE_HZ)
            sound[start : start + length] += (note * shape)[: len(sound) - start].astype(np.float32)
    return sound[:count]


def cries(count: int, draw: np.random.Generator) -> Sound:
    """Long calls of one throat, as of an animal or a child: a rising and falling pitch, a mouth that opens slowly."""
    sound = np.zeros(count + 3 * RATE_HZ, np.float32)
    position = 0
    base_hz = draw.uniform(150, 900)
    while position < count:
        length = round(draw.uniform(0.25, 1.6) * RATE_HZ)
        time_s = np.arange(length) / RATE_HZ
        share = np.linspace(0, 1, length)
        bend = np.interp(share, np.linspace(0, 1, 5), np.cumsum(draw.uniform(-0.25, 0.25, 5)))
        hz = base_hz * 2 ** (draw.uniform(-0.3, 0.3) + bend) * (1 + 0.01 * np.sin(2 * np.pi * 6 * time_s))
        phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
        formants_hz = [np.interp(share, [0, 0.5, 1], draw.uniform(low, high, 3)) for low, high in FORMANTS_HZ]
        cry = np.zeros(length)
        for number in range(1, int(min(24, 6000 // base_hz)) + 1):
            gain = sum(1 / (1 + ((number * hz - formant_hz) / 150) ** 2) for formant_hz in formants_hz)
            cry += (gain + 0.02) * np.sin(number * phase)
        cry *= np.sin(np.pi * share) ** draw.uniform(0.2, 1.0) * 10 ** draw.uniform(-0.7, 0)
        sound[position : position + length] += cry.astype(np.float32)
        position += length + round(draw.uniform(0.2, 3.0) * RATE_HZ)
    return sound[:count]


def breaths(count: int, draw: np.random.Generator) -> Sound:
    """Soft noise that swells and sinks, as of somebody close who does not speak."""
    swelling = bursts(count, draw, 0.3, 1.5, 0.3, 3.0, fade_s=0.2)
    return np.asarray(coloured(count, draw, tilt=(-1.0, 0.5)) * swelling, np.float32)


def engine(count: int, draw: np.random.Generator) -> Sound:
    """A motor or wheel: noise that beats with it, and hum."""
    hz = draw.uniform(1, 40)
    time_s = np.arange(count) / RATE_HZ
    beat = (0.5 + 0.5 * np.sin(2 * np.pi * hz * time_s)) ** draw.uniform(0.5, 6)
    hum = np.sin(2 * np.pi * draw.uniform(40, 200) * time_s) * draw.uniform(0, 0.5)
    sound = coloured(count, draw) * (beat + draw.uniform(0, 0.5)) + hum
    return np.asarray(sound * drift(count, draw, 0.3, 4), np.float32)


def rushes(count: int, draw: np.random.Generator) -> Sound:
    """Water, paper, cloth: noise whose colour and strength come and go."""
    sound = np.zeros(count, np.float32)
    for _ in range(3):
        sound += coloured(count, draw) * bursts(count, draw, 0.05, 1.0, 0.05, 1.5, fade_s=0.02)
    return sound


def coloured(count: int, draw: np.random.Generator, tilt: tuple[float, float] = (-1.5, 0.8)) -> Sound:
    """Noise of power one with a drawn slope and a drawn hump or two."""
    hz = np.maximum(np.fft.rfftfreq(count, 1 / RATE_HZ), 30)
    shape = (hz / 1000) ** draw.uniform(*tilt)
    for _ in range(int(draw.integers(0, 3))):
        shape = shape * (1 + draw.uniform(0, 6) * np.exp(-((np.log2(hz / draw.uniform(100, 6000)) * 3) ** 2)))
    sound = np.fft.irfft(np.fft.rfft(draw.standard_normal(count)) * shape, count)
    return np.asarray(sound / (sound.std() + 1e-9), np.float32)


def drift(count: int, draw: np.random.Generator, rate_hz: float, depth_db: float) -> Sound:
    """A gain that wanders about one."""
    points = max(3, round(count / RATE_HZ * rate_hz) + 2)
    wander = np.interp(np.linspace(0, points - 1, count), np.arange(points), draw.standard_normal(points))
    return (10 ** (wander * depth_db / 20)).astype(np.float32)


def bursts(
    count: int,
    draw: np.random.Generator,
    on_s_min: float,
    on_s_max: float,
    off_s_min: float,
    off_s_max: float,
    fade_s: float = 0.01,
) -> Sound:
    """A gain that is on for a while, off for a while, with soft edges."""
    gain = np.zeros(count, np.float32)
    position = 0
    while position < count:
        on, off = (round(draw.uniform(*span) * RATE_HZ) for span in ((on_s_min, on_s_max), (off_s_min, off_s_max)))
        gain[position : position + on] = 10 ** draw.uniform(-0.5, 0)
        position += on + off
    kernel = np.hanning(2 * round(fade_s * RATE_HZ) + 3)[1:-1]
    size = 1 << (count + len(kernel)).bit_length()
    smooth = np.fft.irfft(np.fft.rfft(gain, size) * np.fft.rfft(kernel / kernel.sum(), size), size)
    return smooth[len(kernel) // 2 :][:count].astype(np.float32)
