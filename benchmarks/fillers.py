"""Whether a filler was said, asked of the sound: synthesised sentences with and without one, quiet and in noise.

    scripts/bench fillers --data DIR [--service HOST:PORT]

Voices of espeak-ng and flite where they are installed, and piper's; --part tune has other voices, texts and noises
than the measure. With a service, its word on each clip counts, too.
"""

import tempfile
import time
from collections import defaultdict
from pathlib import Path

import click
import numpy as np

from benchmarks import corpus
from benchmarks.spoken_texts import SNRS_DB, TEST_TEXTS, TEST_VOICES, TUNE_TEXTS, TUNE_VOICES, Spoken, spoken
from models.data.clip import Clip
from models.evaluation.service import heard as service_heard
from models.labels.aligner import Aligner, Place
from models.labels.definition import Definition
from models.labels.fillers import FillerConvention
from models.labels.spoken_fillers import Heard, loud_fillers, said_by
from models.labels.writing import words

SEED = 1
RIGHT_MIN = 0.85


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder with noise/.")
@click.option("--part", type=click.Choice(["test", "tune"]), default="test", show_default=True)
@click.option("--service", metavar="HOST:PORT", help="Ask it, too.")
@click.option("--quick", is_flag=True, help="Two sentences a voice.")
def main(data: Path, part: str, service: str | None, quick: bool) -> None:
    """Measure how often the aligner's word on a filler is right."""
    noises = [noise for _, noise in sorted(corpus.noises(data).items())]
    texts, voices, noises = (
        (TEST_TEXTS, TEST_VOICES, noises[1::2]) if part == "test" else (TUNE_TEXTS, TUNE_VOICES, noises[::2])
    )
    aligner = Aligner()
    clips: list[Spoken] = []
    heard: list[bool | None] = []
    cpu_s, sound_s = 0.0, 0.0
    for clip in spoken(texts, voices, noises, SEED, quick=quick):
        began_s = time.process_time()
        heard.append(is_heard(aligner, clip))
        cpu_s += time.process_time() - began_s
        sound_s += len(clip.sound) / corpus.RATE_HZ
        clips.append(clip)
    if service is not None:
        print(f"\n{len(clips)} clips ({part}), share that is judged right without the service\n")
        print_table(clips, heard)
        heard = [by_both(one, second) for one, second in zip(heard, recognised(service, clips), strict=True)]
    print(f"\n{len(clips)} clips ({part}), share that is judged right\n")
    print_table(clips, heard)
    right = share(clips, heard)
    print(f"\n{cpu_s / sound_s:.3f} s of CPU a second of sound; {sum(f is None for f in heard)} did not fit")
    print(f"At least {RIGHT_MIN:.0%} right: {right:.1%}, {'reached' if right >= RIGHT_MIN else 'NOT reached'}")


def is_heard(aligner: Aligner, clip: Spoken) -> bool | None:
    """Whether a filler is; None: what was said does not fit."""
    pcm = np.clip(clip.sound * 32768, -32768, 32767).astype(np.int16)
    places = aligner.align(pcm, words(clip.words), fillers=True)
    if places is None:
        return None
    return bool(loud_fillers(pcm, places))


def recognised(service: str, clips: list[Spoken]) -> list[bool | None]:
    """Whether the service writes a filler; None: it was not asked."""
    fillers = FillerConvention(Definition())
    with tempfile.TemporaryDirectory() as folder:
        for number, clip in enumerate(clips):
            corpus.write(Path(folder) / f"{number}.flac", clip.sound)
        asked = [Clip(path=f"{number}.flac") for number in range(len(clips))]
        told = [one.transcript for one in service_heard(service, asked, Path(folder))]
    written = [None if text is None else fillers.contains(text) for text in told]
    for name, some in (("with", True), ("without", False)):
        of = [one for one, clip in zip(written, clips, strict=True) if bool(clip.filler) is some]
        print(f"the service writes a filler in {of.count(True)} of {len(of)} clips {name} one")
    return written


def by_both(heard: bool | None, second: bool | None) -> bool | None:
    """As check has it."""
    return said_by(None if heard is None else Heard([Place("um", 0, 0)] * heard), second)


def share(clips: list[Spoken], heard: list[bool | None]) -> float:
    """Of the clips, how many are judged right; what cannot be judged is wrong."""
    return float(np.mean([f is not None and f == bool(c.filler) for c, f in zip(clips, heard, strict=True)]))


def print_table(clips: list[Spoken], heard: list[bool | None]) -> None:
    """A row a voice, a column a noise; with how many of the said were heard and of the others were not."""
    cells: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for number, clip in enumerate(clips):
        for row in (clip.voice, "all", "with a filler" if clip.filler else "without"):
            for column in (_noise(clip.snr_db), "all"):
                cells[row, column].append(number)
    columns = [*map(_noise, SNRS_DB), "all"]
    print(f"| voice | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for row in dict.fromkeys(row for row, _ in cells):
        chosen = [cells[row, column] for column in columns]
        shown = (share([clips[at] for at in part], [heard[at] for at in part]) for part in chosen)
        print(f"| {row} | {' | '.join(f'{figure:.3f}' for figure in shown)} |")


def _noise(snr_db: int | None) -> str:
    return "quiet" if snr_db is None else f"{snr_db} dB"


if __name__ == "__main__":
    main()
