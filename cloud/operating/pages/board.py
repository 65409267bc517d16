"""One board: how it hears, its days, what it said last."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from statistics import fmean, median
from typing import Any

from markupsafe import Markup

from cloud.log.reader import LogReader
from cloud.log.summary import Board, Heard, LogSummary
from cloud.log.wanted import Wanted
from cloud.operating.days import DAYS, USUAL_DEVIATIONS, by_day, of_days
from cloud.operating.hearing import DAY_US, USUAL_MIN, hearing, newest_version
from cloud.operating.numbers import day, number
from cloud.operating.plots.bars import bars
from cloud.operating.plots.line import Band, line
from cloud.operating.seams import Plot

NEWEST_SHOWN = 25


def board(log: Path, device_id: str, now_unix_us: int) -> dict[str, Any] | None:
    """The page's values; None: nothing is in the log of that board."""
    with closing(LogSummary(log)) as summary:
        known = summary.board(device_id)
        if not known.newest:
            return None
        all_versions = newest_version(summary.versions())
        heard = summary.heard(device_id, since_unix_us=now_unix_us - DAYS * DAY_US)
    with closing(LogReader(log)) as reader:
        newest = reader.newest(Wanted(device_id=device_id), NEWEST_SHOWN)
    return {
        "hearing": hearing(known, now_unix_us, all_versions),
        "version": known.edge_version,
        "newest": newest,
        "heard": len(heard),
        "days_shown": DAYS,
        "days": _plots(by_day(heard, now_unix_us), known),
        "paths": _paths(heard),
    }


def _plots(days: Mapping[date, Sequence[Heard]], known: Board) -> list[Plot]:
    names = [day(on) for on in days]
    usual = known.usual
    band = None
    if usual.known >= USUAL_MIN and usual.noise_dbfs is not None and usual.deviation_db is not None:
        reach = USUAL_DEVIATIONS * usual.deviation_db
        band = Band(usual.noise_dbfs - reach, usual.noise_dbfs + reach)
    counts = [len(each) for each in days.values()]
    empty = [sum(one.was_empty for one in each) for each in days.values()]
    noise = of_days(days, lambda one: one.noise_floor_dbfs, fmean)
    snr = of_days(days, lambda one: one.snr_db, fmean)
    sure = of_days(days, lambda one: None if one.confidence is None else 100 * one.confidence, fmean)
    waits = of_days(
        days,
        lambda one: None if one.replayed or one.endpoint_to_final_ms is None else one.endpoint_to_final_ms / 1000,
        median,
    )
    range_told = "" if band is None else f"; usual: {number(band.low)} to {number(band.high)}"
    return [
        Plot("Utterances a day", "red: without a word", Markup(bars("Utterances by day", counts, empty, names))),
        Plot(
            "Noise floor, dBFS",
            f"mean of a day{range_told}",
            Markup(line("Noise floor by day, in dBFS", noise, names, band=band, least=10)),
        ),
        Plot(
            "Speech over noise, dB",
            "mean of a day",
            Markup(line("Speech over noise by day, in dB", snr, names, band=None, least=10)),
        ),
        Plot(
            "How sure, %",
            "mean of a day",
            Markup(line("Confidence by day, in percent", sure, names, band=None, least=20, most=100)),
        ),
        Plot(
            "End of speech to answer, s",
            "half of them were quicker",
            Markup(line("Median wait by day, in seconds", waits, names, band=None, least=0.5)),
        ),
    ]


def _paths(heard: Sequence[Heard]) -> list[tuple[str, float]]:
    """By whom it was answered, as shares."""
    groups = {
        "by the service, at once": sum(each.path == "cloud" and not each.replayed for each in heard),
        "by the service, sent later": sum(each.path == "cloud" and each.replayed for each in heard),
        "by the board itself": sum(each.path == "local" for each in heard),
    }
    return [(name, count / len(heard)) for name, count in groups.items() if count]
