"""Kills a board, its service and the service's worker at random, and counts what is lost, doubled or damaged.

    scripts/chaos kill

A playlist of synthesised sentences is said faster than real time, and the commit interval is shorter by as much. An
utterance counts when something of it was on the disk at the board's death, or the board lived on, or its end had come
before the last commit interval: what a kill may cost is what had not been committed.
"""

import random
import signal
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.figures import Figure, none, progress, report
from benchmarks.victims import Board, Service, end_in_order, is_sound
from edge.settings import Cloud, Device, EdgeSettings, Spool
from edge.spool.event import Event
from protos import speech_pb2

SPEED = 6.0
COMMIT_MS = 300
PAUSE_S = (0.3, 3.0)
"""Between two kills, drawn."""
COMMIT_SLACK_S = 0.5
"""What a commit itself may take here, on top of the interval."""


class Findings(NamedTuple):
    """What came of a trial."""

    utterances: int
    uncommitted: int
    """Cut off by a kill before anything of them was due on the disk."""
    cut: int
    """Cut off in the middle, and answered by what there was."""
    kills: Counter[str]
    lost: list[str]
    """Without a final at the board."""
    unlogged: list[str]
    """Without a row in the service's log."""
    doubled: list[str]
    """With more than one final at the board."""
    changed: list[str]
    """Whose row in the service's log is not the one that was there first, or not what the board was told."""
    shown_twice: int
    """Shown, killed before that was committed, and shown again."""
    damaged: list[str]
    drained: bool


class Trial:
    """A board and a service, and what was seen of them."""

    def __init__(self, folder: Path, utterances: int) -> None:
        self.service = Service(folder / "service")
        settings = EdgeSettings(
            cloud=Cloud(address=self.service.address),
            device=Device(id="chaos", state_dir=folder / "board"),
            spool=Spool(commit_ms=COMMIT_MS, replay_jitter_s_max=0.5, answers_max=100_000),
        )
        self.board = Board(folder, settings, utterances=utterances, speed=SPEED)
        self.kills: Counter[str] = Counter()
        self.on_disk: set[str] = set()
        self.killed_at_s: dict[int, float] = {}
        """Boards by process id."""
        self.first_rows: dict[str, tuple[int, bytes]] = {}
        self.changed: set[str] = set()

    def has_heard(self, utterances: int) -> bool:
        return self.board.count("heard") >= utterances

    def kill(self, whom: str) -> None:
        self.kills[whom] += 1
        if whom == "board":
            assert self.board.process is not None
            self.killed_at_s[self.board.process.pid] = time.monotonic()
            self.board.kill()
            self.on_disk |= self.board.on_disk()
            self.board.start()
        elif whom == "service":
            self.service.stop(signal.SIGKILL)
            self.compare_rows()
            self.service.start()
        else:
            self.service.kill_worker()

    def compare_rows(self) -> None:
        """The first answer is never replaced."""
        rows = self.service.rows()
        self.changed |= {name for name, row in self.first_rows.items() if rows.get(name) != row}
        self.first_rows |= rows

    def findings(self, drained: bool) -> Findings:
        self.compare_rows()
        due, cut = self._due()
        events = self.board.events()
        finals = Counter(event.utterance_id for event in events if event.is_final)
        shown = Counter(line["id"] for line in self.board.lines("told") if line["is_final"])
        files = (self.board.spool_file, self.service.log_file)
        return Findings(
            utterances=len(due),
            uncommitted=self.board.count("heard") - len(due),
            cut=len(cut),
            kills=self.kills,
            lost=sorted(due - finals.keys()),
            unlogged=sorted(due - self.first_rows.keys()),
            doubled=sorted(name for name, count in finals.items() if count > 1),
            changed=sorted(self.changed | {event.utterance_id for event in events if self._differs(event)}),
            shown_twice=sum(count > 1 for count in shown.values()),
            damaged=[str(file) for file in files if not is_sound(file)],
            drained=drained,
        )

    def _due(self) -> tuple[set[str], set[str]]:
        """Utterances that must have been kept, and those of them that a kill cut off."""
        ended = {line["id"]: line["at_s"] for line in self.board.lines("ended")}
        due, cut = set(self.on_disk), set()
        for line in self.board.lines("heard"):
            name, killed_at_s = line["id"], self.killed_at_s.get(line["pid"], float("inf"))
            if ended.get(name, float("inf")) + COMMIT_MS / 1000 + COMMIT_SLACK_S < killed_at_s:
                due.add(name)
            elif name in due and name not in ended:
                cut.add(name)
        return due, cut

    def _differs(self, event: Event) -> bool:
        """Whether the board was told something else than the service remembers."""
        if event.answer is None or event.answer.path != "cloud" or event.utterance_id not in self.first_rows:
            return False
        final = speech_pb2.Final.FromString(self.first_rows[event.utterance_id][1])
        return final.transcript != event.answer.transcript


def trial(folder: Path, utterances: int, kills: int, draw: random.Random, seconds_max: float) -> Findings:
    """Says so many utterances, and kills so often while they are said."""
    made = Trial(folder, utterances)
    until_s = time.monotonic() + seconds_max
    with made.service, made.board:
        victims = [("board", "service", "worker")[number % 3] for number in range(kills)]
        draw.shuffle(victims)
        for number, whom in enumerate(victims):
            # Spread over the playlist, each at a moment that nobody knows.
            made.board.wait_for(partial(made.has_heard, 1 + utterances * number // (kills + 1)), seconds_max)
            time.sleep(draw.uniform(*PAUSE_S) / SPEED)
            made.kill(whom)
            progress(f"{number + 1} kills of {kills}, {made.board.count('heard')} utterances of {utterances}")
        status = made.board.join(max(1.0, until_s - time.monotonic()))
        return made.findings(status == 0)


def figures(found: Findings, utterances: int, kills: int) -> list[Figure]:
    each = ", ".join(f"{count} of {whom}" for whom, count in sorted(found.kills.items()))
    return [
        Figure("utterances on the disk", f"{utterances}", found.utterances, found.utterances >= utterances),
        Figure("kill -9", f"{kills}", f"{found.kills.total()}: {each}", found.kills.total() >= kills),
        none("lost: no final at the board", found.lost),
        none("lost: not in the service's log", found.unlogged),
        none("answered twice: two finals at the board", found.doubled),
        none("answered twice: the log's first answer replaced, or the board told another", found.changed),
        none("databases damaged", found.damaged),
        Figure("all sent in the end", "yes", "yes" if found.drained else "no", found.drained),
        Figure("cut off in the middle by a kill, answered by what was kept", "-", found.cut, True),
        Figure("cut off before the first commit was due", "-", found.uncommitted, True),
        Figure("shown again, as the board died before it committed that it was shown", "-", found.shown_twice, True),
    ]


@click.command()
@click.option("--utterances", type=int, default=500, show_default=True, help="How many are said and kept.")
@click.option("--kills", type=int, default=63, show_default=True, help="How often something is killed.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of when, and who.")
def main(utterances: int, kills: int, seed: int) -> None:
    """Kill board, service and worker at random."""
    end_in_order()
    said = utterances + 2 * kills
    with tempfile.TemporaryDirectory(prefix="chaos", dir="/var/tmp") as folder:
        found = trial(Path(folder), said, kills, random.Random(seed), 1800.0)
    report(figures(found, utterances, kills))


if __name__ == "__main__":
    main()
