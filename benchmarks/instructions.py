"""What the board's part costs a processor: listening to a quiet room, streaming a sentence, looking for commands, 10 s
each.

    scripts/bench instructions                      seconds of this machine's processor

Counted in instructions of another processor, by QEMU and a plugin in the root of a board, so that nothing else that
runs here touches the figures; `scripts/bench board` makes such a root and runs this in it:

    qemu-aarch64 -cpu cortex-a72 -plugin instructions.so,marker=173,out=counts.txt \\
        .venv/bin/python -m benchmarks.instructions --counts counts.txt

The sound lies in memory: reading the sound card is not in it, and the network only with --cloud.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

# Before numpy: as on the board, where edge/__main__.py does it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import click
import numpy as np

from benchmarks import cores
from common.settings import load
from edge.asking.exchange import Exchange
from edge.asking.services import chain_of
from edge.clock import SYSTEM_CLOCK
from edge.local.model import Model
from edge.local.spotter import Spotter
from edge.settings import ENVIRONMENT_PREFIX, EdgeSettings, Local
from edge.sound.audio_file import AudioFile
from edge.sound.resampler import Resampler
from edge.sound.source import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Block, Samples, Source
from edge.speech.hearing import hear
from edge.speech.log_mel import log_mel
from edge.speech.utterance import UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool import kept_frames
from edge.spool.keeping import Keeping
from edge.spool.spool import FILE_NAME, Spool
from protos import codec, speech_pb2
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, read_model_card

SPOKEN = Path(__file__).parent.parent / "tests" / "speech" / "berlin.flac"
QUIET_DBFS = -60.0
LENGTH_S = 10
USB_RATE_HZ = 48_000
PERIOD_MS = 60


QUIET_PERCENT_MAX, STREAMING_PERCENT_MAX = 1.0, 3.0
"""The marks, of the first core."""


class Memory:
    """A source that has its sound already."""

    name = "memory"

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def blocks(self) -> Iterator[Block]:
        for samples in self._samples.reshape(-1, BLOCK_SAMPLES):
            yield Block(samples)

    def close(self) -> None:
        pass


class Sent(NamedTuple):
    """What came of a stretch of sound."""

    utterances: int
    frames: int
    data_bytes: int


class Phase(NamedTuple):
    """What is measured by itself."""

    name: str
    run: Callable[[], str]
    """Does it, and says what came of it."""
    percent_max: float | None = None
    """Mark, of the first core."""


@click.command()
@click.option("--counts", type=click.Path(exists=True, path_type=Path), help="File that the counting plugin writes.")
@click.option("--cloud", metavar="HOST:PORT", help="A service to stream to, too.")
def main(counts: Path | None, cloud: str | None) -> None:
    """Measure 10 s of listening, streaming, resampling, spotting; by processor time, or by a plugin's counts."""
    _mark()
    quiet, spoken = pink_noise(), looped(SPOKEN)
    phases = [
        Phase("listening", lambda: stream(quiet, speech_pb2.CODEC_CONTEXT), QUIET_PERCENT_MAX),
        Phase("streaming, contexts", lambda: stream(spoken, speech_pb2.CODEC_CONTEXT), STREAMING_PERCENT_MAX),
        Phase("streaming, deflate", lambda: stream(spoken, speech_pb2.CODEC_DEFLATE), STREAMING_PERCENT_MAX),
        Phase("streaming, raw", lambda: stream(spoken, speech_pb2.CODEC_RAW), STREAMING_PERCENT_MAX),
        Phase("resampling from 48 kHz", lambda: resample(quiet)),
        *(Phase(f"windows of {folder.name}", spotting(folder, spoken)) for folder in command_models()),
    ]
    with ExitStack() as held:
        if cloud:
            say = held.enter_context(asking(cloud))
            phases.append(Phase("streaming to a service", lambda: say(spoken), STREAMING_PERCENT_MAX))
        _measure(phases, counts)


def _measure(phases: Sequence[Phase], counts: Path | None) -> None:
    """Prints a row a phase."""
    heading = cores.HEADING if counts else ["CPU s here"]
    _print_row(f"{LENGTH_S} s of", "came of it", *heading)
    _print_row(*["---"] * (2 + len(heading)))
    reached = True
    for phase in phases:
        # Once unmeasured: tables are made, and the emulator has translated.
        phase.run()
        _mark()
        began_s = time.process_time()
        outcome = phase.run()
        took_s = time.process_time() - began_s
        _mark()
        if not counts:
            _print_row(phase.name, outcome, f"{took_s:.3f}")
            continue
        instructions = counted(counts.read_text(encoding="ascii"))
        _print_row(phase.name, outcome, *cores.cells(instructions, LENGTH_S))
        percent = cores.CORES[0].percent(instructions, LENGTH_S)
        reached &= phase.percent_max is None or percent <= phase.percent_max
    if counts:
        _print_marks(int(counts.read_text(encoding="ascii").split()[0]), reached)


def stream(samples: Samples, number: int) -> str:
    """The board's path from blocks to messages that are ready to be sent."""
    sent = send(Memory(samples), number, lambda message: None)
    return f"{sent.utterances} utterances, {sent.frames} frames, {sent.data_bytes} bytes"


