"""How long a person waits: clips played in real time through the whole path on loopback.

    scripts/bench latency --data DIR

last sound to final is what is felt; it holds the hang-over. endpoint to final is the service's part of it.
"""

import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks import corpus, path

WAYS = {
    "both engines": {},
    "pocketsphinx alone": {"decoding_whisper": "false"},
}
FIGURES = ("last_sound_to_final", "endpoint_to_final", "onset_to_first_partial", "waiting", "decoding", "searching")


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--clips", type=int, default=20, show_default=True, help="Clips of sentences, evenly spread.")
def main(data: Path, clips: int) -> None:
    """Measure waits, in milliseconds, p50 / p95; `--data` is a folder with sentences/."""
    every = corpus.sentences(data)
    files = [clip.file for clip in every[:: max(1, len(every) // clips)][:clips]]
    print(f"\nMilliseconds, p50 / p95, {len(files)} clips of sentences in real time\n")
    print("| engines | utterances | " + " | ".join(name.replace("_", " ") for name in FIGURES) + " |")
    print("|---" * (len(FIGURES) + 2) + "|")
    for way, settings in WAYS.items():
        with tempfile.TemporaryDirectory() as state, path.service(Path(state), **settings) as service:
            heard = path.hear(service.address, files, "--realtime")
        utterances = [utterance for found in heard.values() for utterance in found]
        cells = [_cell(utterances, name) for name in FIGURES]
        print(f"| {way} | {len(utterances)} | " + " | ".join(cells) + " |", flush=True)


def _cell(utterances: list[dict[str, Any]], name: str) -> str:
    values = [utterance["timing_ms"][name] for utterance in utterances if utterance["timing_ms"][name] is not None]
    if not values:
        return "-"
    return f"{np.percentile(values, 50):.0f} / {np.percentile(values, 95):.0f}"


if __name__ == "__main__":
    main()
