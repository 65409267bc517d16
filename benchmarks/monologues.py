"""Speech longer than an utterance may be: what the cuts cost, which nobody who speaks on knows of.

    scripts/bench monologues --data DIR

Sentences are joined with pauses too short to end an utterance, until a minute is full. The whole path cuts them into
utterances that follow on; beside it, the same sentences one by one, and faster-whisper given the whole minute. A word
that a cut loses or doubles is a word error near it.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from benchmarks import corpus, path, speech_marks
from benchmarks.accuracy import PATIENCE_S, by_whisper, error_rate
from benchmarks.scenes import hears_speech, trimmed
from benchmarks.seams import NEAR_WORDS, Near, near_and_far

SEED = 1
PAUSE_S = (0.0, 0.2)
"""Besides what a clip has around its speech, twice 0.2 s at most."""
SPEECH_DBFS = -26.0


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--minutes", type=int, default=6, show_default=True, help="How many such minutes.")
def main(data: Path, minutes: int) -> None:
    """Measure word error rates of speech that goes on for a minute; `--data` is a folder with sentences/."""
    draw = np.random.default_rng(SEED)
    groups = list(grouped(corpus.sentences(data), 60.0))[:minutes]
    with (
        tempfile.TemporaryDirectory() as state,
        path.service(Path(state)) as service,
        tempfile.TemporaryDirectory() as f,
    ):
        files, parts = [], []
        for number, group in enumerate(groups):
            sounds = [spoken(clip) for clip in group]
            files.append(Path(f) / f"{number}.flac")
            corpus.write(files[-1], joined(sounds, draw))
            parts.append([Path(f) / f"{number}-{part}.flac" for part in range(len(sounds))])
            for file, sound in zip(parts[-1], sounds, strict=True):
                corpus.write(file, sound)
        heard = path.hear(service.address, files, cloud_answer_s_max=PATIENCE_S)
        apart = path.hear(service.address, [file for some in parts for file in some], cloud_answer_s_max=PATIENCE_S)
        peer = by_whisper(files)
    texts = [" ".join(clip.text for clip in group) for group in groups]
    cuts = sum(line["end_reason"] == "max_length" for lines in heard.values() for line in lines)
    print(f"\n{len(files)} minutes of speech, {cuts} cuts at the longest utterance\n")
    print("| whole path | the same sentences one by one | faster-whisper, whole minutes |\n|---|---|---|")
    figures = [
        error_rate(texts, [path.transcript(heard[file]) for file in files]),
        error_rate(texts, [" ".join(path.transcript(apart[file]) for file in some) for some in parts]),
        error_rate(texts, peer),
    ]
    print("| " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    both = [near_and_far(text, heard[file]) for text, file in zip(texts, files, strict=True)]
    print("\n| words | heard | wrong, or missing there | share |\n|---|---|---|---|")
    for name, some in zip((f"within {NEAR_WORDS} of a cut", "elsewhere"), zip(*both, strict=True), strict=True):
        total = Near(sum(one.words for one in some), sum(one.wrong for one in some))
        print(f"| {name} | {total.words} | {total.wrong} | {total.rate:.3f} |")


def grouped(clips: list[corpus.Clip], seconds: float) -> Iterator[list[corpus.Clip]]:
    """Clips in order, so many that a group is no shorter; a rest that is shorter is left out."""
    group: list[corpus.Clip] = []
    length_s = 0.0
    for clip in clips:
        group.append(clip)
        length_s += len(corpus.read(clip.file)) / corpus.RATE_HZ
        if length_s >= seconds:
            yield group
            group, length_s = [], 0.0


def spoken(clip: corpus.Clip) -> corpus.Sound:
    """A clip cut to its speech, where that is clear."""
    sound = corpus.read(clip.file)
    marks = speech_marks.find(sound, hears_speech)
    found = trimmed(sound, marks) if marks is not None else None
    return corpus.at_level(sound if found is None else found.sound, SPEECH_DBFS)


def joined(sounds: list[corpus.Sound], draw: np.random.Generator) -> corpus.Sound:
    """One after the other, with drawn pauses of silence."""
    pieces = []
    for sound in sounds:
        pieces += [sound, np.zeros(round(draw.uniform(*PAUSE_S) * corpus.RATE_HZ), np.float32)]
    return np.concatenate(pieces)


if __name__ == "__main__":
    main()
