"""The operator's page in a real browser: a link signs it in, keys alone lead everywhere, nothing is out of reach."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.made_log import DAY_US, Made, drawn_levels, make_log, rows
from benchmarks.made_operator import made_operator, made_settings, now_us, signed_in
from benchmarks.made_said import make_said
from cloud.alerts.alerts import FILE_NAME as ALERTS_FILE
from cloud.alerts.alerts import AlertBook, report
from cloud.changing.gate import Rules
from cloud.changing.operations import WHISPER_SUBJECT
from cloud.changing.rollout_store import FILE_NAME as ROLLOUTS
from cloud.changing.rollout_store import RolloutStore
from cloud.log.answer_log import FILE_NAME
from cloud.log.answer_store import AnswerStore, Row
from cloud.operating.operators import Operators
from cloud.operating.standing import StandingAlerts
from common.record import Record
from protos import speech_pb2
from tests.page_browser import PATIENCE_S, Page, in_all_looks, launched, needs_chromium, text
from tests.test_operating import Labels

pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

pytestmark = needs_chromium

LONGEST, WORD = "W" * 64, "schifffahrt" * 20
WELL = Made("kitchen", "", -60.0, -30.0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Operators]]:
    """Boards that are well and ill, and weights that are tried."""
    folder = tmp_path_factory.mktemp("operating")
    ills = ("deaf", "noisy", "slow", "old")
    make_log(folder, [WELL, *(Made(f"{ill}-board", ill, -60.0, -30.0) for ill in ills)], 1500, now_us())
    make_said(folder, now_us())
    with Record(folder / ALERTS_FILE, AlertBook).change() as book:
        for cause, where in (("noise", "noisy-board"), ("intents", "kitchen"), ("concept-meaning-word-white", "")):
            report(book, cause, where, f"It is `{cause}`.", now_us(), since_unix_us=now_us() - 2 * DAY_US)
    with closing(RolloutStore(folder / ROLLOUTS)) as store:
        store.begin(WHISPER_SUBJECT, "base", "base", who="bob", why="bigger", share=0.2, automatic=False, rules=Rules())
    settings = made_settings(folder)
    with made_operator(settings, StandingAlerts(settings), Labels()) as made:
        yield made


def opened(browser: Any, site: tuple[str, Operators], path: str = "/", *, is_in: bool = True) -> Page:
    context = browser.new_context()
    if is_in:
        name, value = signed_in(site[1])
        context.add_cookies([{"name": name, "value": value, "url": site[0], "httpOnly": True, "sameSite": "Strict"}])
    page = context.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    page.goto(f"{site[0]}{path}")
    return page


def test_a_link_and_the_keyboard_are_enough(browser: Any, site: tuple[str, Operators]) -> None:
    page = opened(browser, site, f"/enter?link={site[1].invite('ada')}", is_in=False)
    for _ in range(3):
        page.keyboard.press("Tab")
    assert text(page, ":focus") == "Sign in"
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('4 of 5 boards need a look')")
    page.keyboard.press("Tab")
    assert text(page, ":focus") == "To the content"
    page.keyboard.press("Enter")
    for _ in range(30):
        page.keyboard.press("Tab")
        if text(page, ":focus") == "deaf-board":
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('deaf-board')")
    assert text(page, ".verdict") == "deaf"
    # A bookmark keeps the session, a link of another page leads here all the same.
    page.goto("about:blank")
    page.evaluate("address => { const a = document.createElement('a'); a.href = address; a.click(); }", f"{site[0]}/")
    page.wait_for_selector("h1:has-text('boards need a look')")
    page.click("text=Sign out")
    page.wait_for_selector("text=This page is its operator's")
    assert text(page, "h1") == "Not signed in"
    assert in_all_looks(page) == []
    page.context.close()


def test_nothing_of_it_is_wrong_for_who_sees_hears_or_points_otherwise(
    browser: Any, site: tuple[str, Operators]
) -> None:
    faults: list[str] = []
    page = opened(browser, site)
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    for path in (
        "/",
        "/board?id=noisy-board",
        "an utterance",
        "its label",
        "/search?text=oat",
        "/models",
        "/models/step?kind=model&name=whisper&does=anyway",
        "/capacity",
        "/drift",
        "/errors",
        "/labels",
        "/board?id=nobody",
    ):
        if path == "an utterance":
            page.goto(f"{site[0]}/board?id=kitchen")
            page.click("td.words a")
        elif path == "its label":
            page.goto(page.url.replace("/utterance?", "/label?"))
        else:
            page.goto(f"{site[0]}{path}")
        faults += [f"{path}: {line}" for line in in_all_looks(page)]
    page.context.clear_cookies()
    page.goto(f"{site[0]}/enter?link={site[1].invite('ada')}")
    faults += in_all_looks(page)
    page.context.close()
    assert [line for line in faults if "404" not in line] == []


def test_one_board_is_told_of_in_words_alone(browser: Any, tmp_path: Path) -> None:
    make_log(tmp_path, [WELL], 60, now_us())
    with made_operator(made_settings(tmp_path)) as made:
        page = opened(browser, made)
        assert text(page, ".verdict") == "hearing well"
        assert page.locator(".plot").count() == 0
        assert in_all_looks(page) == []
        page.context.close()


def test_the_longest_names_and_words_push_nothing_out_of_sight(browser: Any, tmp_path: Path) -> None:
    boards = [WELL, WELL._replace(device_id=LONGEST)]
    with closing(AnswerStore(tmp_path / FILE_NAME)) as store:
        store.add([long_winded(row) for row in rows(boards, 60, now_us(), drawn_levels)], 60)
    make_said(tmp_path, now_us())
    with made_operator(made_settings(tmp_path)) as made:
        page = opened(browser, made)
        for width in (320, 390, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            for path in ("/", f"/board?id={LONGEST}", "/search", "/errors", f"/utterance?board={LONGEST}&id=u000059"):
                page.goto(f"{made[0]}{path}")
                page.wait_for_selector("h1")
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, path)
            page.goto(f"{made[0]}/")
            for cell in page.locator(".hears").all():
                box = cell.bounding_box()
                assert box["x"] + box["width"] <= width
        page.context.close()


def long_winded(row: Row) -> Row:
    """The same board's, whose owner speaks without a pause."""
    final = speech_pb2.Final.FromString(row.final)
    final.transcript = WORD
    final.alternatives.add(transcript=WORD, engine="whisper")
    final.results.add(id="x", title=WORD)
    final.intent.name = "i" * 64
    final.intent.slots["what"] = WORD
    assert row.record is not None
    facts = msgspec.structs.replace(row.record.facts, intent=final.intent.name, utterance_id=row.key.utterance_id)
    return row._replace(final=final.SerializeToString(), record=row.record._replace(facts=facts, transcript=WORD))


def test_no_board_is_welcome(browser: Any, tmp_path: Path) -> None:
    AnswerStore(tmp_path / FILE_NAME).close()
    with made_operator(made_settings(tmp_path)) as made:
        page = opened(browser, made)
        assert text(page, "h1") == "No board was heard yet"
        assert in_all_looks(page) == []
        page.context.close()
