"""Kills the board, cuts and stalls the way to it, and puts the phone to sleep: which answers are not on its page?

    scripts/chaos page
    scripts/chaos page --spoken --answers 60

A real chromium looks at the page through a link of ours. 1,000 spoken answers would take hours: by default a made board
tells them, a program of its own behind the real page and by the real spool. With --spoken it is the real daemon, which
plays sentences in real time and asks a real service. Either is killed (-9) and started again. What its spool has in the
end is what the page must show: by its stream alone, asked for, and after it was opened anew.
"""

import contextlib
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from benchmarks import path
from benchmarks.chaos_page_board import ANSWERS_MAX
from benchmarks.cut_link import Link, linked
from benchmarks.figures import Figure, none, progress, report
from benchmarks.page_browser import chromium, ended, stopped
from benchmarks.page_victim import LOOK_S, Shown, Victim
from benchmarks.paired_phones import pair
from benchmarks.soak import write_household
from benchmarks.victims import end_in_order, free_port

BOARD_HOST = "127.0.0.2"
"""The link has the same port at 127.0.0.1: a board knows by which port it is called."""
PARTS_PER_S = 5.0
SPOKEN_S = 10.0
"""An answer, with the pause after it, at most."""
LASTS_S = (1.0, 8.0)
"""A fault, drawn."""
SILENT_S = 30.0
"""Longer than the page waits for a word of the board."""
CATCH_UP_S_MAX = 90.0
TICK_MS = 100

WATCH = f"""
window.numbers = []; window.ticks = 0;
setInterval(() => {{ window.ticks += 1; }}, {TICK_MS});
const listen = EventSource.prototype.addEventListener;
EventSource.prototype.addEventListener = function (name, hear) {{
    let last = "";
    return listen.call(this, name, name !== "answer" ? hear : (event) => {{
        if (event.lastEventId !== last) window.numbers.push(Number(last = event.lastEventId));
        hear(event);
    }});
}};
"""
"""Notes the number of each event that comes, whatever the page makes of it, and whether time passes."""
SHOWN = """() => [...document.querySelectorAll("#feed .card")].map((card) =>
    [card.dataset.utterance, card.dataset.kind, card.querySelector(".said")?.textContent ?? ""])"""
IS_HEARD = "!['lost', 'connecting'].includes(document.body.dataset.doing)"
MISSING = """(wanted) => {
    const cards = new Map([...document.querySelectorAll("#feed .card")].map((card) => [card.dataset.utterance, card]));
    return wanted.filter(([key, kind, words]) => {
        const card = cards.get(key);
        return card?.dataset.kind !== kind || !card.textContent.includes(words);
    }).length;
}"""
ASKED = """async () => {
    const found = [];
    for (let before = "", more = true; more; ) {
        const asked = await (await fetch(`/answers?limit=100${before}`)).json();
        found.push(...asked.answers.map(({ id }) => id));
        more = asked.more;
        before = `&before=${found.at(-1)}`;
    }
    return found;
}"""


class Trial(NamedTuple):
    """A board, the way to it, and a phone that looks on."""

    board: Victim
    link: Callable[[Callable[[Link], None]], None]
    page: Any


def killed(trial: Trial, lasts_s: float) -> float:
    trial.board.kill()
    time.sleep(lasts_s)
    trial.board.start()
    return time.monotonic()


def cut(trial: Trial, lasts_s: float) -> float:
    trial.link(Link.cut)
    time.sleep(lasts_s)
    trial.link(Link.mend)
    return time.monotonic()


def stalled(trial: Trial, lasts_s: float) -> float:
    trial.link(Link.stall)
    time.sleep(lasts_s)
    trial.link(Link.flow)
    return time.monotonic()


def gone_silent(trial: Trial, lasts_s: float) -> float:
    """So long that the page gives up; what was on the way is lost."""
    trial.link(Link.stall)
    time.sleep(lasts_s + SILENT_S)
    trial.link(Link.cut)
    trial.link(Link.flow)
    trial.link(Link.mend)
    return time.monotonic()


def asleep(trial: Trial, lasts_s: float) -> float:
    return _asleep(trial, lambda: time.sleep(lasts_s))


def hidden(trial: Trial, lasts_s: float) -> float:
    """The browser goes on, and takes what comes; the page stands still."""
    return _asleep(trial, lambda: time.sleep(lasts_s), "renderer")


def asleep_while_cut(trial: Trial, lasts_s: float) -> float:
    return _asleep(trial, lambda: cut(trial, lasts_s))


def asleep_while_killed(trial: Trial, lasts_s: float) -> float:
    return _asleep(trial, lambda: killed(trial, lasts_s))


def out_of_reach(trial: Trial, lasts_s: float) -> float:
    """The phone itself has no network, and knows."""
    trial.page.context.set_offline(True)
    time.sleep(lasts_s)
    trial.page.context.set_offline(False)
    return time.monotonic()


