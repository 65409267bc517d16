"""The sets that models/recipes/ablations/commands-v1.toml compares, from real recordings.

    scripts/bench ablation_sets --data DIR --out FOLDER

`--data` is a folder with commands/train, words/, noise/ and index.tsv; commands/dev is not looked at. Its speakers are
divided into those that are learnt from and those that are judged by, the noises into halves: the first to learn with,
the second to judge in. The rest is made of what is learnt from: labels that are wrong, clips without silence or at one
loudness; and the ten words by machines. What is there is not made again.
"""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from models.check.sound import trims
from models.data.clip import Clip
from models.data.manifest import Manifest, moved, read_manifest, write_manifest
from models.data.mixing import RATE_HZ
from models.data.sound_file import read_sound, write_sound
from models.data.split import Plan, Shares, split
from models.labels import fixing
from models.labels.definition import Definition, Silence
from models.synthesis.engine import Manner
from models.synthesis.engines import engines, voices
from models.synthesis.synthesis import Text, synthesise, tasks
from models.training.examples import Backgrounds
from models.training.mixed_set import mix_set
from models.training.recipe import Mixing

TUNE_SHARE = 0.2
WRONG_SHARE = 0.05
SEED = 1
LABELS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
OTHERS = ("unknown", "silence")
AT_MOST_MS = 100
"""Of silence before and after, in the trimmed clips."""
LOUDNESS_DBFS = -20.0
SPOKEN_EACH = 120
"""Clips of a word by machines."""
MANNERS = [Manner(speed, pitch) for speed in (0.85, 1.0, 1.15) for pitch in (-2.0, 0.0, 2.0)]
JOBS = 2


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the sets.")
def main(data: Path, out: Path) -> None:
    """Make the sets, and tell how they are compared."""
    halves(data / "noise", out)
    base = out / "base.jsonl"
    if not base.exists():
        write_manifest(base, divided(data, out))
    read = read_manifest(base)
    learnt = read._replace(entries=tuple(entry for entry in read.entries if entry.clip.split == "train"))
    print(f"{base}: {len(learnt.entries)} clips to learn from, {len(read.entries) - len(learnt.entries)} to judge by")
    for name, make in (
        ("wrong-labels", wrong_labels),
        ("trimmed", trimmed),
        ("one-loudness", one_loudness),
        ("synthetic", synthetic),
    ):
        if not (file := out / f"{name}.jsonl").exists():
            make(learnt, file)
        print(f"{file}: {len(read_manifest(file).entries)} clips", flush=True)
    print(
        f"parrotlet-models ablate models/recipes/ablations/commands-v1.toml --data {base} --noise {out}/noise-first "
        f"--judge-noise {out}/noise-second --rooms {data}/rooms --out {out}/trials"
    )


def halves(noise: Path, out: Path) -> None:
    """Each recording of noise as two."""
    for file in sorted(noise.glob("*.flac")):
        sound = read_sound(file)
        for name, half in (("first", sound[: len(sound) // 2]), ("second", sound[len(sound) // 2 :])):
            folder = out / f"noise-{name}"
            folder.mkdir(parents=True, exist_ok=True)
            write_sound(folder / file.name, half, RATE_HZ)


def divided(data: Path, out: Path) -> Iterator[Clip]:
    """Commands by speaker; other words only of those who are learnt from, so that what is judged by is commands."""
    # The index has some twice.
    clips = [*{clip.path: clip for clip in moved(_recordings(data), data, out)}.values()]
    clips = split(clips, Plan(Shares(tune=TUNE_SHARE, test=0.0)))
    yield from (clip for clip in clips if clip.split == "train" or clip.source == "commands")


def _recordings(data: Path) -> Iterator[Clip]:
    with (data / "index.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            folder, _, rest = row["path"].partition("/")
            if folder == "words" or rest.startswith("train/"):
                label = Path(rest).parent.name
                speaker = None if label == "silence" else row["speaker"]
                yield Clip(path=row["path"], text=row["text"] or label, label=label, speaker=speaker, source=folder)


def wrong_labels(learnt: Manifest, new: Path) -> None:
    """Some are of another class than they say, and their text, by which words are balanced, says it, too."""
    draw = random.Random(SEED)
    clips = []
    for clip in learnt.clips:
        mine = clip.label if clip.label in (*LABELS, *OTHERS) else "unknown"
        if draw.random() < WRONG_SHARE:
            label = draw.choice([label for label in (*LABELS, *OTHERS) if label != mine])
            clip = msgspec.structs.replace(clip, label=label, text=label)
        clips.append(clip)
    write_manifest(new, clips)


def trimmed(learnt: Manifest, new: Path) -> None:
    """As `fix --policy silence` does it under an agreement on little silence."""
    least = Definition().silence.before_ms_min
    silence = Silence(least, AT_MOST_MS, least, AT_MOST_MS)
    spans = trims(learnt, msgspec.structs.replace(Definition(), silence=silence))
    fixing.write(new, fixing.rewritten(learnt, new, [], spans))


def one_loudness(learnt: Manifest, new: Path) -> None:
    """Speech of every clip at one level, which the board does not do."""
    at = (LOUDNESS_DBFS, LOUDNESS_DBFS)
    how = Mixing(
        noise_share=0, room_share=0, speed_share=0, tilt_share=0, clip_share=0, telephone_share=0,
        level_share=1, level_dbfs=at,
    )  # fmt: skip
    manifest = new.with_name(f".{new.name}.learnt")
    manifest.unlink(missing_ok=True)
    write_manifest(manifest, learnt.clips)
    mix_set(manifest, new, how, Backgrounds([], []), 1, SEED)
    manifest.unlink()


def synthetic(learnt: Manifest, new: Path) -> None:
    """The ten words by all voices of the usual programs."""
    there = voices(engines(), ["flite", "festival", "espeak-ng"], tell=print)
    todo = tasks(there, MANNERS, [Text(label, label) for label in LABELS], SPOKEN_EACH)
    folder = new.parent / new.stem
    made = (one for one in synthesise(todo, folder, JOBS) if isinstance(one, Clip))
    write_manifest(new, (msgspec.structs.replace(clip, path=f"{folder.name}/{clip.path}") for clip in made))


if __name__ == "__main__":
    main()
