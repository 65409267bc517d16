"""Speech into a phone's browser: words, and how soon they are on its screen.

    scripts/bench page_speech --data DIR [--clips N] [--part sentences|orders|switches]

Each clip is the microphone of a real chromium, which opens the page of `parrotlet-edge page` beside a real service, as
somebody without a board would. The peer is `parrotlet-edge test` on the same files. Waits are from where the gate heard
speech begin and end until the frame with the words was painted.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import soundfile

from benchmarks import corpus, page_switches, path
from benchmarks.accuracy import error_rate
from benchmarks.figures import p50_p95
from benchmarks.page_browser import chromium
from edge.sound.source import SAMPLE_RATE_HZ

BEFORE_S, AFTER_S = 1.5, 2.5
ANSWER_S_MAX = 40.0
MARK_PARTIAL_MS, MARK_FINAL_MS, MARK_WORDS = 700, 150, 0.02

HEARD = """() => ({
    origin: performance.timeOrigin,
    painted: performance.getEntriesByType("measure").map(({ name, startTime, duration, detail }) =>
        ({ name, at: startTime + duration, ...detail })),
    told: window.told,
})"""
LISTEN = """() => {
    window.told = [];
    const stream = new EventSource("/events?last=0");
    for (const kind of ["answer", "timing"])
        stream.addEventListener(kind, (event) => window.told.push({ kind, ...JSON.parse(event.data), told: kind }));
}"""


class Heard(NamedTuple):
    """What one clip came to on the page."""

    transcript: str
    first_partial_ms: float | None
    """From the onset until the first words were painted."""
    final_ms: float | None
    """From the endpoint until the final was."""
    answer_ms: float | None = None
    """From the endpoint until the board had the answer."""


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder with sentences/.")
@click.option("--part", type=click.Choice(["sentences", "orders", "switches"]), default="sentences", show_default=True)
@click.option("--clips", type=int, default=20, show_default=True, help="Clips, evenly spread.")
def main(data: Path, part: str, clips: int) -> None:
    """Compare words on the page with words of the command line, and tell the waits. Orders are said to `coffee`;
    switches are what the browser does to the sound of sentences."""
    if part == "switches":
        _switches(data, clips)
        return
    known = _said(data, part)
    chosen = known[:: max(1, len(known) // clips)][:clips]
    domain = "home" if part == "sentences" else "coffee"
    with (
        tempfile.TemporaryDirectory() as folder,
        path.service(Path(folder) / "state", "--domain", domain) as service,
    ):
        files = [_padded(file, Path(folder) / f"{number}.wav") for number, (file, _) in enumerate(chosen)]
        typed = path.hear(service.address, files)
        with page(service.address, Path(folder) / "page") as ask:
            heard = [_spoken(file, ask) for file in files]
    by_command = [path.transcript(typed[file]) for file in files]
    # What was ordered is not written down word by word: then the page is compared with the command line.
    texts = [text or other for (_, text), other in zip(chosen, by_command, strict=True)]
    print_words(texts, by_command, heard)
    print_waits(heard)


def _switches(data: Path, clips: int) -> None:
    known = corpus.sentences(data)
    chosen = known[:: max(1, len(known) // clips)][:clips]
    with (
        tempfile.TemporaryDirectory() as folder,
        path.service(Path(folder) / "state", "--domain", "home") as service,
    ):
        page_switches.compare(chosen, data, service.address, Path(folder))


def _said(data: Path, part: str) -> list[tuple[Path, str]]:
    """Files, with what is said in them where that is known."""
    if part == "orders":
        return [(order.file, "") for order in corpus.orders(data)]
    return [(clip.file, clip.text) for clip in corpus.sentences(data)]


def print_words(texts: list[str], typed: list[str], heard: list[Heard]) -> None:
    """Word errors of both."""
    by_page = error_rate(texts, [one.transcript for one in heard])
    by_command = error_rate(texts, typed)
    print(f"\n{len(texts)} clips: word errors on the page {by_page:.3f}, `parrotlet-edge test` {by_command:.3f}")
    if by_page - by_command > MARK_WORDS:
        click.echo(f"not reached: more than {MARK_WORDS} behind the command line", err=True)


def print_waits(heard: list[Heard]) -> None:
    """Milliseconds, p50 / p95."""
    for name, values, mark in (
        ("onset to first words painted", [one.first_partial_ms for one in heard], MARK_PARTIAL_MS),
        ("endpoint to final painted", [one.final_ms for one in heard], MARK_FINAL_MS),
        ("of which until the board had the answer", [one.answer_ms for one in heard], MARK_FINAL_MS),
    ):
        known = [value for value in values if value is not None]
        print(f"{name}: {p50_p95(known)} ms of {len(known)} (mark for the median {mark})")
        if known and np.median(known) > mark:
            click.echo(f"not reached: {name}", err=True)


@contextmanager
def page(service: str, state: Path) -> Iterator[Any]:
    """`parrotlet-edge page` on loopback; gives what asks for an address that pairs who opens it."""
    environment = os.environ | {
        "PARROTLET_EDGE_PAGE_LISTEN": "127.0.0.1:7418",
        "PARROTLET_EDGE_PAGE_TLS": "false",
        "PARROTLET_EDGE_DEVICE_STATE_DIR": str(state),
    }
    command = [sys.executable, "-m", "edge"]
    with subprocess.Popen([*command, "page", "--cloud", service], env=environment) as process:

        def ask() -> str:
            asked = subprocess.run([*command, "pair", "--url"], env=environment, capture_output=True, text=True)
            return asked.stdout.strip()

        try:
            until_s = time.monotonic() + 20
            while not ask() and time.monotonic() < until_s:
                time.sleep(0.2)
            yield ask
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


def _padded(file: Path, to: Path) -> Path:
    """A clip with quiet around it, as a browser takes it for a microphone."""
    draw = np.random.default_rng(1)
    sound = corpus.read(file)
    quiet = [draw.normal(0, 1e-3, int(seconds * SAMPLE_RATE_HZ)).astype(np.float32) for seconds in (BEFORE_S, AFTER_S)]
    soundfile.write(to, np.concatenate([quiet[0], sound, quiet[1]]), SAMPLE_RATE_HZ, subtype="PCM_16")
    return to


def _spoken(file: Path, ask: Any) -> Heard:
    """A new browser whose microphone plays the file once."""
    lasts_s = soundfile.info(file).duration
    with chromium(f"--use-file-for-fake-audio-capture={file}%noloop") as browser:
        tab = browser.new_context(permissions=["microphone"]).new_page()
        tab.goto(ask())
        tab.wait_for_selector("#free:visible", timeout=1000 * ANSWER_S_MAX)
        tab.evaluate(LISTEN)
        tab.click("#free")
        tab.wait_for_timeout(1000 * (lasts_s + 0.5))
        told: dict[str, Any] = {}
        until_s = time.monotonic() + ANSWER_S_MAX
        while time.monotonic() < until_s:
            told = tab.evaluate(HEARD)
            if any(one["told"] == "timing" for one in told["told"]):
                break
            tab.wait_for_timeout(200)
        return _heard(told)


def _heard(told: dict[str, Any]) -> Heard:
    cards = {one["utterance_id"]: one for one in told["told"] if one["told"] == "answer"}
    times = {one["utterance_id"]: one for one in told["told"] if one["told"] == "timing"}
    transcript = " ".join(card["transcript"] for card in cards.values())
    if not cards or not times:
        return Heard(transcript, None, None)
    key = next(iter(cards))
    card, timing = cards[key], times.get(key, {})
    if timing.get("endpoint_to_final") is None:
        return Heard(transcript, None, None)
    endpoint = card["at_unix_ms"] - timing["endpoint_to_final"]
    onset = endpoint - timing["last_sound_to_endpoint"] - timing["onset_to_last_sound"]
    painted = {
        name: min(
            (
                told["origin"] + one["at"]
                for one in told["painted"]
                if one["name"] == name and one["utterance_id"] == key
            ),
            default=None,
        )
        for name in ("partial-painted", "final-painted")
    }
    partial, final = painted["partial-painted"], painted["final-painted"]
    return Heard(transcript, partial and partial - onset, final and final - endpoint, timing["endpoint_to_final"])


if __name__ == "__main__":
    main()