FAULTS: dict[str, tuple[Callable[[Trial, float], float], int]] = {
    "board killed (-9) and back": (killed, 8),
    "link cut": (cut, 4),
    "link stalls, and goes on": (stalled, 3),
    "link silent for over 30 s, then cut": (gone_silent, 1),
    "phone asleep": (asleep, 3),
    "page asleep": (hidden, 2),
    "phone asleep, link cut meanwhile": (asleep_while_cut, 2),
    "phone asleep, board killed and back meanwhile": (asleep_while_killed, 2),
    "phone without network": (out_of_reach, 3),
}
"""Each so often; given how long it lasts, each tells the moment at which it was over."""


def _asleep(trial: Trial, meanwhile: Callable[[], object], kind: str = "") -> float:
    """RuntimeError if the page goes on all the same."""
    before, began_s = trial.page.evaluate("window.ticks"), time.monotonic()
    with stopped(kind):
        meanwhile()
    over_s = time.monotonic()
    if trial.page.evaluate("window.ticks") - before > 2 + (over_s - began_s) * 1000 / TICK_MS / 2:
        raise RuntimeError("the page was not asleep")
    return over_s


class Findings(NamedTuple):
    """What came of a trial."""

    answers: int
    parts: int
    deaths: int
    caught_up_s: dict[str, list[float]]
    """From the end of each fault until the page showed all that there was then."""
    missing: list[str]
    """Not on the page, or not as they ended."""
    strange: list[str]
    """On the page, and not told."""
    twice: list[str]
    """On the page."""
    numbers_twice: list[int]
    """Sent to the page more than once."""
    asked_missing: int
    """Not among those that can be asked for."""
    anew_wrong: int
    """Not as they ended, or twice, on the page that was opened anew."""


