"""What a fleet needs: boards in, cores, memory, disk and gigabytes a month out.

    scripts/bench size
    scripts/bench size --utterances 200 --boards 50 --boards 5000

Arithmetic over figures that were measured (BENCHMARKS.md, sections named beside them) and a day that is assumed. A
board that hears nobody sends nothing. The service must bear the busiest hour: utterances begin by chance, so that their
number at a time varies, and cores are for a number that is passed once in a thousand times (Poisson; Erlang 1909).
"""

import math
from typing import NamedTuple

import click

UTTERANCE_S = 4.2
"""With pre-roll and hang-over; mean of the recordings of sentences and orders."""


class Engines(NamedTuple):
    """What a way to answer costs; section 8."""

    name: str
    streams_per_core: float
    """People who speak at the same time, nobody sent away."""
    core_mib: float
    """Resident memory of the workers on a core that has so many: their own, and a decoder an utterance (under a grammar
    30 MB, of open speech 90)."""


ENGINES = (
    Engines("pocketsphinx, grammar", 20, 760),
    Engines("pocketsphinx, open speech", 3, 430),
    Engines("both engines, open speech", 3, 630),
)

SERVER_MIB = 65
"""The service without its workers; section 8."""

FRAMES_BYTES_PER_S = 1_075
"""Frames on the wire while somebody speaks, 8.6 kbit/s; section 6."""

UTTERANCE_BYTES = 2_200
"""Configuration, end, what is around each message, partials and the final; section 6."""

LOG_BYTES = 1_200
"""An answer in the service's log."""

LATE_SHARE = 0.001


@click.command()
@click.option("--boards", multiple=True, type=int, help="Boards; several times for several rows.")
@click.option("--utterances", type=int, default=60, show_default=True, help="Utterances of a board a day.")
@click.option("--busiest-hour", type=float, default=0.15, show_default=True, help="Share of a day in its busiest hour.")
@click.option("--log-days", type=int, default=90, show_default=True, help="Days that answers are kept.")
def main(boards: tuple[int, ...], utterances: int, busiest_hour: float, log_days: int) -> None:
    """Print what a service needs for so many boards."""
    print(
        f"\n{utterances} utterances of {UTTERANCE_S} s a board a day, {busiest_hour:.0%} of them in the busiest hour, "
        f"answers kept for {log_days} days\n"
    )
    heads = [f"{engines.name}: cores, GiB of memory" for engines in ENGINES]
    print("| boards | at a time: mean, for sizing | " + " | ".join(heads) + " | disk, GB | GB a month |")
    print("|---" * (len(ENGINES) + 4) + "|")
    for count in boards or (1, 10, 100, 1_000, 10_000):
        mean = count * utterances * busiest_hour * UTTERANCE_S / 3600
        at_a_time = streams_for(mean)
        cells = [need(engines, at_a_time) for engines in ENGINES]
        bytes_a_month = count * utterances * 30 * (FRAMES_BYTES_PER_S * UTTERANCE_S + UTTERANCE_BYTES)
        disk = count * utterances * log_days * LOG_BYTES
        print(
            f"| {count} | {mean:.2f}, {at_a_time} | "
            + " | ".join(f"{cores}, {gib:.1f}" for cores, gib in cells)
            + f" | {disk / 1e9:.2f} | {bytes_a_month / 1e9:.2f} |"
        )


def streams_for(mean: float) -> int:
    """Streams at a time that are passed in LATE_SHARE of cases, where so many are there in the mean (Poisson)."""
    if mean > 500:
        # Near enough to a normal distribution, and exp(-mean) would soon be 0.
        return math.ceil(mean + 3.1 * math.sqrt(mean))
    count, term = 0, math.exp(-mean)
    below = term
    while 1 - below > LATE_SHARE:
        count += 1
        term *= mean / count
        below += term
    return max(1, count)


def need(engines: Engines, at_a_time: int) -> tuple[int, float]:
    """Whole cores, and GiB of memory."""
    cores = max(1, math.ceil(at_a_time / engines.streams_per_core))
    return cores, (SERVER_MIB + cores * engines.core_mib) / 1024


if __name__ == "__main__":
    main()
