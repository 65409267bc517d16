"""How light the page is, how soon it is painted, and how it scrolls with many answers in its history.

scripts/bench page_speed [--answers N]
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.made_board import MadeBoard, event
from benchmarks.page_browser import chromium
from edge.asking.answer import Result

Page = Any

TIMER = Result("timer", "Timer for 10 minutes", "The time for pasta or a hard-boiled egg.", 1.0, None, "timer.start")
VISITS = 5
FRAMES = 300
STEP_PX = 90
"""A frame: some 5,000 pixels a second, as by a thumb in a hurry."""
LONG_MS = 50.0

LIGHT = """() => {
    const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const painted = performance.getEntriesByName("first-contentful-paint")[0];
    return {
        bytes: entries.reduce((sum, { name, transferSize }) => sum + (name.includes("/events") ? 0 : transferSize), 0),
        requests: entries.length,
        painted_ms: painted ? painted.startTime : null,
    };
}"""

SCROLL = """([frames, step]) => new Promise(settle => {
    const times = [];
    const next = (time) => {
        times.push(time);
        if (times.length > frames) { settle(times.slice(1).map((each, i) => each - times[i])); return; }
        const end = document.body.scrollHeight - innerHeight;
        if (scrollY <= 0) window.direction = 1;
        if (scrollY >= end - 1) window.direction = -1;
        scrollBy({ top: step * (window.direction ?? 1), behavior: "instant" });
        requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
})"""


@click.command()
@click.option("--answers", default=1000, show_default=True, type=click.IntRange(100))
def main(answers: int) -> None:
    """Measure on this machine; the server is on it too."""
    with tempfile.TemporaryDirectory() as directory, MadeBoard(Path(directory)) as board, chromium() as browser:
        for number in range(answers):
            said = f"set a timer for {number} minutes"
            board.keep(
                event(f"u{number}", said, ago_s=60.0 * (answers - number), response="It runs.", results=(TIMER,))
            )
        _light(browser, board)
        _smooth(browser, board, answers)


def _light(browser: Any, board: MadeBoard) -> None:
    """First visits, each with an empty cache."""
    measured = []
    for _ in range(VISITS):
        page = _opened(browser, board)
        measured.append(page.evaluate(LIGHT))
        page.context.close()
    painted = [one["painted_ms"] for one in measured]
    click.echo(
        f"transferred     {max(one['bytes'] for one in measured) / 1000:.1f} kB in {measured[0]['requests']} requests"
    )
    click.echo(f"first paint     {_middle(painted):.0f} ms median of {VISITS} first visits, longest {max(painted):.0f}")


def _smooth(browser: Any, board: MadeBoard, answers: int) -> None:
    page = _opened(browser, board)
    shown = "document.querySelectorAll('.card').length"
    for _ in range(answers):
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(50)
        if page.evaluate(shown) >= answers:
            break
        if page.is_visible("#older"):
            page.click("#older")
    for name, factor in (("this machine", 1), ("a fourth of it", 4)):
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": factor})
        page.evaluate("scrollTo(0, 0)")
        frames = sorted(page.evaluate(SCROLL, [FRAMES, STEP_PX]))
        long = sum(frame > LONG_MS for frame in frames)
        click.echo(
            f"scrolling       {_middle(frames):.1f} ms a frame, 95 % within {frames[int(0.95 * len(frames))]:.1f}, "
            f"longest {frames[-1]:.0f}, {long} of {FRAMES} over {LONG_MS:.0f} ms; {answers} answers, {name}"
        )
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 1})
    painted = []
    for number in range(20):
        board.tell(event(f"new{number}", "turn on the light", response="The light is on."))
        page.wait_for_selector(f'[data-utterance="new{number}"]', state="attached")
        page.wait_for_timeout(100)
    painted = page.evaluate("performance.getEntriesByName('final-painted').slice(-20).map(entry => entry.duration)")
    click.echo(
        f"a final         painted {_middle(painted):.0f} ms after it has come, longest {max(painted):.0f}; of 20"
    )


def _opened(browser: Any, board: MadeBoard) -> Page:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    board.pair(context)
    page = context.new_page()
    page.goto(board.address)
    page.wait_for_selector("body[data-doing=idle]")
    page.wait_for_selector(".card")
    page.wait_for_timeout(300)
    return page


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    main()
