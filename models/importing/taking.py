"""What importing has in common, whatever the layout: its options, and from what is told to a manifest."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from common.errors import DataError
from models.data.clip import Clip, Split
from models.importing.told import Fault, Told

if TYPE_CHECKING:
    from models.importing.intake import Agreed

PROGRESS_CLIPS = 1000


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


def of_any_format(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options that all formats have; they come as keywords and go to `take` as they are."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take(
    told: Iterator[Told | Fault],
    source: Path,
    sound_folder: Path,
    manifest: Path,
    common: Mapping[str, Any],
    perhaps: str = "",
) -> None:
    """Writes the manifest, and tells what is in it and what could not be. `perhaps`: why nothing can, where no line
    says so."""
    from models.data.manifest import write_manifest
    from models.importing.intake import Intake

    intake = Intake(sound_folder, manifest.parent, _agreed(source, common))
    written = write_manifest(manifest, _counted(_some(intake.clips(told), source, intake.faults, perhaps)))
    for fault in intake.faults:
        click.echo(_sentence(fault), err=True)
    if (more := intake.left_out - len(intake.faults)) > 0:
        click.echo(f"and {more} more.", err=True)
    click.echo(f"{manifest}: {written} clips" + (f"; {intake.left_out} left out" if intake.left_out else ""))


def _agreed(source: Path, common: Mapping[str, Any]) -> "Agreed":
    from models.importing.intake import NOBODY, SPLITS, Agreed

    if wrong := [value for _, value in common["splits"] if value not in get_args(Split)]:
        raise DataError(f"--split …={wrong[0]}: a split is one of {', '.join(get_args(Split))}.")
    given = {name: common[name] for name in ("licence", "speaker", "transcriber") if common[name]}
    return Agreed(
        defaults={"source": common["source_name"] or _name(source.resolve()), **given},
        splits=SPLITS | {name.lower(): value for name, value in common["splits"]},
        every_split=common["every_split"],
        synthetic=common["synthetic"],
        nobody=frozenset(NOBODY) | set(common["nobody"]),
        look=common["look"],
    )


def _name(source: Path) -> str:
    return source.name if source.is_dir() else source.stem


def _some(clips: Iterator[Clip], source: Path, faults: list[Fault], perhaps: str) -> Iterator[Clip]:
    """DataError if there is none."""
    count = 0
    for count, clip in enumerate(clips, 1):  # noqa: B007 - used after the loop.
        yield clip
    if not count:
        why = _sentence(faults[0]) if faults else perhaps
        raise DataError(f"{source}: holds no recording that can be used. {why}".rstrip())


def _counted(clips: Iterator[Clip]) -> Iterator[Clip]:
    """Tells how far it is, on a terminal."""
    for count, clip in enumerate(clips, 1):
        yield clip
        if count % PROGRESS_CLIPS == 0 and sys.stderr.isatty():
            print(f"\r{count} clips", end="\r", file=sys.stderr, flush=True)


def _sentence(fault: Fault) -> str:
    from common.plain_text import plain

    named = f"{fault.path}: " if fault.path and fault.path not in str(fault.place) else ""
    return plain(f"{fault.place}: {named}{fault.sentence}.")
