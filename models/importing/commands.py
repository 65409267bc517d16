"""parrotlet-models import: recordings and labels that lie somewhere, as a manifest beside which nothing is copied."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_args

import click

from common.errors import DataError
from models.data.clip import Clip, Split
from models.importing.told import Fault, Told

PROGRESS_CLIPS = 1000

_source = click.argument("source", type=click.Path(path_type=Path))
_manifest = click.argument("manifest", type=click.Path(path_type=Path))


class _Pair(click.ParamType):  # type: ignore[type-arg]  # Generic in newer clicks alone.
    """NAME=VALUE."""

    name = "pair"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, rest = str(value).partition("=")
        if not name or not equals:
            self.fail(f"{value!r} is not of the form NAME=VALUE.", parameter, context)
        return name, rest


PAIR = _Pair()

_OPTIONS = (
    click.option("--source", "source_name", metavar="NAME", help="Where the recordings come from; else SOURCE's name."),
    click.option("--licence", metavar="NAME", help="Of recordings whose licence the source does not tell."),
    click.option("--speaker", metavar="NAME", help="Of recordings whose speaker the source does not tell."),
    click.option("--transcriber", metavar="NAME", help="Who wrote the labels, if the source does not tell."),
    click.option("--nobody", metavar="NAME", multiple=True, help="A speaker's name that means none, as _noise_ does."),
    click.option(
        "--split",
        "splits",
        metavar="NAME=SPLIT",
        multiple=True,
        type=PAIR,
        help="What the source calls NAME is train, tune or test here. Its dev or validation is tune unless you say so.",
    ),
    click.option("--all", "every_split", type=click.Choice(get_args(Split)), help="Everything belongs to this split."),
    click.option("--synthetic", is_flag=True, help="Everything was spoken by a machine."),
    click.option("--look/--no-look", default=True, help="Look whether each sound file is whole, or only there."),
)


def _of_any_format(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group(name="import")
def import_() -> None:
    """Write a manifest of recordings as others lay them out. Sound stays where it is, and no manifest is replaced.

    What is damaged or missing is named, and the rest is taken.

    \b
    Example:
      parrotlet-models import folders recordings/ data/manifest.jsonl
    """


@import_.command()
@_source
@_manifest
@click.option("--speaker-in-name", metavar="REGEX", help="Finds the speaker in a file's name, by its first group.")
@_of_any_format
def folders(source: Path, manifest: Path, speaker_in_name: str | None, **common: Any) -> None:
    """SOURCE has a folder for each class, perhaps in folders train, dev and test.

    \b
    Example:
      parrotlet-models import folders speech_commands/ data/commands.jsonl --speaker-in-name '(.*)_nohash_'
    """
    from models.importing.folders import read_folders
    from models.importing.intake import SPLITS

    try:
        speaker = re.compile(speaker_in_name) if speaker_in_name else None
    except re.error as error:
        raise DataError(f"--speaker-in-name {speaker_in_name}: is no regular expression: {error}.") from error
    names = SPLITS.keys() | {name for name, _ in common["splits"]}
    _take(read_folders(source, names, speaker), source, source, manifest, common)


@import_.command()
@_source
@_manifest
@click.option(
    "--column",
    "columns",
    metavar="FIELD=COLUMN",
    multiple=True,
    type=PAIR,
    help="The column of path, text, label, speaker, source, split, transcriber, licence, synthetic, start_ms, end_ms.",
)
@click.option("--where", metavar="COLUMN=VALUE", multiple=True, type=PAIR, help="Only rows that have this value.")
@click.option("--label-from-folder", is_flag=True, help="The folder that a file lies in is its label.")
@click.option("--slice", "slices", metavar="COLUMN", multiple=True, help="Keep this column, to tell errors apart by.")
@click.option("--measured", metavar="COLUMN", multiple=True, help="Keep this column of numbers.")
@click.option("--sound", type=click.Path(path_type=Path), help="What paths start from; else the table's folder.")
@_of_any_format
def table(
    source: Path,
    manifest: Path,
    columns: tuple[tuple[str, str], ...],
    where: tuple[tuple[str, str], ...],
    label_from_folder: bool,
    slices: tuple[str, ...],
    measured: tuple[str, ...],
    sound: Path | None,
    **common: Any,
) -> None:
    """SOURCE is a TSV or CSV whose first line names its columns.

    \b
    Example:
      parrotlet-models import table index.tsv data/commands.jsonl --where set=commands --label-from-folder
    """
    from models.importing.table import NAMES, Wanted, columns_of, read_table

    if unknown := [field for field, _ in columns if field not in NAMES]:
        raise DataError(f"--column {unknown[0]}=…: a clip has no {unknown[0]}; it has {', '.join(NAMES)}.")
    wanted = Wanted(dict(columns), dict(where), slices, measured, label_from_folder)
    found = columns_of(source, wanted)
    if unused := [name for name in found.unused if name not in wanted.where]:
        click.echo(f"Columns that are not used: {', '.join(unused)}.", err=True)
    _take(read_table(source, wanted, found), source, sound or source.parent, manifest, common)


@import_.command()
@_source
@_manifest
@click.option("--as-written", is_flag=True, help="Take the text as it is written, not as it is spoken.")
@_of_any_format
def ljspeech(source: Path, manifest: Path, as_written: bool, **common: Any) -> None:
    """SOURCE has metadata.csv (ID|AS WRITTEN|AS SPOKEN) and the folder wavs.

    \b
    Example:
      parrotlet-models import ljspeech LJSpeech-1.1/ data/lj.jsonl --speaker linda
    """
    from models.importing.ljspeech import read_ljspeech

    _take(read_ljspeech(source, as_written=as_written), source, source, manifest, common)


@import_.command(name="common-voice")
@_source
@_manifest
@_of_any_format
def common_voice(source: Path, manifest: Path, **common: Any) -> None:
    """SOURCE has the folder clips and train.tsv, dev.tsv, test.tsv.

    \b
    Example:
      parrotlet-models import common-voice cv-corpus/en/ data/cv.jsonl --licence CC0-1.0 --split dev=test
    """
    from models.importing.common_voice import CLIPS, read_common_voice

    _take(read_common_voice(source), source, source / CLIPS, manifest, common)


@import_.command()
@_source
@_manifest
@click.option("--sound", type=click.Path(path_type=Path), help="What paths in wav.scp start from; else SOURCE.")
@_of_any_format
def kaldi(source: Path, manifest: Path, sound: Path | None, **common: Any) -> None:
    """SOURCE has wav.scp, and perhaps text, utt2spk and segments.

    \b
    Example:
      parrotlet-models import kaldi corpus/data/train/ data/train.jsonl --sound corpus/ --all train
    """
    from models.importing.kaldi import read_kaldi

    _take(read_kaldi(source), source, sound or source, manifest, common)


@import_.command()
@_source
@_manifest
@click.option("--unheard", is_flag=True, help="Also what nobody said anything of, in the service's words.")
@_of_any_format
def log(source: Path, manifest: Path, unheard: bool, **common: Any) -> None:
    """SOURCE is the service's log as JSON lines: utterances whose sound was kept, in the words of people's feedback.

    \b
    Example:
      parrotlet-models import log kept/log.jsonl data/heard.jsonl
    """
    from models.importing.service_log import read_service_log

    _take(read_service_log(source, unheard=unheard), source, source.parent, manifest, common)


def _take(
    told: Iterator[Told | Fault], source: Path, sound_folder: Path, manifest: Path, common: Mapping[str, Any]
) -> None:
    """Writes the manifest, and tells what is in it and what could not be."""
    from models.data.manifest import write_manifest
    from models.importing.intake import Intake

    intake = Intake(sound_folder, manifest.parent, _agreed(source, common))
    written = write_manifest(manifest, _counted(_some(intake.clips(told), source, intake.faults)))
    for fault in intake.faults:
        click.echo(_sentence(fault), err=True)
    if (more := intake.left_out - len(intake.faults)) > 0:
        click.echo(f"and {more} more.", err=True)
    click.echo(f"{manifest}: {written} clips" + (f"; {intake.left_out} left out" if intake.left_out else ""))


def _agreed(source: Path, common: Mapping[str, Any]) -> Any:
    from models.importing.intake import NOBODY, SPLITS, Agreed

    if wrong := [value for _, value in common["splits"] if value not in get_args(Split)]:
        raise DataError(f"--split …={wrong[0]}: a split is one of {', '.join(get_args(Split))}.")
    given = {name: common[name] for name in ("licence", "speaker", "transcriber") if common[name]}
    return Agreed(
        defaults={"source": common["source_name"] or source.resolve().stem, **given},
        splits=SPLITS | {name.lower(): value for name, value in common["splits"]},
        every_split=common["every_split"],
        synthetic=common["synthetic"],
        nobody=frozenset(NOBODY) | set(common["nobody"]),
        look=common["look"],
    )


def _some(clips: Iterator[Clip], source: Path, faults: list[Fault]) -> Iterator[Clip]:
    """DataError if there is none."""
    count = 0
    for count, clip in enumerate(clips, 1):  # noqa: B007 - used after the loop.
        yield clip
    if not count:
        why = f" {_sentence(faults[0])}" if faults else ""
        raise DataError(f"{source}: holds no recording that can be used.{why}")


def _counted(clips: Iterator[Clip]) -> Iterator[Clip]:
    """Tells how far it is, on a terminal."""
    tell = partial(print, end="", file=sys.stderr, flush=True) if sys.stderr.isatty() else None
    for count, clip in enumerate(clips, 1):
        yield clip
        if tell and count % PROGRESS_CLIPS == 0:
            tell(f"\r{count} clips")
    if tell:
        tell("\r")


def _sentence(fault: Fault) -> str:
    from edge.plain_text import plain

    named = f"{fault.path}: " if fault.path and fault.path not in str(fault.place) else ""
    return plain(f"{fault.place}: {named}{fault.sentence}.")
