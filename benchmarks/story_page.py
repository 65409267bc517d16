"""The story as lines for a terminal, and as a page with plots."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from benchmarks.story_world import World
from cloud.drift.shape import bands_hz
from models.plot import figure
from models.retraining.judging import IN_USE
from models.retraining.page import page, paragraph, plot, section, table
from models.retraining.steps import Figures, write_whole
from protos.feature_spec import DEFAULT_SPEC

AROUND = 30
"""Utterances that a moving mean is of."""
SHIPPED, PROMOTED = "#c8553d", "#1f4e79"

Found = Mapping[str, Figures]


def lines(found: Found) -> Iterator[str]:
    """One a step, with its figures."""
    for name, tell in LINES.items():
        yield f"{name:<8} {tell(found[name])}"


def write(world: World, found: Found, titles: Mapping[str, str]) -> None:
    """The page, with its plots beside."""
    drawn = {
        "dishes": _errors(world, found),
        "drift": _floor(world, found) + (_bands(world, found) if found["drift"]["found"] else ()),
        "retrain": (_slices(world, found),),
        "shadow": (_gate(world, found, "shadow"),),
        "canary": (_gate(world, found, "canary"),),
        "promote": (_dev(world, found),),
    }
    parts = [paragraph(_lead(found), "lead"), _whole(found)]
    for number, (name, title) in enumerate(titles.items(), 1):
        more = [paragraph(found[name]["finding"])] if name == "um" else []
        if name == "drift" and found[name]["found"]:
            more = [paragraph(found[name]["sentence"]), paragraph(found[name]["advice"])]
        parts += section(f"{number}. {title}", paragraph(LINES[name](found[name])), *more, *drawn.get(name, ()))
    text = page("The life of a model, in figures from real recordings", parts)
    write_whole(world.work / "story.html", text.encode())


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _record(told: Figures) -> str:
    unheard = ", ".join(f"{name} {none} of {of}" for name, (none, of) in told["unheard"].items())
    return f"{told['utterances']} recordings as a board heard them; not heard at all: {unheard}"


def _ship(told: Figures) -> str:
    return (
        f"kitchen 1, learnt from {told['clips']} clips, errs in {_percent(told['dev error'])} of {told['dev clips']} "
        f"clips of other people, and as the board hears them in a kitchen in {_percent(told['dev error, as a board'])}"
    )


def _um(told: Figures) -> str:
    caught = "caught before training" if told["caught"] and not told["trained"] else "NOT caught"
    return f"{told['labels']} labels, {told['of bea']} of them by bea, who is new: {caught}; then put right"


def _dishes(told: Figures) -> str:
    before, after = told["utterances"]
    return (
        f"errors {_percent(told['before'])} of {before} utterances → {_percent(told['after'])} of {after} with the "
        "dishwasher"
    )


def _drift(told: Figures) -> str:
    if not told["found"]:
        return f"NOT found; {told['false alarms']} false alarms before"
    return (
        f"told {told['utterances']} utterances after the dishwasher came, {told['false alarms']} false alarms before: "
        f"{told['sentence']}"
    )


def _labels(told: Figures) -> str:
    estimated, low, high = told["estimated"]
    return (
        f"{told['labels']} of {told['of']} utterances drawn and labelled, {told['unsure']} of them rather for the "
        f"service's doubt ({_percent(told['of the labelled'])} of the labelled are wrong); errors estimated "
        f"{_percent(estimated)} ({_percent(low)} to {_percent(high)}), in truth {_percent(told['true'])}"
    )


def _retrain(told: Figures) -> str:
    whole, new = told["serving"][0], _slice(told["serving"], "data = new")
    brought = _slice(told["without"], "data = new") or told["without"][0]
    of_new = "" if new is None else f", on what is new {_from_to(new)}"
    if (use := _slice(told["serving"], IN_USE)) is not None:
        of_new += f", each {IN_USE} {_from_to(use)}"
    return (
        f"kitchen 2, errors {_from_to(whole)}{of_new} ({sum(told['new'].values())} new clips); beside the same without "
        f"what is new {_points(brought)}; offered to {', '.join(f'{share:.0%}' for share in told['offered']) or 'no'} "
        "of the boards"
    )


def _slice(found: Sequence[Figures], name: str) -> Figures | None:
    return next((one for one in found if one["slice"] == name), None)


def _from_to(one: Figures) -> str:
    return f"{_percent(one['rate_before'])} → {_percent(one['rate_after'])} of {one['clips']}"


def _points(one: Figures) -> str:
    difference = 100 * (one["rate_after"] - one["rate_before"])
    return f"{difference:+.1f} points ({100 * one['low']:+.1f} to {100 * one['high']:+.1f})"


def _phase(told: Figures) -> str:
    served, candidate = told["errors"]
    return (
        f"{told['decision']} after {told['utterances']} utterances (errors {_percent(served)}, candidate "
        f"{_percent(candidate)}; to see 5 points it takes about {told['needed']}): {told['why']}"
    )


def _promote(told: Figures) -> str:
    each = [
        f"{name} {_percent(one['before'])} → {_percent(one['after'])} ({100 * one['low']:+.1f} to "
        f"{100 * one['high']:+.1f} points)"
        for name, one in told["dev"].items()
    ]
    before, after = told["as recorded"]
    return f"on others: {', '.join(each)}; as recorded {_percent(before)} → {_percent(after)}"


LINES: dict[str, Callable[[Figures], str]] = {
    "record": _record,
    "ship": _ship,
    "um": _um,
    "dishes": _dishes,
    "drift": _drift,
    "labels": _labels,
    "retrain": _retrain,
    "shadow": _phase,
    "canary": _phase,
    "promote": _promote,
}


def _lead(found: Found) -> str:
    dishes, dev = found["dishes"], found["promote"]["dev"]["dishes"]
    told = found["drift"].get("utterances", "-")
    return (
        f"A dishwasher took the board's errors from {_percent(dishes['before'])} to {_percent(dishes['after'])}. "
        f"It was named after {told} utterances, {found['labels']['labels']} labels were asked for, and the model that "
        f"learnt from them errs on other people in {_percent(dev['after'])} where the first one errs in "
        f"{_percent(dev['before'])}."
    )


def _whole(found: Found) -> str:
    return table(("step", "figures"), [(name, tell(found[name])) for name, tell in LINES.items()])


def _errors(world: World, found: Found) -> tuple[str]:
    """Errors over time, and what serves afterwards."""
    told = found["dishes"]
    wrong = np.array(told["by utterance"])
    file = world.plots / "errors.svg"
    with figure(file, x="utterances of the board", y=f"errors, % (of {AROUND})") as axes:
        mean = 100 * np.convolve(wrong, np.ones(AROUND) / AROUND, "valid")
        axes.plot(np.arange(len(mean)) + AROUND, mean, color=SHIPPED)
        axes.axvline(told["utterances"][0], color="black", linewidth=0.8, linestyle="--")
        axes.set_ylim(0, None)
    return (plot(file, "Errors of the first model; the dishwasher arrives at the dashed line"),)


def _floor(world: World, found: Found) -> tuple[str, ...]:
    told = found["drift"]
    file = world.plots / "floor.svg"
    with figure(file, x="utterances of the board", y="noise floor, dBFS") as axes:
        axes.plot([np.nan if one is None else one for one in told["floor"]], ".", markersize=3, color=PROMOTED)
        axes.axvline(told["before"], color="black", linewidth=0.8, linestyle="--")
        if told["found"]:
            axes.axvline(told["before"] + told["utterances"], color=SHIPPED, linewidth=1.2)
    return (plot(file, "The noise floor; it is told at the red line"),)


def _bands(world: World, found: Found) -> tuple[str, ...]:
    before, after = found["drift"]["bands"]
    file = world.plots / "bands.svg"
    with figure(file, x="Hz", y="noise, dB") as axes:
        axes.plot(bands_hz(DEFAULT_SPEC), before, marker="o", color=PROMOTED, label="before")
        axes.plot(bands_hz(DEFAULT_SPEC), after, marker="o", color=SHIPPED, label="after")
        axes.legend()
    return (plot(file, "The noise by bands, which is what names it"),)


def _slices(world: World, found: Found) -> str:
    rows = list(reversed(found["retrain"]["serving"]))
    file = world.plots / "slices.svg"
    with figure(file, x="difference of errors, points; left is better", y="") as axes:
        axes.figure.set_size_inches(8, 1.2 + 0.3 * len(rows))
        axes.axvline(0, color="black", linewidth=0.8)
        for place, one in enumerate(rows):
            axes.plot([100 * one["low"], 100 * one["high"]], [place, place], color=PROMOTED)
            axes.plot([100 * (one["rate_after"] - one["rate_before"])], [place], "o", color=PROMOTED)
        axes.set_yticks(range(len(rows)), [f"{one['slice'] or 'all'} ({one['clips']})" for one in rows])
    return plot(file, "The candidate beside the first model, by slice")


def _gate(world: World, found: Found, name: str) -> str:
    history = np.array(found[name]["history"], np.float64)
    file = world.plots / f"{name}.svg"
    with figure(file, x="utterances of the fleet", y="difference of errors, points") as axes:
        axes.fill_between(history[:, 0], 100 * history[:, 2], 100 * history[:, 3], color=PROMOTED, alpha=0.2)
        axes.plot(history[:, 0], 100 * history[:, 1], color=PROMOTED)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set_ylim(-60, 60)
    return plot(file, f"{name}: the candidate's errors less those of what serves, with 95 % at any time")


def _dev(world: World, found: Found) -> str:
    dev = found["promote"]["dev"]
    file = world.plots / "dev.svg"
    places = np.arange(len(dev))
    with figure(file, x="", y="errors, %") as axes:
        axes.bar(places - 0.2, [100 * one["before"] for one in dev.values()], 0.38, color=SHIPPED, label="first model")
        axes.bar(places + 0.2, [100 * one["after"] for one in dev.values()], 0.38, color=PROMOTED, label="promoted")
        axes.set_xticks(places, list(dev))
        axes.legend()
    return plot(file, "People whom neither model knows, looked at once")
