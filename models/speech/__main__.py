"""Makes what speech-v1 is learnt from, and finds its operating points: python -m models.speech --help."""

from pathlib import Path

import click

from common.commands import CommandGroup

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(cls=CommandGroup)
def main() -> None:
    """The set of speech-v1, and its operating points."""


@main.command("set")
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Recordings: sentences/, orders/, commands/, words/, noise/, rooms/.",
)
@click.option("--minutes", type=click.IntRange(min=8), default=800, show_default=True, help="Of sound.")
def make(new: Path, data: Path, minutes: int) -> None:
    """Write the manifest NEW, its sound beside it, from the half of the recordings that endpoints are tuned on."""
    from benchmarks.endpoints import material
    from models.progress import Progress
    from models.speech.data_set import divided, make_set
    from models.speech.minutes import voices

    found, progress = material(data, "dev"), Progress()
    windows = make_set(
        new,
        divided(voices(data, found.clips), found),
        minutes,
        1,
        lambda done: progress(f"minutes made: {done} of {minutes}"),
    )
    click.echo(f"{windows} windows")


@main.command()
@click.argument("model", type=FOLDER)
@click.argument("manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def points(model: Path, manifest: Path) -> None:
    """Find MODEL's operating points on the tuning part of MANIFEST, and write them into its card."""
    from models.speech.points import write_points

    for name, point in write_points(model, manifest).items():
        click.echo(f"{name}: threshold {point.threshold}, missed {point.missed}")


if __name__ == "__main__":
    main()
