"""The page in a real browser, before the real server: what is shown, what is not lost, what is not let in."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.made_board import INSECURE_NAME, MadeBoard, event
from edge.asking.answer import Alternative, Answer, Choice, Result, Twin
from edge.asking.group_watch import Other
from edge.spool.event import Kind
from tests import page_browser
from tests.edge_fakes import ANSWER
from tests.page_browser import (
    PATIENCE_S,
    Page,
    becomes,
    eventually,
    in_all_looks,
    needs_chromium,
    pair,
    ready,
    text,
)
from tests.test_page import running

pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

pytestmark = needs_chromium

board, browser, visit = page_browser.board, page_browser.browser, page_browser.visit

SCRIPT = "<img src=x onerror=\"document.title='broken into'\"><script>document.title='broken into'</script>"
TIMER = Result("timer-10", "Timer for 10 minutes", "The time for pasta.", 1.0, None, "timer.start")
RAIN = Result("rain", "Will it rain?", "Hour by hour.", 0.5, "https://weather.example.org/rain", None)


def keys(page: Page, listed: str = "#feed") -> list[str]:
    return list(page.eval_on_selector_all(f"{listed} .card", "cards => cards.map(card => card.dataset.utterance)"))


def test_what_is_said_is_shown_while_it_is_said_and_then_its_answer(
    board: MadeBoard, visit: Callable[..., Page]
) -> None:
    page = ready(visit(board))
    assert text(page, "#examples li") == "set a timer for ten minutes"
    board.says("u1", "set a timer", "for tin")
    page.wait_for_selector("#partial-unstable:has-text('for tin')")
    assert text(page, "#partial-stable").strip() == "set a timer"
    board.tell(event("u1", "set a timer for ten minutes", response="It runs.", results=(TIMER,), intent="timer_start"))
    page.wait_for_selector(".card .said:has-text('set a timer for ten minutes')")
    assert not page.is_visible("#partial")
    assert "starts the timer" in text(page, ".card .result")
    assert text(page, "#live") == "You said: set a timer for ten minutes. It runs."
    becomes(page, "performance.getEntriesByName('final-painted').length === 1")
    painted = page.evaluate(
        "performance.getEntriesByType('measure').map(entry => [entry.name, entry.detail.utterance_id])"
    )
    assert painted == [["partial-painted", "u1"], ["final-painted", "u1"]]


@pytest.mark.parametrize("anchoring", ["auto", "none"], ids=["by the browser", "by the page"])
def test_a_better_answer_takes_its_place_and_nothing_jumps(
    board: MadeBoard, visit: Callable[..., Page], anchoring: str
) -> None:
    for number in range(12):
        board.keep(event(f"u{number}", f"number {number}", ago_s=60 - number, path="local", results=(TIMER, RAIN)))
    page = ready(visit(board))
    page.wait_for_selector('[data-utterance="u0"]')
    # Not every browser holds still what is looked at.
    page.evaluate("how => { document.documentElement.style.overflowAnchor = how; }", anchoring)
    page.evaluate("document.querySelector('[data-utterance=\"u6\"]').scrollIntoView({block: 'center'})")
    where = "cards => cards.map(card => card.getBoundingClientRect().top)"
    seen = '[data-utterance="u6"], [data-utterance="u5"], [data-utterance="u7"]'
    before, order = page.eval_on_selector_all(seen, where), keys(page)
    # In view a shorter one, above the view a longer one, and a new one on top.
    board.tell(event("u6", "number six", Kind.BETTER, ago_s=54, response="Six."))
    board.tell(event("u11", "number eleven", Kind.BETTER, ago_s=49, response="Eleven. " * 60, results=(TIMER, RAIN)))
    board.tell(event("new", "a new one"))
    page.wait_for_selector('[data-utterance="u6"] .mark:has-text("Corrected")')
    page.wait_for_selector('[data-utterance="new"]', state="attached")
    assert page.eval_on_selector_all(seen, where) == pytest.approx(before, abs=1)
    assert keys(page) == ["new", *order]
    assert "number 6" in text(page, '[data-utterance="u6"] .was')
    page.click("#new")
    becomes(page, "scrollY === 0")


def test_a_board_that_comes_back_has_lost_nothing_and_tells_nothing_twice(
    tmp_path: Path, visit: Callable[..., Page]
) -> None:
    with MadeBoard(tmp_path) as board:
        for number in range(5):
            board.keep(event(f"u{number}", f"number {number}", ago_s=100 - number))
        page = ready(visit(board))
        board.tell(event("u5", "number 5", ago_s=95))
        page.wait_for_selector('[data-utterance="u5"]')
    page.wait_for_selector("body[data-doing=lost]")
    assert "does not answer" in text(page, "#state")
    assert "Trying again" in text(page, "#state-why")
    with MadeBoard(tmp_path, port=board.port) as board:
        # More than a page that knows nothing would be told.
        for number in range(6, 80):
            board.keep(event(f"u{number}", f"number {number}", ago_s=100 - number))
        board.keep(event("u5", "number five", Kind.BETTER, ago_s=95))
        if page.is_visible("#try"):
            page.click("#try", force=True)
        ready(page)
        page.wait_for_selector('[data-utterance="u79"]')
        page.wait_for_selector('[data-utterance="u5"] .mark')
        assert keys(page) == [f"u{number}" for number in range(79, -1, -1)]
        # And the page opens with them, before the board says a word.
        eventually(
            lambda: bool(page.evaluate("JSON.parse(localStorage['parrotlet-answers']).entries.length === 80")), page
        )
        page.route("**/events*", lambda route: None)
        page.reload()
        page.wait_for_selector('[data-utterance="u79"]')
        assert len(keys(page)) == 80


def test_the_page_opens_while_the_board_is_away(tmp_path: Path, visit: Callable[..., Page]) -> None:
    with MadeBoard(tmp_path) as board:
        board.keep(event("u1", "number 1"))
        page = ready(visit(board))
        page.wait_for_selector(".card")
        kept = """async () => {
            const store = await caches.open("parrotlet-page");
            const isWhole = (await store.keys()).some(({ url }) => url.includes("/?"));
            return isWhole && "parrotlet-answers" in localStorage;
        }"""
        becomes(page, kept)
    page.reload()
    page.wait_for_selector("body[data-doing=lost]")
    assert keys(page) == ["u1"]
    assert text(page, "#board") == "Kitchen"
    with MadeBoard(tmp_path, port=board.port) as board:
        board.tell(event("u2", "number 2"))
        page.wait_for_selector('[data-utterance="u2"]')


def test_what_the_board_did_and_what_two_ears_heard_is_told(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = ready(visit(board))
    board.tell(event("u1", "set a timer", response="A timer."))
    board.tell(event("u1", kind=Kind.DONE, sentence="The timer runs."))
    page.wait_for_selector('[data-utterance="u1"] .done:has-text("The timer runs.")')
    assert text(page, '[data-utterance="u1"] .said') == "set a timer"
    twin = event("u2", "set a timer", ear="hall", results=(TIMER,))
    board.tell(msgspec.structs.replace(twin, twin_of="u1", heard_best="board"))
    page.wait_for_selector('[data-utterance="u2"] .mark:has-text("Heard twice")')
    assert "Heard best by Kitchen" in text(page, '[data-utterance="u2"]')
    assert page.locator('[data-utterance="u2"] .result').count() == 0


def test_older_answers_come_by_scrolling_and_words_are_found(board: MadeBoard, visit: Callable[..., Page]) -> None:
    for number in range(130):
        word = "needle" if number % 60 == 3 else "hay"
        board.keep(event(f"u{number}", f"number {number} {word}", ago_s=1000 - number))
    page = ready(visit(board))
    page.wait_for_selector('[data-utterance="u129"]')
    for _ in range(20):
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(30)
        if len(keys(page)) == 130 and "all the answers" in page.inner_text("#older-note"):
            break
    assert keys(page) == [f"u{number}" for number in range(129, -1, -1)]
    page.fill("#search", "needle")
    page.wait_for_selector("#search-note:has-text('3 answers with “needle”')")
    assert keys(page, "#found") == ["u123", "u63", "u3"]
    page.click("#search-clear")
    assert page.is_visible("#feed")


def test_a_script_is_text_wherever_it_stands(board: MadeBoard, visit: Callable[..., Page]) -> None:
    result = Result("r", SCRIPT, SCRIPT, 1.0, "javascript:document.title='broken into'", SCRIPT)
    many: dict[str, Any] = {"response": SCRIPT, "intent": SCRIPT, "slots": {SCRIPT: SCRIPT}, "results": (result,)}
    others = (Alternative(SCRIPT, 0.1, "x"),)
    board.name = SCRIPT
    board.examples_said = (SCRIPT,)
    page = ready(visit(board))
    assert text(page, "#examples li") == SCRIPT
    board.says("u1", SCRIPT, SCRIPT)
    page.wait_for_selector("#partial:has-text('onerror')")
    board.tell(event("u1", SCRIPT, sentence=SCRIPT, alternatives=others, choices=(Choice(SCRIPT, "x"),) * 2, **many))
    page.wait_for_selector(".card")
    page.click('[data-do="wrong"]')
    page.fill(".correction textarea", SCRIPT + "!")
    page.keyboard.press("Enter")
    eventually(lambda: len(board.feedback) == 2, page)
    assert board.feedback[1].transcript == SCRIPT + "!"
    assert SCRIPT + "!" in text(page, ".given")
    for place in (".said", ".response", ".why", ".result-title", ".result-text", ".choice", ".slots"):
        assert "onerror=" in text(page, f".card {place}"), place
    assert page.locator("main img, main script, main a, dialog img").count() == 0
    assert "broken into" not in page.title().replace(SCRIPT, "").replace(SCRIPT[0].upper() + SCRIPT[1:], "")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "data:text/html,x", "file:///etc/passwd", "x"]
)
def test_what_is_no_address_of_the_web_is_no_link(board: MadeBoard, visit: Callable[..., Page], url: str) -> None:
    page = visit(board)
    # The board refuses it as well; here it is the page alone that does.
    made = """async url => {
        const { makeCard } = await import("/static/card.js");
        const results = [{ id: "r", title: "t", url }];
        const card = { utterance_id: "u", kind: "final", at_unix_ms: 1, spoken_at_unix_ms: 1, results };
        return makeCard({ key: "u", card, was: null }, { board: "b", phone: "p" }, null).querySelectorAll("a").length;
    }"""
    assert page.evaluate(made, "https://example.org/") == 1
    assert page.evaluate(made, url) == 0


def test_feedback_waits_for_the_board_and_is_sent_once(board: MadeBoard, visit: Callable[..., Page]) -> None:
    choices = (Choice("turn on the light", "light_on"), Choice("turn off the light", "light_off"))
    board.keep(event("u1", "set a time", results=(TIMER, RAIN), ago_s=9))
    board.keep(event("u2", "turn the light", choices=choices, ago_s=5))
    page = ready(visit(board))
    page.wait_for_selector(".card")
    page.context.set_offline(True)
    page.wait_for_selector("body[data-doing=lost]")
    page.click('[data-utterance="u1"] [data-do="wrong"]')
    page.fill(".correction textarea", "set a timer")
    page.keyboard.press("Enter")
    page.click('[data-utterance="u1"] [data-do="meant"][data-result="timer-10"]')
    page.click('[data-utterance="u2"] [data-do="choice"][data-choice="1"]')
    page.wait_for_selector('[data-utterance="u2"] .given:has-text("Kept on this phone")')
    assert board.feedback == []
    # What is kept outlives the page.
    assert page.evaluate("JSON.parse(localStorage['parrotlet-outbox']).length") == 4
    page.context.set_offline(False)
    page.wait_for_selector('[data-utterance="u2"] .given:has-text("Thank you")')
    becomes(page, "JSON.parse(localStorage['parrotlet-outbox']).length === 0")
    assert len({given.feedback_id for given in board.feedback}) == len(board.feedback) == 4
    last = {given.utterance_id: given for given in board.feedback}
    assert (last["u1"].verdict, last["u1"].transcript, last["u1"].result_id) == (
        "wrong",
        "set a timer",
        "timer-10",
    )
    assert (last["u2"].verdict, last["u2"].choice) == (None, 1)


def test_what_is_deleted_can_be_taken_back_for_a_while(board: MadeBoard, visit: Callable[..., Page]) -> None:
    for number in range(3):
        board.keep(event(f"u{number}", f"number {number}", ago_s=60 - number))
    page = visit(board, "about:blank")
    page.clock.install()
    page.goto(board.address)
    ready(page)
    page.click('[data-utterance="u1"] [data-do="delete"]')
    page.click('[data-do="undo"]')
    page.wait_for_selector('[data-utterance="u1"] .said')
    page.click('[data-utterance="u1"] [data-do="delete"]')
    page.clock.fast_forward(7000)
    eventually(lambda: keys(page) == ["u2", "u0"], page)
    eventually(lambda: len(board.spool.ask(lambda store: store.events()).result(PATIENCE_S)) == 2, page)


def test_another_phone_deletes_and_it_is_gone_here_too(board: MadeBoard, visit: Callable[..., Page]) -> None:
    for number in range(3):
        board.keep(event(f"u{number}", f"number {number}", ago_s=60 - number))
    page = ready(visit(board))
    page.wait_for_selector(".card")
    board.forget("u1")
    eventually(lambda: keys(page) == ["u2", "u0"], page)
    board.forget(None)
    eventually(lambda: keys(page) == [], page)


def test_what_is_told_while_the_page_asks_what_is_left_stays(board: MadeBoard, visit: Callable[..., Page]) -> None:
    for number in range(3):
        board.keep(event(f"u{number}", f"number {number}", ago_s=60 - number))
    page = ready(visit(board))
    page.wait_for_selector(".card")
    asked: list[Any] = []
    page.route("**/answers?*", lambda route: asked.append((route, route.fetch())))
    board.forget("u1")
    eventually(lambda: len(asked) == 1, page)
    board.tell(event("u3", "number 3"))
    page.wait_for_selector('[data-utterance="u3"]')
    route, response = asked[0]
    route.fulfill(response=response)
    eventually(lambda: keys(page) == ["u3", "u2", "u0"], page)
    page.unroute_all()


def test_what_was_found_leaves_no_hole_in_the_history(board: MadeBoard, visit: Callable[..., Page]) -> None:
    for number in range(150):
        words = "a needle" if number == 3 else f"number {number}"
        board.keep(event(f"u{number}", words, ago_s=1000 - number))
    page = ready(visit(board))
    page.fill("#search", "needle")
    page.wait_for_selector('#found [data-utterance="u3"]')
    page.keyboard.press("Escape")
    page.wait_for_selector("#all:not([hidden])")

    def has_all() -> bool:
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        return keys(page) == [f"u{number}" for number in range(149, -1, -1)]

    eventually(has_all, page)


def test_whoever_scrolls_in_a_hurry_gets_to_the_end_of_a_long_history(
    board: MadeBoard, visit: Callable[..., Page]
) -> None:
    for number in range(900):
        board.keep(event(f"u{number}", f"number {number}", ago_s=60.0 * (900 - number)))
    page = ready(visit(board))

    def is_at_the_end() -> bool:
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(50)
        return len(keys(page)) == 900

    eventually(is_at_the_end, page)


def test_what_the_board_has_not_written_down_yet_is_not_kept_either(
    board: MadeBoard, visit: Callable[..., Page]
) -> None:
    board.keep(event("u1", "number 1", ago_s=9))
    page = ready(visit(board))
    page.wait_for_selector(".card")
    board.story.tell(event("u2", "number 2", ago_s=5))
    page.wait_for_selector('[data-utterance="u2"]')
    board.tell(event("u3", "number 3"))
    kept = "JSON.parse(localStorage['parrotlet-answers']).entries.map(entry => entry.key)"
    becomes(page, f"'parrotlet-answers' in localStorage && {kept}.includes('u3')")
    assert page.evaluate(kept) == ["u3", "u1"]


def test_a_board_that_has_begun_anew_is_not_taken_for_the_one_before(
    tmp_path: Path, visit: Callable[..., Page]
) -> None:
    with MadeBoard(tmp_path) as board:
        for number in range(70):
            board.keep(event(f"u{number}", f"number {number}", ago_s=1000 - number))
        page = ready(visit(board))
        page.wait_for_selector('[data-utterance="u69"]')
    for file in tmp_path.glob("spool.db*"):
        file.unlink()
    with MadeBoard(tmp_path, port=board.port) as board:
        board.keep(event("v0", "number 0", ago_s=20))
        page.click("#try") if page.is_visible("#try") else None
        eventually(lambda: keys(page) == ["v0"], page)
        board.tell(event("v1", "number 1", ago_s=10))
        kept = "(JSON.parse(localStorage['parrotlet-answers'] ?? '{}').entries ?? []).map(entry => entry.key)"
        eventually(lambda: page.evaluate(kept) == ["v1", "v0"], page)


def test_all_of_it_is_done_by_keys(board: MadeBoard, visit: Callable[..., Page]) -> None:
    board.keep(event("u1", "set a time", results=(TIMER, RAIN)))
    page = ready(visit(board))
    page.wait_for_selector(".card")

    def tab_to(selector: str) -> None:
        """By the Tab key alone; whatever has the focus on the way is seen to have it."""
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement === document.body"):
                continue
            assert page.evaluate(
                """() => [document.activeElement, document.activeElement.parentNode]
                    .some(node => getComputedStyle(node).outlineStyle !== "none")"""
            ), page.evaluate("document.activeElement.outerHTML")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} is never reached")

    tab_to(".skip")
    page.keyboard.press("Enter")
    tab_to("#search")
    tab_to('[data-do="meant"][data-result="rain"]')
    page.keyboard.press("Enter")
    tab_to('[data-do="right"]')
    page.keyboard.press("Space")
    page.wait_for_selector('[data-do="right"][aria-pressed="true"]')
    tab_to('[data-do="said"]')
    page.keyboard.press("Enter")
    page.keyboard.press("Control+A")
    page.keyboard.type("set a timer")
    page.keyboard.press("Enter")
    eventually(lambda: len(board.feedback) == 3, page)
    assert [given.verdict for given in board.feedback] == [None, "right", "wrong"]
    assert page.evaluate("document.activeElement.dataset.do") == "said"
    tab_to('[data-do="delete"]')
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.do") == "undo"
    page.keyboard.press("Enter")
    tab_to("#hold")
    tab_to("#free")
    tab_to("#menu-button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#menu[open]")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "menu-button"
    tab_to("#mute")
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-doing=muted]")
    assert board.asked == ["mute"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_has_the_focus_is_seen_to_have_it(board: MadeBoard, visit: Callable[..., Page], theme: str) -> None:
    others = (Alternative("set a time", 0.1, "x"),)
    choices = (Choice("turn on the light", "light_on"), Choice("turn off the light", "light_off"))
    board.keep(event("u1", "set a timer", results=(TIMER, RAIN), alternatives=others, choices=choices))
    page = ready(visit(board, "/?debug", color_scheme=theme))
    page.wait_for_selector(".card")
    seen = focused(page)
    places = {"skip", "round", "search-field", "pick", "choice", "foot-button", "hold", "free", "budget-scroll"}
    assert places <= {word for name in seen for word in name.split()}
    page.focus("#menu-button")
    page.keyboard.press("Enter")
    seen |= focused(page)
    page.keyboard.press("Escape")
    page.focus('[data-do="said"]')
    page.keyboard.press("Enter")
    seen |= focused(page)
    assert "correction-field" in seen
    seen |= focused(visit(board, "/pair", is_paired=False, color_scheme=theme))
    assert "field is-code" in seen


def focused(page: Page) -> set[str]:
    """The classes of whatever the Tab key leads to, each with an outline of the page's own that stands out."""
    seen: set[str] = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        name, is_outlined = page.evaluate(OUTLINED)
        assert is_outlined, name
        seen |= {name} - {None}
    return seen


