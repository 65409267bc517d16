"""Pictures of the page, in the states that people meet, from the real server with made answers.

scripts/bench page_pictures [--out DIR]
"""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from benchmarks.made_board import MadeBoard, event
from benchmarks.page_browser import chromium
from edge.asking.answer import Alternative, Choice, Result
from edge.spool.event import Kind

Page = Any

PHONE = {"width": 390, "height": 844}
TABLET = {"width": 1280, "height": 800}
SCALES = {PHONE["width"]: 1.5, TABLET["width"]: 1}
BYTES_MAX = 60_000
HOUR_S = 3600.0
TRIES_MAX = 20
"""Wrong codes until the board has had enough."""

RAIN = Result(
    "rain",
    "Will it rain?",
    "Chance of rain, hour by hour, where this device is.",
    1.0,
    "https://wttr.in/?format=v2",
    None,
)
TOMORROW = Result("tomorrow", "Tomorrow's weather", "The forecast for tomorrow.", 0.6, "https://wttr.in/?2", None)
TIMER = Result("timer-10", "Timer for 10 minutes", "The time for pasta or a hard-boiled egg.", 1.0, None, "timer.start")
PIANO = Result(
    "piano", "Quiet piano", "Solo piano for evenings.", 1.0, "https://radio.example.org/quiet-piano", "music.play"
)
CONCERTOS = Result("concertos", "Piano concertos", "Mozart, numbers 20 to 27.", 0.5, None, "music.play")
LIGHTS = (Choice("turn the bedroom light blue", "light_colour"), Choice("turn the kitchen light blue", "light_colour"))


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("docs/page"), show_default=True)
def main(out: Path) -> None:
    """Write the pictures."""
    out.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, (draw, size, theme) in PICTURES.items():
            with tempfile.TemporaryDirectory() as directory, MadeBoard(Path(directory)) as board:
                context = browser.new_context(
                    viewport=size, color_scheme=theme, device_scale_factor=SCALES[size["width"]], locale="en-GB"
                )
                if draw not in (pairing, refused):
                    board.pair(context)
                page = context.new_page()
                draw(page, board)
                file = out / f"{name}.webp"
                written = small(page.screenshot(animations="disabled"))
                file.write_bytes(written)
                context.close()
            click.echo(f"{file}  {len(written) / 1000:.0f} kB")


def small(picture: bytes) -> bytes:
    """The same, without loss. ValueError if it is too large to be committed."""
    from PIL import Image

    kept = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").save(kept, "WEBP", lossless=True, quality=100, method=6)
    if len(kept.getvalue()) > BYTES_MAX:
        raise ValueError(f"The picture has {len(kept.getvalue())} bytes; {BYTES_MAX} is the most.")
    return kept.getvalue()


def first_visit(page: Page, board: MadeBoard) -> None:
    opened(page, board)


def listening(page: Page, board: MadeBoard) -> None:
    """The phone's own microphone, nothing understood yet."""
    told(board)
    opened(page, board)
    page.locator("#hold").hover()
    page.mouse.down()
    page.wait_for_selector("#dock[data-phase=sending]")
    board.be("listening")
    board.says("now", by=board.phone)
    loud(page, board)
    page.wait_for_selector("body[data-doing=listening]")


def partial(page: Page, board: MadeBoard) -> None:
    told(board)
    opened(page, board)
    speak(page, board)


def results(page: Page, board: MadeBoard) -> None:
    told(board)
    opened(page, board)
    board.tell(piano("new"))
    page.wait_for_selector('[data-utterance="new"]')


def offline(page: Page, board: MadeBoard) -> None:
    """The service is away, the board is there."""
    told(board)
    board.keep(event("lights", "lights off in the hall", path="local", ago_s=90, response="The hall is dark."))
    board.keep(
        event("kept", kind=Kind.KEPT, ago_s=20, sentence="The service does not answer; it is kept, and sent later.")
    )
    board.be("offline", waiting=1)
    opened(page, board, "offline")


def superseded(page: Page, board: MadeBoard) -> None:
    told(board)
    opened(page, board)
    board.tell(event("timer", "set a time for ten minutes", path="local", ago_s=8, response="What time is it to be?"))
    board.tell(timer("timer", kind=Kind.BETTER, ago_s=6))
    page.wait_for_selector('[data-utterance="timer"] .mark')


def history(page: Page, board: MadeBoard) -> None:
    """What is older, and a search in it."""
    told(board)
    opened(page, board)
    page.fill("#search", "light")
    page.wait_for_selector("#search-note:has-text('answers with')")
    page.evaluate("scrollTo(0, document.querySelector('#answers').offsetTop - 64)")


def feedback(page: Page, board: MadeBoard) -> None:
    told(board)
    board.keep(piano("new"))
    opened(page, board)
    page.click('[data-utterance="new"] [data-do="wrong"]')
    page.wait_for_selector(".correction")
    page.wait_for_selector(".given:has-text('Thank you')")


