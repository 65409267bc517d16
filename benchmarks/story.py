"""The whole life of a model as a story with figures, from real recordings: shipped, disturbed, mended, trusted again.

    scripts/story --data DIR --work DIR

`--data` is a folder with commands/train and commands/dev, noise/, rooms/ and index.tsv. What is stopped goes on where
it was; a report with plots lies in the folder at the end.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import click
import msgspec

from benchmarks import story_page, story_steps
from benchmarks.figures import Figure, report
from benchmarks.story_world import Sizes, World
from benchmarks.victims import end_in_order
from models.retraining.steps import Figures, Step, Tell, Work

STEPS: dict[str, tuple[str, Callable[[World, Tell], Figures]]] = {
    "record": ("real recordings, as a board in a kitchen cuts them", story_steps.record),
    "ship": ("a model for the board", story_steps.ship),
    "um": ("a new transcriber writes um in ways of her own", story_steps.um),
    "dishes": ("a dishwasher arrives", story_steps.dishes),
    "drift": ("the service says what changed", story_steps.drift),
    "labels": ("labels are asked for", story_steps.labels),
    "retrain": ("the model learns from them", story_steps.retrain),
    "shadow": ("the candidate hears beside the one that serves", story_steps.shadow),
    "canary": ("the candidate answers some of the boards", story_steps.canary),
    "promote": ("the candidate serves", story_steps.promote),
}


def work(world: World) -> Work:
    """All steps; each hangs on the sizes and on those before."""
    sizes = {"sizes": msgspec.json.encode(world.sizes).decode(), "data": str(world.data.resolve())}

    def step(name: str) -> Step:
        what, do = STEPS[name]
        return Step(name, what, lambda: sizes, (), lambda tell: do(world, tell))

    return Work(world.work, [step(name) for name in STEPS])


def tell_story(world: World, tell: Tell, first: str | None = None) -> dict[str, Figures]:
    """All of it; figures by step."""
    with work(world) as steps:
        found = steps.carry_out(tell, first)
    story_page.write(world, found, {name: what for name, (what, _) in STEPS.items()})
    return found


def marks(found: Mapping[str, Figures]) -> list[Figure]:
    """What must have come of it."""
    um, drift, dishes, dev = found["um"], found["drift"], found["dishes"], found["promote"]["dev"]["dishes"]
    rise, left = dishes["after"] - dishes["before"], dev["after"] - dev["before"]
    named = f"{drift.get('cause', 'none')} after {drift.get('utterances', '-')} utterances"
    return [
        Figure(
            "mixed um labels are caught, and nothing was trained",
            "yes",
            um["caught"],
            um["caught"] and not um["trained"],
        ),
        Figure("errors with the dishwasher", "up", f"{100 * rise:+.1f} points", rise > 0),
        Figure("false alarms before", "0", drift["false alarms"], drift["false alarms"] == 0),
        Figure(
            "drift told, and named",
            "noise, 50 utterances",
            named,
            drift.get("cause") == "noise" and drift["utterances"] <= 50,
        ),
        Figure("shadow", "promote", found["shadow"]["decision"], found["shadow"]["decision"] == "promote"),
        Figure("canary", "promote", found["canary"]["decision"], found["canary"]["decision"] == "promote"),
        Figure("errors of others, with the dishwasher", "down", f"{100 * left:+.1f} points", dev["high"] < 0),
    ]


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--work", "folder", type=click.Path(path_type=Path), required=True, help="Of all that is made.")
@click.option("--from", "first", type=click.Choice([*STEPS]), help="Tell it anew from here on.")
def main(data: Path, folder: Path, first: str | None) -> None:
    """Tell it, and write the report."""
    end_in_order()
    world = World(data, folder, Sizes())
    found = tell_story(world, lambda line: click.echo(line, err=True), first)
    for line in story_page.lines(found):
        click.echo(line)
    click.echo(f"\n{folder / 'story.html'}: the report.")
    report(marks(found))


if __name__ == "__main__":
    main()
