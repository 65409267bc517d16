"""A likely cause of a change: a sentence with its evidence, what to do, and what to look at."""

from datetime import datetime, tzinfo

import msgspec

from cloud.drift.change import Change


class Plot(msgspec.Struct, frozen=True):
    """What shows it."""

    what: str
    """ "feature": one over time; "bands": spectra before and after; "shares": of intents or words."""
    name: str
    """The feature's name, "noise" or "voice", "intents" or "words"."""


class Cause(msgspec.Struct, frozen=True):
    """One of them."""

    name: str
    fit: float
    """How well it explains what changed, about 1 where it does; compare within one change."""
    sentence: str
    """What changed since when, with figures."""
    advice: str
    """What to do or to collect, a sentence."""
    numbers: dict[str, float]
    """Behind the sentence; units are in the names."""
    plot: Plot


def who(change: Change) -> str:
    """The subject of a sentence: "Board kitchen-2"."""
    return f"Board {change.stream}" if change.is_board else change.stream


def since(change: Change, zone: tzinfo | None = None) -> str:
    """ "since Tuesday 18:00", by the service's clock; with a date where it is further back."""
    if change.began_at_unix_us is None:
        return f"over the last {change.utterances} utterances"
    began = datetime.fromtimestamp(change.began_at_unix_us / 1e6, zone)
    told = datetime.fromtimestamp((change.told_at_unix_us or change.began_at_unix_us) / 1e6, zone)
    if (told.date() - began.date()).days < 6:
        return f"since {began:%A %H:%M}"
    return f"since {began.day} {began:%B %H:%M}"


def up_or_down(difference: float) -> str:
    """For a sentence."""
    return "up" if difference > 0 else "down"


def bounded(fit: float, most: float = 1.5) -> float:
    """A fit, from 0 to the most that a cause may claim."""
    return round(max(0.0, min(most, fit)), 3)