def pairing(page: Page, board: MadeBoard) -> None:
    page.goto(f"{board.address}/pair")
    page.fill("#code", "K7PW")
    page.click("summary")


def error(page: Page, board: MadeBoard) -> None:
    """The board itself does not answer."""
    told(board)
    opened(page, board)
    board.close()
    page.wait_for_selector("body[data-doing=lost]")


def refused(page: Page, board: MadeBoard) -> None:
    page.goto(f"{board.address}/pair")
    page.fill("#code", "K7PWAAAA")
    for _ in range(TRIES_MAX):
        page.click("#send")
        page.wait_for_selector("#problem:not([hidden])")
        if page.is_disabled("#send"):
            break
    page.wait_for_selector("#problem:has-text('try again in')")


def tablet(page: Page, board: MadeBoard) -> None:
    told(board)
    board.be(timers=[{"lasts_s": 600, "left_s": 598, "rings": False}])
    opened(page, board)
    board.says("timer", "set a timer for ten minutes")
    board.tell(timer("timer"))
    page.wait_for_selector("#glow:not([hidden])")


def tablet_listening(page: Page, board: MadeBoard) -> None:
    told(board)
    opened(page, board)
    speak(page, board)


def opened(page: Page, board: MadeBoard, doing: str = "idle") -> None:
    page.goto(board.address)
    page.wait_for_selector(f"body[data-doing={doing}]")
    page.wait_for_timeout(300)


def told(board: MadeBoard) -> None:
    """A day in a household."""
    board.keep(event("list", "what's on my shopping list", ago_s=26 * HOUR_S, response="Milk, oats and two lemons."))
    board.keep(event("door", "is the back door locked", ago_s=25 * HOUR_S, path="local", response="It is locked."))
    board.keep(event("hall", "turn on the light in the hall", ago_s=24.5 * HOUR_S, response="The light is on."))
    board.keep(event("blue", "turn the light blue", ago_s=1.1 * HOUR_S, choices=LIGHTS))
    board.keep(event("late", kind=Kind.EXPIRED, ago_s=0.9 * HOUR_S, sentence="The service was away for too long."))
    board.keep(
        event(
            "rain",
            "will it rain tomorrow",
            ago_s=300,
            ear=board.phone,
            response="Rain from four in the afternoon, about three millimetres.",
            results=(RAIN, TOMORROW),
        )
    )


def piano(utterance_id: str) -> Any:
    others = (Alternative("play some quiet pianos", 0.1, "pocketsphinx"),)
    return event(
        utterance_id,
        "play some quiet piano",
        response="Playing quiet piano.",
        results=(PIANO, CONCERTOS),
        alternatives=others,
        intent="music_play",
        slots={"what": "quiet piano"},
    )


def timer(utterance_id: str, **more: Any) -> Any:
    return event(
        utterance_id,
        "set a timer for ten minutes",
        response="The timer runs for ten minutes.",
        results=(TIMER,),
        intent="timer_start",
        slots={"duration": "ten minutes"},
        **more,
    )


def speak(page: Page, board: MadeBoard) -> None:
    board.be("listening")
    board.says("now", "turn on the light")
    loud(page, board)
    board.says("now", "turn on the light in the", "kitchen")
    page.wait_for_selector("#partial-unstable:has-text('kitchen')")
    page.wait_for_selector("body[data-doing=listening]")


def loud(page: Page, board: MadeBoard) -> None:
    """Some seconds of somebody who speaks, as the meter has them."""
    for amplitude in (0.002, 0.004, 0.01, 0.06, 0.15, 0.3, 0.1, 0.02, 0.2, 0.25, 0.08, 0.03, 0.18, 0.3, 0.12, 0.05):
        board.is_loud(amplitude, is_speech=amplitude > 0.01)
        page.wait_for_timeout(210)


PICTURES: dict[str, tuple[Callable[[Page, MadeBoard], None], dict[str, int], str]] = {
    "first-visit": (first_visit, PHONE, "light"),
    "listening": (listening, PHONE, "light"),
    "partial": (partial, PHONE, "light"),
    "results": (results, PHONE, "light"),
    "superseded": (superseded, PHONE, "light"),
    "offline": (offline, PHONE, "light"),
    "history": (history, PHONE, "light"),
    "feedback": (feedback, PHONE, "light"),
    "pairing": (pairing, PHONE, "light"),
    "pairing-refused": (refused, PHONE, "light"),
    "error": (error, PHONE, "light"),
    "dark": (results, PHONE, "dark"),
    "tablet": (tablet, TABLET, "light"),
    "tablet-dark": (tablet_listening, TABLET, "dark"),
}

if __name__ == "__main__":
    main()
