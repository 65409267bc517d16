"""A real browser before a page, and who visits there."""

import importlib.util
import shutil
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.made_board import INSECURE_NAME, MadeBoard
from edge.sound.audio_file import AudioFile
from tests.conftest import Speech
from tests.page_phone import Phone

Page = Any
PATIENCE_S = 10.0

needs_chromium = pytest.mark.skipif(
    shutil.which("chromium") is None or importlib.util.find_spec("playwright") is None,
    reason="needs chromium and playwright: apt install chromium",
)
# No loopback address by its name, and so no secure context.
INSECURE = f"--host-resolver-rules=MAP {INSECURE_NAME} 127.0.0.1"


@contextmanager
def launched(*arguments: str) -> Iterator[Any]:
    """A chromium with these arguments."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started, launched_by(started.chromium, *arguments) as browser:
        yield browser


@contextmanager
def launched_by(kind: Any, *arguments: str) -> Iterator[Any]:
    """One more, where one runs: of its `browser_type`."""
    browser = kind.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", INSECURE, *arguments])
    yield browser
    browser.close()


def with_microphone(speech: Path, folder: Path) -> list[str]:
    """Arguments: its microphone plays this again and again, two seconds apart, and is given to who asks."""
    sound = folder / "microphone.wav"
    samples = np.concatenate([block.samples for block in AudioFile(str(speech)).blocks()])
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(samples.tobytes() + bytes(64000))
    return [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}",
    ]


@contextmanager
def visiting(browser: Any) -> Iterator[Callable[..., Page]]:
    """Opens a page as a visitor who has never been there; what the browser complains of fails the test."""
    contexts, faults = [], []

    def open_page(board: Any, path: str = "/", *, is_paired: bool = True, first: str = "", **context: Any) -> Page:
        """`first`: a script that runs before any of the page's."""
        contexts.append(browser.new_context(viewport={"width": 390, "height": 800}, **context))
        if is_paired:
            board.pair(contexts[-1])
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        if first:
            page.add_init_script(first)
        page.goto(f"{board.address}{path}" if path.startswith("/") else path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="module")
def browser(speech: Speech, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """With the timer's sentence before its microphone."""
    with launched(*with_microphone(speech.path("timer"), tmp_path_factory.mktemp("sound"))) as browser:
        yield browser


@pytest.fixture
def board(tmp_path: Path) -> Iterator[MadeBoard]:
    with MadeBoard(tmp_path) as entered:
        yield entered


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Page]]:
    with visiting(browser) as open_page:
        yield open_page


def pair(context: Any, phone: Phone) -> str:
    """Makes a browser's context this phone; the address of its page."""
    address = f"http://127.0.0.1:{phone.port}/"
    name, _, value = phone.cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": address}])
    return address


def ready(page: Page) -> Page:
    """When the board is heard of."""
    page.wait_for_selector("body[data-doing=idle]")
    return page


def eventually(check: Callable[[], bool], page: Page) -> None:
    """Looks again and again, and lets the page go on meanwhile."""
    until_s = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < until_s
        page.wait_for_timeout(20)


def becomes(page: Page, so: str) -> None:
    """Waits until that is so, in JavaScript. What playwright has for it, the page's own policy forbids now and then."""
    eventually(lambda: bool(page.evaluate(so)), page)


def text(page: Page, selector: str) -> str:
    return str(page.inner_text(selector))


def fault_lines(page: Page) -> list[str]:
    """What axe finds wrong."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{fault['id']}: {node['html'][:200]}" for fault in found for node in fault["nodes"]]


def in_all_looks(page: Page) -> list[str]:
    """Both themes, narrow and wide."""
    faults = []
    for width, theme in ((320, "light"), (1280, "dark"), (320, "dark"), (1280, "light")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{width} px: it is wider"
        faults += [f"{width} px, {theme}: {line}" for line in fault_lines(page)]
    return faults
