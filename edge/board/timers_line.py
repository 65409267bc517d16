"""Timers in a line, for a terminal and for `status`."""

from collections.abc import Mapping, Sequence
from typing import Any

from edge.actions.durations import clock, told


def timers_line(timers: Sequence[Mapping[str, Any]]) -> str:
    """What runs and rings, such as "timer of 10 minutes RINGS; 4:05 left of 25 minutes"; empty where there is none."""
    return "; ".join(
        f"timer of {told(timer['lasts_s'])} RINGS"
        if timer["rings"]
        else f"{clock(timer['left_s'])} left of {told(timer['lasts_s'])}"
        for timer in timers
    )
