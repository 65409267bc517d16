"""parrotlet-models synthesise: clips of texts that machines speak."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from common.errors import DataError

if TYPE_CHECKING:
    from models.data.clip import Clip
    from models.finding import Finding
    from models.synthesis.synthesis import Task, Text

SHOWN_MAX = 20
SPEEDS = (0.5, 2.0)
PITCHES_SEMITONES = (-6.0, 8.0)


class _Numbers(click.ParamType):  # type: ignore[type-arg]  # Generic in newer clicks alone.
    """Numbers with commas between."""

    name = "numbers"

    def __init__(self, least: float, most: float) -> None:
        self._least, self._most = least, most

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(float(number) for number in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not of the form 0.9,1,1.1.", parameter, context)
        if not all(self._least <= number <= self._most for number in numbers):
            self.fail(f"{value} is not from {self._least:g} to {self._most:g}.", parameter, context)
        return numbers


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path), required=False)
@click.argument("texts", nargs=-1)
@click.option("--texts", "file", type=click.Path(path_type=Path), help="A text a line, perhaps a tab and its label.")
@click.option("--labels", is_flag=True, help="A text is its own label.")
@click.option("--voice", "patterns", metavar="NAME", multiple=True, help="As in piper, 'flite/*', espeak-ng/en+f3.")
@click.option("--speed", default="1", metavar="NUMBERS", type=_Numbers(*SPEEDS), help="Times the usual: 0.9,1,1.1")
@click.option("--pitch", default="0", metavar="NUMBERS", type=_Numbers(*PITCHES_SEMITONES), help="Semitones: -2,0,2")
@click.option("--each", metavar="NUMBER", type=click.IntRange(1), help="So many clips of a text, drawn from all.")
@click.option(
    "--piper", "models", metavar="FILE", multiple=True, type=click.Path(path_type=Path), help="A voice of yours."
)
@click.option(
    "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True, help="So many at a time."
)
@click.option("--list", "listed", is_flag=True, help="List the voices that are there, and say what is missing.")
def synthesise(
    manifest: Path | None,
    texts: tuple[str, ...],
    file: Path | None,
    labels: bool,
    patterns: tuple[str, ...],
    speed: tuple[float, ...],
    pitch: tuple[float, ...],
    each: int | None,
    models: tuple[Path, ...],
    jobs: int,
    listed: bool,
) -> None:
    """Have texts spoken by all voices that are there (piper, flite, festival, espeak-ng), in each speed and pitch.

    The clips lie in a folder beside MANIFEST that is called like it; those that are there from before are not made
    again. Each is marked as synthetic.

    \b
    Example:
      parrotlet-models synthesise data/spoken.jsonl "lights on" "lights off" --speed 0.9,1,1.1 --pitch=-2,0,2
    """
    from models.synthesis.engine import Manner
    from models.synthesis.engines import engines, voices
    from models.synthesis.synthesis import tasks

    there = voices(engines(models), patterns, tell=lambda sentence: click.echo(sentence, err=True))
    if listed:
        for _, voice in there:
            click.echo(f"{voice.full_name}  {voice.licence or 'licence not known'}")
        return
    if manifest is None:
        raise click.UsageError("Say which MANIFEST to write, and the texts.")
    if manifest.exists():
        raise DataError(f"{manifest}: is there already; a manifest is never changed, only written anew.")
    said = _texts(texts, file, labels)
    todo = tasks(there, [Manner(*how) for how in _pairs(speed, pitch)], said, each)
    _make(manifest, todo, jobs)


def _pairs(speeds: Sequence[float], pitches: Sequence[float]) -> Iterator[tuple[float, float]]:
    return ((speed, pitch) for speed in dict.fromkeys(speeds) for pitch in dict.fromkeys(pitches))


def _texts(given: Sequence[str], file: Path | None, labels: bool) -> "list[Text]":
    """Each once, in order. DataError if there is none, or one says nothing."""
    from models.importing.intake import tidy
    from models.importing.told import is_text, lines
    from models.synthesis.synthesis import Text

    told = [(f"argument {number}", text) for number, text in enumerate(given, 1)]
    if file is not None:
        told += [(f"{file}:{number}", line) for number, line in lines(file) if line.strip()]
    found: dict[str, Text] = {}
    for place, line in told:
        words, _, label = line.partition("\t")
        if not is_text(line) or not any(map(str.isalnum, words)):
            raise DataError(f"{place}: {words!r} is nothing that could be said.")
        words = tidy(words)
        found.setdefault(words, Text(words, tidy(label) or (words if labels else None)))
    if not found:
        raise DataError("There is nothing to say: give texts, or --texts FILE.")
    return list(found.values())


def _make(manifest: Path, todo: "Sequence[Task]", jobs: int) -> None:
    """Speaks, writes the manifest, and tells what came of it."""
    from models.data.clip import Clip
    from models.data.manifest import write_manifest
    from models.synthesis.synthesis import synthesise

    began_s = time.monotonic()
    folder = manifest.parent / manifest.stem
    total = sum(len(task.texts) for task in todo)
    findings: list[Finding] = []

    def clips() -> "Iterator[Clip]":
        for count, made in enumerate(synthesise(todo, folder, jobs), 1):
            if isinstance(made, Clip):
                yield msgspec.structs.replace(made, path=f"{folder.name}/{made.path}")
            else:
                findings.append(made)
            if sys.stderr.isatty():
                print(f"\r{count} of {total}", end="" if count < total else "\n", file=sys.stderr, flush=True)
        if len(findings) == total:
            raise DataError(f"Nothing could be spoken: {findings[0].sentence}")

    written = write_manifest(manifest, clips())
    for finding in findings[:SHOWN_MAX]:
        click.echo(finding.sentence, err=True)
    if (more := len(findings) - SHOWN_MAX) > 0:
        click.echo(f"and {more} more.", err=True)
    left_out = f", {len(findings)} left out" if findings else ""
    click.echo(f"{manifest}: {written} clips{left_out}, in {time.monotonic() - began_s:.0f} s")
