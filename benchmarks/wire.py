"""What the wire costs and what it loses: bytes against words, for frames and for sound packed by others.

    scripts/bench wire --data DIR [--plot FILE.svg]

The board's own gate and segmenter cut the clips; the engines hear each utterance without a service between. The rate is
that of the utterances, pre-roll and hang-over included; what HTTP/2, gRPC, configuration and end add is counted apart.
The tables of the context coder have seen none of the sentences, and one half of the orders: the other is measured.
"""

import time
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from benchmarks import audio_codecs, corpus
from benchmarks.accuracy import error_rate, slots_named, spread
from benchmarks.listeners import Listeners, Messages, levels_of, whole
from edge.asking.wire import config, end
from edge.settings import Cloud
from edge.sound.audio_file import AudioFile
from edge.sound.source import BLOCK_MS
from edge.speech.hearing import BLOCKS_PER_MESSAGE, hear
from edge.speech.utterance import UtteranceEnd, UtteranceFrames, UtteranceHead
from protos import codec, speech_pb2
from protos.feature_spec import ACCEPTED_SPECS, DEFAULT_SPEC, FeatureSpec

SPECS = (*ACCEPTED_SPECS.values(), FeatureSpec(levels=32))
EXACT = FeatureSpec(levels=128)
"""What the engines hear of sound: nothing measurable is lost by it."""

ENGINES = ("whisper", "pocketsphinx")

MESSAGE_OVERHEAD_BYTES = 9 + 5
"""HTTP/2's frame header and gRPC's prefix."""


class Clips(NamedTuple):
    """Sentences and orders, each clip as the utterances that a board cuts out of it."""

    sentences: list[tuple[str, list[Messages]]]
    orders: list[tuple[dict[str, str], list[Messages]]]


class Rates(NamedTuple):
    """Of sentences; kbit/s and ms of CPU a second of sound."""

    kbits: dict[int, float]
    encoder_ms: float
    decoder_ms: float


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--clips", type=int, help="Only so many clips of each, evenly spread.")
@click.option("--engine", "engines", multiple=True, type=click.Choice(ENGINES), help="For sentences; both if none.")
@click.option("--plot", type=click.Path(path_type=Path), help="Where to draw rates against word errors.")
def main(data: Path, clips: int | None, engines: tuple[str, ...], plot: Path | None) -> None:
    """Measure bytes and words; `--data` is a folder with sentences/ and orders/."""
    heard = Clips(
        [(clip.text, utterances(clip.file)) for clip in spread(corpus.sentences(data), clips)],
        [(order.slots, utterances(order.file)) for order in spread(corpus.orders(data)[1::2], clips)],
    )
    engines = engines or ENGINES
    points = measure_frames(heard, engines) | measure_sound(heard, engines)
    measure_overhead(data)
    if plot is not None:
        draw(plot, points)


