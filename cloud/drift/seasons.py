"""What the time of day and of the week does to numbers: means of a few cells, shrunk towards the whole. Pure.

Four hours each of the day, weekdays and weekends; a cell in which little was said is nearly the whole (James and Stein
1961). By UTC: a season that moves by an hour twice a year is still one.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

HOURS_EACH = 4
HOUR_CELLS, DAY_CELLS = 24 // HOURS_EACH, 2
SHRINK = 8
"""So many hours in which something was said weigh as much in a cell as the whole: ten utterances of one hour have the
same room and person, and say no more of what is usual at that time than two do."""
HOUR_US = 3_600_000_000
THURSDAY = 3
"""1970-01-01, counted from Monday."""
SATURDAY = 5


class Seasons(msgspec.Struct, frozen=True):
    """Of some numbers; lists of lists are (numbers, cells)."""

    means: list[float]
    """0 where nothing was measured."""
    hours: list[list[float]]
    """What the hours of the day add."""
    days: list[list[float]]
    """What weekdays and weekends add."""
    both: list[list[float]]
    """What an hour of a weekend adds to both, and an hour of a weekday; by day, then hour."""

    def usual(self, at_unix_us: int | None) -> Floats:
        """The mean of each number at that time; of all times where nobody knows it."""
        means = np.array(self.means)
        if at_unix_us is None:
            return means
        hour, day = _cell(at_unix_us)
        by_hour, by_day, by_both = (np.array(each) for each in (self.hours, self.days, self.both))
        usual: Floats = means + by_hour[:, hour] + by_day[:, day] + by_both[:, day * HOUR_CELLS + hour]
        return usual


def seasons_of(values: Floats, at_unix_us: Sequence[int | None]) -> Seasons:
    """Learnt from (utterances, numbers); NaN: not measured."""
    cells = [(-1, -1) if at is None else _cell(at) for at in at_unix_us]
    hours, days = (np.array(of, np.int64) for of in zip(*cells, strict=True))
    cell = np.where(hours < 0, -1, days * HOUR_CELLS + hours)
    hour = np.array([-1 if at is None else at // HOUR_US for at in at_unix_us], np.int64)
    means: list[float] = []
    by_hour: list[list[float]] = []
    by_day: list[list[float]] = []
    by_both: list[list[float]] = []
    for own in values.T:
        here = ~np.isnan(own)
        mean = float(own[here].mean()) if here.any() else 0.0
        of_hour = _effects(own[here] - mean, hours[here], hour[here], HOUR_CELLS)
        rest = own[here] - mean - _added(of_hour, hours[here])
        of_day = _effects(rest, days[here], hour[here], DAY_CELLS)
        rest = rest - _added(of_day, days[here])
        of_both = _effects(rest, cell[here], hour[here], HOUR_CELLS * DAY_CELLS)
        for kept, of in ((by_hour, of_hour), (by_day, of_day), (by_both, of_both)):
            kept.append(of.tolist())
        means.append(mean)
    return Seasons(means, by_hour, by_day, by_both)


def _cell(at_unix_us: int) -> tuple[int, int]:
    hours = at_unix_us // HOUR_US
    return int(hours % 24 // HOURS_EACH), int((hours // 24 + THURSDAY) % 7 >= SATURDAY)


def _effects(rest: Floats, where: Integers, hour: Integers, count: int) -> Floats:
    """What each cell adds, shrunk by how many hours it was heard in."""
    known = where >= 0
    sizes = np.bincount(where[known], minlength=count)
    _, one_each = np.unique(hour[known], return_index=True)
    heard = np.bincount(where[known][one_each], minlength=count)
    means = np.bincount(where[known], rest[known], minlength=count) / np.maximum(sizes, 1)
    effects: Floats = means * heard / (heard + SHRINK)
    return effects


def _added(effects: Floats, where: Integers) -> Floats:
    return np.where(where >= 0, effects[np.maximum(where, 0)], 0.0)
