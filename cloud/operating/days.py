"""What a board heard by day: what its plots show. Pure."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from statistics import fmean, median

from cloud.log.summary import Heard
from cloud.operating.hearing import USUAL_MIN
from cloud.operating.numbers import day
from cloud.operating.seams import Series

DAYS = 28
USUAL_DEVIATIONS = 2.0
NORMAL = 1.4826
"""Standard deviation of a normal distribution, in median deviations."""

Days = dict[date, list[Heard]]
"""Each day that is shown, in order, and what was heard on it."""
Pick = Callable[[Heard], float | None]


def by_day(heard: Sequence[Heard], now_unix_us: int) -> Days:
    """The last DAYS of them, today included."""
    today = datetime.fromtimestamp(now_unix_us / 1e6).date()
    days: Days = {today - timedelta(back): [] for back in range(DAYS - 1, -1, -1)}
    for each in heard:
        # What is of tomorrow has a clock that is wrong, and belongs to no day.
        if (on := datetime.fromtimestamp(each.at_unix_us / 1e6).date()) in days:
            days[on].append(each)
    return days


def of_days(days: Days, pick: Pick, by: Callable[[list[float]], float]) -> list[float | None]:
    """One number a day; None where there is none to make it of."""
    picked = [_known(each, pick) for each in days.values()]
    return [by(values) if values else None for values in picked]


def noise_floor(one: Heard) -> float | None:
    return one.noise_floor_dbfs


def over_noise(one: Heard) -> float | None:
    return one.snr_db


def sound(heard: Sequence[Heard], now_unix_us: int, told_unix_us: int) -> list[Series]:
    """Noise, and speech over it, with the range that was usual before something was told of them."""
    days = by_day(heard, now_unix_us)
    before = [one for one in heard if one.at_unix_us < told_unix_us]
    return [
        Series(title, [day(on) for on in days], of_days(days, pick, fmean), _usual(_known(before, pick)))
        for title, pick in (("Noise floor, dBFS", noise_floor), ("Speech over noise, dB", over_noise))
    ]


def _known(heard: Sequence[Heard], pick: Pick) -> list[float]:
    return [value for one in heard if (value := pick(one)) is not None]


def _usual(values: Sequence[float]) -> tuple[float, float] | None:
    if len(values) < USUAL_MIN:
        return None
    # It began before it was told: medians hardly notice.
    middle = median(values)
    reach = USUAL_DEVIATIONS * NORMAL * median(abs(value - middle) for value in values)
    return middle - reach, middle + reach