def test_a_push_is_heard_by_the_board(
    tmp_path: Path, browser: Any, visit: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, monkeypatch) as (daemon, phone):
        page = visit(None, "about:blank", is_paired=False)
        page.goto(pair(page.context, phone))
        page.wait_for_selector("#dock:not([hidden])")
        page.locator("#hold").hover()
        page.mouse.down()
        page.wait_for_selector("#dock[data-phase=sending]")
        eventually(lambda: bool(daemon.recogniser.streams), page)
        page.wait_for_selector("#partial:has-text('set a')")
        page.mouse.up()
        page.wait_for_selector(f".card .said:has-text('{ANSWER.transcript}')")
        assert "this phone" in text(page, ".card-told")
        page.wait_for_selector("#dock[data-phase=closed]")


def test_hands_free_goes_on_by_itself_after_the_board_was_away(tmp_path: Path, visit: Callable[..., Page]) -> None:
    with MadeBoard(tmp_path) as board:
        page = ready(visit(board))
        page.click("#free")
        page.wait_for_selector("#dock[data-phase=free] #talk-note:has-text('hears all the time')")
        eventually(lambda: board.microphones.samples > 3200, page)
    page.wait_for_selector("#talk-note:has-text('goes on by itself')")
    with MadeBoard(tmp_path, port=board.port) as board:
        page.click("#try") if page.is_visible("#try") else None
        eventually(lambda: board.microphones.samples > 3200, page)
        assert board.microphones.begun == [{"rate_hz": 16000, "mode": "hands-free"}]
        assert board.microphones.gaps == ["the network was away"]
        page.wait_for_selector("#talk-note:has-text('hears all the time')")
        page.click("#free")
        page.wait_for_selector("#dock[data-phase=closed]")


