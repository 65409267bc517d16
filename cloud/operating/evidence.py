"""What shows that something changed: plots of what was heard before and since. Pure."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from statistics import fmean
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from cloud.drift.facts import Facts
from cloud.drift.shape import BANDS, Bands, bands_hz
from cloud.operating.days import USUAL_DEVIATIONS, by_day, day_of, of_days, usual_of
from cloud.operating.measures import OF_NOISE, OF_VOICE, Measure, measures_of
from cloud.operating.numbers import day, number
from cloud.operating.plots.bars import bars
from cloud.operating.plots.line import Band, line
from cloud.operating.plots.shares import Share, shares
from cloud.operating.plots.spectrum import spectrum
from cloud.operating.seams import Plot
from cloud.outcomes.judged import Judged
from cloud.outcomes.slices import keys_for
from protos.feature_spec import DEFAULT_SPEC

SHARE_LEAST = 3
"""Utterances of a day: of fewer a share says nothing."""
SPECTRUM_LEAST = 12
"""Utterances before, and since."""
SHOWN = 6
"""Intents or boards."""

Pick = Callable[[Facts], Bands | None]


def evidence(
    cause: str, facts: Sequence[Facts], since_unix_us: int, now_unix_us: int, moved: Sequence[str] = ()
) -> Iterator[Plot]:
    """Of a cause of cloud/drift/causes; none where nothing is known that shows it. `moved`: features that moved, where
    no cause explains it."""
    before, since = divided(facts, since_unix_us)
    if cause == "intents":
        yield from _mix("Meant as", _intents(before), _intents(since))
    if cause == "boards":
        yield from _mix("Boards", [one.device_id for one in before], [one.device_id for one in since])
    days, measures = by_day(facts, now_unix_us), measures_of(cause, moved)
    yield from _over_days(measures[:1], days, since_unix_us)
    if cause in OF_NOISE:
        yield from _bands("Spectrum of the noise, dB", before, since, lambda one: one.noise_bands_db)
    if cause in OF_VOICE:
        yield from _bands("Spectrum of the voice, dB", before, since, lambda one: one.speech_bands_db)
    yield from _over_days(measures[1:], days, since_unix_us)


def said_of(cause: str, answers: Sequence[Judged], now_unix_us: int) -> Iterator[Plot]:
    """Of a cause of cloud/outcomes/concept.py: what people and labels said of such answers."""
    _, _, key = cause.partition("-")[2].partition("-")
    kind, _, value = key.partition("-")
    days = by_day(
        (_At(one.facts.at_unix_us, one.is_wrong) for one in answers if one.is_known and _is_of(one, kind, value)),
        now_unix_us,
    )
    counts, wrong = [len(each) for each in days.values()], [sum(one.is_wrong for one in each) for each in days.values()]
    if any(counts):
        drawn = bars("Answers of which it is known whether they were right, by day", counts, wrong, [*map(day, days)])
        yield Plot("Answers that were judged, a day", "red: wrong", Markup(drawn))


class _At(NamedTuple):
    at_unix_us: int | None
    is_wrong: bool


def _is_of(one: Judged, kind: str, value: str) -> bool:
    if kind == "all":
        return True
    return (kind, value) in keys_for(one) or getattr(one.facts, kind, None) == value


def divided(facts: Sequence[Facts], since_unix_us: int) -> tuple[list[Facts], list[Facts]]:
    """Those before then, and those since; of others nobody knows when they were spoken."""
    known = [one for one in facts if one.at_unix_us is not None]
    return (
        [one for one in known if (one.at_unix_us or 0) < since_unix_us],
        [one for one in known if (one.at_unix_us or 0) >= since_unix_us],
    )


def _over_days(measures: Sequence[Measure], days: Mapping[date, Sequence[Facts]], since_unix_us: int) -> Iterator[Plot]:
    names, began = [day(on) for on in days], _place(list(days), since_unix_us)
    for measure in measures:
        values = of_days(days, measure.of, fmean, SHARE_LEAST if measure.is_share else 1)
        # What was always the same shows nothing.
        if len({value for value in values if value is not None}) > 1:
            usual = usual_of(values[: len(values) if began is None else began])
            yield _line(measure, values, names, usual, began)


def _line(
    measure: Measure,
    values: Sequence[float | None],
    names: Sequence[str],
    usual: tuple[float, float] | None,
    began: int | None,
) -> Plot:
    meaning = "mean of a day"
    band, most = None, 100.0 if measure.title.endswith("%") else None
    if usual is not None:
        low, high = (value if most is None else min(max(0.0, value), most) for value in usual)
        digits = 0 if high - low >= 4 else 1
        meaning = f"usual: {number(low, digits)} to {number(high, digits)}"
        band = Band(low, high)
    drawn = line(f"{measure.title}, by day", values, names, band=band, least=measure.span, most=most, changed=began)
    return Plot(measure.title, meaning, Markup(drawn))


def _place(days: Sequence[date], since_unix_us: int) -> int | None:
    """Of the day on which it began; None: before all of them."""
    on = day_of(since_unix_us)
    return days.index(on) if on in days else None


def _bands(title: str, before: Sequence[Facts], since: Sequence[Facts], pick: Pick) -> Iterator[Plot]:
    ones, others = (
        np.array([bands for one in part if (bands := pick(one)) is not None and len(bands) == BANDS])
        for part in (before, since)
    )
    if len(ones) < SPECTRUM_LEAST or len(others) < SPECTRUM_LEAST:
        return
    reach = USUAL_DEVIATIONS * ones.std(axis=0)
    drawn = spectrum(title, ones.mean(axis=0), others.mean(axis=0), bands_hz(DEFAULT_SPEC), reach)
    yield Plot(title, "pale: usual", Markup(drawn))


def _intents(facts: Sequence[Facts]) -> list[str]:
    return [one.intent or "nothing known" for one in facts]


def _mix(title: str, before: Sequence[str], since: Sequence[str]) -> Iterator[Plot]:
    """Those whose shares changed most."""
    if len(before) < SPECTRUM_LEAST or len(since) < SPECTRUM_LEAST:
        return
    ones, others = Counter(before), Counter(since)
    rows = [Share(name, ones[name] / len(before), others[name] / len(since)) for name in ones | others]
    rows.sort(key=lambda row: (-abs(row.since - row.before), row.name))
    drawn = shares(f"{title}: shares before and since", rows[:SHOWN])
    yield Plot(f"{title}, share of all", "pale: before; green: since then", Markup(drawn))
