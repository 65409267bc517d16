"""How many recordings a command of one's own takes: left, right, stop, of machines' voices and so many people.

    scripts/bench own_commands --data DIR --out FOLDER

It is done as a person does it: new-commands, with --from for what was recorded, train, evaluate --choose. The people
are those of commands/train, a recording of a command each, and as many of other words; of them new-commands sets some
aside. What is measured is commands/dev, whom no model ever heard. A killed run goes on where it was, with the same
--recordings: models have numbers in their order.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path

import click

from models.data.clip import Clip
from models.data.manifest import write_manifest
from models.data.placing import number
from models.evaluation.evaluation import wilson
from models.evaluation.operating_point import Counts, summed

COMMANDS = ("left", "right", "stop")
RECORDINGS = (0, 5, 20, 50)


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Real recordings.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for all that is made.")
@click.option("--recordings", default=",".join(map(str, RECORDINGS)), show_default=True, help="Of each command.")
def main(data: Path, out: Path, recordings: str) -> None:
    """Measure what recordings of people are worth to a command of one's own."""
    counts = [int(count) for count in recordings.split(",")]
    for at, count in enumerate(counts, 1):
        if not (out / f"set-{at}.jsonl").exists():
            chosen = ["--from", str(recorded(data, out, count))] if count else []
            models("new-commands", str(out), *(() if (out / "recipe.toml").exists() else COMMANDS), *chosen)
        if not (out / f"told-{at}.json").exists():
            made = str(out / f"set-{at}.jsonl")
            models("train", str(out / "recipe.toml"), "--data", made, "--out", str(out / f"model-{at}"))
            told = models("evaluate", str(out / f"model-{at}"), made, "--choose", "--json")
            (out / f"told-{at}.json").write_text(told)
    print("| recordings of each command | understood (95 %) | another command | other words taken for one |")
    print("|---|---|---|---|")
    for count, at in sorted((count, at) for at, count in enumerate(counts, 1)):
        heard = measured(out / f"model-{at}", data)
        share = wilson(heard.right, heard.of)
        interval = f"{share.accuracy:.3f} ({share.low:.3f} to {share.high:.3f})"
        understood = f"{heard.right} of {heard.of}: {interval}"
        print(f"| {count} | {understood} | {heard.wrong} | {heard.false} of {heard.others} |", flush=True)


def recorded(data: Path, out: Path, count: int) -> Path:
    """A manifest of so many people for each command, one recording each, and of as many with other words."""
    file = out / f"recordings-{count}.jsonl"
    if not file.exists():
        write_manifest(file, [clip for label in (*COMMANDS, "unknown") for clip in said(data, label, count)])
    return file


def said(data: Path, label: str, count: int) -> list[Clip]:
    """Recordings of a command, or of other words, each by somebody else."""
    by_speaker: dict[str, Clip] = {}
    with (data / "index.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["path"].startswith(f"commands/train/{label}/"):
                path = str((data / row["path"]).resolve())
                by_speaker[row["speaker"]] = Clip(path=path, text=row["text"], label=label, speaker=row["speaker"])
    drawn = sorted(by_speaker.values(), key=lambda clip: number(clip.path))
    return drawn[: count * (len(COMMANDS) if label == "unknown" else 1)]


def measured(model: Path, data: Path) -> Counts:
    """On people whom no model ever heard."""
    told = json.loads(models("evaluate", str(model), str(data / "commands" / "dev"), "--board", "--json"))
    return summed(Counts(*counts) for counts in told["groups"].values())


def models(*words: str) -> str:
    """What parrotlet-models prints."""
    done = subprocess.run([sys.executable, "-m", "models", *words], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


if __name__ == "__main__":
    main()
