"""What no cause explains: what moved most, in units that people know."""

import math
from collections.abc import Callable

from cloud.drift.causes.cause import Cause, Plot, since, who
from cloud.drift.change import Change, Effect
from cloud.drift.features import FEATURES

NAMED_MAX, SCORE_MIN = 3, 0.7
"""So many at most; what moved less, in standard deviations, is not worth a word beside what moved most."""

Told = Callable[[float], float]

_FEATURES = {feature.name: feature for feature in FEATURES}

_AS_PEOPLE_KNOW_IT: dict[str, tuple[Told, str]] = {
    "clipped": (lambda decades: 100 * 10**decades, "%"),
    "speech": (lambda decades: 10**decades / 1000, "s"),
    "silence_before": (lambda decades: 10**decades, "s"),
    "pitch": (lambda octaves: 2**octaves, "Hz"),
    "confidence": (lambda logits: 100 / (1 + math.exp(-logits)), "%"),
    "slowness": (lambda decades: 100 * 10**decades, "%"),
    "strange_voice": (float, "dB"),
    "rare_intent": (float, "bits"),
    "rare_board": (float, "bits"),
}
"""Of features that are watched in another form."""
_NAMES = {
    "slowness": "time that the same takes",
    "strange_voice": "strangeness of voices",
    "rare_intent": "rarity of what is wanted",
    "rare_board": "rarity of who is heard",
}


def cause_of(change: Change) -> Cause:
    """Of a change that nothing explains."""
    first, *others = sorted(change.effects.items(), key=lambda item: -abs(item[1].score))[:NAMED_MAX]
    most = [first, *(other for other in others if abs(other[1].score) >= SCORE_MIN)]
    return Cause(
        "unknown",
        0.0,
        f"{who(change)}: changed {since(change)}: {', '.join(_told(*item) for item in most)}.",
        "Look at some of its utterances: `parrotlet-cloud log query`.",
        {name: effect.after for name, effect in most},
        Plot("feature", change.suspect),
    )


def _told(name: str, effect: Effect) -> str:
    """What it was and is; of a share, which differences from the season's may lead out of its bounds, in percent."""
    feature = _FEATURES.get(name)
    what = _NAMES.get(name) or (feature.what if feature is not None else name)
    if name in _AS_PEOPLE_KNOW_IT:
        as_known, unit = _AS_PEOPLE_KNOW_IT[name]
        before, after = as_known(effect.before), as_known(effect.after)
    elif feature is not None and not feature.unit:
        unit = "%"
        before, after = (100 * min(1.0, max(0.0, value)) for value in (effect.before, effect.after))
    else:
        unit, before, after = feature.unit if feature is not None else "", effect.before, effect.after
    return f"{what} {_number(before, unit)} → {_number(after, unit)} {unit}".rstrip()


def _number(value: float, unit: str) -> str:
    """Three digits, and of a share as few as tell it."""
    if abs(value) >= 100 or (unit == "%" and value >= 1):
        return f"{value:.0f}"
    return f"{value:.2g}" if unit == "%" else f"{value:.3g}"
