"""Debian's chromium, before a page of ours."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

ARGUMENTS = ("--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


@contextmanager
def chromium(*more: str) -> Iterator[Any]:
    """A playwright Browser, with `more` arguments. ClickException, a sentence, where there is none."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium")
    if found is None:
        raise click.ClickException("There is no chromium; apt install chromium.")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=[*ARGUMENTS, *more])
        try:
            yield browser
        finally:
            browser.close()
