"""Debian's chromium, before a page of ours."""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

ARGUMENTS = ("--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


@contextmanager
def chromium(*more: str) -> Iterator[Any]:
    """A playwright Browser, with `more` arguments. ClickException, a sentence, where there is none."""
    with playwright() as kind, chromium_by(kind, *more) as browser:
        yield browser


@contextmanager
def playwright() -> Iterator[Any]:
    """Its BrowserType, which starts browsers; there is one playwright at a time."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started.chromium


@contextmanager
def chromium_by(kind: Any, *more: str) -> Iterator[Any]:
    """As `chromium`, of a BrowserType."""
    found = shutil.which("chromium")
    if found is None:
        raise click.ClickException("There is no chromium; apt install chromium.")
    browser = kind.launch(executable_path=found, args=[*ARGUMENTS, *more])
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def stopped(kind: str = "") -> Iterator[None]:
    """Stands still meanwhile: every process of browsers that were started here; with "renderer", only their pages."""
    pids = [pid for pid in _descendants(os.getpid()) if _is_chromium(pid, f"--type={kind}" if kind else "")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def ended(after_s: float) -> Iterator[None]:
    """Browsers that were started here die where this takes longer: who asks a page waits for its answer without an end,
    and one that was stopped and woken may never give it."""
    timer = threading.Timer(after_s, _end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end() -> None:
    for pid in _descendants(os.getpid()):
        with suppress(ProcessLookupError, FileNotFoundError):
            if _is_chromium(pid, ""):
                os.kill(pid, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *_descendants(child)]
    return found


def _is_chromium(pid: int, option: str) -> bool:
    command = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    return "chromium" in command.split("\0")[0] and option in command
