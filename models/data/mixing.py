"""What may happen to speech before it reaches a microphone's driver: noise, rooms, distance, haste, poor equipment.

Pure functions of sound (mono, 16 kHz, full scale 1.0); what is drawn comes from the generator that is given.
"""

import numpy as np
import numpy.typing as npt

RATE_HZ = 16_000

Sound = npt.NDArray[np.float32]
"""Mono at 16 kHz, full scale 1.0, shape (samples,)."""

BLOCK_SAMPLES = 320
POWER_MIN = 1e-12
ROOM_S = 0.6
MU = 255
"""Of the logarithmic companding of telephones (ITU-T G.711)."""
TELEPHONE_HZ = 3400


def speech_db(sound: Sound) -> float:
    """Mean power of the louder half of its 20 ms blocks, in dBFS: of the speech, not of the pauses."""
    blocks = sound[: max(1, len(sound) // BLOCK_SAMPLES) * BLOCK_SAMPLES]
    blocks = np.pad(blocks, (0, -len(blocks) % BLOCK_SAMPLES)).reshape(-1, BLOCK_SAMPLES)
    powers = np.sort(np.square(blocks, dtype=np.float64).mean(axis=1))
    return float(10 * np.log10(powers[len(powers) // 2 :].mean() + POWER_MIN))


def at_level(sound: Sound, dbfs: float) -> Sound:
    """With its speech at this level; digital silence stays what it is. What is beyond full scale is left there."""
    return gained(sound, dbfs - max(speech_db(sound), -100.0))


def gained(sound: Sound, db: float) -> Sound:
    """Louder by so much."""
    return np.asarray(sound * np.float32(10 ** (db / 20)), np.float32)


def with_noise(sound: Sound, noise: Sound, snr_db: float, draw: np.random.Generator) -> Sound:
    """Over a stretch of noise from a drawn place, so that the speech is so far above it."""
    start = int(draw.integers(len(noise)))
    stretch = np.take(noise, range(start, start + len(sound)), mode="wrap")
    return np.asarray(sound + gained(stretch, speech_db(sound) - snr_db - max(speech_db(stretch), -100.0)), np.float32)


def in_room(sound: Sound, response: Sound) -> Sound:
    """Heard from afar, by a room's impulse response: as loud and as long as it was, the direct sound where it was."""
    direct = int(np.abs(response).argmax())
    size = fast_size(len(sound) + len(response))
    wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)[direct : direct + len(sound)]
    return at_level(wet.astype(np.float32), speech_db(sound))


def drawn_room(draw: np.random.Generator) -> Sound:
    """The impulse response of a room that nobody has measured: noise that dies away behind the direct sound."""
    time_s = np.arange(round(ROOM_S * RATE_HZ)) / RATE_HZ
    tail = draw.standard_normal(len(time_s)) * 10 ** (-3 * time_s / draw.uniform(0.1, 0.7))
    tail *= draw.uniform(0.1, 0.9) / np.sqrt(np.square(tail).sum())
    tail[0] = 1.0
    return tail.astype(np.float32)


def faster(sound: Sound, speed: float) -> Sound:
    """Played faster, and so higher, as with a tape; shorter accordingly."""
    count = max(2, round(len(sound) / speed))
    # Both lengths are made good for the transform; the ends are silence either way.
    size = fast_size(len(sound))
    made = round(size / speed)
    spectrum = np.fft.rfft(sound, size)
    kept = np.zeros(made // 2 + 1, np.complex128)
    both = min(len(kept), len(spectrum))
    kept[:both] = spectrum[:both]
    return np.asarray(np.fft.irfft(kept, made)[:count] * (made / size), np.float32)


def shifted(sound: Sound, samples: int) -> Sound:
    """Later (or, below 0, earlier) by so many samples; as long as it was."""
    moved = np.zeros_like(sound)
    if samples >= 0:
        moved[samples:] = sound[: len(sound) - samples]
    else:
        moved[:samples] = sound[-samples:]
    return moved


def tilted(sound: Sound, slope: float) -> Sound:
    """Through a microphone that is brighter (above 0) or duller: amplitude grows with that power of frequency."""
    size = fast_size(len(sound))
    hz = np.maximum(np.fft.rfftfreq(size, 1 / RATE_HZ), 50.0)
    return np.fft.irfft(np.fft.rfft(sound, size) * (hz / 1000) ** slope, size)[: len(sound)].astype(np.float32)


def clipped(sound: Sound, db: float) -> Sound:
    """With its peaks cut off so far below where they were."""
    limit = np.float32(np.abs(sound).max() * 10 ** (-db / 20))
    return np.clip(sound, -limit, limit)


def by_telephone(sound: Sound) -> Sound:
    """Through a narrow band and eight bits of companded samples."""
    size = fast_size(len(sound))
    spectrum = np.fft.rfft(sound, size)
    spectrum[round(TELEPHONE_HZ / RATE_HZ * size) :] = 0
    narrow = np.clip(np.fft.irfft(spectrum, size)[: len(sound)], -1, 1)
    companded = np.rint(127 * np.sign(narrow) * np.log1p(MU * np.abs(narrow)) / np.log1p(MU)) / 127
    return np.asarray(np.sign(companded) * np.expm1(np.abs(companded) * np.log1p(MU)) / MU, np.float32)


def as_sound(samples: npt.NDArray[np.int16]) -> Sound:
    """Of what a sound card gives."""
    return np.asarray(samples / np.float32(32768), np.float32)


def as_samples(sound: Sound) -> npt.NDArray[np.int16]:
    """As a sound card gives it."""
    samples: npt.NDArray[np.int16] = np.rint(np.clip(sound, -1, 1) * 32767).astype(np.int16)
    return samples


def fast_size(count: int) -> int:
    """The next length that a Fourier transform likes: a power of two, or five or three quarters of one."""
    whole = 1 << max(4, count - 1).bit_length()
    return next(size for size in (whole * 5 // 8, whole * 3 // 4, whole) if size >= count)
