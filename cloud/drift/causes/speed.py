"""People speak faster or slower: more words and syllables a second, in less time."""

from cloud.drift.causes.cause import Cause, Plot, bounded, since, who
from cloud.drift.change import Change

RATIO_MIN, RATIO_SURE = 1.08, 1.15
EMPTY_MORE = 0.5
"""Where so many more answers come without a word, the few words that are left say nothing of who speaks."""


def find(change: Change) -> Cause | None:
    """None where it takes as long as it did to say things."""
    ratio = faster(change)
    if max(ratio, 1 / ratio) < RATIO_MIN:
        return None
    percent = 100 * (ratio - 1)
    word = "faster" if ratio > 1 else "slower"
    sizes = abs(ratio - 1) / (RATIO_SURE - 1)
    return Cause(
        "speed",
        bounded(sizes * change.prominence("words", "syllables", "slowness"), 1.2),
        f"{who(change)}: people speak {abs(percent):.0f} % {word} {since(change)}.",
        f"Collect 200 utterances of who speaks there; train with speeds of {0.9 * ratio:.2f} to {1.1 * ratio:.2f}.",
        {
            "ratio": round(ratio, 3),
            "words_per_s": round(change.effect("words").after, 2),
            "syllables_per_s": round(change.effect("syllables").after, 2),
        },
        Plot("feature", "words"),
    )


def faster(change: Change) -> float:
    """So many times as fast, by the two of three measures that say least: words and syllables a second, length."""
    found = []
    is_deaf = change.effect("empty").difference > EMPTY_MORE
    for name in ("syllables",) if is_deaf else ("words", "syllables"):
        effect = change.effect(name)
        if effect.before > 0 and effect.after > 0:
            found.append(effect.after / effect.before)
    found.append(10 ** -change.effect("slowness").difference)
    if len(found) < 2 or min(found) < 1 < max(found):
        # They contradict each other: other things are said, not faster.
        agree = (
            [one for one in found if one > 1]
            if sum(one > 1 for one in found) >= 2
            else [one for one in found if one < 1]
        )
        return min(agree, key=lambda one: abs(one - 1)) if len(agree) >= 2 else 1.0
    return sorted(found, key=lambda one: abs(one - 1))[(len(found) - 1) // 2]
