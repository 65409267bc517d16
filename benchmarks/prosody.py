"""What the voice before a pause tells: whether its speaker is done.

    scripts/bench prosody --data DIR              measured: the half of the recordings that nothing was tuned on
    scripts/bench prosody --data DIR --part dev   the half to tune on

The recordings of `scripts/bench endpoints`, but the noises alone, cut at pauses of a second. An inner pause is one of
160 ms or more after which the clip goes on. First what the board makes of them; then the power of each cue alone: how
many true ends lie above the threshold that so many inner pauses pass.
"""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from benchmarks.endpoints import material
from benchmarks.scenes import CONDITIONS, Part, Scene, scenes
from edge import settings
from edge.local.gate import open_gate
from edge.sound.source import BLOCK_MS, BLOCK_SAMPLES, SAMPLE_RATE_HZ, Samples
from edge.speech import prosody
from edge.speech.prosody import AFTER_BLOCKS, SPAN_BLOCKS, Ending, Voice
from edge.speech.segmenter import RESUME_BLOCKS, Endpoint, GoesOn, Onset, SeemsOver, Segmenter
from edge.speech.signal_meter import power_of
from edge.speech.turn import HangOvers

EARLY_BLOCKS, LONGEST_BLOCKS = 8, 52
INNER_S = 0.1
"""So much speech must follow: at a clip's very end the noise may pass for more."""
FALSE_SHARES = (0.01, 0.02, 0.05, 0.10)
HANG_OVERS = HangOvers.within(settings.Segmenter())


class Pause(NamedTuple):
    """One that the gate heard."""

    ending: Ending | None
    """Of the speech before it."""
    blocks: int
    is_inner: bool


class Judged(NamedTuple):
    """A block and what is known of it."""

    samples: Samples
    power: float
    is_speech: bool


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--part", type=click.Choice(["test", "dev"]), default="test", show_default=True, help="Half of them.")
@click.option("--clips", type=int, help="Only so many clips, evenly spread.")
def main(data: Path, part: Part, clips: int | None) -> None:
    """Measure how well falling voices tell ends from inner pauses; `--data` is a folder as corpus.py has it."""
    found = material(data, part, clips)
    by_condition = {
        condition: [pause for scene in scenes(condition, found) for pause in pauses(scene)]
        for condition in CONDITIONS
        if condition != "noise alone"
    }
    print(
        f"\nPart {part}: {len(found.clips)} clips. A falling voice ends them after {HANG_OVERS.falling * BLOCK_MS} ms\n"
    )
    print("| condition | ends | falling | unknown | inner pauses | falling | so long | both: cut |")
    print("|---|---|---|---|---|---|---|---|")
    every = [pause for some in by_condition.values() for pause in some]
    for condition, some in {**by_condition, "all": every}.items():
        print_row(condition, some)
    for blocks in (EARLY_BLOCKS, HANG_OVERS.falling):
        print(f"\nEnds found, where of inner pauses of {blocks * BLOCK_MS} ms and more so many pass:\n")
        print(
            "| cue | " + " | ".join(f"{share:.0%}" for share in FALSE_SHARES) + " | chance that an end ranks higher |"
        )
        print("|---|" + "---|" * (len(FALSE_SHARES) + 1))
        for name, scores in cues(every).items():
            print_power(name, scores, every, blocks)


def pauses(scene: Scene) -> Iterator[Pause]:
    """All of a recording that are as long as the earlier endpoint."""
    gate = open_gate(settings.EdgeSettings())
    segmenter: Segmenter[int] = Segmenter(
        pre_roll_blocks=20,
        onset_blocks=6,
        early_blocks=EARLY_BLOCKS,
        hang_over_blocks=LONGEST_BLOCKS,
        hang_over_blocks_max=LONGEST_BLOCKS,
        utterance_blocks_max=1400,
    )
    recent: deque[Judged] = deque(maxlen=SPAN_BLOCKS + 2 * EARLY_BLOCKS)
    first = end = 0
    ending: Ending | None = None
    for number in range(len(scene.sound) // BLOCK_SAMPLES):
        samples = scene.sound[number * BLOCK_SAMPLES : (number + 1) * BLOCK_SAMPLES]
        recent.append(Judged(samples, power_of(samples), gate.is_speech(samples)))
        for event in segmenter.push(number, recent[-1].is_speech):
            match event:
                case Onset(blocks):
                    first = blocks[0]
                case SeemsOver(end_block):
                    end = first + end_block
                    ending = _ending(list(recent)[: len(recent) - (number + 1 - end) + AFTER_BLOCKS])
                case GoesOn() if _speech_left_s(scene, end) > INNER_S:
                    yield Pause(ending, number + 1 - end - RESUME_BLOCKS, is_inner=True)
                case Endpoint():
                    yield Pause(ending, number + 1 - end, is_inner=False)


def _ending(blocks: list[Judged]) -> Ending | None:
    samples, powers, judgements = zip(*blocks, strict=True)
    return prosody.measure(samples, powers, judgements)


def _speech_left_s(scene: Scene, block: int) -> float:
    """Of the clip in which that block is, or that it follows on."""
    position = block * BLOCK_SAMPLES
    return max((clip.end - position for clip in scene.spoken if clip.start <= position), default=0) / SAMPLE_RATE_HZ


def cues(some: list[Pause]) -> dict[str, list[float]]:
    """Scores by cue, higher for an end; where nothing is known, lower than all."""

    def scores(of: int, sign: int) -> list[float]:
        return [-np.inf if pause.ending is None else sign * pause.ending[of] for pause in some]

    return {
        "level that drops": scores(0, 1),
        "pitch that falls": scores(1, -1),
        "share of speech in the last second": scores(2, 1),
        "the three together": [-np.inf if pause.ending is None else prosody.fall_db(pause.ending) for pause in some],
    }


def print_row(condition: str, some: list[Pause]) -> None:
    ends, inner = ([pause for pause in some if pause.is_inner is is_inner] for is_inner in (False, True))
    cells = [
        len(ends),
        f"{np.mean([_falls(pause) for pause in ends]):.2f}",
        f"{np.mean([pause.ending is None for pause in ends]):.2f}",
        len(inner),
        f"{np.mean([_falls(pause) for pause in inner]):.2f}",
        sum(_is_long(pause) for pause in inner),
        sum(_is_long(pause) and _falls(pause) for pause in inner),
    ]
    print(f"| {condition} | " + " | ".join(map(str, cells)) + " |", flush=True)


def print_power(name: str, scores: list[float], some: list[Pause], blocks_min: int) -> None:
    ends = np.array([score for score, pause in zip(scores, some, strict=True) if not pause.is_inner])
    inner = np.array(
        [score for score, pause in zip(scores, some, strict=True) if pause.is_inner and pause.blocks >= blocks_min]
    )
    found = [float(np.mean(ends > np.quantile(inner, 1 - share, method="higher"))) for share in FALSE_SHARES]
    higher = np.mean(ends[:, np.newaxis] > inner) + 0.5 * np.mean(ends[:, np.newaxis] == inner)
    print(f"| {name} | " + " | ".join(f"{share:.2f}" for share in [*found, float(higher)]) + " |", flush=True)


def _falls(pause: Pause) -> bool:
    return prosody.voice(pause.ending) is Voice.FALLING


def _is_long(pause: Pause) -> bool:
    return pause.blocks >= HANG_OVERS.falling


if __name__ == "__main__":
    main()
