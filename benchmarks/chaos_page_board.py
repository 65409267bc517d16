"""A board that tells answers, one after the other: behind the real page, by the real spool. Started as a program of its
own by `benchmarks/chaos_page.py`, and killed there.

What it tells has one order, the same in each run, and the spool numbers what is told: after a death it goes on behind
what was written. Some answers come in two parts with others between them: kept and late, better, done.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.made_board import MadeBoard
from edge.asking.answer import Answer
from edge.speech.utterance import UtteranceHead
from edge.spool.event import Kind
from edge.spool.unwritten import Entry

SPOKEN_UNIX_US = 1_790_000_000_000_000
"""When the first was; the others a minute after each other."""
BETWEEN = 5
"""So many other answers come between the two parts of one."""
WAIT_S = 20.0
ANSWERS_MAX = 100_000
"""So many parts are kept: all."""


class Part(NamedTuple):
    """Of an answer."""

    number: int
    """Of the answer, from 0."""
    kind: Kind

    @property
    def utterance_id(self) -> str:
        return f"u{self.number:04}"

    @property
    def transcript(self) -> str:
        """Another one for each part that has words."""
        return f"set {'the' if self.kind is Kind.BETTER else 'a'} timer for {self.number} minutes"


SECOND = {3: (Kind.KEPT, Kind.LATE), 5: (Kind.FINAL, Kind.DONE), 7: (Kind.FINAL, Kind.BETTER)}
"""By the last digit of an answer's number."""


def parts(answers: int) -> Iterator[Part]:
    """All that is told of so many answers, in order."""
    owed: list[tuple[int, Part]] = []
    for number in range(answers):
        first, second = SECOND.get(number % 10, (Kind.FINAL, None))
        yield Part(number, first)
        if second is not None:
            owed.append((number + BETWEEN, Part(number, second)))
        while owed and owed[0][0] <= number:
            yield owed.pop(0)[1]
    yield from (part for _, part in owed)


def tell(board: MadeBoard, part: Part) -> None:
    """As the daemon does: to who looks on at once, and to the spool."""
    board.says(part.utterance_id, "set a", "timer")
    at_unix_us = SPOKEN_UNIX_US + part.number * 60_000_000
    head = UtteranceHead(part.utterance_id, "chaos", part.number, None, at_unix_us, True, 0.0, 0, "made")
    entry = Entry(head)
    if part.kind is Kind.DONE:
        board.spool.note_done(part.utterance_id, at_unix_us, "The timer runs.")
    elif part.kind is Kind.KEPT:
        board.spool.tell(entry, part.kind, sentence="The service does not answer.")
    else:
        board.spool.tell(entry, part.kind, answer=Answer("cloud", part.transcript, response="It runs."))


@click.command()
@click.option("--state", type=click.Path(path_type=Path), required=True, help="Where its things are.")
@click.option("--host", required=True, help="Where it serves the page.")
@click.option("--port", type=int, required=True)
@click.option("--answers", type=int, required=True, help="How many it tells in all runs together.")
@click.option("--per-second", type=float, required=True, help="How many parts it tells.")
def main(state: Path, host: str, port: int, answers: int, per_second: float) -> None:
    """Goes on where the spool ends; then serves until it is killed."""
    with MadeBoard(state, host=host, port=port, answers_max=ANSWERS_MAX) as board:
        told = board.spool.ask(lambda store: store.last_event_number()).result(WAIT_S)
        for number, part in enumerate(parts(answers)):
            if number >= told:
                tell(board, part)
                time.sleep(1 / per_second)
        while board.page.worker.alive:
            time.sleep(1)


if __name__ == "__main__":
    main()
