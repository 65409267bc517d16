"""parrotlet-models import: recordings and labels that lie somewhere, as a manifest beside which nothing is copied."""

import re
from pathlib import Path
from typing import Any

import click

from common.errors import DataError
from models.importing.taking import PAIR, of_any_format, take

_source = click.argument("source", type=click.Path(path_type=Path))
_manifest = click.argument("manifest", type=click.Path(path_type=Path))


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
@of_any_format
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
    take(read_folders(source, names, speaker), source, source, manifest, common)


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
@of_any_format
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
    take(read_table(source, wanted, found), source, sound or source.parent, manifest, common)


@import_.command()
@_source
@_manifest
@click.option("--as-written", is_flag=True, help="Take the text as it is written, not as it is spoken.")
@of_any_format
def ljspeech(source: Path, manifest: Path, as_written: bool, **common: Any) -> None:
    """SOURCE has metadata.csv (ID|AS WRITTEN|AS SPOKEN) and the folder wavs.

    \b
    Example:
      parrotlet-models import ljspeech LJSpeech-1.1/ data/lj.jsonl --speaker linda
    """
    from models.importing.ljspeech import read_ljspeech

    take(read_ljspeech(source, as_written=as_written), source, source, manifest, common)


@import_.command(name="common-voice")
@_source
@_manifest
@of_any_format
def common_voice(source: Path, manifest: Path, **common: Any) -> None:
    """SOURCE has the folder clips and train.tsv, dev.tsv, test.tsv.

    \b
    Example:
      parrotlet-models import common-voice cv-corpus/en/ data/cv.jsonl --licence CC0-1.0 --split dev=test
    """
    from models.importing.common_voice import CLIPS, read_common_voice

    take(read_common_voice(source), source, source / CLIPS, manifest, common)


@import_.command()
@_source
@_manifest
@click.option("--sound", type=click.Path(path_type=Path), help="What paths in wav.scp start from; else SOURCE.")
@of_any_format
def kaldi(source: Path, manifest: Path, sound: Path | None, **common: Any) -> None:
    """SOURCE has wav.scp, and perhaps text, utt2spk and segments.

    \b
    Example:
      parrotlet-models import kaldi corpus/data/train/ data/train.jsonl --sound corpus/ --all train
    """
    from models.importing.kaldi import read_kaldi

    take(read_kaldi(source), source, sound or source, manifest, common)


@import_.command()
@_source
@_manifest
@click.option("--unheard", is_flag=True, help="Also what nobody said anything of, in the service's words.")
@click.option("--sound", type=click.Path(path_type=Path), help="Folder of utterances' sound, such as ID.wav.")
@click.option("--recipe", type=click.Path(path_type=Path), help="Also label what is one of this recipe's commands.")
@of_any_format
def log(source: Path, manifest: Path, unheard: bool, sound: Path | None, recipe: Path | None, **common: Any) -> None:
    """SOURCE is the service's log as JSON lines: utterances whose sound was kept, in the words of people's feedback.

    A board keeps sound in the folder `sound` of its state, where its spool.sound_days says so. What people contradict
    each other on is named, and left out. A command may be said in other words than the recipe's, so without a person
    who meant it, what has other words has no label.

    \b
    Example:
      parrotlet-cloud log export answers.jsonl
      parrotlet-models import log answers.jsonl data/heard.jsonl --sound kept/ --recipe models/recipes/home-v1.toml
    """
    from models.importing.service_log import Taking, read_service_log
    from models.labels.definition import definition_for
    from models.training.recipe import read_recipe

    if sound is not None and not sound.is_dir():
        raise DataError(f"{sound}: is no folder.")
    agreed, _ = definition_for(manifest)
    taking = Taking(unheard, sound, read_recipe(recipe) if recipe else None, agreed)
    perhaps = "" if sound else "A log has no sound: --sound says where that lies which a board kept (spool.sound_days)."
    take(read_service_log(source, taking), source, source.parent, manifest, common, perhaps)
