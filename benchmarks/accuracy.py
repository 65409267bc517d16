"""Word error rates through the whole path, beside the engines given the whole files.

    scripts/bench accuracy --data DIR

Texts are compared by Whisper's English normaliser. `sentences` clean, with noise mixed in, and at several levels;
`orders` under the coffee grammar, every slot right; noise and silence, which must give no words.
"""

import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import jiwer
import numpy as np
from whisper_normalizer.english import EnglishTextNormalizer

from benchmarks import corpus, path
from cloud.decoders.weights import usable
from cloud.settings import CloudSettings

SEED = 1
PATIENCE_S = "120"
"""Words are counted here, not seconds: a busy machine must not cost an answer."""

normalise = EnglishTextNormalizer()

CONDITIONS: dict[str, Callable[[corpus.Sound, dict[str, corpus.Sound], np.random.Generator], corpus.Sound]] = {
    "clean": lambda sound, noise, draw: sound,
    "noise 20 dB": lambda sound, noise, draw: corpus.with_noise(sound, _one(noise, draw), 20, draw),
    "noise 10 dB": lambda sound, noise, draw: corpus.with_noise(sound, _one(noise, draw), 10, draw),
    "-10 dBFS": lambda sound, noise, draw: corpus.at_level(sound, -10),
    "-30 dBFS": lambda sound, noise, draw: corpus.at_level(sound, -30),
    "-50 dBFS": lambda sound, noise, draw: corpus.at_level(sound, -50),
}


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option(
    "--part", "parts", multiple=True, type=click.Choice(["sentences", "orders", "ghosts"]), help="All if none."
)
@click.option("--condition", "conditions", multiple=True, type=click.Choice(list(CONDITIONS)), help="All if none.")
@click.option("--clips", type=int, help="Only so many clips of each, evenly spread.")
@click.option("--noise-minutes", type=int, default=60, show_default=True, help="Minutes of noise for ghost text.")
def main(
    data: Path, parts: tuple[str, ...], conditions: tuple[str, ...], clips: int | None, noise_minutes: int
) -> None:
    """Measure word error rates; `--data` is a folder with sentences/, orders/ and noise/."""
    if not parts or "sentences" in parts:
        measure_sentences(data, conditions or tuple(CONDITIONS), clips)
    if not parts or "orders" in parts:
        measure_orders(data, clips)
    if not parts or "ghosts" in parts:
        measure_ghosts(data, noise_minutes)


def measure_sentences(data: Path, conditions: tuple[str, ...], count: int | None) -> None:
    """Word error rate of four ways to hear each clip, a row a condition."""
    clips = spread(corpus.sentences(data), count)
    noise = corpus.noises(data)
    print(f"\nWord error rate, {len(clips)} clips of sentences\n")
    print("| condition | whole path | faster-whisper, whole files | path, pocketsphinx alone | pocketsphinx, PCM |")
    print("|---|---|---|---|---|")
    texts = [clip.text for clip in clips]
    for condition in conditions:
        draw = np.random.default_rng(SEED)
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for number, clip in enumerate(clips):
                files.append(Path(folder) / f"{number:03d}.flac")
                if condition == "clean":
                    # As it is, so that its own rate and width go through the path.
                    files[-1].write_bytes(clip.file.read_bytes())
                else:
                    corpus.write(files[-1], CONDITIONS[condition](corpus.read(clip.file), noise, draw))
            figures = [
                error_rate(texts, heard)
                for heard in (by_path(files), by_whisper(files), by_path(files, "false"), by_sphinx(files))
            ]
        print(f"| {condition} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |", flush=True)


def measure_orders(data: Path, count: int | None) -> None:
    """Share of orders in which every slot is right, through the whole path under the coffee grammar."""
    orders = spread(corpus.orders(data), count)
    values = {
        name: {order.slots[name] for order in orders if name in order.slots} for order in orders for name in order.slots
    }
    with tempfile.TemporaryDirectory() as state, path.service(Path(state), "--domain", "coffee") as service:
        started = time.monotonic()
        heard = path.hear(service.address, [order.file for order in orders], cloud_answer_s_max=PATIENCE_S)
        took_s = time.monotonic() - started
    right = sum(slots_named(path.transcript(heard[order.file]), values) == order.slots for order in orders)
    print(
        f"\nOrders with every slot right: {right} of {len(orders)}, {right / len(orders):.3f} ({took_s:.0f} s)",
        flush=True,
    )