def test_without_https_the_page_says_why_there_is_no_microphone_and_does_the_rest(
    board: MadeBoard, visit: Callable[..., Page]
) -> None:
    board.keep(event("u1", "number 1"))
    page = ready(visit(board, f"http://{INSECURE_NAME}:{board.port}/"))
    page.locator("#hold").hover()
    page.mouse.down()
    page.wait_for_selector("#talk-note:has-text('only on https')")
    page.mouse.up()
    page.click('[data-do="right"]')
    eventually(lambda: len(board.feedback) == 1, page)
    assert len(board.feedback[0].feedback_id) == 36


def test_a_board_that_has_no_room_says_so_itself(board: MadeBoard, visit: Callable[..., Page]) -> None:
    board.is_full = True
    page = visit(board)
    page.wait_for_selector("#state-why:has-text('Too many phones look on')")
    assert "Trying again" in text(page, "#state-why")
    page.wait_for_selector("#try")
    board.is_full = False
    # At once: the page tries again by itself, too, and then there is no button any more.
    page.dispatch_event("#try", "click")
    ready(page)


def test_a_phone_that_is_not_paired_any_more_forgets_all_of_it(board: MadeBoard, visit: Callable[..., Page]) -> None:
    board.keep(event("u1", "number 1"))
    page = ready(visit(board))
    becomes(page, "'parrotlet-answers' in localStorage")
    board.phones.revoke([one.id for one in board.phones.all()])
    page.wait_for_selector("#code")
    assert page.evaluate("Object.keys(localStorage)") == []