def send(source: Source, number: int, write: Callable[[bytes], object]) -> Sent:
    """The same from any source; each message goes to `write`."""
    utterances, frames, data_bytes = 0, 0, 0
    for heard in hear(source):
        if isinstance(heard, UtteranceHead):
            utterances += 1
            encoder = codec.encoder(number, DEFAULT_SPEC)
        elif isinstance(heard, UtteranceFrames):
            data = encoder.encode(heard.levels)
            message = speech_pb2.Frames(first_frame=heard.first_frame, frame_count=len(heard.levels), data=data)
            write(speech_pb2.RecognizeRequest(frames=message).SerializeToString())
            frames += len(heard.levels)
            data_bytes += len(data)
    return Sent(utterances, frames, data_bytes)


@contextmanager
def asking(address: str) -> Iterator[Callable[[Samples], str]]:
    """As the daemon does it, spool and all, as fast as it goes; what is opened once is open already."""
    options = {"cloud.address": address}
    loaded = load(EdgeSettings, file=None, environment_prefix=ENVIRONMENT_PREFIX, environment={}, options=options)
    settings = loaded.settings
    coding, hop_ms = kept_frames.coding(DEFAULT_SPEC), DEFAULT_SPEC.frame_ms
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder) / FILE_NAME, settings.spool, boot_id="", coding=coding, hop_ms=hop_ms)
        with spool, Keeping(chain_of(loaded), spool, DEFAULT_SPEC, SYSTEM_CLOCK) as keeping:
            yield lambda samples: ask(samples, keeping, settings.cloud.answer_s_max)


def ask(samples: Samples, keeping: Keeping, answer_s_max: float) -> str:
    """Says it all, and waits for the answers."""
    exchanges: list[Exchange] = []
    for heard in hear(Memory(samples)):
        match heard:
            case UtteranceHead():
                exchanges.append(Exchange(keeping, heard))
            case UtteranceEnd():
                exchanges[-1].finish(heard)
            case _:
                exchanges[-1].send(heard)
    for exchange in exchanges:
        exchange.wait(answer_s_max)
    unanswered = [exchange.answer for exchange in exchanges if not exchange.answer or exchange.answer.path == "none"]
    if unanswered:
        why = unanswered[0].why_not_better if unanswered[0] else "There was no answer in time."
        raise click.ClickException(why or "")
    return f"{len(exchanges)} answers"


def resample(samples: Samples) -> str:
    """A sound card's own rate brought to the board's, a period at a time."""
    resampler = Resampler(USB_RATE_HZ)
    period_samples = USB_RATE_HZ * PERIOD_MS // 1000
    tripled = np.repeat(samples, USB_RATE_HZ // SAMPLE_RATE_HZ)
    made = sum(
        len(resampler.push(tripled[start : start + period_samples])) for start in range(0, len(tripled), period_samples)
    )
    return f"{made / SAMPLE_RATE_HZ:.1f} s"


def command_models() -> list[Path]:
    """Folders of the models that ship, of commands."""
    folders = sorted(Local().model_dir.iterdir())
    return [folder for folder in folders if read_model_card(folder / CARD_FILE).kind == "commands"]


def spotting(folder: Path, samples: Samples) -> Callable[[], str]:
    """The board's own model on frames that are made already."""
    spotter = Spotter(Model(folder, DEFAULT_SPEC))
    levels = DEFAULT_SPEC.quantise(log_mel(samples, DEFAULT_SPEC))

    def run() -> str:
        spotter.reset()
        spotter.push(levels)
        return f"{len(levels)} frames"

    return run


def pink_noise() -> Samples:
    """A quiet room: power falls with frequency, from 20 Hz on."""
    count = LENGTH_S * SAMPLE_RATE_HZ
    draw = np.random.default_rng(1)
    hz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ)
    spectrum = np.fft.rfft(draw.standard_normal(count)) / np.sqrt(np.maximum(hz, 20.0))
    sound = np.fft.irfft(spectrum, count)
    sound *= 10 ** (QUIET_DBFS / 20) / np.sqrt(np.mean(sound**2))
    samples: Samples = np.rint(sound * 32768).astype(np.int16)
    return samples


def looped(file: Path) -> Samples:
    """A recording again and again."""
    clip = np.concatenate([block.samples for block in AudioFile(str(file)).blocks()])
    return np.resize(clip, LENGTH_S * SAMPLE_RATE_HZ)


def counted(counts: str) -> int:
    """Instructions between the last two marks of a plugin's file."""
    before, after = counts.split()[-2:]
    return int(after) - int(before)


def _print_marks(start: int, reached: bool) -> None:
    print(f"\nInstructions per cycle are assumed: {cores.assumptions()}.")
    waits = ", ".join(f"{core.seconds(start):.2f} s on an {core.name}" for core in cores.CORES)
    print(f"Start, imports and all, once: {start / 1e6:.0f} M instructions, {waits}.")
    smallest = cores.CORES[0].name
    marks = f"at most {QUIET_PERCENT_MAX:g} % of an {smallest} listening, {STREAMING_PERCENT_MAX:g} % streaming"
    print(f"{marks}: {'reached' if reached else 'NOT reached'}")


def _print_row(*cells: str) -> None:
    print("|", " | ".join(cells), "|", flush=True)


def _mark() -> None:
    """A system call that nothing else makes here; the plugin notes its count at each."""
    os.getppid()


if __name__ == "__main__":
    main()
