"""What came of a fault of the network, as the journal of the board tells it."""

from collections import Counter
from itertools import pairwise
from typing import NamedTuple

from benchmarks.network_faults import Bench
from benchmarks.victims import Line

NOTICED_S_MAX = 5.0
FINAL_S_MAX = 3.0
"""From the endpoint: `house.final_s_max` until the second service is asked at the latest, and its answer."""
GROWTH_MIB_MAX = 16.0


class Outcome(NamedTuple):
    """What came of a fault. Seconds."""

    noticed_s: float | None
    """From the first speech that the service left unanswered until the board knew; None: it never gave it up."""
    back_s: float | None
    """From the end of the fault until it knew."""
    paths: Counter[str]
    """By whom, of what ended in the fault."""
    latest_s: float
    """From the endpoint to the final, of the same."""
    lost: int
    twice: int
    growth_mib: float
    drained: bool
    away_s: float
    """The longest time between knowing it away and knowing it there."""

    @property
    def good(self) -> bool:
        in_time = all((waited_s or 0.0) <= NOTICED_S_MAX for waited_s in (self.noticed_s, self.back_s))
        whole = not self.lost and not self.twice and self.drained
        return in_time and whole and self.latest_s <= FINAL_S_MAX and self.growth_mib <= GROWTH_MIB_MAX


def outcome(
    bench: Bench, began_s: float, ended_s: float, over_s: float, *, growth_mib: float, drained: bool
) -> Outcome:
    """Of a fault that began, was there until `ended_s`, and was undone at `over_s`, all monotonic, once the board has
    ended."""
    board = bench.board
    finals = Counter(event.utterance_id for event in board.events() if event.is_final)
    heard = {line["id"] for line in board.lines("heard")}
    told = {line["id"]: line for line in board.lines("told") if line["is_final"]}
    within = [line for line in board.lines("ended") if began_s <= line["at_s"] <= ended_s and line["id"] in told]
    return Outcome(
        noticed_s=_noticed_s(board.lines(), began_s, over_s),
        back_s=_back_s(board.lines("state"), over_s),
        paths=Counter(told[line["id"]]["path"] or told[line["id"]]["kind"] for line in within),
        latest_s=max((told[line["id"]]["at_s"] - line["at_s"] for line in within), default=0.0),
        lost=len(heard - finals.keys()) + len(heard - bench.service.rows().keys()),
        twice=sum(count > 1 for count in finals.values()),
        growth_mib=growth_mib,
        drained=drained,
        away_s=_away_s(board.lines("state")),
    )


def _noticed_s(lines: list[Line], began_s: float, over_s: float) -> float | None:
    """Nobody looks whether a service is there while nobody speaks; and while it answers, be there a fault or not, there
    is nothing to notice."""
    states = [line for line in lines if line["what"] == "state" and line["of"] == "cloud" and line["trouble"]]
    down_s = next((line["at_s"] for line in states if began_s <= line["at_s"] <= over_s), None)
    if down_s is None:
        return None
    finals = [line for line in lines if line["what"] == "told" and line["is_final"] and line["at_s"] < down_s]
    answered = {line["id"] for line in finals if line["path"] == "cloud" or line["at_s"] < began_s}
    heard = [line for line in lines if line["what"] == "heard" and line["id"] not in answered]
    spoken_s: float = min((line["at_s"] for line in heard), default=down_s)
    noticed_s: float = down_s - min(max(spoken_s, began_s), down_s)
    return noticed_s


def _back_s(states: list[Line], over_s: float) -> float | None:
    cloud = [line for line in states if line["of"] == "cloud"]
    down = [line for line in cloud if line["at_s"] <= over_s][-1]["trouble"]
    later = [line["at_s"] for line in cloud if line["at_s"] > over_s and not line["trouble"]]
    return later[0] - over_s if down and later else float("inf") if down else None


def _away_s(states: list[Line]) -> float:
    cloud = [line for line in states if line["of"] == "cloud"]
    away_s = [
        after["at_s"] - line["at_s"] for line, after in pairwise(cloud) if line["trouble"] and not after["trouble"]
    ]
    return max(away_s, default=0.0)