def trial(
    board: Victim,
    port: int,
    state: Path,
    answers: int,
    faults: list[str],
    draw: random.Random,
    lasts_s: tuple[float, float] = LASTS_S,
) -> Findings:
    """Tells so many answers, with faults evenly among them that last as long as is drawn between these."""
    caught_up_s: dict[str, list[float]] = defaultdict(list)
    (cookie,) = pair(state, tls=False)
    with board, linked(f"{BOARD_HOST}:{port}", port) as link, chromium() as browser:
        context = browser.new_context(viewport={"width": 390, "height": 844})
        context.add_cookies([{"name": cookie.name, "value": cookie.value, "url": f"http://localhost:{port}"}])
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(f"http://localhost:{port}/")
        page.wait_for_selector("body[data-doing=idle]")
        made = Trial(board, link, page)
        for number, name in enumerate(faults):
            _wait_for(made, answers * (number + 1) // (len(faults) + 1))
            fault_s = draw.uniform(*lasts_s)
            with ended(fault_s + SILENT_S + 2 * CATCH_UP_S_MAX):
                caught_up_s[name].append(_catch_up(made, FAULTS[name][0](made, fault_s)))
            progress(f"{number + 1} faults of {len(faults)}, {len(board.cards())} answers of {answers}: {name}")
        _wait_for(made, answers)
        with ended(5 * CATCH_UP_S_MAX):
            _catch_up(made, time.monotonic())
            return _findings(made, caught_up_s)


def _wait_for(made: Trial, answers: int) -> None:
    """Until so many were told."""
    while len(made.board.cards()) < answers:
        made.page.wait_for_timeout(1000 * LOOK_S)


def _catch_up(made: Trial, since_s: float) -> float:
    """Seconds since then until the page hears the board and shows all that there is now; bounded."""
    wanted = set(made.board.cards())
    while time.monotonic() - since_s < CATCH_UP_S_MAX:
        # What changes meanwhile is to be shown as it is then.
        cards = [card for key, card in made.board.cards().items() if key in wanted]
        if made.page.evaluate(IS_HEARD) and not made.page.evaluate(MISSING, cards):
            break
        made.page.wait_for_timeout(1000 * LOOK_S)
    return time.monotonic() - since_s


def _findings(made: Trial, caught_up_s: dict[str, list[float]]) -> Findings:
    missing, strange, shown = _differences(made)
    numbers = Counter(made.page.evaluate("window.numbers"))
    before, asked = dict(made.board.events()), Counter(made.page.evaluate(ASKED))
    after = dict(made.board.events())
    answers = {event.utterance_id for event in after.values()}
    return Findings(
        answers=len(answers),
        parts=len(after),
        deaths=made.board.deaths,
        caught_up_s=caught_up_s,
        missing=sorted({one.utterance_id for one in missing}),
        strange=sorted({one.utterance_id for one in strange} - answers),
        twice=[key for key, count in Counter(one.utterance_id for one in shown).items() if count > 1],
        numbers_twice=[number for number, count in numbers.items() if count > 1],
        asked_missing=len(before.keys() - asked.keys()) + (asked - Counter(after.keys())).total(),
        anew_wrong=_anew_wrong(made),
    )


def _anew_wrong(made: Trial) -> int:
    """Opens the page anew and scrolls to the end of its history."""
    made.page.reload()
    made.page.wait_for_selector("body[data-doing=idle]")
    missing, strange, _ = _differences(made, "scrollTo(0, document.body.scrollHeight)")
    return missing.total() + strange.total()


def _differences(made: Trial, does: str = "0") -> tuple[Counter[Shown], Counter[Shown], list[Shown]]:
    """What is missing on the page, what should not be there, and all that is; when there is none, or time is over.

    The board may go on telling meanwhile. `does`: what the page does before each look."""
    until_s = time.monotonic() + CATCH_UP_S_MAX
    while True:
        made.page.evaluate(does)
        made.page.wait_for_timeout(1000 * LOOK_S)
        shown = [Shown(*one) for one in made.page.evaluate(SHOWN)]
        wanted = Counter(made.board.cards().values())
        missing, strange = wanted - Counter(shown), Counter(shown) - wanted
        if time.monotonic() > until_s or not (missing or strange):
            return missing, strange, shown


def figures(found: Findings, answers: int, faults: int) -> list[Figure]:
    rows = [
        Figure(
            f"{name}: until it shows all again, s, median / longest of {len(took)}",
            "-",
            f"{np.median(took):.1f} / {max(took):.1f}",
            True,
        )
        for name, took in found.caught_up_s.items()
    ]
    count = sum(map(len, found.caught_up_s.values()))
    return [
        Figure(
            "answers told, in so many parts", f"{answers}", f"{found.answers}, {found.parts}", found.answers >= answers
        ),
        Figure("faults, of which the board's death", f"{faults}", f"{count}, {found.deaths}", count >= faults),
        none("missing on the page, or not as they ended", found.missing),
        none("on the page and never told", found.strange),
        none("twice on the page", found.twice),
        none("events sent to the page twice", found.numbers_twice),
        none("missing or twice where they are asked for", found.asked_missing),
        none("wrong, missing or twice on the page opened anew", found.anew_wrong),
        *rows,
    ]


@contextlib.contextmanager
def made_board(folder: Path, port: int, answers: int, per_s: float = PARTS_PER_S) -> Iterator[Victim]:
    """Not entered yet."""
    command = [sys.executable, "-m", "benchmarks.chaos_page_board", "--state", str(folder), "--host", BOARD_HOST]
    command += ["--port", str(port), "--answers", str(answers), "--per-second", str(per_s)]
    yield Victim(folder, command, (BOARD_HOST, port), {})


@contextlib.contextmanager
def speaking_board(folder: Path, port: int, answers: int) -> Iterator[Victim]:
    """The daemon, beside a service; after each death it begins its sentences anew."""
    wav = folder / "household.wav"
    write_household(wav, answers * SPOKEN_S / 60)
    environment = {
        "PARROTLET_EDGE_PAGE_LISTEN": f"{BOARD_HOST}:{port}",
        "PARROTLET_EDGE_PAGE_TLS": "false",
        "PARROTLET_EDGE_SPOOL_ANSWERS_MAX": str(ANSWERS_MAX),
        "PARROTLET_EDGE_DEVICE_STATE_DIR": str(folder),
        "PARROTLET_EDGE_DEVICE_RUNTIME_DIR": str(folder),
    }
    with path.service(folder / "service", decoding_whisper="false", decoding_workers="1") as service:
        command = [sys.executable, "-m", "edge", "run", "--input", str(wav), "--cloud", service.address]
        yield Victim(folder, command, (BOARD_HOST, port), environment)


@click.command()
@click.option("--answers", type=int, default=1000, show_default=True, help="How many are told.")
@click.option("--faults", type=click.IntRange(1), help="How many, evenly of each kind; without it, 28.")
@click.option("--spoken", is_flag=True, help="They are spoken to a real daemon.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of when what befalls it.")
def main(answers: int, faults: int | None, spoken: bool, seed: int) -> None:
    """Kill, cut, stall, freeze, and count what the page has of the answers."""
    end_in_order()
    draw = random.Random(seed)
    every = [name for name, (_, times) in FAULTS.items() for _ in range(times)]
    draw.shuffle(every)
    befalls = every if faults is None else [list(FAULTS)[number % len(FAULTS)] for number in range(faults)]
    with tempfile.TemporaryDirectory(prefix="chaos", dir="/var/tmp") as folder:
        port = free_port(BOARD_HOST)
        with (speaking_board if spoken else made_board)(Path(folder), port, answers) as board:
            found = trial(board, port, Path(folder), answers, befalls, draw)
    report(figures(found, answers, len(befalls)))


if __name__ == "__main__":
    main()
