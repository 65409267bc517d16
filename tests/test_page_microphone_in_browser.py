"""A phone's microphone in a real browser: what takes it away, what brings it back, what the board is told of it."""

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_board import INSECURE_NAME, MadeBoard
from benchmarks.page_browser import stopped
from tests import page_browser
from tests.page_browser import (
    Page,
    becomes,
    eventually,
    launched_by,
    needs_chromium,
    ready,
    text,
    visiting,
)

pytestmark = needs_chromium

board, browser, visit = page_browser.board, page_browser.browser, page_browser.visit

HANDLES = """
    window.contexts = [];
    window.sockets = [];
    window.tracks = [];
    window.AudioContext = class extends AudioContext { constructor(how) { super(how); contexts.push(this); } };
    window.WebSocket = class extends WebSocket { constructor(url) { super(url); sockets.push(this); } };
    const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
    if (ask) navigator.mediaDevices.getUserMedia = async (how) => {
        if (window.refusal) throw new DOMException("a call", refusal);
        window.asked = (window.asked ?? 0) + 1;
        await window.held;
        const stream = await ask(how);
        tracks.push(...stream.getTracks());
        return stream;
    };
    window.wakes = [];
    if (navigator.wakeLock) navigator.wakeLock.request = async () => {
        await window.drowsy;
        const wake = { isHeld: true, release: async () => { wake.isHeld = false; } };
        wakes.push(wake);
        return wake;
    };
    // No headless window is ever hidden.
    Object.defineProperty(document, "hidden", { get: () => window.isHidden ?? false });
    window.hide = (isHidden) => {
        window.isHidden = isHidden;
        document.dispatchEvent(new Event("visibilitychange"));
    };
"""
"""What the page made for itself, in reach."""
FAKE_CONSENT, FAKE_DEVICE = "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"
HURRY = {
    "uplink": {"AHEAD_S_MAX = 5;": "AHEAD_S_MAX = 1.5;", "SILENT_MS_MAX = 8000;": "SILENT_MS_MAX = 1500;"},
    "microphone": {"STILL_MS_MAX = 3000;": "STILL_MS_MAX = 900;", "RETRY_MS = 1000;": "RETRY_MS = 200;"},
}
"""Less patience, by file of the page."""
HEARS = "#dock[data-phase=free] #talk-note:has-text('hears all the time')"


def hurried(board: MadeBoard, visit: Callable[..., Page]) -> Page:
    """A page that has less patience than others."""
    page = visit(board, "about:blank", first=HANDLES)

    def changed(route: Any) -> None:
        body = route.fetch().text()
        for usual, quick in HURRY[Path(route.request.url).stem].items():
            assert usual in body
            body = body.replace(usual, quick)
        route.fulfill(body=body, content_type="text/javascript")

    for name in HURRY:
        page.route(f"**/static/{name}.js", changed)
    page.goto(board.address)
    return ready(page)


def listening(board: MadeBoard, visit: Callable[..., Page]) -> Page:
    """Hands-free, and heard."""
    page = hurried(board, visit)
    page.click("#free")
    page.wait_for_selector(HEARS)
    hears_more(board, page)
    return page


def hears_more(board: MadeBoard, page: Page, seconds: float = 0.3) -> None:
    until = board.microphones.samples + seconds * 16000
    eventually(lambda: board.microphones.samples > until, page)


def open_sockets(page: Page) -> int:
    return int(page.evaluate("sockets.filter(socket => socket.readyState === WebSocket.OPEN).length"))


