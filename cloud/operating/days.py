"""What was heard by day: what plots over days show. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from statistics import fmean, stdev
from typing import Protocol, TypeVar

DAYS = 28
USUAL_DEVIATIONS = 2.0
USUAL_DAYS_MIN = 4
"""Of fewer days nobody knows what is usual of one."""


class Timed(Protocol):
    """Something of a time."""

    @property
    def at_unix_us(self) -> int | None: ...


Thing = TypeVar("Thing")
OfDay = TypeVar("OfDay", bound=Timed)


def by_day(things: Iterable[OfDay], now_unix_us: int) -> dict[date, list[OfDay]]:
    """The last DAYS of them in order, today included, and what was on each."""
    today = day_of(now_unix_us)
    days: dict[date, list[OfDay]] = {today - timedelta(back): [] for back in range(DAYS - 1, -1, -1)}
    for each in things:
        # What is of tomorrow has a clock that is wrong, and belongs to no day.
        if each.at_unix_us is not None and (on := day_of(each.at_unix_us)) in days:
            days[on].append(each)
    return days


def day_of(unix_us: int) -> date:
    """By the service's clock and zone."""
    return datetime.fromtimestamp(unix_us / 1e6).date()


def of_days(
    days: Mapping[date, Sequence[Thing]],
    pick: Callable[[Thing], float | None],
    by: Callable[[list[float]], float],
    least: int = 1,
) -> list[float | None]:
    """One number a day; None where there are fewer than `least` to make it of."""
    picked = [[value for one in each if (value := pick(one)) is not None] for each in days.values()]
    return [by(values) if len(values) >= least else None for values in picked]


def usual_of(values: Iterable[float | None]) -> tuple[float, float] | None:
    """The range in which days were that are usual; None: too few had a value."""
    known = [value for value in values if value is not None]
    if len(known) < USUAL_DAYS_MIN:
        return None
    reach = USUAL_DEVIATIONS * stdev(known)
    return fmean(known) - reach, fmean(known) + reach