def measure_ghosts(data: Path, minutes: int) -> None:
    """Words from noise and silence: noises looped with random gain and offset, ten seconds of silence between."""
    draw = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder, path.service(Path(folder)) as service:
        files = []
        recordings = list(corpus.noises(data).items())
        for number in range(minutes):
            name, noise = recordings[number % len(recordings)]
            gain = 10 ** (draw.uniform(-30, 10) / 20)
            start = int(draw.integers(len(noise)))
            minute = np.take(noise, range(start, start + 50 * corpus.RATE_HZ), mode="wrap") * gain
            files.append(Path(folder) / f"{number:03d}-{name}.flac")
            corpus.write(files[-1], np.concatenate([minute, np.zeros(10 * corpus.RATE_HZ, np.float32)]))
        heard = path.hear(service.address, files, cloud_answer_s_max=PATIENCE_S)
    utterances = sum(len(found) for found in heard.values())
    words = [
        (file.stem, found["transcript"])
        for file, all_found in heard.items()
        for found in all_found
        if found["transcript"]
    ]
    print(f"\nGhost text: {utterances} utterances from {minutes} minutes of noise, {len(words)} with words", flush=True)
    for name, text in words:
        print(f"  {name}: {text}")


def _one(noise: dict[str, corpus.Sound], draw: np.random.Generator) -> corpus.Sound:
    return noise[sorted(noise)[int(draw.integers(len(noise)))]]


def spread(clips: list[corpus.Clip] | list[corpus.Order], count: int | None) -> list:  # type: ignore[type-arg]
    return clips if count is None else clips[:: max(1, len(clips) // count)][:count]


def error_rate(texts: list[str], heard: list[str]) -> float:
    """Word error rate, as Whisper's English normaliser sees words."""
    return float(jiwer.wer([normalise(text) for text in texts], [normalise(text) for text in heard]))


def by_path(files: list[Path], whisper: str = "true") -> list[str]:
    """What the whole path makes of each file."""
    with tempfile.TemporaryDirectory() as state, path.service(Path(state), decoding_whisper=whisper) as service:
        heard = path.hear(service.address, files, cloud_answer_s_max=PATIENCE_S)
    return [path.transcript(heard[file]) for file in files]


def by_whisper(files: list[Path]) -> list[str]:
    """The peer: faster-whisper given whole files, as its owner would call it."""
    from faster_whisper import WhisperModel

    weights = usable("tiny.en", CloudSettings().storage.weights_dir)
    model = WhisperModel(str(weights), device="cpu", compute_type="int8", cpu_threads=1)
    heard = []
    for file in files:
        segments, _ = model.transcribe(corpus.read(file), beam_size=1, condition_on_previous_text=False, language="en")
        heard.append(" ".join(segment.text for segment in segments))
    return heard


def by_sphinx(files: list[Path]) -> list[str]:
    """The peer: pocketsphinx given the whole PCM, with its own front-end and defaults."""
    from pocketsphinx import Decoder

    decoder = Decoder(loglevel="FATAL")
    heard = []
    for file in files:
        decoder.start_utt()
        pcm = np.clip(corpus.read(file) * 32768, -32768, 32767).astype(np.int16)
        decoder.process_raw(pcm.tobytes(), full_utt=True)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        heard.append(hypothesis.hypstr if hypothesis is not None else "")
    return heard


def slots_named(text: str, values: dict[str, set[str]]) -> dict[str, str]:
    """Slot values that a transcript names, the longest first, so that "iced mocha" is not a "mocha"."""
    found: dict[str, str] = {}
    rest = f" {text.lower()} "
    known = [(value, slot) for slot, legal in values.items() for value in legal]
    for value, name in sorted(known, key=lambda pair: -len(pair[0])):
        if name not in found and re.search(rf"\b{re.escape(value)}\b", rest):
            found[name] = value
            rest = re.sub(rf"\b{re.escape(value)}\b", " ", rest, count=1)
    return found


if __name__ == "__main__":
    main()
