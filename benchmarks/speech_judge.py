"""The gate's judges beside others, at the segmenter's level, in more and more noise.

    scripts/bench speech_judge --data DIR              measured: the half of the recordings that nothing was tuned on
    scripts/bench speech_judge --data DIR --part dev   the half to tune on

The recordings are those of `scripts/bench endpoints`, and others with noise at 5 dB. webrtcvad and Silero VAD begin an
utterance after 0.1 s of speech and end it after 0.7 s of silence.
"""

from functools import partial
from pathlib import Path

import click
import msgspec

from benchmarks.detectors import SILERO, WEBRTC, HangOver
from benchmarks.endpoint_counts import Counts
from benchmarks.endpoints import Result, System, is_usable, material, measure, ours, peer, print_heading, print_row
from benchmarks.scenes import JUDGES_CONDITIONS, Part, scenes
from edge.local.gate import open_gate
from edge.settings import EdgeSettings, Local, Vad
from protos.model_card import CARD_FILE, read_model_card, write_model_card

SHIPPED = Path("models/files/speech-v1")


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--part", type=click.Choice(["test", "dev"]), default="test", show_default=True, help="Half of them.")
@click.option("--model", type=click.Path(exists=True, path_type=Path), default=SHIPPED, show_default=True)
@click.option("--record", is_flag=True, help="Write the figures into the model's card.")
def main(data: Path, part: Part, model: Path, record: bool) -> None:
    """Count false starts, clipped onsets and what else goes wrong, by judge."""
    found = material(data, part)
    print(f"\nPart {part}: {len(found.clips)} clips, {len(found.noises)} noises, {len(found.rooms)} rooms")
    judged = gated(f"parrotlet, {SHIPPED.name}", model.parent, model.name)
    peers = peer("webrtcvad 2, 0.7 s", WEBRTC, HangOver), peer("Silero VAD, 0.7 s", SILERO, HangOver)
    systems = [system for system in (gated("parrotlet", model.parent, ""), judged, *peers) if is_usable(system)]
    results: dict[str, dict[str, Result]] = {system.name: {} for system in systems}
    for condition in JUDGES_CONDITIONS:
        recordings = list(scenes(condition, found))
        print_heading(condition, recordings)
        for system in systems:
            results[system.name][condition] = measure(system, recordings)
            print_row(system.name, results[system.name][condition])
    print_heading("all of these", [])
    for name, some in results.items():
        print_row(name, whole(some))
    if record:
        write_card(model, results[judged.name])


def gated(name: str, model_dir: Path, model: str) -> System:
    """A board with that model, or with its own network."""
    of = EdgeSettings(vad=Vad(model=model), local=Local(model_dir=model_dir))
    return System(name, partial(ours, gate=lambda: open_gate(of, _refuse)))


def _refuse(sentence: str) -> None:
    """A board goes on by its own network, whose figures would then be in the model's card."""
    raise click.ClickException(sentence)


def whole(results: dict[str, Result]) -> Result:
    """All conditions as one."""
    counts, cpu_s, sound_s = zip(*results.values(), strict=True)
    return Result(sum(counts, Counts()), sum(cpu_s), sum(sound_s))


def write_card(folder: Path, results: dict[str, Result]) -> None:
    """Adds what was measured, by condition, to what `python -m models.speech points` has written."""
    card = read_model_card(folder / CARD_FILE)
    metrics = dict(card.metrics)
    for condition, (counts, _, _) in results.items():
        metrics[f"utterances/{condition}/false an hour"] = round(counts.false_starts_per_hour, 1)
        if counts.clips:
            metrics |= {
                f"utterances/{condition}/missed": counts.missed,
                f"utterances/{condition}/split": counts.split,
                f"utterances/{condition}/onsets clipped": counts.onsets_clipped,
                f"utterances/{condition}/clips": counts.clips,
            }
    write_model_card(folder / CARD_FILE, msgspec.structs.replace(card, metrics=metrics))


if __name__ == "__main__":
    main()
