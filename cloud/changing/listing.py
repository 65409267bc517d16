"""Candidates and their history in lines, for a terminal. Pure."""

import datetime
from collections.abc import Iterator

import msgspec

from cloud.changing.gate import Figure
from cloud.changing.operations import Told, Tried
from cloud.changing.rollout import Step, called


def told_lines(told: Told, see: float) -> Iterator[str]:
    """What serves, what is tried, and how that does."""
    serves = (
        f"{told.own}, as the settings say" if told.serving is None else _what(told.serving.what, told.serving.version)
    )
    yield f"{told.subject}: {serves}"
    if told.tried is None:
        yield "  nothing is tried"
        return
    rollout = told.tried.rollout
    where = "in the shadow" if rollout.state == "shadow" else f"answers {rollout.share:.0%} of the boards"
    since = f"since {_time(rollout.began_at_unix_us)}"
    then = ", promoted by itself once the gate lets it through" if rollout.automatic else ""
    yield f"  {_what(rollout.candidate, rollout.version)}: {where}, {since}{then}"
    yield f"  {told.tried.verdict.decision}: {told.tried.verdict.why}"
    yield from (f"    {line}" for line in figure_lines(told.tried.verdict.figures))
    yield f"  {_needed(told.tried, see)}"


def figure_lines(figures: tuple[Figure, ...]) -> Iterator[str]:
    """A line a figure; none where there are none."""
    if figures:
        yield f"{'':<28}{'points':>8}{'from':>8}{'to':>8}{'compared':>10}{'worse':>8}{'good enough':>13}"
    for figure in figures:
        name = f"{figure.measure} {figure.slice}".strip()
        enough = "-" if figure.good_enough is None else f"{min(1.0, figure.good_enough):.0%}"
        values = (figure.difference, max(-1.0, figure.low), min(1.0, figure.high))
        points = "".join(f"{100 * value:>+8.1f}" if figure.comparisons else f"{'-':>8}" for value in values)
        yield f"{name:<28}{points}{figure.comparisons:>10}{min(1.0, figure.worse):>8.0%}{enough:>13}"


def done(step: Step) -> str:
    """What was done, as whoever did it calls it."""
    what, some = called(step.candidate), "some" if step.share is None else f"{step.share:.0%}"
    if step.subject.kind != "board":
        to = f", {some} of the boards" if step.share is not None else ""
        return f"{step.subject}: {step.action} {what}{to}"
    of_boards = {
        "shadow": f"take in {what}",
        "canary": f"offer {what} to {some} of the boards",
        "promote": f"offer {what} to all boards",
        "rollback": f"withdraw {what}",
    }
    return of_boards.get(step.action, f"{step.action} {what}")


def step_lines(step: Step) -> Iterator[str]:
    """When, who, what, why; then the figures."""
    before = step.before or "new"
    serves = called(step.serves) if step.serves else "what the settings say"
    yield f"{_time(step.at_unix_us)}  {step.who}  {done(step)}"
    yield f"    {before} -> {step.after}; {serves} serves. {step.why}"
    if step.figures:
        figures = msgspec.json.decode(step.figures, type=tuple[Figure, ...])
        yield from (f"    {line}" for line in figure_lines(figures))


def _needed(tried: Tried, see: float) -> str:
    if tried.needed is None:
        return f"To see {100 * see:g} points of errors takes more utterances than anybody waits for."
    days = "" if tried.days is None else f", {tried.days:.1f} days as they come now"
    return f"To see {100 * see:g} points of errors takes {tried.needed} utterances in all whose errors are known{days}."


def _what(what: str, version: str) -> str:
    name = called(what)
    # A copy's name has its version.
    return name if name == version or name != what else f"{name} ({version})"


def _time(unix_us: int) -> str:
    return f"{datetime.datetime.fromtimestamp(unix_us / 1e6):%Y-%m-%d %H:%M}"