def test_who_is_not_let_in_is_told_why_and_for_how_long(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = visit(board, is_paired=False)
    page.fill("#code", "abcd")
    page.click("#send")
    page.wait_for_selector("#problem:has-text('eight letters')")
    page.fill("#code", "abcdefgh")
    page.click("#send")
    page.wait_for_selector("#problem:has-text('wrong, used or older')")
    for _ in range(20):
        page.click("#send")
        page.wait_for_selector("#problem:not([hidden])")
        if page.is_disabled("#send"):
            break
    page.wait_for_selector("#problem:has-text('You can try again in')")


def test_a_code_pairs(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = visit(board, is_paired=False)
    page.fill("#code", board.page.invitations.invite().code.lower())
    page.fill("#name", "Ada's phone")
    page.click("#send")
    ready(page)
    assert [phone.name for phone in board.phones.all()] == ["Ada's phone"]


def test_the_token_of_a_picture_pairs_once_by_itself_and_stands_in_no_address(
    board: MadeBoard, visit: Callable[..., Page]
) -> None:
    token = board.page.invitations.invite().token
    ready(visit(board, f"/pair#{token}", is_paired=False))
    page = visit(board, f"/pair#{token}", is_paired=False)
    page.wait_for_selector("#problem:has-text('This picture is used')")
    assert page.url == f"{board.address}/pair"


def test_the_page_is_light(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = ready(visit(board))
    fetched = page.evaluate(
        """[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
            .filter(entry => !entry.name.includes("/events")).map(entry => [entry.name, entry.transferSize])"""
    )
    assert sum(size for _, size in fetched) <= 100_000
    assert all(name.startswith(board.address) for name, _ in fetched)


def other(number: int, said: str, board: str = "hall", *, ago_s: float = 0.0, **answer: Any) -> Other:
    at_us = time.time_ns() // 1000 - round(ago_s * 1e6)
    return Other(number, board, f"o{number}", at_us, None, None, Answer("cloud", said, **answer))


def test_answers_of_other_boards_are_shown_and_are_theirs(board: MadeBoard, visit: Callable[..., Page]) -> None:
    board.keep(event("u1", "turn on the lights", ago_s=60))
    page = ready(visit(board))
    eventually(lambda: board.watcher is not None, page)
    watcher = board.watcher
    assert watcher is not None
    watcher.watching("a", is_anew=True)
    choices = (Choice("turn on the light", "on"), Choice("turn off the light", "off"))
    watcher.other(other(1, "set a timer", ago_s=90, results=(TIMER, RAIN), choices=choices))
    watcher.other(other(2, "turn on the lights", ago_s=59, twin=Twin("kitchen", "u1", None), results=(TIMER,)))
    watcher.other(other(3, SCRIPT, "desk.phone-ab12", ago_s=30))
    page.wait_for_selector('[data-utterance="o3"]')
    assert keys(page) == ["o3", "o2", "u1", "o1"]
    assert "Hall" in text(page, '[data-utterance="o1"] .card-told')
    assert "a phone at Desk" in text(page, '[data-utterance="o3"] .card-told')
    assert page.title() == "Kitchen · Parrotlet"
    # What is wrong of it is said there.
    assert page.locator('[data-utterance^="o"] button').count() == 0
    assert page.locator('[data-utterance="u1"] button').count() > 0
    twin = '[data-utterance="o2"]'
    assert text(page, f"{twin} .why") == "Also heard by Hall, which heard it better; it is done once."
    assert page.locator(f"{twin} .result").count() == 0
    assert page.locator('[data-utterance="o1"] .result').count() == 2
    page.fill("#search", "timer")
    page.wait_for_selector('#found [data-utterance="o1"]')
    page.fill("#search", "")
    watcher.not_watching("The service is away.")
    page.wait_for_selector("#others-note:has-text('cannot be seen now. The service is away.')")
    # Erased there, gone here; and what is this board's own stays.
    watcher.watching("b", is_anew=True)
    watcher.other(other(4, "and then"))
    page.wait_for_selector('[data-utterance="o4"]')
    eventually(lambda: keys(page) == ["o4", "u1"], page)
    assert page.is_hidden("#others-note")


def test_a_page_that_comes_back_has_each_answer_of_other_boards_once(
    tmp_path: Path, visit: Callable[..., Page]
) -> None:
    with MadeBoard(tmp_path) as board:
        page = ready(visit(board))
        eventually(lambda: board.watcher is not None, page)
        assert board.watcher is not None
        board.watcher.watching("a", is_anew=True)
        for number in (1, 2):
            board.watcher.other(other(number, f"number {number}", ago_s=10 - number))
        page.wait_for_selector('[data-utterance="o2"]')
        board.close()
        page.wait_for_selector("body[data-doing=lost]")
        board.watcher = None
        with board:
            ready(page)
            eventually(lambda: board.watcher is not None, page)
            board.watcher.watching("a", is_anew=True)
            for number in (1, 2, 3):
                board.watcher.other(other(number, f"number {number}", ago_s=10 - number))
            page.wait_for_selector('[data-utterance="o3"]')
            assert keys(page) == ["o3", "o2", "o1"]
            # No browser keeps what is not its board's.
            page.evaluate("dispatchEvent(new Event('pagehide'))")
            assert "number 1" not in page.evaluate("localStorage.getItem('parrotlet-answers') ?? ''")


def test_a_twin_of_another_board_says_whose_answer_counts(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = ready(visit(board))
    told = event("u1", "turn on the lights", results=(TIMER,))
    for number, (best, shown) in enumerate({"board": "Kitchen", "hall": "Hall"}.items()):
        twin = msgspec.structs.replace(
            told, utterance_id=f"u{number}", twin_of="o1", twin_board="hall", heard_best=best
        )
        board.tell(twin)
        page.wait_for_selector(f'[data-utterance="u{number}"]')
        words = f"Hall heard the same and was answered first; it is done once. Heard best by {shown}."
        assert text(page, f'[data-utterance="u{number}"] .why') == words


def test_nothing_bars_anybody(tmp_path: Path, visit: Callable[..., Page]) -> None:
    with MadeBoard(tmp_path) as board:
        page = ready(visit(board))
        faults = in_all_looks(page)
        choices = (Choice("turn on the light", "light_on"), Choice("turn off the light", "light_off"))
        board.tell(event("u1", "turn the light", choices=choices, alternatives=(Alternative("turn alight", 0.1, "x"),)))
        board.tell(event("u2", "", Kind.KEPT, sentence="The service does not answer."))
        board.tell(event("u3", "", Kind.EXPIRED))
        board.tell(event("u4", "set a time", path="local"))
        board.tell(
            event(
                "u4", "set a timer", Kind.BETTER, intent="timer_start", slots={"how long": "ten"}, results=(TIMER, RAIN)
            )
        )
        timers = [{"lasts_s": 600, "left_s": 300, "rings": False}]
        board.be("listening", timers=timers)
        assert board.watcher is not None
        board.watcher.watching("a", is_anew=True)
        board.watcher.other(other(1, SCRIPT, "desk.phone-ab12", choices=choices))
        board.watcher.other(other(2, "set a timer", results=(TIMER, RAIN), twin=Twin("kitchen", "u4", "kitchen")))
        board.watcher.not_watching("The service does not answer.")
        page.wait_for_selector("body[data-doing=listening]")
        board.says("u5", "and this is", "being said")
        page.wait_for_selector('[data-utterance="u4"]')
        page.click('[data-utterance="u4"] [data-do="wrong"]')
        page.click('[data-utterance="u3"] [data-do="delete"]')
        faults += in_all_looks(page)
        page.click("#menu-button")
        faults += in_all_looks(page)
        page.click("#menu-close")
        board.be("muted", muted_by="the switch")
        page.wait_for_selector("body[data-doing=muted]")
        faults += in_all_looks(page)
        pairing = visit(board, "/pair", is_paired=False)
        pairing.click("#send")
        pairing.wait_for_selector("#problem:not([hidden])")
        pairing.click("summary")
        faults += in_all_looks(pairing)
    page.wait_for_selector("body[data-doing=lost]")
    faults += in_all_looks(page)
    assert faults == []


OUTLINED = r"""() => {
    const node = document.activeElement;
    if (node === document.body) return [null, true];
    const light = (colour) => {
        const [r, g, b] = colour.match(/[\d.]+/g).map(each => each / 255).map(
            each => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = light(getComputedStyle(document.documentElement).backgroundColor);
    const isOutlined = [node, node.parentNode].some(each => {
        const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(each);
        const ink = light(outlineColor);
        const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
        return outlineStyle === "solid" && parseFloat(outlineWidth) >= 2 && contrast >= 3;
    });
    return [node.className, isOutlined];
}"""
"""What has the focus, and whether that is seen."""
WORD = "مؤقت"
"""A timer, from right to left."""


def test_a_language_that_runs_the_other_way_has_room(board: MadeBoard, visit: Callable[..., Page]) -> None:
    page = visit(board, "about:blank")
    page.route("**/words/en.json", lambda route: route.fulfill(json=route.fetch().json() | {"page.direction": "rtl"}))
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"{board.address}/?debug")
    ready(page)
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert outside(page) == []
    choices = (Choice("turn on the light", "light_on"), Choice("turn off the light", "light_off"))
    board.tell(event("u1", "turn the light", choices=choices, alternatives=(Alternative("turn alight", 0.1, "x"),)))
    board.tell(event("u2", "set a time", intent="timer_start", slots={"how long": "ten"}, results=(TIMER, RAIN)))
    board.tell(event("u3", "", Kind.KEPT, sentence="The service does not answer."))
    board.says("u4", "and this is", "being said")
    page.wait_for_selector('[data-utterance="u3"]')
    page.click('[data-utterance="u1"] summary')
    page.click('[data-utterance="u2"] [data-do="wrong"]')
    assert outside(page) == []
    page.click("#menu-button")
    assert outside(page) == []


def test_a_text_runs_its_own_way(board: MadeBoard, visit: Callable[..., Page]) -> None:
    board.examples_said = (WORD,)
    board.be(sentence=WORD)
    page = ready(visit(board))
    result = Result("r", WORD, WORD, 1.0, "https://example.org/", WORD)
    others = (Alternative(WORD, 0.1, "x"),)
    board.says("u1", WORD, WORD)
    page.wait_for_selector("#partial:not([hidden])")
    assert loose(page) == []
    board.tell(
        event("u1", WORD, path="local", choices=(Choice(WORD, "x"),) * 2, results=(result,), alternatives=others)
    )
    more: dict[str, Any] = {"response": WORD, "intent": "timer", "slots": {"when": WORD}, "sentence": WORD}
    board.tell(event("u1", f"{WORD}.", Kind.BETTER, results=(result,), alternatives=others, **more))
    page.wait_for_selector(".mark")
    page.click('[data-do="wrong"]')
    page.fill(".correction textarea", WORD)
    page.keyboard.press("Enter")
    page.fill("#search", WORD)
    assert loose(page) == []
    assert page.eval_on_selector(".said", "node => getComputedStyle(node).direction") == "rtl"


def outside(page: Page) -> list[str]:
    """What is seen and reaches beyond the window's sides."""
    return list(
        page.evaluate(
            """UNSEEN => [document.documentElement, ...document.querySelectorAll("body *")].filter(node => {
                if (!node.checkVisibility() || node.closest(UNSEEN)) return false;
                const { left, right } = node.getBoundingClientRect();
                return left < -0.5 || right > innerWidth + 0.5 || node.matches("html") && node.scrollWidth > innerWidth;
            }).map(node => node.outerHTML.slice(0, 100))""",
            ".unseen, .skip, .pictures, .budget-scroll *",
        )
    )


def loose(page: Page) -> list[str]:
    """Where the word stands, but in a sentence of the page's own, and its direction is not the word's."""
    return list(
        page.evaluate(
            """word => [...document.querySelectorAll("body *")].filter(node =>
                ([...node.childNodes].some(each => each.nodeType === Node.TEXT_NODE && each.data.includes(word))
                    || (node.value ?? "").includes?.(word)) && !node.closest("[dir=auto], bdi, .unseen, .note")
            ).map(node => node.outerHTML.slice(0, 100))""",
            WORD,
        )
    )
