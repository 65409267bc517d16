"""What a board's trial of a model does with better and worse ones: how often it is promoted, and after how many
utterances.

    scripts/bench board_trials

Simulated: a share of what is said is commands, on which both models agree with the cloud so often; whether both err on
the same utterance is drawn apart, which is the hardest case to tell. On what is no command both hear nothing.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

import click
import numpy as np

from edge.models.trial import Trial

COMMAND_SHARE = 0.6
RIGHT_BEFORE = 0.85
POINTS = (10, 5, 0, -3, -5, -10, -20, -40)
"""By which the candidate agrees more often on commands."""
UTTERANCES_MAX = 2000


class Outcome(NamedTuple):
    """Of one board."""

    is_promoted: bool
    utterances: int


def trial(points: int, draw: random.Random) -> Outcome:
    """Until something is decided."""
    done = Trial()
    while done.decision == "wait" and done.utterances < UTTERANCES_MAX:
        is_command = draw.random() < COMMAND_SHARE
        agrees = not is_command or draw.random() < RIGHT_BEFORE + points / 100
        agreed_before = not is_command or draw.random() < RIGHT_BEFORE
        done = done.after(is_command=is_command, agrees=agrees, agreed_before=agreed_before)
    return Outcome(done.decision == "promote", done.utterances)


def rows(boards: int, seed: int) -> Iterator[str]:
    for points in POINTS:
        draw = random.Random(seed)
        outcomes = [trial(points, draw) for _ in range(boards)]
        promoted = np.mean([one.is_promoted for one in outcomes])
        median, most = np.percentile([one.utterances for one in outcomes], (50, 95))
        yield f"| {points:+d} | {100 * promoted:.1f} | {100 - 100 * promoted:.1f} | {median:.0f} / {most:.0f} |"


@click.command()
@click.option("--boards", type=int, default=2000, show_default=True, help="Trials of each kind.")
@click.option("--seed", type=int, default=1, show_default=True)
def main(boards: int, seed: int) -> None:
    """Simulate what boards decide."""
    print(f"\nThe model before agrees with the cloud on {RIGHT_BEFORE:.0%} of commands.\n")
    print("| the candidate, points | promoted, % of boards | sent back, % | utterances, p50 / p95 |")
    print("|---|---|---|---|")
    for row in rows(boards, seed):
        print(row, flush=True)


if __name__ == "__main__":
    main()
