"""`parrotlet-models definition`, `fix` and `apply`."""

from pathlib import Path

import click

from common.errors import DataError
from models.labels.fixing import Rewritten


@click.group()
def definition() -> None:
    """The written agreement of how a project labels."""


@definition.command()
@click.argument("file", type=click.Path(path_type=Path), default="data-definition.toml")
def init(file: Path) -> None:
    """Write an agreement to start from, with a comment for each key.

    \b
    Example:
      parrotlet-models definition init data/data-definition.toml
    """
    from models.labels.definition import example

    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(example())
    except FileExistsError as error:
        raise DataError(f"{file}: is there already.") from error
    except OSError as error:
        raise DataError(f"{file}: cannot be written: {error.strerror}.") from error
    click.echo(f"{file}: written; change what you like, then: parrotlet-models check MANIFEST")


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--policy", "policies", multiple=True, metavar="NAME", help="Fix this alone; may be repeated.")
@click.option(
    "--corrections", type=click.Path(path_type=Path), help="What a person saved from check's page; this alone."
)
@click.option(
    "--definition", "definition_path", type=click.Path(path_type=Path), help="Else the one beside the manifest."
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--undo", is_flag=True, help="MANIFEST came from here: write what was before it as NEW.")
def fix(
    manifest: Path,
    new: Path,
    policies: tuple[str, ...],
    corrections: Path | None,
    definition_path: Path | None,
    dry_run: bool,
    undo: bool,
) -> None:
    """Put right what is safe, as a new manifest with a journal beside it; the old one stays as it is.

    Policies are the kinds of check: characters, unclear, noises, contractions, spelling, numbers, fillers,
    punctuation, letter_case. Only where it is named: silence, which listens to each clip and leaves out what is more
    than agreed before and after speech, by start_ms and end_ms; the sound stays as it is; and doubts, which takes their
    class from clips of the train part that surely sound like another (see `doubt`): nothing is learnt from them.

    \b
    Example:
      parrotlet-models fix data/manifest.jsonl data/fixed.jsonl --policy fillers --dry-run
      parrotlet-models fix data/manifest.jsonl data/fixed.jsonl --corrections corrections.jsonl
      parrotlet-models fix --undo data/fixed.jsonl data/restored.jsonl
    """
    from models.check.doubts import doubted_out
    from models.check.sound import trims
    from models.data.manifest import read_manifest
    from models.labels import fixing
    from models.labels.agreement import agreement_on
    from models.labels.corrections import by_corrections, read_corrections, relabelled
    from models.labels.definition import definition_for

    read = read_manifest(manifest)
    if undo:
        _finish(new, fixing.undone(read, new), dry_run, len(read.findings))
        return
    if corrections is not None:
        by_person = read_corrections(corrections, read)
        labels = relabelled(by_person.labels, read)
        result = fixing.rewritten(read, new, [by_corrections(by_person.texts)], labels=labels)
    else:
        agreed, _ = definition_for(manifest, definition_path)
        names = agreement_on(read, agreed).names
        for policy in policies:
            if policy not in (known := (*names, fixing.SILENCE, fixing.DOUBTS)):
                raise DataError(f"There is no policy {policy}.{fixing.near(policy, known)}")
        spans = trims(read, agreed) if fixing.SILENCE in policies else {}
        labels = doubted_out(read) if fixing.DOUBTS in policies else {}
        result = fixing.rewritten(read, new, [fixing.by_policies(read, agreed, policies or names)], spans, labels)
    _finish(new, result, dry_run, len(read.findings))


@click.command()
@click.argument("definition_path", metavar="DEFINITION", type=click.Path(path_type=Path))
@click.argument("manifest", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
def apply(definition_path: Path, manifest: Path, new: Path, dry_run: bool) -> None:
    """Move labels to a newer version of the agreement, with a diff of every label touched.

    Only conventions that the versions have different are applied; `fix` does the rest.

    \b
    Example:
      parrotlet-models apply data-definition-2.toml data/manifest.jsonl data/manifest-2.jsonl --dry-run
    """
    from models.data.manifest import read_manifest
    from models.labels import fixing
    from models.labels.definition import definition_for, read_definition
    from models.labels.migration import Migration, own_definition

    read = read_manifest(manifest)
    old, _ = definition_for(manifest)
    migration = Migration(read, old, read_definition(definition_path))
    click.echo(migration.told(), err=True)
    result = fixing.rewritten(read, new, [migration.rewrite])
    _finish(new, result, dry_run, len(read.findings))
    for line, clip, name in migration.open:
        click.echo(f"{manifest}:{line}: {name}: a person must decide: {clip.text}", err=True)
    if not dry_run:
        own_definition(new, definition_path)


def _finish(new: Path, result: Rewritten, dry_run: bool, left_out: int) -> None:
    """Shows or writes it, and says what was done."""
    from models.labels import fixing

    if dry_run:
        for line in fixing.diff(new, result.changes):
            click.echo(line)
    else:
        fixing.write(new, result)
    said = f"{len(result.changes)} of {len(result.clips)} labels " + ("would change" if dry_run else "changed")
    if left_out:
        said += f"; {left_out} lines are no clips and are left out"
    click.echo(f"{said}." if dry_run else f"{said}: {new}", err=True)