def measure_frames(clips: Clips, engines: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """A row a spec; kbit/s and Whisper's word error rate of those that have coder tables."""
    print(f"\nFrames, {len(clips.sentences)} clips of sentences, {len(clips.orders)} orders; kbit/s while speaking\n")
    print("| frames | context | deflate | raw | encoder, ms/s | decoder, ms/s | Whisper | pocketsphinx | orders |")
    print("|---" * 9 + "|")
    listeners, points = Listeners(), {}
    spoken = [messages for _, found in clips.sentences for messages in found]
    for spec in SPECS:
        rates = rates_of(spec, spoken)
        name = f"{spec.levels} levels"
        words = hear_all(listeners, spec, clips, engines)
        kbits = [f"{rates.kbits[number]:.1f}" if number in rates.kbits else "-" for number in codec.CODECS]
        cpu = f"{rates.encoder_ms:.1f} | {rates.decoder_ms:.1f}"
        print(f"| {name} | {' | '.join(kbits)} | {cpu} | {cells(words)} |", flush=True)
        if speech_pb2.CODEC_CONTEXT in rates.kbits:
            points[name] = (rates.kbits[speech_pb2.CODEC_CONTEXT], words[0])
    return points


def measure_sound(clips: Clips, engines: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """A row a way to pack sound; kbit/s and Whisper's word error rate of each."""
    seconds = duration_s([messages for _, found in clips.sentences for messages in found])
    print("\nSound, packed, unpacked and heard by the same engines\n")
    print("| sound | kbit/s | Whisper | pocketsphinx | orders |")
    print("|---" * 5 + "|")
    listeners, points = Listeners(), {}
    for name, pack in audio_codecs.packings().items():
        if pack is None:
            print(f"| {name} | not installed | - | - | - |")
            continue
        sent = [(text, [pack(corpus.joined(messages)) for messages in found]) for text, found in clips.sentences]
        said = [(slots, [pack(corpus.joined(messages)) for messages in found]) for slots, found in clips.orders]
        arrived = Clips(
            [(text, [[packed.samples] for packed in found]) for text, found in sent],
            [(slots, [[packed.samples] for packed in found]) for slots, found in said],
        )
        kbits = sum(packed.payload_bytes for _, found in sent for packed in found) * 8 / 1000 / seconds
        words = hear_all(listeners, EXACT, arrived, engines)
        points[name] = (kbits, words[0])
        print(f"| {name} | {kbits:.1f} | {cells(words)} |", flush=True)
    return points


def cells(words: list[float]) -> str:
    return " | ".join("-" if np.isnan(figure) else f"{figure:.3f}" for figure in words)


def duration_s(spoken: list[Messages]) -> float:
    return sum(len(samples) for messages in spoken for samples in messages) / corpus.RATE_HZ


def hear_all(listeners: Listeners, spec: FeatureSpec, clips: Clips, engines: tuple[str, ...]) -> list[float]:
    """Word error rates of Whisper and pocketsphinx, NaN of one that is not asked; share of orders with every slot
    right."""
    figures = []
    for engine in ENGINES:
        if engine not in engines:
            figures.append(np.nan)
            continue
        heard = [
            listeners.words(engine, spec, [whole(spec, messages) for messages in found]) for _, found in clips.sentences
        ]
        figures.append(error_rate([text for text, _ in clips.sentences], heard))
    values: dict[str, set[str]] = {}
    for order, _ in clips.orders:
        for slot, value in order.items():
            values.setdefault(slot, set()).add(value)
    right = [
        slots_named(listeners.words("grammar", spec, [whole(spec, messages) for messages in found]), values) == order
        for order, found in clips.orders
    ]
    return [*figures, sum(right) / len(right)]


def rates_of(spec: FeatureSpec, spoken: list[Messages]) -> Rates:
    """Rates of every codec that can send this spec, and what the first one costs."""
    kbits: dict[int, float] = {}
    costs: dict[int, tuple[float, float]] = {}
    seconds = duration_s(spoken)
    sent = [levels_of(spec, messages) for messages in spoken]
    for number in codec.CODECS:
        try:
            # Also loads what is loaded once.
            codec.encoder(number, spec), codec.decoder(number, spec)
        except ValueError:
            continue
        started_s = time.process_time()
        encoders = [codec.encoder(number, spec) for _ in sent]
        packed = [[encoder.encode(part) for part in parts] for encoder, parts in zip(encoders, sent, strict=True)]
        encoded_s = time.process_time()
        for parts, datas in zip(sent, packed, strict=True):
            decoder = codec.decoder(number, spec)
            for part, data in zip(parts, datas, strict=True):
                decoder.decode(data, len(part))
        costs[number] = (encoded_s - started_s, time.process_time() - encoded_s)
        kbits[number] = sum(len(data) for datas in packed for data in datas) * 8 / 1000 / seconds
    encoder_s, decoder_s = costs[next(iter(kbits))]
    return Rates(kbits, 1000 * encoder_s / seconds, 1000 * decoder_s / seconds)


def measure_overhead(data: Path) -> None:
    """What surrounds the frames of the first sentence: bytes by our own messages, HTTP/2's and gRPC's prefixes."""
    heard = list(hear(AudioFile(str(corpus.sentences(data)[0].file))))
    head = next(item for item in heard if isinstance(item, UtteranceHead))
    said = next(item for item in heard if isinstance(item, UtteranceEnd))
    configuration = config(head, Cloud(), "board-0123456789ab", DEFAULT_SPEC, 1, codec.CODECS[0], replayed=False)
    first = speech_pb2.RecognizeRequest(config=configuration).ByteSize() + MESSAGE_OVERHEAD_BYTES
    last = speech_pb2.RecognizeRequest(end=end(said)).ByteSize() + MESSAGE_OVERHEAD_BYTES
    payload = bytes(100)
    frames = speech_pb2.Frames(first_frame=1000, frame_count=10, data=payload)
    around = speech_pb2.RecognizeRequest(frames=frames).ByteSize() - len(payload) + MESSAGE_OVERHEAD_BYTES
    kbits = around * 8 / (BLOCKS_PER_MESSAGE * BLOCK_MS)
    print(f"\nAround the frames: {around} bytes a message, {kbits:.1f} kbit/s; configuration {first}, end {last} bytes")
    print("once. HTTP/2's headers of a call, TLS, TCP and IP are not in it.")


def draw(plot: Path, points: dict[str, tuple[float, float]]) -> None:
    """Word errors over kbit/s, as a picture."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise click.ClickException("--plot needs matplotlib, which is not installed.") from error
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, (kbits, errors) in points.items():
        axes.plot(kbits, errors, "o" if "levels" in name else "s", label=f"{name} ({kbits:.1f})")
    axes.set(xscale="log", xlabel="kbit/s while speaking", ylabel="word error rate, Whisper tiny.en")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(plot)


def utterances(file: Path) -> list[Messages]:
    """The sound of each utterance of a file, a piece for each message."""
    found: list[Messages] = []
    items: Any = hear(AudioFile(str(file)))
    for item in items:
        if isinstance(item, UtteranceHead):
            found.append([])
        elif isinstance(item, UtteranceFrames):
            found[-1].append(item.samples)
    return found


if __name__ == "__main__":
    main()