def test_who_is_called_is_heard_again_after_the_call(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = listening(board, visit)
    page.evaluate("tracks[0].dispatchEvent(new Event('mute'))")
    page.wait_for_selector("#talk-note:has-text('a call perhaps')")
    page.evaluate("tracks[0].dispatchEvent(new Event('unmute'))")
    page.wait_for_selector(HEARS)
    hears_more(board, page)
    assert (board.microphones.gaps, len(board.microphones.begun)) == (["something else had the microphone"], 1)


def test_a_call_that_takes_the_microphone_away_gives_it_back(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = listening(board, visit)
    page.evaluate("refusal = 'NotReadableError'; tracks[0].stop(); tracks[0].dispatchEvent(new Event('ended'))")
    page.wait_for_selector("#talk-note:has-text('a call perhaps')")
    page.wait_for_selector("#talk-note:has-text('Another app uses the microphone')")
    page.evaluate("refusal = null")
    page.wait_for_selector(HEARS)
    hears_more(board, page)
    assert (board.microphones.gaps, len(board.microphones.begun)) == (["something else had the microphone"], 2)


def test_a_phone_that_was_locked_hears_again_and_once(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = listening(board, visit)
    page.evaluate("hide(true); contexts[0].suspend()")
    becomes(page, "contexts[0].state === 'suspended'")
    # Its network comes back while the microphone is opened again.
    page.evaluate("window.held = new Promise(settle => (window.release = settle)); hide(false)")
    becomes(page, "asked === 2")
    page.evaluate("dispatchEvent(new Event('online')); setTimeout(release, 50)")
    eventually(lambda: len(board.microphones.begun) > 1, page)
    page.wait_for_selector(HEARS)
    hears_more(board, page)
    assert board.microphones.gaps[0] == "the phone was locked"
    assert open_sockets(page) == 1
    assert page.evaluate("contexts.filter(each => each.state !== 'closed').length") == 1


def test_who_ends_it_while_it_is_opened_again_is_heard_no_more(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = listening(board, visit)
    page.evaluate("hide(true); contexts[0].suspend()")
    becomes(page, "contexts[0].state === 'suspended'")
    page.evaluate("window.held = new Promise(settle => (window.release = settle)); hide(false)")
    becomes(page, "asked === 2")
    page.click("#free")
    page.evaluate("release()")
    becomes(page, "tracks.length === 2 && tracks.every(each => each.readyState === 'ended')")
    assert (len(board.microphones.begun), open_sockets(page), page.is_hidden("#talk-note")) == (1, 0, True)


@pytest.mark.parametrize("by", ["the visitor", "the browser"])
def test_a_phone_that_hears_no_more_may_fall_asleep(board: MadeBoard, visit: Callable[..., Page], by: str) -> None:
    page = listening(board, visit)
    becomes(page, "wakes.length === 1 && wakes[0].isHeld")
    if by == "the visitor":
        # What is asked for comes later than that.
        page.evaluate("window.drowsy = new Promise(settle => (window.settle = settle)); hide(true); hide(false)")
        page.click("#free")
        page.evaluate("settle()")
        becomes(page, "wakes.length === 2")
    else:
        page.evaluate("refusal = 'NotAllowedError'; tracks[0].stop(); tracks[0].dispatchEvent(new Event('ended'))")
        page.wait_for_selector("#dock[data-phase=closed] #talk-note:has-text('not allowed for this page')")
    becomes(page, "wakes.every(wake => !wake.isHeld)")


@pytest.mark.parametrize("by", ["the system", "the browser"])
def test_sound_that_stood_still_is_marked(board: MadeBoard, visit: Callable[..., Page], by: str) -> None:
    page = listening(board, visit)
    if by == "the system":
        with stopped("renderer"):
            time.sleep(0.8)
    else:
        page.evaluate("contexts[0].suspend()")
        page.wait_for_timeout(700)
        page.evaluate("contexts[0].resume()")
    eventually(lambda: board.microphones.gaps == ["the sound stood still"], page)
    hears_more(board, page)
    page.wait_for_selector(HEARS)
    assert len(board.microphones.begun) == 1


def test_a_microphone_that_falls_silent_is_opened_again(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = listening(board, visit)
    page.evaluate("contexts[0].suspend()")
    eventually(lambda: bool(board.microphones.gaps), page)
    page.wait_for_selector(HEARS)
    hears_more(board, page)
    assert (board.microphones.gaps, open_sockets(page)) == (["the microphone was silent"], 1)


def test_a_push_that_nothing_is_heard_of_says_so(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = hurried(board, visit)
    page.locator("#hold").hover()
    page.mouse.down()
    page.wait_for_selector("#dock[data-phase=sending]")
    page.evaluate("contexts[0].suspend()")
    page.wait_for_selector("#dock[data-phase=closed] #talk-note:has-text('No sound comes')")
    page.mouse.up()


def test_another_network_goes_on_with_a_gap(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = listening(board, visit)
    page.context.set_offline(True)
    page.wait_for_selector("body[data-doing=lost]")
    assert "Wi-Fi" in text(page, "#state-why")
    page.context.set_offline(False)
    ready(page)
    page.wait_for_selector(HEARS)
    eventually(lambda: len(board.microphones.begun) == 2, page)
    hears_more(board, page)
    assert (board.microphones.gaps, open_sockets(page)) == (["another network"], 1)


def test_a_slow_network_is_said_and_what_it_does_not_take_is_dropped(
    board: MadeBoard, visit: Callable[..., Page]
) -> None:
    page = listening(board, visit)
    board.microphones.takes = False
    before = board.microphones.samples
    page.wait_for_selector("#talk-note:has-text('The network is slow')")
    page.wait_for_timeout(500)
    board.microphones.takes = True
    eventually(lambda: bool(board.microphones.gaps), page)
    hears_more(board, page)
    assert (board.microphones.gaps, len(board.microphones.begun)) == (["the network was too slow"], 1)
    stretches = board.microphones.stretches
    missing = [second - first - sound.size for (first, sound), (second, _) in pairwise(stretches)]
    assert max(missing) > 0.4 * 16000
    # No more than that was under way.
    waiting = sum(sound.size for _, sound in stretches[: missing.index(max(missing)) + 1]) - before
    assert 1.4 * 16000 < waiting < 1.7 * 16000


def test_a_way_that_leads_nowhere_is_given_up(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = listening(board, visit)
    board.microphones.takes = False
    page.wait_for_selector("#talk-note:has-text('goes on by itself when it does')")
    board.microphones.takes = True
    page.wait_for_selector("#talk-note:not(:has-text('goes on by itself'))")
    hears_more(board, page)
    assert set(board.microphones.gaps) == {"the network was away"}
    assert open_sockets(page) == 1


def test_a_push_that_did_not_come_through_says_so(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = hurried(board, visit)
    for is_taken in (True, False):
        board.microphones.takes = is_taken
        page.locator("#hold").hover()
        page.mouse.down()
        page.wait_for_selector("#dock[data-phase=sending]")
        page.wait_for_timeout(300)
        page.mouse.up()
        page.wait_for_selector("#dock[data-phase=closed]")
        eventually(lambda: open_sockets(page) == 0, page)
        assert page.is_hidden("#talk-note") is is_taken
    assert "does not answer. Hold the button again" in text(page, "#talk-note")
    board.microphones.takes = True


def test_who_may_not_or_may_not_any_more_is_told_how_to(board: MadeBoard, browser: Any) -> None:
    with launched_by(browser.browser_type, FAKE_DEVICE) as strict, visiting(strict) as visit_strictly:
        page = ready(visit_strictly(board))
        page.click("#free")
        page.wait_for_selector("#dock[data-phase=closed] #talk-note:has-text('not allowed for this page')")
        page.context.grant_permissions(["microphone"])
        page.click("#free")
        page.wait_for_selector(HEARS)
        page.context.clear_permissions()
        page.wait_for_selector("#dock[data-phase=closed] #talk-note:has-text('not allowed for this page')")


def test_who_has_no_microphone_is_told(board: MadeBoard, browser: Any) -> None:
    with launched_by(browser.browser_type, FAKE_CONSENT) as bare, visiting(bare) as visit_bare:
        page = ready(visit_bare(board))
        page.locator("#hold").hover()
        page.mouse.down()
        page.wait_for_selector("#dock[data-phase=closed] #talk-note:has-text('No microphone was found')")
        page.mouse.up()


def test_the_boards_own_certificate_gives_the_microphone(tmp_path: Path, visit: Callable[..., Page]) -> None:
    with MadeBoard(tmp_path, tls=True) as board:
        address = f"https://{INSECURE_NAME}:{board.port}/"
        page = visit(board, "about:blank", is_paired=False, ignore_https_errors=True)
        page.goto(address)
        page.fill("#code", board.page.invitations.invite().code)
        page.click("#send")
        ready(page)
        (cookie,) = page.context.cookies()
        assert cookie["name"].startswith("__Host-")
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
        page.locator("#hold").hover()
        page.mouse.down()
        hears_more(board, page)
        page.mouse.up()
        eventually(lambda: board.microphones.ends == 1, page)
