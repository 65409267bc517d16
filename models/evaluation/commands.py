"""parrotlet-models evaluate."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from common.errors import DataError

if TYPE_CHECKING:
    from models.evaluation.evaluation import Evaluation
    from models.evaluation.operating_point import Counts
    from models.evaluation.transcripts import Transcripts

SLICES_SHOWN = 10
PAIRS_SHOWN = 12


@click.command()
@click.argument("model", metavar="MODEL|HOST:PORT")
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.option("--split", "part", type=click.Choice(["train", "tune", "test"]), help="Only this part of a manifest.")
@click.option("--definition", type=click.Path(path_type=Path), help="The agreement; else the one beside the manifest.")
@click.option("--outcomes", "file", type=click.Path(path_type=Path), help="Write each clip's outcome, for `errors`.")
@click.option("--record", is_flag=True, help="Write accuracies into the model's card, in all and by class.")
@click.option("--board", is_flag=True, help="As the board hears it: its gate cuts, its operating point decides.")
@click.option("--choose", is_flag=True, help="Find that point on the split tune, then measure; the card is told both.")
@click.option("--json", "as_json", is_flag=True, help="Everything, for programs.")
def evaluate(
    model: str,
    data: Path,
    part: str | None,
    definition: Path | None,
    file: Path | None,
    record: bool,
    board: bool,
    choose: bool,
    as_json: bool,
) -> None:
    """Tell how often a model is right, as the board's own interpreter runs it, or how many words a service gets wrong.

    DATA is a manifest, or, for a model, a folder with a folder of recordings for each class. Labels that the model
    does not have are "unknown" to it, if it has that.

    \b
    Example:
      parrotlet-models evaluate models/files/commands-v1 recordings/
      parrotlet-models evaluate 127.0.0.1:7407 sentences.jsonl --outcomes outcomes.jsonl
      parrotlet-models evaluate own/model-1 own/set-1.jsonl --choose
    """
    if board or choose:
        if file is not None:
            raise click.UsageError("--outcomes are of clips as they are, without --board and --choose.")
        if choose and part not in (None, "test"):
            raise click.UsageError(f"--choose measures with the split test: {part} is learnt from or chosen by.")
        _by_board(Path(model), data, part, choose=choose, record=choose or record, as_json=as_json)
        return
    import msgspec

    from models.errors.outcome import Outcome, write_outcomes

    outcomes: Sequence[Outcome]
    result: object
    if Path(model).is_dir():
        from models.evaluation import evaluation

        heard = evaluation.listen(Path(model), data, part)
        result = summed_up = evaluation.summed_up(*heard)
        outcomes = evaluation.outcomes(heard.clips)
        tell = partial(_tell, summed_up)
        if record:
            evaluation.record(Path(model), summed_up)
    elif ":" not in model:
        raise DataError(f"{model}: there is no such folder of a model, and a service is HOST:PORT.")
    else:
        from models.data.manifest import read_manifest
        from models.evaluation.transcripts import evaluate_service
        from models.labels.definition import definition_for

        words = evaluate_service(model, read_manifest(data), part, definition_for(data, definition)[0])
        outcomes, result = words.outcomes, {**words._asdict(), "word_error_rate": words.word_error_rate}
        tell = partial(_tell_words, words)
    if file is not None:
        write_outcomes(file, outcomes)
    if as_json:
        click.echo(msgspec.json.encode(result))
        return
    tell()


def _by_board(folder: Path, data: Path, part: str | None, *, choose: bool, record: bool, as_json: bool) -> None:
    import msgspec

    from edge.local.spotter import operating_point
    from models.evaluation import by_board
    from models.progress import Progress

    choice = by_board.choose(folder, data, Progress()) if choose else None
    model = by_board.opened(folder)
    part = part or ("test" if choose else None)
    heard, results = by_board.measure(model, data, part, operating_point(model.card), Progress())
    if record:
        by_board.record(folder, heard, results)
    if as_json:
        click.echo(msgspec.json.encode({"choice": choice, **heard._asdict()}))
        return
    point = heard.point
    lag = "" if point.lag_ms is None else f", heard {point.lag_ms} ms after its end"
    click.echo(f"operating point: {point.threshold:.2f}, mean of {point.smoothing_windows} windows{lag}")
    if choice is not None:
        counts = choice.counts
        click.echo(
            f"tuning part: {counts.right} of {counts.of} commands understood, {counts.wrong} taken for another, "
            f"{counts.false} of {counts.others} others taken for one"
        )
    if choice is not None and not choice.within:
        limits = by_board.LIMITS[model.card.kind]
        most = f"{limits.share:.1%} of other speech or {limits.near_share:.0%} of what is nearly a command"
        click.echo(f"Even the highest threshold takes more than {most} for one.", err=True)
    for name, counts in heard.groups.items():
        click.echo(f"{name}: {_counted(counts, heard.hours[name])}")
    for label, (right, of) in heard.by_command.items():
        click.echo(f"  {label:<24} {right:>4} of {of}")
    for path, why in heard.unread.items():
        click.echo(f"{path}: {why}", err=True)


def _counted(counts: "Counts", hours: float) -> str:
    if not counts.of:
        return f"{counts.false} of {counts.others} taken for a command, in {hours:.2f} hours"
    lost = counts.of - counts.right - counts.wrong
    return f"{counts.right} of {counts.of} understood, {counts.wrong} taken for another, {lost} not understood"


def _tell_words(words: "Transcripts") -> None:
    click.echo(
        f"word error rate {words.word_error_rate:.3f}: {words.substitutions} substituted, {words.deletions} left out, "
        f"{words.insertions} put in, of {words.words} words in {len(words.outcomes)} clips"
    )
    if words.wrong:
        click.echo("\nmost often wrong")
    for word, count, other in words.wrong[:PAIRS_SHOWN]:
        click.echo(f"{word:<16} {count:>3}  {f'heard as {other}' if other else 'left out'}")
    for path, why in words.unread.items():
        click.echo(f"{path}: {why}", err=True)


def _tell(result: "Evaluation") -> None:
    from models.evaluation.evaluation import error_pairs

    click.echo(f"accuracy {result.accuracy:.4f} ({result.low:.3f} to {result.high:.3f}), {result.clips} clips")
    click.echo("\nclass            right        accuracy (95 %)")
    for name, share in result.by_class.items():
        click.echo(f"{name:<14} {share.right:>4} of {share.of:<4}  {_interval(share.accuracy, share.low, share.high)}")
    worst = sorted(result.by_slice.items(), key=lambda item: item[1].high)[:SLICES_SHOWN]
    if worst:
        click.echo("\nweakest slices")
    for name, share in worst:
        click.echo(f"{name:<28} {share.right:>4} of {share.of:<4}  {_interval(share.accuracy, share.low, share.high)}")
    pairs = error_pairs(result)[:PAIRS_SHOWN]
    if pairs:
        click.echo("\ntaken for: " + ", ".join(f"{label} for {said} {count}" for label, said, count in pairs))
    for path, why in result.unread.items():
        click.echo(f"{path}: {why}", err=True)


def _interval(accuracy: float, low: float, high: float) -> str:
    return f"{accuracy:.3f} ({low:.3f} to {high:.3f})"
