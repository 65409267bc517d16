"""The report of a retraining: one page with its figures and plots, and what to do next."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from models.retraining import offering, plots
from models.retraining.given import Given
from models.retraining.judging import IN_USE, WHOLE, Judged
from models.retraining.page import page, paragraph, plot, section, table, told
from models.retraining.steps import Figures, Tell, write_whole
from models.retraining.trained import CANDIDATE, SERVING, WITHOUT, compared

HEAD = ("slice", "clips", "before", "candidate", "difference, points", "95 %", "mended", "broken", "")


def write_report(given: Given, figures: Mapping[str, Figures], tell: Tell) -> Figures:
    """Of the figures of the steps before."""
    against = {name: compared(given, name) for name in (SERVING, WITHOUT)}
    for name, found in against.items():
        plots.errors(given.plots / f"errors-{name}.svg", found, name)
        plots.differences(given.plots / f"differences-{name}.svg", found)
    parts = [
        paragraph(sentence(against[SERVING], given), "lead"),
        *(paragraph(text) for text in [in_use(against[SERVING])] if text is not None),
        paragraph(brought(against[WITHOUT])),
        *_worse(against[SERVING]),
        *_data(figures),
        *_labels(given, figures),
        *_compared(given, "Beside the model that serves", SERVING, against[SERVING]),
        *_compared(given, "Without what is new, with as many steps", WITHOUT, against[WITHOUT]),
        *_training(given, figures),
        *_candidate(given, figures),
    ]
    title = f"{given.recipe.name} {given.recipe.version}: retrained"
    write_whole(given.report, page(title, parts).encode("utf-8", "replace"))
    for line in (sentence(against[SERVING], given), in_use(against[SERVING]), brought(against[WITHOUT])):
        if line is not None:
            tell(line)
    return {CANDIDATE: msgspec.to_builtins(against[SERVING][0])}


def sentence(found: Sequence[Judged], given: Given) -> str:
    """On the whole, beside what serves."""
    whole = found[0]
    served = f"{given.serving_card.name} {given.serving_card.version}"
    return (
        f"On {whole.clips} clips that neither learnt from, errors {100 * whole.rate_before:.1f} % ({served}) → "
        f"{100 * whole.rate_after:.1f} % ({given.recipe.name} {given.recipe.version}): {_points(whole)}."
    )


def brought(found: Sequence[Judged]) -> str:
    """What the new data is worth."""
    new = next((one for one in found if one.slice == "data = new"), None)
    there = "" if new is None else f"; on what is new {_points(new)}"
    return f"What the new data brought, with as many steps: {_points(found[0])}{there}."


def in_use(found: Sequence[Judged]) -> str | None:
    """The same of what boards hear; None: too little was drawn by chance."""
    one = next((one for one in found if one.slice == IN_USE), None)
    if one is None:
        return None
    return (
        f"In use, by {one.clips} utterances that were drawn for a label, each counted for all that it stands for: "
        f"errors {100 * one.rate_before:.1f} % → {100 * one.rate_after:.1f} %: {_points(one)}."
    )


def next_step(given: Given) -> str:
    """What to do with it, with the command."""
    name = given.recipe.name
    if given.offer is None:
        why = sentence(compared(given, SERVING), given)
        return f"Next, boards that try it: {offering.command(given, why)}"
    return (
        f"Goes to {given.offer:.0%} of the boards, which try it; `parrotlet-edge models list` there says how it does. "
        f'Next, all boards: parrotlet-cloud models boards widen {name} --why "…"; or none: withdraw {name}.'
    )


def _points(one: Judged) -> str:
    return (
        f"{100 * one.difference:+.1f} points ({100 * one.low:+.1f} to {100 * one.high:+.1f}), {one.verdict}"
        if one.verdict != "may be luck"
        else f"{100 * one.difference:+.1f} points, which may be luck ({100 * one.low:+.1f} to {100 * one.high:+.1f})"
    )


def _worse(found: Sequence[Judged]) -> Iterator[str]:
    names = [one.slice for one in found if one.slice != WHOLE and one.verdict == "worse"]
    if names:
        yield paragraph(f"Worse in {', '.join(names)}: look there before it is tried.")


def _data(figures: Mapping[str, Figures]) -> Iterator[str]:
    taken, divided = figures["import"], figures["divide"]
    rows = [(name, *(part.get(split, 0) for split in ("train", "tune", "test"))) for name, part in _parts(divided)]
    yield from section(
        "Data",
        table(("", "train", "tune", "test"), rows),
        told([("new clips", taken["clips"]), ("left out", taken["left out"]), *_counts(taken)]),
    )


def _parts(divided: Figures) -> list[tuple[str, Mapping[str, int]]]:
    return [("what was there", divided["base"]), ("new", divided["new"])]


def _counts(taken: Figures) -> Iterator[tuple[str, str]]:
    for name in ("by board", "by transcriber", "by class"):
        yield name, ", ".join(f"{value} {count}" for value, count in sorted(taken[name].items()))


def _labels(given: Given, figures: Mapping[str, Figures]) -> Iterator[str]:
    checked, fixed = figures["check"], figures["fix"]
    found = ", ".join(f"{kind} {count}" for kind, count in checked["found"].items()) or "nothing"
    yield from section(
        "Labels",
        told(
            [
                ("found", found),
                ("put right", fixed["labels put right"]),
                ("left out as errors", fixed["left out"]),
                ("page", given.check_page.name),
            ]
        ),
        *(paragraph(one) for one in checked["apart"]),
    )


def _compared(given: Given, title: str, name: str, found: Sequence[Judged]) -> Iterator[str]:
    rows = [
        (
            one.slice or "all",
            one.clips,
            f"{100 * one.rate_before:.1f} %",
            f"{100 * one.rate_after:.1f} %",
            f"{100 * one.difference:+.1f}",
            f"{100 * one.low:+.1f} to {100 * one.high:+.1f}",
            one.mended,
            one.broken,
            one.verdict,
        )
        for one in found
    ]
    yield from section(
        title,
        table(HEAD, rows),
        plot(given.plots / f"errors-{name}.svg", "Errors by slice, and how many clips it has"),
        plot(given.plots / f"differences-{name}.svg", "Difference by slice, with 95 % (paired, by speaker)"),
    )


def _training(given: Given, figures: Mapping[str, Figures]) -> Iterator[str]:
    made = given.training(given.set)
    trained = figures["train"]
    tuned = trained["tuning part"]
    yield from section(
        "Training",
        told(
            [
                ("recipe", given.recipe_file.name),
                ("learnt from", trained["learnt from"]),
                ("tuning part", "-" if tuned is None else f"{100 * tuned:.1f} %"),
                ("bytes", trained["bytes"]),
            ]
        ),
        plot(made / "loss.svg", "Loss"),
        plot(made / "accuracy.svg", "Accuracy"),
    )


def _candidate(given: Given, figures: Mapping[str, Figures]) -> Iterator[str]:
    made = figures["candidate"]
    yield from section(
        "The candidate",
        told([("folder", made["folder"]), ("version", made["version"]), ("sha256", made["sha256"])]),
        paragraph("Made from:"),
        *map(paragraph, made["sources"]),
        paragraph(next_step(given)),
    )
